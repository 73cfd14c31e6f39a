// IDX, the format of the MNIST files: two zero bytes, the element type, the number of axes, their sizes as big-endian
// 32-bit numbers, then the elements, big-endian, row-major. Often gzipped.

import { allocate, type DType, type Tensor } from "../ir/dtype.ts";
import { elementCount } from "./elements.ts";
import { FormatError } from "./format-error.ts";
import { gunzip, isGzip } from "./gzip.ts";

export interface ElementType {
  readonly dtype: DType;
  readonly bytes: number;
  readonly read: (view: DataView, at: number) => number;
}

const elementTypes: ReadonlyMap<number, ElementType> = new Map([
  [0x08, { dtype: "u8", bytes: 1, read: (view, at) => view.getUint8(at) }],
  [0x09, { dtype: "i8", bytes: 1, read: (view, at) => view.getInt8(at) }],
  [0x0b, { dtype: "i32", bytes: 2, read: (view, at) => view.getInt16(at) }],
  [0x0c, { dtype: "i32", bytes: 4, read: (view, at) => view.getInt32(at) }],
  [0x0d, { dtype: "f32", bytes: 4, read: (view, at) => view.getFloat32(at) }],
  [0x0e, { dtype: "f32", bytes: 8, read: (view, at) => view.getFloat64(at) }],
] satisfies [number, ElementType][]);

const hex = (value: number): string => `0x${value.toString(16).padStart(2, "0")}`;

/**
 * Reads an IDX file, gzipped or not; 16-bit integers widen to i32, doubles round to f32.
 * Throws a FormatError that names `file`.
 */
export async function readIdx(bytes: Uint8Array, file: string): Promise<Tensor> {
  return parseIdx(isGzip(bytes) ? await gunzip(bytes, file) : bytes, file);
}

/** Reads an IDX file that is already unpacked. */
function parseIdx(bytes: Uint8Array, file: string): Tensor {
  const header = readIdxHeader(bytes, bytes.length, file);
  return idxElements(header, header.shape, bytes.subarray(header.start));
}

/** What the header of an IDX file says. */
export interface IdxHeader {
  readonly type: ElementType;
  readonly shape: readonly number[];
  /** The place of the first element, in bytes. */
  readonly start: number;
}

/** Reads the header from the first bytes of a file that is `size` bytes long. Throws a FormatError that names `file`. */
export function readIdxHeader(bytes: Uint8Array, size: number, file: string): IdxHeader {
  const notIdx = "this reads IDX files, such as those of MNIST, gzipped or not";
  if (bytes.length < 4) throw new FormatError(file, `is ${bytes.length} bytes long, too short for IDX`, notIdx);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const type = elementTypes.get(view.getUint8(2));
  if (view.getUint16(0) !== 0 || !type) {
    const magic = Array.from(bytes.subarray(0, 4), hex).join(" ");
    throw new FormatError(
      file,
      `begins with ${magic}, which is not the magic number of IDX (0x00 0x00 type axes)`,
      notIdx,
    );
  }
  const axes = view.getUint8(3);
  const start = 4 + 4 * axes;
  if (bytes.length < start) {
    throw new FormatError(file, `has ${axes} axes, but ends before their sizes`, "download or copy the file again");
  }
  const shape = Array.from({ length: axes }, (_, i) => view.getUint32(4 + 4 * i));
  const count = elementCount(shape);
  const expected = count * type.bytes;
  const found = size - start;
  if (found !== expected) {
    const difference = found < expected ? `${expected - found} are missing` : `${found - expected} are too many`;
    const what = `its header says ${shape.join(" × ")} elements, ${expected} bytes, but ${found} follow: ${difference}`;
    throw new FormatError(file, what, "the file is cut short or damaged; download or copy it again");
  }
  return { type, shape, start };
}

/** A tensor from the bytes of its elements. */
export function idxElements({ type }: IdxHeader, shape: readonly number[], bytes: Uint8Array): Tensor {
  const count = elementCount(shape);
  if (type.dtype === "u8") return { dtype: "u8", shape, data: new Uint8Array(bytes) };
  const data = allocate(type.dtype, count);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let i = 0; i < count; i++) data[i] = type.read(view, i * type.bytes);
  return { dtype: type.dtype, shape, data };
}
