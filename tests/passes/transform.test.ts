// Transformations of loops: each alone, on a small kernel. What the kernel computes stays the same, and the loops become those that
// the name promises.

import { describe, expect, it } from "vitest";
import { k } from "../../src/ir/kernel/build.ts";
import { interpretKernel } from "../../src/ir/kernel/interpret.ts";
import { parseKernel } from "../../src/ir/kernel/parse.ts";
import { printKernel } from "../../src/ir/kernel/print.ts";
import type { Kernel, Stmt } from "../../src/ir/kernel/types.ts";
import { verifyKernel } from "../../src/ir/kernel/verify.ts";
import { freshNames } from "../../src/passes/kernel/rewrite.ts";
import { vectorize as liftLanes } from "../../src/passes/kernel/vectorize.ts";
import {
  asLoop,
  distribute,
  type Loop,
  loopIn,
  reorder,
  scalarize,
  split,
  within,
} from "../../src/passes/transform/loops.ts";
import { pack } from "../../src/passes/transform/pack.ts";
import { registerTile, shareLoads, unroll, vectorize, vectorTile } from "../../src/passes/transform/tile.ts";

/** y = a · b for 5 × 7 and 7 × 8 elements, sums in memory. */
const product =
  parseKernel(`kernel product(N, read a: f32[35], read b: f32[56], write y: f32[40]) cost 0 flops, 0 bytes {
  alloc sums: f32[40]
  alloc panel: f32[96]
  for m in 0..5 parallel over m {
    for n in 0..8 parallel over n {
      sums[m * 8 + n] = 0.0
      for k in 0..7 over k {
        sums[m * 8 + n] = sums[m * 8 + n] + a[m * 7 + k] * b[k * 8 + n]
      }
      y[m * 8 + n] = sums[m * 8 + n] * 2.0
    }
  }
}
`);

const nestOf = (kernel: Kernel): Loop => asLoop(kernel.body.find((s) => s.kind === "for"));

function run(kernel: Kernel): readonly number[] {
  verifyKernel(kernel);
  const values = (length: number) => Float64Array.from({ length }, (_, i) => Math.sin(i * 7 + length));
  const y = new Float64Array(40).fill(Number.NaN);
  interpretKernel(kernel, { a: values(35), b: values(56), y }, { N: 5 });
  return [...y];
}

type Fresh = (stem: string) => string;

/** The text of the kernel after a change of its nest, which must compute the same, in vectors too. */
function textOf(change: (nest: Loop, fresh: Fresh) => readonly Stmt[]): string {
  const scratch = product.body.filter((s) => s.kind === "alloc");
  const changed = { ...product, body: [...scratch, ...change(nestOf(product), freshNames(product))] };
  const expected = run(product);
  for (const kernel of [changed, liftLanes(changed)]) {
    run(kernel).forEach((value, i) => {
      expect(value).toBeCloseTo(expected[i]!, 12);
    });
  }
  return printKernel(changed);
}

const loops = (text: string): readonly string[] =>
  text
    .split("\n")
    .filter((line) => line.includes("for "))
    .map((line) =>
      line
        .trim()
        .replace(/ over.*/, "")
        .replace(" parallel", ""),
    );

/** Sums and results in nests of their own, sums in a register. */
const prepared = (nest: Loop, fresh: Fresh, innermost = "n"): readonly [Loop, Loop] => {
  const [sums, results] = distribute(nest, innermost, ([clear, add, ...rest]) => [[clear!, add!], rest]);
  const scalar = within(sums!, innermost, (loop) => [{ ...loop, body: scalarize(loop.body, fresh("sum")) }]);
  return [asLoop(scalar[0]), results!];
};

