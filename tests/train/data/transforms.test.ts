// Transforms that learn from all rows, that say how often rows are met, and that change rows in each epoch.

import { describe, expect, it } from "vitest";
import type { DataPipeline, Setting } from "../../../src/dsl/training-plan.ts";
import { trainingBatches } from "../../../src/train/batches.ts";
import { DataError } from "../../../src/train/data/data-error.ts";
import { gatherColumn } from "../../../src/train/data/dataset.ts";
import { loadDataset } from "../../../src/train/data/load.ts";
import type { DataContext } from "../../../src/train/data/sources.ts";
import { call, inMemory } from "./support.ts";

const context = (role: "data" | "test" = "data"): DataContext => ({
  read: async () => {
    throw new Error("no files here");
  },
  seed: 5,
  role,
  scales: new Map(),
});
const load = async (...pipeline: DataPipeline) => inMemory(await loadDataset(pipeline, context()));
const rows = (columns: Readonly<Record<string, Setting>>) => call("rows", [], columns);
/** Integer labels, which lists in a program are not: one digit image a label would be slow. */
const labelled = (...labels: number[]) => {
  const text = ["x,label", ...labels.map((label, i) => `${i},${label}`)].join("\n");
  const read: DataContext["read"] = async () => ({ path: "t.csv", bytes: new TextEncoder().encode(text) });
  return async (pipeline: DataPipeline, role: "data" | "test" = "data") =>
    loadDataset([call("csv", ["t.csv"], { x: "x", label: "label" }), ...pipeline], { ...context(role), read });
};

describe("standardize", () => {
  it("brings each column to mean 0 and deviation 1, and the test data by the same amounts", async () => {
    const shared = context();
    const source = (lists: Setting) => [rows({ features: lists }), call("standardize")];
    const training = await loadDataset(
      source([
        [1, 5, 10],
        [3, 5, 30],
      ]),
      shared,
    );
    expect([...inMemory(training).columns.features!.data]).toEqual([-1, 0, -1, 1, 0, 1]);
    const test = await loadDataset(source([[5, 6, 20]]), { ...shared, role: "test" });
    expect([...inMemory(test).columns.features!.data]).toEqual([3, 1, 0]);
  });

  it("takes the channels of images as columns", async () => {
    const image = [[[[0, 8]], [[2, 8]]]];
    const { columns } = await load(rows({ image }), call("standardize", ["image"]));
    expect([...columns.image!.data]).toEqual([-1, 0, 1, 0]);
  });
});

describe("split", () => {
  it("parts rows between data and test, each row once", async () => {
    const table = labelled(...Array.from({ length: 20 }, (_, i) => (i < 15 ? 0 : 1)));
    for (const by of [{}, { by: "label" }]) {
      const parts = await Promise.all(
        (["data", "test"] as const).map((role) => table([call("shuffle"), call("split", [0.2], by)], role)),
      );
      const [data, test] = parts.map((part) => inMemory(part).columns);
      expect([data!.x!.data.length, test!.x!.data.length]).toEqual([16, 4]);
      expect([...data!.x!.data, ...test!.x!.data].sort((a, b) => a - b)).toEqual([...Array(20).keys()]);
      if (by.by) expect([...test!.label!.data].sort()).toEqual([0, 0, 0, 1]);
    }
  });
});

describe("a split", () => {
  it("is the same for every seed of the training, and another where it has a seed of its own", async () => {
    const rowsOf = async (seed: number, own: Readonly<Record<string, Setting>> = {}) => {
      const pipeline = [rows({ x: Array.from({ length: 50 }, (_, i) => i) }), call("split", [0.2], own)];
      return [...inMemory(await loadDataset(pipeline, { ...context("test"), seed })).columns.x!.data];
    };
    expect(await rowsOf(1)).toEqual(await rowsOf(2));
    expect(await rowsOf(1, { seed: 4 })).not.toEqual(await rowsOf(1));
  });
});

