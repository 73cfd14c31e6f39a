import { existsSync, readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import type { DataCall, DataPipeline, Setting, TrainingPlan } from "../../../src/dsl/training-plan.ts";
import { FormatError } from "../../../src/formats/format-error.ts";
import { symbol } from "../../../src/ir/dim.ts";
import type { DType } from "../../../src/ir/dtype.ts";
import type { TensorType } from "../../../src/ir/graph.ts";
import { DataError } from "../../../src/train/data/data-error.ts";
import { loadDataset, loadTrainingData, type TrainingData } from "../../../src/train/data/load.ts";
import type { DataContext } from "../../../src/train/data/sources.ts";
import { dataFiles } from "../../../src/train/node/data-files.ts";
import { shared } from "../../shared.ts";
import { call, inMemory } from "./support.ts";

const iris = "a,b,kind\n1,2,rose\n3,4,lily\n5,6,rose\n7,8,aster\n";
const imageFile = Uint8Array.of(0, 0, 8, 3, 0, 0, 0, 3, 0, 0, 0, 1, 0, 0, 0, 2, 0, 255, 51, 102, 1, 2);
const labelFile = Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 3, 4, 0, 9);
const files: Readonly<Record<string, Uint8Array>> = {
  "iris.csv": new TextEncoder().encode(iris),
  "dates.csv": new TextEncoder().encode(
    '"Date","Temp"\n"1981-01-01",20.7\n"1981-01-02",17.9\n"1981-01-03",18\n"1981-01-04",5\n',
  ),
  "text.txt": new TextEncoder().encode("ab bé ab"),
  "gap.csv": new TextEncoder().encode("a,b\n1,2\n3,\n"),
  "image.gz": new Uint8Array(gzipSync(imageFile)),
  "label.gz": new Uint8Array(gzipSync(labelFile)),
  "two.gz": Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 2, 4, 0),
};
const context: DataContext = {
  read: async (file) => {
    const bytes = files[file];
    if (!bytes) throw new FormatError(file, "there is no such file", "look for it");
    return { path: file, bytes };
  },
  seed: 5,
  role: "data",
  scales: new Map(),
};
const load = async (...pipeline: DataPipeline) => inMemory(await loadDataset(pipeline, context));
const inMemoryBoth = ({ data, test }: TrainingData) => ({ data: inMemory(data), test: test && inMemory(test) });
const type = (dtype: DType, ...shape: (number | string)[]): TensorType => ({
  dtype,
  shape: shape.map((dim) => (typeof dim === "string" ? symbol(dim) : dim)),
});
const dataFor = async (
  types: Readonly<Record<string, TensorType>>,
  data: DataPipeline,
  test?: DataPipeline,
  limit?: number,
) => {
  const plan: TrainingPlan = {
    model: "M",
    inputs: Object.keys(types),
    targets: [],
    data,
    ...(test ? { test } : {}),
    metrics: [],
    epochs: 1,
    batch: 1,
    seed: 5,
  };
  const options = { read: context.read, ...(limit === undefined ? {} : { limit }) };
  return inMemoryBoth(await loadTrainingData(plan, types, options));
};

describe("data sources", () => {
  it("rows gives the lists as columns", async () => {
    const { rows, columns } = await load(
      call("rows", [], {
        x: [
          [0, 1],
          [1, 0],
        ],
        label: [[1], [0]],
      }),
    );
    expect(rows).toBe(2);
    expect(columns.x).toEqual({ dtype: "f32", shape: [2, 2], data: Float32Array.of(0, 1, 1, 0) });
    expect(columns.label?.shape).toEqual([2, 1]);
  });

  it("csv takes named columns out, numbers classes in alphabetical order, and gathers the rest", async () => {
    const { columns, classes } = await load(call("csv", ["iris.csv"], { label: "kind", first: "a" }));
    expect(classes).toEqual({ label: ["aster", "lily", "rose"] });
    expect(columns).toEqual({
      label: { dtype: "i32", shape: [4], data: Int32Array.of(2, 1, 2, 0) },
      first: { dtype: "i32", shape: [4], data: Int32Array.of(1, 3, 5, 7) },
      features: { dtype: "f32", shape: [4, 1], data: Float32Array.of(2, 4, 6, 8) },
    });
  });

  it("csv reads one column alone, and leaves texts out of the features", async () => {
    const { columns } = await load(call("csv", ["dates.csv"], { column: "Temp" }));
    expect(columns).toEqual({ Temp: { dtype: "f32", shape: [4], data: Float32Array.of(20.7, 17.9, 18, 5) } });
    const all = await load(call("csv", ["dates.csv"]));
    expect(all.columns.features?.shape).toEqual([4, 1]);
  });

  it("idx scales bytes to 0 … 1 and adds the axis of channels", async () => {
    const { columns } = await load(call("idx", ["image.gz", "label.gz"]));
    expect(columns.image).toEqual({
      dtype: "f32",
      shape: [3, 1, 2, 1],
      data: Float32Array.of(0, 1, 51 / 255, 102 / 255, 1 / 255, 2 / 255),
    });
    expect(columns.label).toEqual({ dtype: "i32", shape: [3], data: Int32Array.of(4, 0, 9) });
    expect(Object.keys((await load(call("idx", ["image.gz"]))).columns)).toEqual(["image"]);
  });

  it("digits draws others for the test than for the training", async () => {
    const pipeline = [call("digits", [5])];
    const data = await load(...pipeline);
    const test = inMemory(await loadDataset(pipeline, { ...context, role: "test" }));
    expect(data.columns.image?.shape).toEqual([5, 28, 28, 1]);
    expect(test.columns.image?.data).not.toEqual(data.columns.image?.data);
    const same = inMemory(await loadDataset([call("digits", [5], { seed: 1 })], { ...context, role: "test" }));
    expect(same).toEqual(await load(call("digits", [5], { seed: 1 })));
  });
});

