// Tables of the comparison with other engines: what counts as the best rival, and what is left out.

import { describe, expect, it } from "vitest";
import { geometricMean, type Results, ratiosOf, ratioTable, timeTable } from "../../bench/report.ts";

const results: Results = {
  date: "2026-01-02T03:04:05.000Z",
  threads: 1,
  load: "0.10 0.20 0.30 1/100 1",
  rows: {
    A: { slow: { msTot: 9, min: 8 }, fast: { msTot: 4, min: 3 }, ours: { msTot: 2, min: 1 } },
    B: { slow: { msTot: 1, min: 1, dirtyBlocks: 2 }, fast: { na: true }, ours: { msTot: 2, min: 2 } },
    C: { slow: { err: "no such kernel" }, fast: { na: true }, ours: { msTot: 1234.5, min: 1000 } },
    D: { slow: { msTot: 1, min: 1 }, fast: { msTot: 1, min: 1 }, ours: { err: "out of memory" } },
  },
};
const comparison = { ours: "ours", rivals: ["slow", "fast"] };

describe("ratios", () => {
  it("compares with the best rival of each workload that both ran", () => {
    expect(ratiosOf(results, comparison)).toEqual([
      { id: "A", best: "fast", median: 2, fastest: 3 },
      { id: "B", best: "slow", median: 0.5, fastest: 0.5 },
    ]);
  });

  it("has geometric means, in which twice and half as fast are even", () => {
    expect(geometricMean([2, 0.5])).toBeCloseTo(1, 12);
    expect(ratioTable(results, comparison).split("\n").at(-1)).toBe(
      "| geometric mean |            |       1.00 |            1.22 |",
    );
  });
});

describe("times", () => {
  it("marks what was disturbed, what failed and what is missing", () => {
    expect(timeTable(results)).toBe(
      [
        "|     |  slow | fast |  ours |",
        "| --- | ----: | ---: | ----: |",
        "| A   |  9.00 | 4.00 |  2.00 |",
        "| B   | 1.00* |    – |  2.00 |",
        "| C   | fails |    – |  1235 |",
        "| D   |  1.00 | 1.00 | fails |",
      ].join("\n"),
    );
  });
});
