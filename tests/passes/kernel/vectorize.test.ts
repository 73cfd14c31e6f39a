// Loops with lanes over vectors: what they become as text, and that they mean the same to the bit.

import { describe, expect, it } from "vitest";
import { interpretKernel } from "../../../src/ir/kernel/interpret.ts";
import { parseKernel } from "../../../src/ir/kernel/parse.ts";
import { printKernel } from "../../../src/ir/kernel/print.ts";
import type { Kernel } from "../../../src/ir/kernel/types.ts";
import { verifyKernel } from "../../../src/ir/kernel/verify.ts";
import { fuseMultiplyAdd } from "../../../src/passes/kernel/multiply-add.ts";
import { splatOnce } from "../../../src/passes/kernel/splat-once.ts";
import { vectorize } from "../../../src/passes/kernel/vectorize.ts";

const header =
  "kernel test(N, read x: f32[24], read w: f32[64], read ids: i32[24], read u: u8[24], read t: bool[24], " +
  "write y: f32[32], write i: i32[24], write b: bool[24], write c: u8[24]) cost 0 flops, 0 bytes";

function kernel(body: string): Kernel {
  const lines = body.replace(/^\n/, "").replace(/\n *$/, "").split("\n");
  const margin = /^ */.exec(lines[0]!)![0].length;
  return parseKernel(`${header} {\n${lines.map((line) => `  ${line.slice(margin)}\n`).join("")}}\n`);
}

const bodyOf = (text: string): string =>
  text
    .split("\n")
    .slice(1, -2)
    .map((line) => line.slice(2))
    .join("\n");

/** All results of a run on numbers that show which element was read. */
function run(tested: Kernel) {
  verifyKernel(tested);
  const buffers = {
    x: Float32Array.from({ length: 24 }, (_, n) => Math.sin(n * 7) * 3),
    w: Float32Array.from({ length: 64 }, (_, n) => Math.cos(n * 5) * 2),
    ids: Int32Array.from({ length: 24 }, (_, n) => (n * 7) % 24),
    u: Uint8Array.from({ length: 24 }, (_, n) => (n * 37) % 256),
    t: Uint8Array.from({ length: 24 }, (_, n) => ((n * 5) >> 1) & 1),
    y: new Float64Array(32),
    i: new Int32Array(24),
    b: new Uint8Array(24),
    c: new Uint8Array(24),
  };
  interpretKernel(tested, buffers, { N: 3 });
  return { y: [...buffers.y], i: [...buffers.i], b: [...buffers.b], c: [...buffers.c] };
}

/** The text of the body over vectors, which is checked to mean the same. */
function vectorized(body: string): string {
  const before = kernel(body);
  const after = vectorize(before);
  expect(run(after)).toEqual(run(before));
  return bodyOf(printKernel(after));
}