describe("data transforms", () => {
  const source = call("rows", [], {
    x: [
      [0, 9],
      [1, 9],
      [2, 9],
      [3, 9],
    ],
    label: [0, 1, 2, 3],
  });

  it("shuffle keeps rows together and depends on the seed", async () => {
    const { columns } = await load(source, call("shuffle"));
    const x = [...columns.x!.data];
    expect([...columns.label!.data]).toEqual([0, 2, 4, 6].map((i) => x[i]));
    expect([...columns.label!.data].sort()).toEqual([0, 1, 2, 3]);
    expect((await load(source, call("shuffle"))).columns).toEqual(columns);
    const others = await Promise.all([1, 2, 3].map((seed) => load(source, call("shuffle", [], { seed }))));
    expect(new Set(others.map((other) => String(other.columns.label!.data))).size).toBeGreaterThan(1);
  });

  it("take, skip, rename and flatten", async () => {
    const { columns, rows } = await load(
      call("idx", ["image.gz", "label.gz"]),
      call("skip", [1]),
      call("take", [1]),
      call("flatten"),
      call("rename", [], { pixels: "image", answer: "label" }),
    );
    expect(rows).toBe(1);
    expect(columns.pixels).toEqual({ dtype: "f32", shape: [1, 2], data: Float32Array.of(51 / 255, 102 / 255) });
    expect(columns.answer).toEqual({ dtype: "i32", shape: [1], data: Int32Array.of(0) });
  });

  it("hide_labels hides exactly the share", async () => {
    const { columns } = await load(call("digits", [200]), call("hide_labels", [0.9]));
    const before = (await load(call("digits", [200]))).columns.label!;
    const after = columns.label!;
    expect(after.data.filter((label) => label === -1).length).toBe(180);
    after.data.forEach((label, i) => {
      if (label !== -1) expect(label).toBe(before.data[i]);
    });
  });

  it("windows cuts a series", async () => {
    const { columns, rows } = await load(
      call("csv", ["dates.csv"], { column: "Temp" }),
      call("windows", [], { series: 2, actual: 1 }),
    );
    expect(rows).toBe(2);
    expect(columns.series).toEqual({ dtype: "f32", shape: [2, 2, 1], data: Float32Array.of(20.7, 17.9, 17.9, 18) });
    expect(columns.actual).toEqual({ dtype: "f32", shape: [2, 1, 1], data: Float32Array.of(18, 5) });
  });
});

describe("characters", () => {
  const source = (window: number, named: Readonly<Record<string, Setting>> = {}) =>
    call("characters", ["text.txt"], { window, ...named });
  const shifted = (by: Setting): Setting => ({ call: "shifted", positional: [by] });

  it("cuts windows that do not overlap, and the same ones later", async () => {
    const { columns, rows, classes } = await load(source(3, { next: shifted(1) }));
    // "ab bé ab" has 8 characters: two windows of 3 with one more after them.
    expect(classes).toEqual({ text: [" ", "a", "b", "é"], next: [" ", "a", "b", "é"] });
    expect(rows).toBe(2);
    expect(columns).toEqual({
      text: { dtype: "i32", shape: [2, 3], data: Int32Array.of(1, 2, 0, 2, 3, 0) },
      next: { dtype: "i32", shape: [2, 3], data: Int32Array.of(2, 0, 2, 3, 0, 1) },
    });
  });

  it("selects, slices and shuffles windows as other rows", async () => {
    const { columns } = await load(source(2), call("shuffle"), call("skip", [1]), call("take", [2]));
    const pairs = ["ab", " b", "é ", "ab"].map((pair) => [...pair].map((c) => " abé".indexOf(c)));
    expect(columns.text?.shape).toEqual([2, 2]);
    for (const row of [0, 1]) expect(pairs).toContainEqual([...columns.text!.data.subarray(2 * row, 2 * row + 2)]);
  });

  const broken: [string, DataCall, string][] = [
    ["a text that is too short", source(9), "text.txt has 8 characters, fewer than the 9 of one window"],
    ["an empty window", source(0), "characters wants a whole number, 1 or more for window"],
    ["a shift that is none", source(3, { next: 1 }), "characters wants shifted(1), or another whole number, for next"],
    ["a shift backwards", source(3, { next: shifted(-1) }), "characters wants shifted(1)"],
  ];
  it.each(broken)("says that there is %s", async (_, pipeline, message) => {
    await expect(load(pipeline)).rejects.toThrow(message);
  });
});

