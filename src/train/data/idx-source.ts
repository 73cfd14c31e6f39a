// Pictures of the MNIST kind: as floats, or, where they are many, as the bytes of the file, or left in a file that is larger than memory,
// and scaled when a batch asks for them.

import { elementCount } from "../../formats/elements.ts";
import { isGzip } from "../../formats/gzip.ts";
import { idxElements, readIdx, readIdxHeader } from "../../formats/idx.ts";
import type { TypedArray } from "../../ir/dtype.ts";
import { type Column, type ComputedColumn, gatherColumn, isComputed } from "./dataset.ts";
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

/** Points of which floats are made at once, as it costs each batch a quarter of a millisecond to make them (of 128 × 784). */
const mostFloats = 2 ** 27;

/**
 * Bytes 0 … 255 become 0 … 1, other elements stay as they are; pictures of two axes get one for their only channel. Many pictures stay
 * bytes until a batch asks for them.
 */
export function scaledImages(pictures: Column, most = mostFloats): Column {
  const shape = pictures.shape.length === 3 ? [...pictures.shape, 1] : pictures.shape;
  if (pictures.dtype !== "u8") return { ...pictures, shape };
  const fill: ComputedColumn["fill"] = (rows, into) => shade(gatherColumn(pictures, rows).data, into);
  if (isComputed(pictures) || pictures.data.length > most) return { dtype: "f32", shape, fill };
  const data = new Float32Array(pictures.data.length);
  shade(pictures.data, data);
  return { dtype: "f32", shape, data };
}

/** A plain loop: `from` with a function takes seconds for the 47 million points of MNIST. */
function shade(bytes: TypedArray, into: TypedArray): void {
  for (let i = 0; i < bytes.length; i++) into[i] = shades[bytes[i]!]!;
}
