import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { convertTensor, shortestFloat32 } from "../../src/formats/elements.ts";
import { fromHalf, toHalf } from "../../src/util/half.ts";

describe("elements", () => {
  it("takes every half-precision number there and back", () => {
    for (let bits = 0; bits < 65536; bits++) {
      const value = fromHalf(bits);
      if (!Number.isNaN(value)) expect(toHalf(value)).toBe(bits);
    }
    expect(fromHalf(toHalf(Number.NaN))).toBeNaN();
  });

  it("rounds to the nearest half-precision number, ties to even", () => {
    expect(toHalf(1 + 2 ** -11)).toBe(toHalf(1));
    expect(toHalf(1 + 3 * 2 ** -11)).toBe(toHalf(1 + 2 ** -9));
    expect(fromHalf(toHalf(65519))).toBe(65504);
    expect(fromHalf(toHalf(65520))).toBe(Number.POSITIVE_INFINITY);
    expect(toHalf(2 ** -25)).toBe(0);
  });

  it("finds decimals that round to the same float32", () => {
    fc.assert(fc.property(fc.float({ noNaN: true }), (v) => Object.is(Math.fround(shortestFloat32(v)), v)));
  });

  it("refuses conversions that lose meaning, and names the element", () => {
    const f = { dtype: "f32", shape: [2], data: Float32Array.of(1, 1.5) } as const;
    expect(() => convertTensor(f, "i32")).toThrow("element 1 is 1.5, which is no i32");
    expect(() => convertTensor({ ...f, data: Float32Array.of(-1, 0) }, "u8")).toThrow(
      "element 0 is -1, which is no u8",
    );
    expect(() => convertTensor({ ...f, data: Float32Array.of(1, 2) }, "bool")).toThrow("element 1 is 2");
    const i = { dtype: "i32", shape: [2], data: Int32Array.of(3, -4) } as const;
    expect(convertTensor(i, "f32").data).toEqual(Float32Array.of(3, -4));
  });
});
