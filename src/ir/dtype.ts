// Element types: what a tensor's elements are, how wide they are, and which typed array holds them.

export const dtypes = ["f32", "f16", "i32", "u8", "i8", "bool"] as const;
export type DType = (typeof dtypes)[number];

export type TypedArray = Float32Array | Int32Array | Uint8Array | Int8Array | Uint16Array;

/** Bytes of one element. */
export const bytesOf: Readonly<Record<DType, number>> = { f32: 4, f16: 2, i32: 4, u8: 1, i8: 1, bool: 1 };

export const isDType = (text: string): text is DType => dtypes.some((dtype) => dtype === text);
export const isFloat = (dtype: DType): boolean => dtype === "f32" || dtype === "f16";
export const isInteger = (dtype: DType): boolean => dtype === "i32" || dtype === "u8" || dtype === "i8";

/** A typed array of `length` zeros for elements of `dtype`; f16 is held as its bits, bool as 0 and 1. */
export function allocate(dtype: DType, length: number): TypedArray {
  switch (dtype) {
    case "f32":
      return new Float32Array(length);
    case "f16":
      return new Uint16Array(length);
    case "i32":
      return new Int32Array(length);
    case "i8":
      return new Int8Array(length);
    case "u8":
    case "bool":
      return new Uint8Array(length);
  }
}

/** A tensor on the host, as users and the runtime exchange it. `data` is row-major. */
export interface Tensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: TypedArray;
}
