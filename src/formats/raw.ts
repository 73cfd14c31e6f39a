// Little-endian elements as they lie in safetensors and npy files, to tensors and back. Copies, so that neither the
// alignment of the file nor its lifetime matters. Typed arrays are little-endian wherever JavaScript engines run today.

import type { DType, Tensor, TypedArray } from "../ir/dtype.ts";

/** Element types of files: those of tensors, and wider ones that are narrowed on reading. */
export type FileType = DType | "f64" | "i64" | "i16" | "u16";

export const fileTypeBytes: Readonly<Record<FileType, number>> = {
  f32: 4,
  f16: 2,
  i32: 4,
  u8: 1,
  i8: 1,
  bool: 1,
  f64: 8,
  i64: 8,
  i16: 2,
  u16: 2,
};

/** A tensor from its bytes; i64 must lie within int32, f64 is rounded to f32. `refuse` is called on what cannot be held. */
export function tensorFromBytes(
  type: FileType,
  shape: readonly number[],
  bytes: Uint8Array,
  refuse: (what: string) => never,
): Tensor {
  const buffer = new Uint8Array(bytes).buffer;
  switch (type) {
    case "f32":
      return { dtype: "f32", shape, data: new Float32Array(buffer) };
    case "f16":
      return { dtype: "f16", shape, data: new Uint16Array(buffer) };
    case "i32":
      return { dtype: "i32", shape, data: new Int32Array(buffer) };
    case "u8":
      return { dtype: "u8", shape, data: new Uint8Array(buffer) };
    case "i8":
      return { dtype: "i8", shape, data: new Int8Array(buffer) };
    case "bool": {
      const data = new Uint8Array(buffer);
      const odd = data.findIndex((value) => value > 1);
      if (odd >= 0) refuse(`element ${odd} of type bool is ${data[odd]}, neither 0 nor 1`);
      return { dtype: "bool", shape, data };
    }
    case "f64":
      return { dtype: "f32", shape, data: Float32Array.from(new Float64Array(buffer)) };
    case "i16":
      return { dtype: "i32", shape, data: Int32Array.from(new Int16Array(buffer)) };
    case "u16":
      return { dtype: "i32", shape, data: Int32Array.from(new Uint16Array(buffer)) };
    case "i64": {
      const wide = new BigInt64Array(buffer);
      const data = new Int32Array(wide.length);
      wide.forEach((value, i) => {
        if (BigInt.asIntN(32, value) !== value) refuse(`element ${i} is ${value}, which does not fit into 32 bits`);
        data[i] = Number(value);
      });
      return { dtype: "i32", shape, data };
    }
  }
}

/** The bytes of the elements, without a copy. */
export const bytesOfArray = (data: TypedArray): Uint8Array =>
  new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
