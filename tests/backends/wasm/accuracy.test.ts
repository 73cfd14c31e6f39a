// How far the transcendental functions of WebAssembly are from the right results, over all of float32: every n-th bit pattern, and the
// neighbourhood of the points where formulas change. docs/accuracy.md shows the limits that are checked here.

import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { enableRelaxedSimd } from "../../../src/backends/node/relaxed-simd.ts";
import { supportsRelaxedSimd } from "../../../src/backends/wasm/features.ts";
import { createLibrary } from "../../../src/backends/wasm/functions/library.ts";
import { applyBinary, applyUnary } from "../../../src/ir/kernel/arithmetic.ts";
import { k } from "../../../src/ir/kernel/build.ts";
import { binaryOps, type Expr, type Kernel, unaryOps } from "../../../src/ir/kernel/types.ts";
import { runCompiled } from "./run-kernel.ts";

/** The table of the document: function and limit in units in the last place. */
const table = readFileSync(new URL("../../../docs/accuracy.md", import.meta.url), "utf8");
const limits = [...table.matchAll(/^\| (\w+) \| ([\d.]+) \| (float32)?/gm)].map(([, name, limit, single]) => ({
  name: name!,
  limit: Number(limit),
  /** Whether it is computed in float32: only there may products be fused with sums. */
  single: single !== undefined,
}));

/** Every n-th of the 2^32 bit patterns. */
const stride = Number(process.env.STRIDE ?? 8191);

function samples(): Float32Array {
  const bits: number[] = [];
  for (let pattern = 0; pattern < 2 ** 32; pattern += stride) bits.push(pattern | 0);
  const turning = [
    0,
    0.25,
    0.5,
    Math.LN2,
    1,
    Math.SQRT1_2,
    Math.SQRT2,
    Math.PI / 4,
    Math.PI / 2,
    Math.PI,
    3.93,
    9.5,
    17.3,
    30,
    87.3,
    88.7,
    89,
    104,
    2 ** 19,
    2 ** 20,
    2 ** -126,
  ];
  for (const x of turning) {
    const [at] = new Int32Array(Float32Array.of(x).buffer);
    for (let near = -300; near <= 300; near++) bits.push(at! + near, (at! + near) | (1 << 31));
  }
  while (bits.length % 4 !== 0) bits.push(0);
  return new Float32Array(Int32Array.from(bits).buffer);
}

/** y[i] = f(x[i], …), one by one and four at a time. */
function kernelOf(length: number, make: (operands: readonly Expr[]) => Expr, lanes: 1 | 4): Kernel {
  const i = k.variable("i", "index");
  const type = lanes === 4 ? "f32x4" : "f32";
  const value = make(["x", "z"].map((name) => k.load(name, i, type)));
  return {
    name: "test",
    doc: "",
    location: undefined,
    sizes: [],
    buffers: [
      { name: "x", dtype: "f32", length, access: "read" },
      { name: "z", dtype: "f32", length, access: "read" },
      { name: "y", dtype: "f32", length, access: "write" },
    ],
    body: [k.loop("i", length, [k.store("y", i, value)], { step: lanes })],
    cost: { flops: 0, bytes: 0 },
  };
}

/** The distance of float32 numbers about x. */
function ulp(x: number): number {
  const magnitude = Math.max(Math.abs(x), 2 ** -126);
  return 2 ** (Math.min(Math.floor(Math.log2(magnitude)), 127) - 23);
}

/** In units in the last place; what rounds to the right infinity, zero or NaN is right. */
function errorOf(got: number, exact: number): number {
  const rounded = Math.fround(exact);
  if (Object.is(got, rounded) || (Number.isNaN(got) && Number.isNaN(rounded))) return 0;
  if (Number.isNaN(got) || Number.isNaN(rounded) || !Number.isFinite(got)) return Number.POSITIVE_INFINITY;
  if (got === 0 && exact === 0) return Number.POSITIVE_INFINITY;
  return Math.abs(got - exact) / ulp(exact);
}

enableRelaxedSimd();
const roundings: (readonly [string, boolean])[] = [["products rounded", false]];
if (supportsRelaxedSimd()) roundings.push(["products fused", true]);

const x = samples();
/** The same numbers in another order, for the second operand. */
const z = x.map((_, i) => x[Math.imul(i, 7919) % x.length] ?? 1);

describe("transcendental functions", () => {
  it("are all in the table", () => {
    const named = new Set(limits.map(({ name }) => name));
    const library = createLibrary(false);
    const made = [
      ...unaryOps.filter((op) => library.unary(op, "f32")),
      ...binaryOps.filter((op) => op !== "remainder" && library.binary(op, "f32")),
    ];
    expect(new Set(made)).toEqual(named);
  });

  for (const { name, limit, single } of limits) {
    const unary = unaryOps.find((op) => op === name);
    const binary = binaryOps.find((op) => op === name);
    const apply = (a: number, b: number): number =>
      unary ? applyUnary(unary, "f32", a) : binary ? applyBinary(binary, "f32", a, b) : Number.NaN;
    const make = ([a, b]: readonly Expr[]): Expr => {
      if (unary) return k.unary(unary, a!);
      if (binary) return k.binary(binary, a!, b!);
      throw new Error(`docs/accuracy.md names ${name}, which is no operation`);
    };

    it.each(single ? roundings : roundings.slice(0, 1))(
      `${name} is wrong by at most ${limit} units in the last place, and the same for vectors, %s`,
      (rounding, fma) => {
        const elements = { x: [...x], z: [...z], y: [...x] };
        const y = runCompiled(kernelOf(x.length, make, 1), elements, {}, fma).y!;
        const four = runCompiled(kernelOf(x.length, make, 4), elements, {}, fma).y!;
        let worst = { error: 0, at: 0 };
        for (let i = 0; i < x.length; i++) {
          if (!Object.is(y[i], four[i])) expect.fail(`${name}(${x[i]}, ${z[i]}) is ${y[i]}, in a vector ${four[i]}`);
          const error = errorOf(y[i]!, apply(x[i]!, z[i]!));
          if (error > worst.error) worst = { error, at: i };
        }
        if (process.env.MEASURE)
          console.log(name, rounding, worst.error.toFixed(3), `at ${x[worst.at]} (${z[worst.at]})`);
        expect(worst.error, `at ${x[worst.at]}`).toBeLessThanOrEqual(limit);
      },
    );
  }
});
