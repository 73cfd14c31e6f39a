// NPY, NumPy's format of one array (numpy.lib.format, versions 1 to 3): a magic number, a header that is a Python
// dictionary, then the elements.

import type { DType, Tensor } from "../ir/dtype.ts";
import { elementCount } from "./elements.ts";
import { excerpt, FormatError } from "./format-error.ts";
import { bytesOfArray, type FileType, fileTypeBytes, tensorFromBytes } from "./raw.ts";

const magic = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];

const fileTypes: Readonly<Record<string, FileType>> = {
  "<f4": "f32",
  "<f8": "f64",
  "<f2": "f16",
  "<i4": "i32",
  "<i8": "i64",
  "<i2": "i16",
  "<u2": "u16",
  "|u1": "u8",
  "|i1": "i8",
  "|b1": "bool",
};

const written: Readonly<Record<DType, string>> = {
  f32: "<f4",
  f16: "<f2",
  i32: "<i4",
  u8: "|u1",
  i8: "|i1",
  bool: "|b1",
};

/** What the header of an NPY file says. */
export interface NpyHeader {
  readonly type: FileType;
  readonly shape: readonly number[];
  /** The place of the first element, in bytes. */
  readonly start: number;
}

/** Reads one array; float64 is rounded to f32, int64 must fit into i32. Throws a FormatError that names `file`. */
export function readNpy(bytes: Uint8Array, file: string): Tensor {
  const { type, shape, start } = readNpyHeader(bytes, bytes.length, file);
  return tensorFromBytes(type, shape, bytes.subarray(start), (what) => {
    throw new FormatError(file, what, again);
  });
}

const again = "write the file again with numpy.save";

/** Reads the header from the first bytes of a file that is `size` bytes long. Throws a FormatError that names `file`. */
export function readNpyHeader(bytes: Uint8Array, size: number, file: string): NpyHeader {
  const fail = (what: string, help: string): never => {
    throw new FormatError(file, what, help);
  };
  if (bytes.length < 10 || magic.some((byte, i) => bytes[i] !== byte)) {
    fail("does not begin with the magic number of NPY", "this reads files written with numpy.save");
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const version = bytes[6]!;
  if (version < 1 || version > 3 || bytes.length < 12) fail(`has the NPY version ${version}, not 1, 2 or 3`, again);
  const lengthBytes = version === 1 ? 2 : 4;
  const length = version === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  const start = 8 + lengthBytes + length;
  if (start > bytes.length) fail(`its header claims ${length} bytes, but the file ends before that`, again);
  const header = new TextDecoder().decode(bytes.subarray(8 + lengthBytes, start));
  const type = /'descr'\s*:\s*'([^']*)'/.exec(header)?.[1];
  const order = /'fortran_order'\s*:\s*(True|False)/.exec(header)?.[1];
  const sizes = /'shape'\s*:\s*\(([\d\s,L]*)\)/.exec(header)?.[1];
  if (type === undefined || order === undefined || sizes === undefined) {
    return fail(`its header is ${excerpt(header.trim(), 80)}`, `a simple array of numbers is needed: ${again}`);
  }
  const fileType = Object.hasOwn(fileTypes, type) ? fileTypes[type] : undefined;
  if (!fileType) {
    const bigEndian = type.startsWith(">") ? "its elements are big-endian" : `its element type is ${excerpt(type)}`;
    return fail(bigEndian, "convert it before saving: numpy.save(file, x.astype('<f4'))");
  }
  const shape = [...sizes.matchAll(/\d+/g)].map(([digits]) => Number(digits));
  if (order === "True" && shape.length > 1) {
    fail("its elements are in Fortran's order", "save it in C's order: numpy.save(file, numpy.ascontiguousarray(x))");
  }
  const expected = elementCount(shape) * fileTypeBytes[fileType];
  if (expected !== size - start) {
    fail(`its header says [${shape.join(", ")}], ${expected} bytes, but ${size - start} follow`, again);
  }
  return { type: fileType, shape, start };
}

/** Writes one array in version 1 of the format. */
export function writeNpy(tensor: Tensor): Uint8Array {
  const sizes = tensor.shape.length === 1 ? `${tensor.shape[0]},` : tensor.shape.join(", ");
  const header = `{'descr': '${written[tensor.dtype]}', 'fortran_order': False, 'shape': (${sizes}), }`;
  // The header ends in a line feed and is padded so that the data begin at a multiple of 64 bytes.
  const start = Math.ceil((10 + header.length + 1) / 64) * 64;
  const bytes = new Uint8Array(start + tensor.data.byteLength);
  bytes.set([...magic, 1, 0]);
  new DataView(bytes.buffer).setUint16(8, start - 10, true);
  bytes.set(new TextEncoder().encode(`${header.padEnd(start - 11)}\n`), 10);
  bytes.set(bytesOfArray(tensor.data), start);
  return bytes;
}