describe("mistakes in pipelines", () => {
  const source = call("rows", [], { x: [1, 2] });
  const broken: [string, DataPipeline, string][] = [
    ["a misspelt source", [call("cvs", ["a"])], "there is no data source named cvs\n  = help: did you mean csv?"],
    ["a transform first", [call("shuffle")], "shuffle is a transform; a pipeline begins with a source"],
    ["a source later", [source, call("digits", [3])], "digits is a source, and can only begin a pipeline"],
    [
      "a misspelt transform",
      [source, call("shufle")],
      "there is no data transform named shufle\n  = help: did you mean shuffle?",
    ],
    [
      "an unknown argument",
      [call("digits", [3], { sed: 1 })],
      "digits has no argument sed\n  = help: did you mean seed?",
    ],
    ["a missing argument", [source, call("take")], "take misses its argument count"],
    ["an argument too many", [source, call("take", [1, 2])], "take takes 1 arguments by place, not 2"],
    ["an argument twice", [source, call("take", [1], { count: 2 })], "take has the argument count twice"],
    ["a fraction of a row", [source, call("take", [1.5])], "take wants a whole number, 0 or more for count"],
    ["a share over 100%", [source, call("hide_labels", [2])], "hide_labels wants a share from 0% to 100% for share"],
    ["no rows", [call("rows", [], { x: [] })], "there are no rows"],
    ["no columns", [call("rows")], "rows misses its columns"],
    ["unequal columns", [call("rows", [], { x: [1, 2], y: [1] })], "x has 2 rows, but y has 1 rows"],
    ["nothing left", [source, call("skip", [2])], "none of the 2 rows is left"],
    ["a column that is not there", [source, call("rename", [], { y: "z" })], "there is no column z"],
    [
      "two columns of one name",
      [call("rows", [], { x: [1], y: [2] }), call("rename", [], { x: "y" })],
      "would be named x",
    ],
    ["no labels to hide", [source, call("hide_labels", [0.5])], "there is no column label"],
    [
      "labels that are none",
      [call("rows", [], { x: [1, 0.1] }), call("hide_labels", [0.5], { column: "x" })],
      "x is f32[2], but labels are i32[N]; row 2 has 0.1",
    ],
    [
      "a column missing in a file",
      [call("csv", ["iris.csv"], { label: "knd" })],
      "iris.csv has no column knd\n  = help: did you mean kind?",
    ],
    ["more labels than images", [call("idx", ["image.gz", "two.gz"])], "image has 3 rows, but label has 2 rows"],
    ["images for labels", [call("idx", ["image.gz", "image.gz"])], "image.gz has 3 axes, but labels have one"],
    [
      "windows of two columns",
      [call("rows", [], { x: [1], y: [2] }), call("windows", [], { a: 1 })],
      "not from x and y",
    ],
    ["windows that are too long", [source, call("windows", [], { a: 3 })], "x has 2 values, fewer than the 3"],
  ];
  it.each(broken)("%s", async (_, pipeline, message) => {
    await expect(load(...pipeline)).rejects.toThrow(DataError);
    await expect(load(...pipeline)).rejects.toThrow(message);
    await expect(load(...pipeline)).rejects.toThrow("m.dlm:4:9");
  });

  it("a missing cell is found in its file", async () => {
    await expect(load(call("csv", ["gap.csv"]))).rejects.toThrow('gap.csv: line 3, column "b": the cell is empty');
  });

  it("ragged rows are found at their place in the program", async () => {
    await expect(load(call("rows", [], { x: [[1], [2, 3]] }))).rejects.toThrow("m.dlm:4:9: x[1] is a list of 2");
  });

  it("a missing file names the path and --data", async () => {
    const read = dataFiles("/nowhere").read;
    await expect(read("a.csv")).rejects.toThrow(
      /^\/nowhere\/a\.csv: cannot be read: there is no such file.*\n.*--data DIR/,
    );
    await expect(dataFiles(".", "/elsewhere").read("a.csv")).rejects.toThrow("/elsewhere/a.csv");
  });
});

