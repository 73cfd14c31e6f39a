// Indices of reshaped tensors: always right, and affine where axes are only split or merged.

import { describe, expect, test } from "vitest";
import { type Dim, symbol } from "../../../src/ir/dim.ts";
import { k } from "../../../src/ir/kernel/build.ts";
import { printExpr } from "../../../src/ir/kernel/print.ts";
import { matchAxes, reshapeIndex } from "../../../src/ir/ops/reindex.ts";

const N = symbol("N");
const index = (rank: number) => Array.from({ length: rank }, (_, i) => k.variable(`i${i}`, "index"));
const print = (source: readonly Dim[], target: readonly Dim[]): string[] =>
  reshapeIndex(source, target, index(target.length)).map((expr) => printExpr(expr));

test("matching axes are grouped", () => {
  expect(matchAxes([N, 28, 28, 1], [N, 784])).toEqual([
    { source: [0, 1], target: [0, 1] },
    { source: [1, 3], target: [1, 2] },
    { source: [3, 4], target: [2, 2] },
  ]);
});

describe("indices", () => {
  test("splitting an axis stays affine", () => {
    expect(print([N, 784], [N, 28, 28])).toEqual(["i0", "i1 * 28 + i2"]);
  });

  test("merging axes divides within the merged axis alone", () => {
    const [batch, row, column] = print([N, 28, 28], [N, 784]);
    expect(batch).toBe("i0");
    expect(row).toContain("i1");
    expect(row).not.toContain("i0");
    expect(column).not.toContain("i0");
  });

  test("axes of size 1 come and go", () => {
    expect(print([N, 1, 5], [1, N, 5, 1])).toEqual(["i1", "0", "i2"]);
  });
});
