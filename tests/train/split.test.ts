// What is held back: rows by chance, windows of a sequence in one piece that shares no value with those that train.

import { describe, expect, it } from "vitest";
import type { DataCall, TrainingPlan } from "../../src/dsl/training-plan.ts";
import type { Dataset } from "../../src/train/data/dataset.ts";
import { loadDataset } from "../../src/train/data/load.ts";
import { foldSplit, validationSplit } from "../../src/train/split.ts";
import { call, inMemory } from "./data/support.ts";
import { plan } from "./fake.ts";

const letters = "ABCDEFGHIJKLMNabcdefghijklmnopqrstuvwxyz";

function load(role: "data" | "test", ...pipeline: readonly DataCall[]): Promise<Dataset> {
  const read = async () => ({ path: "letters.txt", bytes: new TextEncoder().encode(letters) });
  return loadDataset(pipeline, { seed: 1, role, scales: new Map(), read });
}

const numbers = call("rows", [], { x: Array.from({ length: 40 }, (_, i) => i) });
const series = [numbers, call("windows", [], { past: 3, next: 2 })];
const text = [call("characters", ["letters.txt", 4], { next: { call: "shifted", positional: [1] } })];

/** All values of a table, each once. Letters count as their places in the alphabet: all of them are different. */
const valuesOf = (data: Dataset | undefined): number[] =>
  data ? [...new Set(Object.values(inMemory(data).columns).flatMap((column) => [...column.data]))] : [];

function expectApart(train: Dataset, held: Dataset | undefined): void {
  const known = new Set(valuesOf(train));
  expect(known.size).toBeGreaterThan(0);
  expect(valuesOf(held).filter((value) => known.has(value))).toEqual([]);
}

describe("folds", () => {
  // Of 30 rows every fifth has the rare class.
  const label = Array.from({ length: 30 }, (_, i) => (i % 5 === 0 ? 1 : 0));
  const target = { ...plan, targets: ["label"] };

  it.each([
    ["numbers", [call("hide_labels", [0])]],
    ["zeros and ones", []],
    ["one_hot", [call("one_hot", [], { label: 2 })]],
  ])("have the same share of each class, where classes are %s", async (_, transforms) => {
    const data = await load("data", call("rows", [], { x: [...label.keys()], label }), ...transforms);
    for (let fold = 0; fold < 3; fold++) {
      const rows = [...inMemory(foldSplit(data, target, 3, fold).validation!).columns.x!.data];
      expect([rows.length, rows.filter((row) => row % 5 === 0).length]).toEqual([10, 2]);
    }
  });

  it("are by chance where the target is a quantity", async () => {
    const data = await load("data", call("rows", [], { x: [...label.keys()], label: label.map((v) => v + 0.5) }));
    const counts = [0, 1, 2].map((fold) => {
      const { x } = inMemory(foldSplit(data, target, 3, fold).validation!).columns;
      return [...x!.data].filter((row) => row % 5 === 0).length;
    });
    expect(counts.reduce((a, b) => a + b)).toBe(6);
    expect(counts).not.toEqual([2, 2, 2]);
  });
});

describe("a share for validation", () => {
  // Of 60 rows every tenth has the rare class, and the others take turns.
  const label = Array.from({ length: 60 }, (_, i) => (i % 10 === 0 ? 2 : i % 2));
  const target = { ...plan, targets: ["label"] };
  const load60 = (values: readonly number[], ...more: readonly DataCall[]) =>
    load("data", call("rows", [], { x: [...label.keys()], label: values }), ...more);

  it.each([{ share: 1 / 3 }, { share: 1 / 3, from: "random" }] as const)(
    "has its part of each class: %o",
    async (by) => {
      const data = await load60(label, call("hide_labels", [0]));
      const drawn = [1, 2].map((seed) => {
        const { train, validation } = validationSplit(data, { ...target, seed, validation: by });
        const rows = [...inMemory(validation!).columns.x!.data];
        const counts = [0, 1, 2].map((wanted) => rows.filter((row) => label[row] === wanted).length);
        expect(counts).toEqual([8, 10, 2]);
        expect([...rows, ...inMemory(train).columns.x!.data].sort((a, b) => a - b)).toEqual([...label.keys()]);
        return rows;
      });
      expect(drawn[0]).not.toEqual(drawn[1]);
    },
  );

  it("is by chance where the target is a quantity", async () => {
    const { validation } = validationSplit(await load60(label.map((v) => v + 0.5)), {
      ...target,
      seed: 1,
      validation: { share: 1 / 3 },
    });
    const rows = [...inMemory(validation!).columns.x!.data];
    expect(rows.length).toBe(20);
    expect([0, 1, 2].map((wanted) => rows.filter((row) => label[row] === wanted).length)).not.toEqual([8, 10, 2]);
  });
});

describe("windows of a sequence", () => {
  it.each([
    ["of a series, which overlap", series, 36, 9, 23],
    ["of a text, whose next characters reach one further", text, 9, 2, 6],
  ])("%s, are held back from the end", async (_, pipeline, rows, held, left) => {
    const data = await load("data", ...pipeline);
    expect(data.rows).toBe(rows);
    for (const validation of [{ share: 0.25 }, { share: 0.25, from: "last" }] as const) {
      const split = validationSplit(data, { ...plan, validation });
      expect([split.train.rows, split.validation?.rows]).toEqual([left, held]);
      expectApart(split.train, split.validation);
      expect(Math.max(...valuesOf(split.train))).toBeLessThan(Math.min(...valuesOf(split.validation)));
    }
  });

  it("are chosen at random where the program asks for it, or has mixed them", async () => {
    const data = await load("data", ...series);
    const places = (data: Dataset, validation: TrainingPlan["validation"]): number[] =>
      [
        ...inMemory(validationSplit(data, { ...plan, ...(validation ? { validation } : {}) }).validation!).columns.past!
          .data,
      ].filter((_, i) => i % 3 === 0);
    const last = [27, 28, 29, 30, 31, 32, 33, 34, 35];
    expect(places(data, { share: 0.25 })).toEqual(last);
    expect(places(data, { share: 0.25, from: "random" })).not.toEqual(last);
    expect(places(await load("data", ...series, call("shuffle")), { share: 0.25 })).not.toEqual(last);
  });

  it("make folds of pieces, each row held back once", async () => {
    const data = await load("data", ...series);
    const held: number[] = [];
    for (let fold = 0; fold < 3; fold++) {
      const { train, validation } = foldSplit(data, plan, 3, fold);
      expectApart(train, validation);
      held.push(...inMemory(validation!).columns.past!.data);
    }
    expect(held).toEqual([...inMemory(data).columns.past!.data]);
  });

  it("are parted by split in the same way, unless a seed asks for chance", async () => {
    const split = call("split", [0.25]);
    const [train, test] = [await load("data", ...series, split), await load("test", ...series, split)];
    expect([train.rows, test.rows]).toEqual([23, 9]);
    expectApart(train, test);
    const mixed = await load("test", ...series, call("split", [0.25], { seed: 3 }));
    expect(valuesOf(mixed).length).toBeGreaterThan(valuesOf(test).length);
  });

  it("that are too few say so", async () => {
    const data = await load("data", ...series, call("take", [5]));
    expect(() => validationSplit(data, { ...plan, validation: { share: 0.25 } })).toThrow(
      "a validation share of 25% of 5 rows leaves 1 for validation and 0 for training",
    );
    expect(() => foldSplit(data, plan, 2, 0)).toThrow(
      "5 windows cannot be split into 2 folds: each shares values with 4",
    );
  });
});