describe("transformations of loops", () => {
  it("split", () => {
    expect(loops(textOf((nest) => [split(nest, 2, "block")])).slice(0, 2)).toEqual([
      "for block in 0..5 step 2",
      "for m in block..minimum(block + 2, 5)",
    ]);
    expect(loops(textOf((nest) => within(nest, "n", (loop) => [split(loop, 4, "block")])))[2]).toBe(
      "for n in block..block + 4",
    );
  });

  it("reorder", () => {
    expect(loops(textOf((nest) => [reorder(nest, ["n", "m"])])).slice(0, 2)).toEqual([
      "for n in 0..8",
      "for m in 0..5",
    ]);
    const blocked = split(nestOf(product), 2, "block");
    expect(() => reorder(blocked, ["m", "block"])).toThrow("depend on block");
    expect(() => reorder(blocked, ["block", "k"])).toThrow("no loop k");
  });

  it("distribute", () => {
    const text = textOf((nest) => distribute(nest, "n", ([clear, ...rest]) => [[clear!], rest]));
    expect(loops(text)).toEqual(["for m in 0..5", "for n in 0..8", "for m in 0..5", "for n in 0..8", "for k in 0..7"]);
  });

  it("scalarize", () => {
    const text = textOf((nest) => within(nest, "n", (loop) => [{ ...loop, body: scalarize(loop.body, "sum") }]));
    expect(text).toContain("var sum = 0.0");
    expect(text).toContain("sum = sum + a[m * 7 + k] * b[k * 8 + n]");
    expect(text).toContain("sums[m * 8 + n] = sum");
    expect(() => scalarize(nestOf(product).body, "sum")).toThrow("one element");
  });

  it("scalarize what was there before", () => {
    const text = textOf((nest) => {
      const [clear, add] = distribute(nest, "n", ([first, ...rest]) => [[first!], rest]);
      return [clear!, ...within(add!, "n", (loop) => [{ ...loop, body: scalarize(loop.body, "sum") }])];
    });
    expect(text).toContain("var sum = sums[m * 8 + n]");
  });

  it("scalarize a part of a sum", () => {
    const text = textOf((nest) => {
      const [clear, add] = distribute(nest, "n", ([first, ...rest]) => [[first!], rest]);
      const zero = k.constant(0, "f32");
      return [clear!, ...within(add!, "n", (loop) => [{ ...loop, body: scalarize(loop.body, "sum", zero) }])];
    });
    expect(text).toContain("var sum = 0.0");
    expect(text).toContain("sums[m * 8 + n] = sums[m * 8 + n] + sum");
  });

  it("register-tile, with what tiles leave peeled off", () => {
    const text = textOf((nest, fresh) => {
      const [sums, results] = prepared(reorder(nest, ["n", "m"]), fresh, "m");
      const tiles = within(sums, "m", (loop) => registerTile(loop, 2, 1, fresh));
      return [...shareLoads(tiles, fresh), results];
    });
    expect(loops(text).slice(0, 3)).toEqual(["for n in 0..8", "for m in 0..4 step 2", "for k in 0..7"]);
    // Both rows of a tile take the same column.
    expect(text.match(/b_at = b\[k \* 8 \+ n\]/g)).toHaveLength(1);
    expect(() => registerTile(split(nestOf(product), 2, "block"), 2, 1, (stem) => stem)).toThrow("limits of m");
  });

  it("vectorize, with what whole vectors leave", () => {
    const make = (even: boolean) => (nest: Loop, fresh: Fresh) => {
      const [sums, results] = prepared(nest, fresh);
      const six = (loop: Loop): Loop => ({ ...loop, to: k.index(6) });
      const last = (loop: Loop): Loop => ({ ...loop, from: k.index(6) });
      return [
        sums,
        ...(even
          ? within(results, "n", (loop) => vectorize(loop, true, fresh))
          : [
              ...within(results, "n", (loop) => vectorize(six(loop), false, fresh)),
              ...within(results, "n", (loop) => [last(loop)]),
            ]),
      ];
    };
    expect(loops(textOf(make(true))).at(-1)).toBe("for n in 0..8 step 4 lanes 4");
    expect(loops(textOf(make(false))).slice(4, 6)).toEqual(["for n in 0..4 step 4 lanes 4", "for n_1 in 4..6"]);
  });

  it("vectorize and unroll a short loop", () => {
    const text = textOf((nest, fresh) => {
      const [sums, results] = prepared(nest, fresh);
      return [...within(sums, "n", (loop) => [vectorTile(loop, fresh)]), results];
    });
    expect(loops(text).slice(0, 3)).toEqual(["for m in 0..5", "for lane in 0..4 step 4 lanes 4", "for k in 0..7"]);
    expect(() => vectorTile(nestOf(product), (stem) => stem)).toThrow("whole vectors");
  });

  it("unroll", () => {
    const text = textOf((nest, fresh) => {
      const [sums, results] = prepared(reorder(nest, ["n", "m"]), fresh, "m");
      return [...within(sums, "m", (loop) => unroll(loop, fresh)), results];
    });
    expect(loops(text).slice(0, 3)).toEqual(["for n in 0..8", "for k in 0..7", "for n in 0..8"]);
  });

  it("pack, with zeros behind the last", () => {
    const value = k.load("b", k.add(k.multiply(k.variable("k", "index"), 8), k.variable("n", "index")), "f32");
    const packed = (from: number, to: number) => (nest: Loop, fresh: Fresh) => {
      const [sums, results] = prepared(reorder(nest, ["n", "m"]), fresh, "m");
      const part = { ...sums, from: k.index(from), to: k.index(to) };
      const tiles = split(part, 4, "tile", true);
      const { fill, nest: reading } = pack(tiles, {
        value,
        panel: "panel",
        loops: [
          { name: "tile", room: 3 },
          { name: "k", room: 7 },
          { name: "n", room: 4 },
        ],
        end: k.index(to),
      });
      expect(loopIn(reading, "k").variable).toBe("k");
      return { fill, reading, results };
    };
    const whole = textOf((nest, fresh) => {
      const { fill, reading, results } = packed(0, 8)(nest, fresh);
      return [...fill, reading, results];
    });
    expect(whole).toContain("panel[");
    // Of the last four columns two are there; what the others sum up is overwritten.
    const partial = textOf((nest, fresh) => {
      const first = packed(0, 6)(nest, fresh);
      const rest = { ...prepared(reorder(nest, ["n", "m"]), fresh, "m")[0], from: k.index(6) };
      return [...first.fill, first.reading, rest, first.results];
    });
    expect(partial).toContain("select(n < 6, b[k * 8 + n], 0.0)");
  });
});
