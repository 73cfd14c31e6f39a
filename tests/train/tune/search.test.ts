// What a search draws, in which order its trials run, and how they are ranked.

import { describe, expect, it } from "vitest";
import { randomFor } from "../../../src/train/random.ts";
import { plotSearch } from "../../../src/train/tune/plot.ts";
import { ranked, rungsOf, type TrialResult, trialsOf, valuesOf } from "../../../src/train/tune/search.ts";
import { drawValue, parseVaried } from "../../../src/train/tune/space.ts";

const drawn = (text: string, count = 2000): number[] =>
  Array.from({ length: count }, (_, i) => Number(drawValue(parseVaried(text), randomFor("test", i))));
const share = (values: readonly number[], test: (value: number) => boolean): number =>
  values.filter(test).length / values.length;

describe("what is varied", () => {
  it("is a range, by its logarithm where it spans a factor of ten", () => {
    const wide = drawn("lr=1e-4..1e-2");
    expect(Math.min(...wide)).toBeGreaterThanOrEqual(1e-4);
    expect(Math.max(...wide)).toBeLessThanOrEqual(1e-2);
    // Half of the numbers lie in each of the two decades; 2000 draws are within 0.011 of that in two cases of three.
    expect(Math.abs(share(wide, (value) => value < 1e-3) - 0.5)).toBeLessThan(0.04);
    const narrow = drawn("momentum=0.5..0.9");
    expect(Math.abs(share(narrow, (value) => value < 0.7) - 0.5)).toBeLessThan(0.04);
    expect(drawValue(parseVaried("x=-2.0..2.0"), randomFor("test"))).toMatch(/[.]/);
  });

  it("is whole where both ends are, each number as likely as the next", () => {
    const dice = drawn("sides=1..6");
    expect(new Set(dice)).toEqual(new Set([1, 2, 3, 4, 5, 6]));
    for (const side of [1, 6]) expect(Math.abs(share(dice, (value) => value === side) - 1 / 6)).toBeLessThan(0.035);
  });

  it("is a list of anything that can stand in a program", () => {
    const varied = parseVaried("activation = relu, tanh");
    expect(varied).toEqual({ kind: "list", name: "activation", values: ["relu", "tanh"] });
    expect(["relu", "tanh"]).toContain(drawValue(varied, randomFor("test")));
  });

  const broken = ["lr", "=3", "lr=", "lr=1..2..3", "lr=a..b", "lr=2..1", "lr=1,,2", "1x=3"];
  it.each(broken)("says what is wrong with %s", (text) => {
    expect(() => parseVaried(text)).toThrow('for example --vary "lr=1e-4..1e-2"');
  });

  it("depends on the seed and the number of the trial alone", () => {
    const space = [parseVaried("lr=1e-4..1e-2"), parseVaried("units=16..64")];
    expect(valuesOf(space, 1, 7)).toEqual(valuesOf(space, 1, 7));
    expect(valuesOf(space, 1, 7).lr).toBe(valuesOf([space[0]!], 1, 7).lr);
    expect(valuesOf(space, 1, 8)).not.toEqual(valuesOf(space, 1, 7));
  });
});

describe("a search", () => {
  const result = (trial: number, epochs: number, value?: number): TrialResult => ({
    trial,
    epochs,
    seconds: 1,
    ...(value === undefined ? { failure: "it blew up" } : { value }),
  });

  it("halves: a third of the trials goes on to three times as many epochs", () => {
    expect(rungsOf("halving", 9, 27)).toEqual([
      { epochs: 3, trials: 9 },
      { epochs: 9, trials: 3 },
      { epochs: 27, trials: 1 },
    ]);
    expect(rungsOf("halving", 10, 5)).toEqual([
      { epochs: 1, trials: 10 },
      { epochs: 5, trials: 3 },
    ]);
    expect(rungsOf("halving", 2, 50)).toEqual([{ epochs: 50, trials: 2 }]);
    expect(rungsOf("random", 9, 27)).toEqual([{ epochs: 27, trials: 9 }]);
  });

  it("chooses the best of a rung, and never what failed", () => {
    const rungs = rungsOf("halving", 6, 9);
    const results = [1, 2, 3, 4, 5, 6].map((trial) => result(trial, 3, trial === 4 ? undefined : 10 - trial));
    expect(trialsOf(rungs, 0, [], "least")).toEqual([1, 2, 3, 4, 5, 6]);
    expect(trialsOf(rungs, 1, results, "least")).toEqual([5, 6]);
    expect(trialsOf(rungs, 1, results, "greatest")).toEqual([1, 2]);
  });

  it("ranks those that went on before those that were given up, and failures last", () => {
    const results = [result(1, 3, 0.1), result(2, 3, 0.5), result(2, 9, 0.4), result(3, 3), result(4, 9, 0.3)];
    expect(ranked(results, "least").map(({ trial, epochs }) => [trial, epochs])).toEqual([
      [4, 9],
      [2, 9],
      [1, 3],
      [3, 3],
    ]);
  });

  it("is drawn with a panel for each constant and a ring around the best", () => {
    const space = [parseVaried("lr=1e-4..1e-2"), parseVaried("act=relu,<b>")];
    const tried = [1, 2].map((trial) => ({ result: result(trial, 3, trial), values: { lr: "1e-3", act: "<b>" } }));
    const svg = plotSearch(
      space,
      [...tried, { result: result(3, 3), values: { lr: "1e-4", act: "relu" } }],
      "val_loss",
    );
    expect(svg.match(/<g /g)).toHaveLength(2);
    expect(svg.match(/r="4"/g)).toHaveLength(4);
    expect(svg.match(/r="8"/g)).toHaveLength(2);
    expect(svg).not.toContain("<b>");
    expect(svg).not.toContain("NaN");
    expect(plotSearch(space, [], "loss")).not.toContain("NaN");
  });
});