describe("labels", () => {
  it("one_hot writes ones among zeros, and zeros alone for hidden labels", async () => {
    const { columns } = inMemory(await labelled(1, -1, 2)([call("one_hot", [], { label: 3 })]));
    expect(columns.label).toEqual({
      dtype: "f32",
      shape: [3, 3],
      data: Float32Array.of(0, 1, 0, 0, 0, 0, 0, 0, 1),
    });
  });

  it("class_weights weigh all classes alike, 1 in the mean", async () => {
    const { columns } = inMemory(await labelled(0, 0, 0, 1, -1)([call("class_weights")]));
    expect(columns.weight?.data).toEqual(Float32Array.of(2 / 3, 2 / 3, 2 / 3, 2, 0));
  });

  it("balance and repeat say how often an epoch meets a row, not which rows there are", async () => {
    const table = await labelled(0, 0, 0, 0, 0, 1, 1, 2)([call("balance"), call("repeat", [2])]);
    expect(table.rows).toBe(8);
    const batches = trainingBatches(table, { size: 7, seed: 1, shuffle: true })(0);
    const met = Array.from({ length: batches.count }, (_, i) => [...batches.batch(i).label!.data]).flat();
    expect([0, 1, 2].map((label) => met.filter((other) => other === label).length)).toEqual([10, 10, 10]);
  });
});