describe("data for a model", () => {
  it("converts element types and axes of size 1", async () => {
    const { data } = await dataFor({ x: type("f32", "N", 2), label: type("i32", "N") }, [
      call("rows", [], {
        x: [
          [0, 1],
          [1, 0],
        ],
        label: [[1], [0]],
        unused: [1, 2],
      }),
    ]);
    expect(data.columns).toEqual({
      x: { dtype: "f32", shape: [2, 2], data: Float32Array.of(0, 1, 1, 0) },
      label: { dtype: "i32", shape: [2], data: Int32Array.of(1, 0) },
    });
  });

  it("numbers the classes of the test data as those of the training data", async () => {
    const test = [call("csv", ["iris.csv"], { label: "kind" }), call("skip", [1]), call("take", [1])];
    const types = { label: type("i32", "N") };
    const loaded = await dataFor(types, [call("csv", ["iris.csv"], { label: "kind" })], test);
    expect(loaded.test?.columns.label?.data).toEqual(Int32Array.of(1));
    const options = { read: context.read, classes: { label: ["rose", "aster", "lily"] } };
    const plan = { model: "M", inputs: ["label"], targets: [], data: test, metrics: [], epochs: 1, batch: 1, seed: 1 };
    const { data } = inMemoryBoth(await loadTrainingData(plan, types, options));
    expect(data.columns.label?.data).toEqual(Int32Array.of(2));
    const fewer = { ...options, classes: { label: ["rose", "lily"] } };
    await expect(loadTrainingData(plan, types, fewer)).rejects.toThrow(
      "label has the class aster, which was not trained",
    );
  });

  it("limits the rows of the training alone", async () => {
    const pipeline = [call("digits", [7])];
    const { data, test } = await dataFor({ image: type("f32", "N", 28, 28, 1) }, pipeline, pipeline, 3);
    expect([data.rows, test?.rows]).toEqual([3, 7]);
  });

  const broken: [string, Readonly<Record<string, TensorType>>, string][] = [
    ["a missing column", { images: type("f32", "N", 1, 2, 1) }, "add `|> rename(images: image)` to the data"],
    [
      "another size",
      { image: type("f32", "N", 3) },
      "the data give image: f32[3, 1, 2, 1], but the model takes f32[N, 3]",
    ],
    ["two values for one size", { image: type("f32", "N", "T", "T", 1) }, "but the model takes f32[N, T, T, 1]"],
    ["fractions for integers", { image: type("i32", "N", 1, 2, 1) }, "element 2 is 0.2"],
  ];
  it.each(broken)("%s", async (_, types, message) => {
    await expect(dataFor(types, [call("idx", ["image.gz", "label.gz"])])).rejects.toThrow(message);
  });

  it("proposes flatten", async () => {
    await expect(dataFor({ image: type("f32", "N", 784) }, [call("digits", [2])])).rejects.toThrow("add `|> flatten`");
  });

  const mnist = ["t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"];
  it.skipIf(!existsSync(shared(`datasets/${mnist[0]}`)))("reads MNIST, iris, diabetes and temperatures", async () => {
    const { read } = dataFiles(".", shared("datasets"));
    const real = (...pipeline: DataPipeline) => loadDataset(pipeline, { ...context, read, seed: 0 });
    const images = await real(call("idx", mnist));
    expect(images.columns.image?.shape).toEqual([10000, 28, 28, 1]);
    const flowers = await real(call("csv", ["iris.csv"], { label: "species" }));
    expect(flowers.classes.label).toEqual(["Iris-setosa", "Iris-versicolor", "Iris-virginica"]);
    expect(flowers.columns.features?.shape).toEqual([150, 4]);
    const diabetes = await real(call("csv", ["diabetes.csv"], { measured: "target" }));
    expect(diabetes.columns.features?.shape).toEqual([442, 10]);
    const lines = readFileSync(shared("datasets/daily-min-temperatures.csv"), "utf8").trim().split("\n").length - 1;
    const days = await real(
      call("csv", ["daily-min-temperatures.csv"], { column: "Temp" }),
      call("windows", [], { s: 28, a: 1 }),
    );
    expect(days.columns.s?.shape).toEqual([lines - 28, 28, 1]);
    const next: Setting = { call: "shifted", positional: [1] };
    const text = await real(call("characters", ["tinyshakespeare.txt"], { window: 64, next }));
    expect(text.classes.next).toHaveLength(65);
    // One million characters and a bit, in windows of 64.
    expect(text.columns.text?.shape).toEqual([17428, 64]);
  });
});
