// Half precision, which WebAssembly holds as bits: IEEE 754 binary16 to and from float32.

import { f32, get, i32, type Local, op, set, type WasmFunction } from "../tree.ts";

/** The bits of the half next to x, ties to even; NaN has one pattern. */
function toHalf(): WasmFunction {
  const x: Local = { name: "x", type: "f32" };
  const magnitude: Local = { name: "magnitude", type: "f32" };
  const bits: Local = { name: "bits", type: "i32" };
  const sign = op("i32.and", op("i32.shr_u", op("i32.reinterpret_f32", get(x)), i32(16)), i32(0x8000));
  // Rounds to the 10 bits that are kept: half of the last less 1, and 1 more where the last is odd.
  const odd = op("i32.and", op("i32.shr_u", get(bits), i32(13)), i32(1));
  const rounded = op("i32.shr_u", op("i32.add", op("i32.add", get(bits), i32(0xfff)), odd), i32(13));
  const normal = op("i32.sub", rounded, i32(112 << 10));
  const tiny = op("i32.trunc_sat_f32_s", op("f32.nearest", op("f32.mul", get(magnitude), f32(2 ** 24))));
  const finite = op("select", tiny, normal, op("f32.lt", get(magnitude), f32(2 ** -14)));
  const bounded = op("select", i32(0x7c00), finite, op("f32.ge", get(magnitude), f32(65520)));
  return {
    name: "to_half",
    comments: ["The bits of the half-precision number next to x, ties to even."],
    parameters: [x],
    result: "i32",
    body: [
      set(magnitude, op("f32.abs", get(x))),
      set(bits, op("i32.reinterpret_f32", get(magnitude))),
      op("select", op("i32.or", sign, bounded), i32(0x7e00), op("f32.eq", get(x), get(x))),
    ],
  };
}

/** The exponent's offset is mended by a product, which also makes denormal halves normal. */
function fromHalf(): WasmFunction {
  const bits: Local = { name: "bits", type: "i32" };
  const magnitude: Local = { name: "magnitude", type: "i32" };
  const sign = op("i32.shl", op("i32.and", get(bits), i32(0x8000)), i32(16));
  const finite = op("i32.reinterpret_f32", op("f32.mul", op("f32.reinterpret_i32", get(magnitude)), f32(2 ** 112)));
  const special = op("i32.or", get(magnitude), i32(0x7f800000));
  return {
    name: "from_half",
    comments: ["The number that the bits of a half-precision number stand for."],
    parameters: [bits],
    result: "f32",
    body: [
      set(magnitude, op("i32.shl", op("i32.and", get(bits), i32(0x7fff)), i32(13))),
      op(
        "f32.reinterpret_i32",
        op("i32.or", sign, op("select", special, finite, op("i32.ge_u", get(magnitude), i32(0x7c00 << 13)))),
      ),
    ],
  };
}

export const halfFunctions = { to_half: toHalf, from_half: fromHalf };
