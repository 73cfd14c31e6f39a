// Pictures of the MNIST kind: kept as the bytes of the file, or left in a file that is larger than memory, and scaled when a batch asks
// for them.

import { elementCount } from "../../formats/elements.ts";
import { isGzip } from "../../formats/gzip.ts";
import { idxElements, readIdx, readIdxHeader } from "../../formats/idx.ts";
import { type Column, type ComputedColumn, gatherColumn, isComputed, rowLength } from "./dataset.ts";
import type { DataFiles, OpenFile } from "./files.ts";

/** The pictures as they are in the file. What is packed must be unpacked as a whole; of a large file that is not, rows are read. */
export async function readPictures(name: string, files: DataFiles): Promise<Column> {
  const open = files.open?.(name);
  if (open && !isGzip(open.read(0, Math.min(2, open.size)))) return streamPictures(open);
  const { path, bytes } = await files.read(name);
  return readIdx(bytes, path);
}

/** The longest header: 4 bytes, and 4 for each of at most 255 axes. */
const longest = 1024;

function streamPictures(file: OpenFile): ComputedColumn {
  const header = readIdxHeader(file.read(0, Math.min(file.size, longest)), file.size, file.path);
  const { type, shape, start } = header;
  const width = elementCount(shape.slice(1));
  const bytes = width * type.bytes;
  return {
    dtype: type.dtype,
    shape,
    fill: (rows, into) => {
      for (let i = 0; i < rows.length; i++) {
        const at = start + rows[i]! * bytes;
        into.set(idxElements(header, [width], file.read(at, at + bytes)).data, i * width);
      }
    },
  };
}

/** What a byte becomes: 0 … 1. */
const shades = Float32Array.from({ length: 256 }, (_, byte) => byte / 255);

/** Bytes 0 … 255 become 0 … 1, other elements stay as they are; pictures of two axes get one for their only channel. */
export function scaledImages(pictures: Column): Column {
  const shape = pictures.shape.length === 3 ? [...pictures.shape, 1] : pictures.shape;
  if (pictures.dtype !== "u8") return { ...pictures, shape };
  const width = rowLength(pictures);
  const fill: ComputedColumn["fill"] = (rows, into) => {
    for (let i = 0; i < rows.length; i++) {
      const from = rows[i]! * width;
      const bytes = isComputed(pictures)
        ? gatherColumn(pictures, [rows[i]!]).data
        : pictures.data.subarray(from, from + width);
      for (let k = 0; k < width; k++) into[i * width + k] = shades[bytes[k]!]!;
    }
  };
  return { dtype: "f32", shape, fill };
}
