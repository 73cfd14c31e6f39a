// The whole compiler against PyTorch's values, a test for each covered case; and the rule by which they are compared.

import { existsSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { Tensor } from "../../src/ir/dtype.ts";
import { readCases } from "../../tools/reference/case.ts";
import { compareTensors } from "../../tools/reference/compare.ts";
import { runCase } from "../../tools/reference/run.ts";
import { programFor } from "../../tools/reference/table.ts";
import { shared } from "../shared.ts";

const f32 = (...values: number[]): Tensor => ({
  dtype: "f32",
  shape: [values.length],
  data: Float32Array.from(values),
});

describe("the comparison with a reference", () => {
  test("errors are relative to the largest magnitude of the tensor", () => {
    expect(compareTensors(f32(100, 0.0009), f32(100, 0), 0).ok).toBe(true);
    expect(compareTensors(f32(100, 0.0011), f32(100, 0), 0).ok).toBe(false);
  });

  test("PyTorch's own float32 error is allowed, unless it is large itself", () => {
    expect(compareTensors(f32(3e-7), f32(0), 0)).toMatchObject({ ok: false, error: Infinity });
    expect(compareTensors(f32(3e-7), f32(0), 4e-7)).toMatchObject({ ok: true, allowance: true });
    expect(compareTensors(f32(3e-7), f32(0), 2e-7).ok).toBe(false);
    expect(compareTensors(f32(1.5e-5), f32(0), 2e-5).ok).toBe(false);
  });

  test("shapes, integers, NaN and infinities must be the same", () => {
    expect(compareTensors(f32(1, 2), { ...f32(1, 2), shape: [2, 1] }, 0).ok).toBe(false);
    expect(compareTensors(f32(NaN, Infinity), f32(NaN, Infinity), 0).ok).toBe(true);
    expect(compareTensors(f32(NaN), f32(1), 1e-6).ok).toBe(false);
    expect(compareTensors(f32(1), f32(NaN), 1e-6).ok).toBe(false);
    expect(compareTensors(f32(Infinity), f32(-Infinity), 1e-6).ok).toBe(false);
    const whole = (value: number): Tensor => ({ dtype: "i32", shape: [], data: Int32Array.of(value) });
    expect(compareTensors(whole(3), whole(3), 0).ok).toBe(true);
    expect(compareTensors(whole(3), whole(4), 1e-6).ok).toBe(false);
  });
});

const folder = shared("reference/torch");
const present = existsSync(folder);
const cases = present ? readCases(folder, () => true) : [];
const covered = cases
  .map((c) => ({ name: c.name, c, program: programFor(c) }))
  .filter((x) => x.program.kind !== "missing");

describe("PyTorch's values", () => {
  test.skipIf(!present)(`there are cases in ${folder}`, () => {
    expect(covered.length).toBeGreaterThan(0);
  });
  test.each(covered)("$name", ({ c, program }) => {
    const { status, why } = runCase(c, program);
    expect(why).toBeUndefined();
    expect(status).toBe("passed");
  });
});
