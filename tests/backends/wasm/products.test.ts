// Products of matrices that are too large for the interpreter, against plain loops: schedules that only such sizes have.

import { describe, expect, it } from "vitest";
import { compile, load } from "../../../src/compile.ts";
import type { Tensor } from "../../../src/ir/dtype.ts";
import { createGraphBuilder } from "../../../src/ir/emit.ts";

/** Whole numbers, of which float32 holds every sum: results are exact in any order. */
function tensorOf(rows: number, columns: number, seed: number): Tensor {
  const data = Float32Array.from({ length: rows * columns }, (_, i) => (((i + seed) * 7919) % 17) - 8);
  return { dtype: "f32", shape: [rows, columns], data };
}

describe("products of large matrices", () => {
  // More rows than the second cache holds; columns in blocks of 16 and of 64, the last one shorter, and a part of a tile behind it.
  it.each([
    [1100, 240, 269],
    [262, 1001, 1027],
  ])("%i×%i×%i", (m, depth, n) => {
    const builder = createGraphBuilder("main");
    const x = builder.input("x", { dtype: "f32", shape: [m, depth] });
    const w = builder.input("w", { dtype: "f32", shape: [depth, n] });
    const y = builder.emit.value("dot", [x, w], { batch: [[], []], contract: [[1], [0]] });
    const graph = builder.build([{ name: "y", value: y }]);
    const module = { name: "test", doc: "", globals: new Map(), graphs: new Map([["main", graph]]) };
    const [a, b] = [tensorOf(m, depth, 1), tensorOf(depth, n, 5)];
    const { data } = load(compile(module, { target: "wasm" })).run("main", { x: a, w: b }).y!;
    const expected = new Float32Array(m * n);
    for (let row = 0; row < m; row++) {
      for (let term = 0; term < depth; term++) {
        const factor = a.data[row * depth + term]!;
        for (let column = 0; column < n; column++) {
          expected[row * n + column]! += factor * b.data[term * n + column]!;
        }
      }
    }
    expect(data).toEqual(expected);
  });
});
