// An array of NumPy larger than memory: rows are read from the file when a batch asks for them.

import { elementCount } from "../../formats/elements.ts";
import { FormatError } from "../../formats/format-error.ts";
import { readNpyHeader } from "../../formats/npy.ts";
import { type FileType, fileTypeBytes, tensorFromBytes } from "../../formats/raw.ts";
import type { DType } from "../../ir/dtype.ts";
import type { ComputedColumn } from "./dataset.ts";
import type { OpenFile } from "./files.ts";

/** What elements of a file become in memory. */
const narrowed = (type: FileType): DType =>
  type === "f64" ? "f32" : type === "i64" || type === "i16" || type === "u16" ? "i32" : type;

/** The longest header that is looked at; those of plain arrays are some hundred bytes. */
const longest = 65_536;

export function streamArray(file: OpenFile): ComputedColumn {
  const { type, shape, start } = readNpyHeader(file.read(0, Math.min(file.size, longest)), file.size, file.path);
  const width = elementCount(shape.slice(1));
  const bytes = width * fileTypeBytes[type];
  const refuse = (what: string): never => {
    throw new FormatError(file.path, what, "convert the array to a smaller type before saving it");
  };
  return {
    dtype: narrowed(type),
    shape,
    fill: (rows, into) => {
      for (let i = 0; i < rows.length; i++) {
        const at = start + rows[i]! * bytes;
        into.set(tensorFromBytes(type, [width], file.read(at, at + bytes), refuse).data, i * width);
      }
    },
  };
}