describe("loops with lanes", () => {
  it("choose by stored truths lane by lane", () => {
    const text = vectorized(`
      for v in 0..24 step 4 lanes 4 over element {
        y[v] = select(t[v], x[v], 0.0)
      }`);
    expect(text).toContain("y[v] = select(load4(t[v]), load4(x[v]), splat(0.0))");
  });

  it("load, compute and store vectors", () => {
    const text = vectorized(`
      for v in 0..24 step 4 lanes 4 over element {
        let a = x[v] * 0.5
        y[v] = select(a > w[N], -a, exp(a))
      }`);
    expect(text).toBe(`for v in 0..24 step 4 over element {
  let a = load4(x[v]) * splat(0.5)
  y[v] = select(a > splat(w[N]), -a, exp(a))
}`);
  });

  it("read and write masks, convert, and count positions", () => {
    const text = vectorized(`
      for v in 0..24 step 4 lanes 4 over element {
        b[v] = t[v] | x[v] < 0.0
        i[v] = i32(x[v]) + i32(v * 2 + N)
        y[v] = f32(t[v])
      }`);
    expect(text).toBe(`for v in 0..24 step 4 over element {
  b[v] = load4(t[v]) | load4(x[v]) < splat(0.0)
  i[v] = i32x4(load4(x[v])) + (splat(i32(v * 2 + N)) + vector(0i32, 2i32, 4i32, 6i32))
  y[v] = f32x4(load4(t[v]))
}`);
  });

  it("sum up in registers, with scalars splat where they meet vectors", () => {
    const text = vectorized(`
      for v in 0..4 step 4 lanes 4 over n {
        var sum = 0.0
        for k in 0..6 over k {
          let a = x[k]
          sum = sum + a * w[k * 8 + v]
        }
        y[v] = sum
      }`);
    // A loop of one iteration is its body.
    expect(text).toBe(`var sum = splat(0.0)
for k in 0..6 over k {
  let a = x[k]
  sum = sum + splat(a) * load4(w[k * 8])
}
y[0] = sum`);
  });

  it("put vectors together from what lies apart, and take them apart to store", () => {
    const text = vectorized(`
      for v in 0..8 step 4 lanes 4 over element {
        y[v * 3] = x[v * 2] + x[index(ids[v])]
      }`);
    expect(text).toContain("vector(x[v * 2], x[v * 2 + 2], x[v * 2 + 4], x[v * 2 + 6])");
    expect(text).toContain("x[index(ids[v + 3])]");
    expect(text).toContain("y[v * 3 + 9] = lane(lanes, 3)");
  });

  it("address by values that are vectors", () => {
    vectorized(`
      for v in 0..24 step 4 lanes 4 over element {
        let a = ids[v] & 15i32
        i[v] = a
        y[v] = w[index(a)]
      }`);
  });

  it("replace names of indices by their meaning", () => {
    const text = vectorized(`
      for v in 0..24 step 4 lanes 4 over element {
        let row = v // 3
        y[v] = w[row] + w[v % 3]
      }`);
    expect(text).toContain("w[(v + 1) // 3]");
  });

  it("read only what a position allows", () => {
    const text = vectorized(`
      for v in 0..8 step 4 lanes 4 over element {
        y[v] = select(v >= 2, x[v - 2], 0.0)
        y[v + 8] = select(N > 9, x[v + 1000], 1.0)
      }`);
    expect(text).toContain("select(v >= 2, x[v - 2], 0.0)");
    expect(text).toContain("if N > 9 {");
  });

  it("draw random numbers", () => {
    const text = vectorized(`
      for v in 0..24 step 4 lanes 4 over element {
        i[v] = threefry(ids[0], ids[1], i32(v), 7i32)
      }`);
    expect(text).toContain(
      "threefry(splat(ids[0]), splat(ids[1]), splat(i32(v)) + vector(0i32, 1i32, 2i32, 3i32), splat(7i32))",
    );
  });

  it("take types without vectors lane by lane", () => {
    vectorized(`
      for v in 0..24 step 4 lanes 4 over element {
        y[v] = f32(u[v]) * 0.5
        c[v] = u8(x[v] * 10.0)
      }`);
  });

  it.each([
    ["a condition", "if x[v] > 0.0 {\n  y[v] = x[v]\n}"],
    ["a bound", "var sum = 0.0\nfor k in 0..v over k {\n  sum = sum + x[k]\n}\ny[v] = sum"],
    ["a byte in a register", "let a = u[v]\ny[v] = f32(a)"],
  ])("run lane after lane where they cannot be lifted: %s", (_, lines) => {
    const body = lines
      .split("\n")
      .map((line) => `  ${line}`)
      .join("\n");
    const text = vectorized(`for v in 0..24 step 4 lanes 4 over element {\n${body}\n}`);
    expect(text).toContain("for lane in 0..4 over element {");
    expect(text).not.toContain("load4");
  });
});

describe("multiply-add", () => {
  it("fuses products with sums of vectors, and of nothing else", () => {
    const before = kernel(`
      let a = load4(x[0]) * load4(x[4]) + load4(x[8])
      y[0] = load4(w[0]) + a * splat(x[N * 2 + 1])
      i[0] = load4(ids[0]) * load4(ids[4]) + splat(1i32)
      y[4] = x[0] * x[1] + x[2]`);
    const after = fuseMultiplyAdd(before);
    expect(run(after)).toEqual(run(before));
    expect(bodyOf(printKernel(after))).toBe(`let a = fma(load4(x[0]), load4(x[4]), load4(x[8]))
y[0] = fma(a, splat(x[N * 2 + 1]), load4(w[0]))
i[0] = load4(ids[0]) * load4(ids[4]) + splat(1i32)
y[4] = x[0] * x[1] + x[2]`);
  });
});

describe("scalars that only meet vectors", () => {
  it("fill all lanes where they are defined; others stay as they are", () => {
    const before = kernel(`
      let a = x[0]
      let both = x[1]
      let m = ids[2]
      var sum = splat(0.0)
      for k in 0..3 over k {
        let each = x[k + 2]
        sum = sum + splat(each) * load4(w[k * 4]) + splat(a) * splat(both)
      }
      y[0] = sum + splat(a)
      y[4] = both
      i[0] = splat(m)`);
    const after = splatOnce(before);
    expect(run(after)).toEqual(run(before));
    expect(bodyOf(printKernel(after))).toBe(`let a = splat(x[0])
let both = x[1]
let m = splat(ids[2])
var sum = splat(0.0)
for k in 0..3 over k {
  let each = splat(x[k + 2])
  sum = sum + each * load4(w[k * 4]) + a * splat(both)
}
y[0] = sum + a
y[4] = both
i[0] = m`);
  });
});
