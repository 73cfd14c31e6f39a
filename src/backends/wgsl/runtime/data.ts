// Elements on their way between the host, where they are as wide as their type, and the device, where each takes 4 bytes.

import type { DType, TypedArray } from "../../../ir/dtype.ts";

/** The elements as the device holds them; f16 are bits on both sides. */
export function toDevice(dtype: DType, data: TypedArray): Float32Array | Int32Array {
  if (dtype === "f32") return data instanceof Float32Array && isOwn(data) ? data : Float32Array.from(data);
  return data instanceof Int32Array && isOwn(data) ? data : Int32Array.from(data);
}

/** Whether the elements lie in memory that no other thread sees: implementations refuse the other kind. */
const isOwn = ({ buffer }: TypedArray): boolean => buffer instanceof ArrayBuffer;

/** `count` elements from byte `offset` on, copied. */
export function fromDevice(dtype: DType, buffer: ArrayBuffer, offset: number, count: number): TypedArray {
  switch (dtype) {
    case "f32":
      return new Float32Array(buffer, offset, count).slice();
    case "i32":
      return new Int32Array(buffer, offset, count).slice();
    case "f16":
      return Uint16Array.from(new Int32Array(buffer, offset, count));
    case "i8":
      return Int8Array.from(new Int32Array(buffer, offset, count));
    case "u8":
    case "bool":
      return Uint8Array.from(new Int32Array(buffer, offset, count));
  }
}