describe("augment", () => {
  /** One image of one channel with the given rows of points. */
  const image = (...lines: number[][]) => rows({ image: [lines.map((line) => line.map((value) => [value]))] });
  /** The image in so many epochs. */
  const versions = async (source: ReturnType<typeof image>, how: Readonly<Record<string, Setting>>, epochs = 60) => {
    const { columns } = await loadDataset([source, call("augment", [], how)], context());
    return Array.from({ length: epochs }, (_, epoch) => [
      ...gatherColumn(columns.image!, [0], undefined, { seed: 1, epoch, first: 0 }).data,
    ]);
  };
  const distinct = (lists: readonly number[][]) => new Set(lists.map((list) => list.join())).size;
  const square = image([1, 2, 3], [4, 5, 6], [7, 8, 9]);

  it("leaves images as they are where nothing is drawn", async () => {
    const { columns } = await load(square, call("augment", [], { shift: 1, noise: 1 }));
    expect([...columns.image!.data]).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it("shifts by whole points, in all directions, zeros coming in", async () => {
    const found = await versions(square, { shift: 1 });
    expect(distinct(found)).toBe(9);
    expect(found).toContainEqual([0, 0, 0, 0, 1, 2, 0, 4, 5]);
    expect(found).toContainEqual([5, 6, 0, 8, 9, 0, 0, 0, 0]);
  });

  it("flips", async () => {
    const horizontal = await versions(square, { flip: "horizontal" });
    expect(distinct(horizontal)).toBe(2);
    expect(horizontal).toContainEqual([3, 2, 1, 6, 5, 4, 9, 8, 7]);
    expect(distinct(await versions(square, { flip: "both" }))).toBe(4);
  });

  it("turns: a point moves on a circle, and the middle stays", async () => {
    const found = await versions(square, { rotate: 90 });
    expect(distinct(found)).toBe(60);
    for (const points of found) expect(points[4]).toBeCloseTo(5, 5);
    // A quarter of a turn, nearly: corners become corners.
    const turned = await versions(image([0, 0, 0], [1, 0, 0], [0, 0, 0]), { rotate: 90 });
    expect(Math.max(...turned.map((points) => points[1]!))).toBeGreaterThan(0.8);
    expect(Math.max(...turned.map((points) => points[7]!))).toBeGreaterThan(0.8);
    expect(Math.max(...turned.map((points) => points[5]!))).toBeLessThan(0.2);
  });

  it("crops and stretches: a ramp stays a ramp, less steep", async () => {
    const ramp = Array.from({ length: 9 }, (_, i) => i);
    for (const points of await versions(image(...ramp.map(() => ramp)), { crop: 0.5 })) {
      const middle = points.slice(4 * 9, 5 * 9);
      const steps = middle.slice(1, -1).map((_, i) => middle[i + 1]! - middle[i]!);
      for (const step of steps.slice(1, -1)) {
        expect(step).toBeGreaterThanOrEqual(0.5 - 1e-5);
        expect(step).toBeLessThanOrEqual(1 + 1e-5);
      }
    }
  });

  it("adds noise of the given deviation, and cuts a square out", async () => {
    const flat = image(...Array.from({ length: 20 }, () => Array(20).fill(1)));
    const noisy = (await versions(flat, { noise: 0.5 }, 5)).flat();
    const mean = noisy.reduce((sum, value) => sum + value, 0) / noisy.length;
    const deviation = Math.sqrt(noisy.reduce((sum, value) => sum + (value - mean) ** 2, 0) / noisy.length);
    // 2000 numbers: the mean is within 0.011 and the deviation within 0.008 in two cases of three.
    expect(Math.abs(mean - 1)).toBeLessThan(0.05);
    expect(Math.abs(deviation - 0.5)).toBeLessThan(0.04);
    const holes = (await versions(flat, { cutout: 4 })).map((points) => points.filter((value) => value === 0).length);
    expect(Math.max(...holes)).toBe(16);
    expect(Math.min(...holes)).toBeGreaterThanOrEqual(4);
  });

  it("gives the same images for the same seed, epoch and place, whatever was drawn before", async () => {
    const how = { shift: 1, rotate: 20, noise: 0.1, flip: "both", cutout: 1, crop: 0.8 };
    const all = await versions(square, how, 10);
    expect(distinct(all)).toBe(10);
    expect((await versions(square, how, 10))[7]).toEqual(all[7]);
    const { columns } = await loadDataset([square, call("augment", [], how)], context());
    const alone = gatherColumn(columns.image!, [0], undefined, { seed: 1, epoch: 7, first: 0 });
    expect([...alone.data]).toEqual(all[7]);
    const other = gatherColumn(columns.image!, [0], undefined, { seed: 2, epoch: 7, first: 0 });
    expect([...other.data]).not.toEqual(all[7]);
  });
});

describe("mixup", () => {
  it("mixes rows and labels alike, with rows of the batch, in the training alone", async () => {
    const x = Array.from({ length: 40 }, (_, i) => i);
    const table = await loadDataset(
      [rows({ x, y: x.map((value) => [value, -value]) }), call("mixup", [0.4])],
      context(),
    );
    expect([...inMemory(table).columns.x!.data]).toEqual(x);
    const batches = trainingBatches(table, { size: 40, seed: 3, shuffle: false })(0);
    const { x: mixedX, y } = batches.batch(0);
    mixedX!.data.forEach((value, i) => {
      expect(y!.data[2 * i]).toBeCloseTo(value, 4);
      expect(y!.data[2 * i + 1]).toBeCloseTo(-value, 4);
    });
    expect([...mixedX!.data].filter((value) => Number.isInteger(value)).length).toBeLessThan(30);
    const sum = [...mixedX!.data].reduce((total, value) => total + value, 0);
    expect(sum).not.toBe(780);
    expect(Math.abs(sum / 40 - 19.5)).toBeLessThan(5);
  });
});

describe("cache", () => {
  it("keeps rows that were made once", async () => {
    const hot = inMemory(await labelled(1, 0, 1)([call("one_hot", [], { label: 2 }), call("cache")])).columns.label!;
    expect([...hot.data]).toEqual([0, 1, 1, 0, 0, 1]);
  });
});

describe("mistakes", () => {
  const images = rows({ image: [[[[1]]]] });
  const broken: [string, DataPipeline, string][] = [
    ["augment nothing", [images, call("augment")], "augment changes nothing"],
    ["augment what is no image", [rows({ image: [[1]] }), call("augment", [], { shift: 1 })], "f32[1, 1], but augment"],
    ["an unknown flip", [images, call("augment", [], { flip: "up" })], 'wants "horizontal" or "vertical" or "both"'],
    ["a negative noise", [images, call("augment", [], { noise: -1 })], "wants a number, 0 or more for noise"],
    ["cache too late", [images, call("augment", [], { shift: 1 }), call("cache")], "put cache before augment"],
    ["standardize nothing", [images, call("standardize")], "there is no column features"],
    ["an empty part", [images, call("split", [1])], "split leaves none of 1 rows for data"],
    ["an alpha of 0", [images, call("mixup", [0])], "mixes nothing"],
  ];
  it.each(broken)("%s", async (_, pipeline, message) => {
    await expect(load(...pipeline)).rejects.toThrow(DataError);
    await expect(load(...pipeline)).rejects.toThrow(message);
  });

  it("labels out of range, labels that are mixed", async () => {
    const table = labelled(0, 3);
    await expect(table([call("one_hot", [], { label: 3 })])).rejects.toThrow("label has the class 3, but there are 3");
    await expect(table([call("mixup", [0.2])])).rejects.toThrow("x is i32[2], but mixup works on f32");
  });
});
