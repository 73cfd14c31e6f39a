// Sources that read many files, or files that stay on the disk: the same numbers as from memory, and errors with file and line.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { encode as encodePng } from "fast-png";
import { gzipSync, zipSync } from "fflate";
import jpeg from "jpeg-js";
import { afterAll, describe, expect, it } from "vitest";
import type { DataPipeline } from "../../../src/dsl/training-plan.ts";
import { FormatError } from "../../../src/formats/format-error.ts";
import { writeNpy } from "../../../src/formats/npy.ts";
import { streamTable } from "../../../src/train/data/csv-stream.ts";
import { DataError } from "../../../src/train/data/data-error.ts";
import { gatherColumn, isComputed } from "../../../src/train/data/dataset.ts";
import { scaledImages } from "../../../src/train/data/idx-source.ts";
import { loadDataset } from "../../../src/train/data/load.ts";
import { dataFiles } from "../../../src/train/node/data-files.ts";
import { call, inMemory } from "./support.ts";

const folder = mkdtempSync(join(tmpdir(), "dlm-files-"));
afterAll(() => rmSync(folder, { recursive: true }));
const write = (name: string, contents: Uint8Array | string): void => {
  mkdirSync(dirname(join(folder, name)), { recursive: true });
  writeFileSync(join(folder, name), contents);
};
/** Loads with files of more than so many bytes left on the disk. */
const load = async (pipeline: DataPipeline, most?: number) =>
  inMemory(
    await loadDataset(pipeline, { ...dataFiles(folder, undefined, most), seed: 1, role: "data", scales: new Map() }),
  );

/** A picture of two rows and three columns. */
const png = (data: number[], channels: number, depth: 8 | 16 = 8) =>
  encodePng({
    width: 3,
    height: 2,
    channels,
    depth,
    data: depth === 8 ? Uint8Array.from(data) : Uint16Array.from(data),
  });
const grey = [0, 51, 102, 153, 204, 255];

describe("images", () => {
  write("pets/cat/a.png", png(grey, 1));
  write(
    "pets/cat/b.png",
    png(
      grey.flatMap((v) => [v, 255 - v, 0, 128]),
      4,
    ),
  );
  const pixels = grey.flatMap(() => [200, 100, 50, 255]);
  write("pets/dog/c.jpg", jpeg.encode({ width: 3, height: 2, data: Uint8Array.from(pixels) }, 100).data);
  write("pets/dog/notes.txt", "no image");

  it("are decoded to points from 0 to 1; their folders are classes", async () => {
    const { columns, classes, rows } = await load([call("images", ["pets"])]);
    expect(rows).toBe(3);
    expect(classes).toEqual({ label: ["cat", "dog"] });
    expect([...columns.label!.data]).toEqual([0, 0, 1]);
    expect(columns.image?.shape).toEqual([3, 2, 3, 3]);
    const [a, b, c] = [0, 1, 2].map((i) => [...columns.image!.data.subarray(18 * i, 18 * i + 18)]);
    expect(a).toEqual(grey.flatMap((v) => [v, v, v]).map((v) => Math.fround(v / 255)));
    expect(b).toEqual(grey.flatMap((v) => [v, 255 - v, 0]).map((v) => Math.fround(v / 255)));
    // JPEG rounds.
    for (const [i, value] of c!.entries()) expect(Math.abs(value - [200, 100, 50][i % 3]! / 255)).toBeLessThan(0.02);
  });

  it("become grey, or another size, where that is asked for", async () => {
    const one = await load([call("images", ["pets/cat"], { channels: 1 })]);
    expect(one.columns.image?.shape).toEqual([2, 2, 3, 1]);
    expect(one.columns.label).toBeUndefined();
    expect(one.columns.image?.data[7]).toBeCloseTo((0.299 * 51 + 0.587 * 204) / 255, 6);
    const small = await load([call("images", ["pets/cat"], { size: [1, 3], channels: 1 })]);
    expect(small.columns.image?.shape).toEqual([2, 1, 3, 1]);
    const means = [0, 1, 2].map((i) => (grey[i]! + grey[i + 3]!) / 2 / 255);
    for (const [i, mean] of means.entries()) expect(small.columns.image?.data[i]).toBeCloseTo(mean, 6);
  });

  it("of 16 bits keep their range", async () => {
    write("deep/a.png", png([0, 65535, 32768, 1, 2, 3], 1, 16));
    const { columns } = await load([call("images", ["deep"], { channels: 1 })]);
    expect([...columns.image!.data.slice(0, 3)]).toEqual([0, 1, Math.fround(32768 / 65535)]);
  });

  it("that do not fit, or are damaged, are named", async () => {
    write("mixed/a.png", png(grey, 1));
    write("mixed/b.png", encodePng({ width: 2, height: 2, channels: 1, data: new Uint8Array(4) }));
    await expect(load([call("images", ["mixed"])])).rejects.toThrow(/b\.png has 2×2 points, but .*a\.png has 2×3/);
    write("broken/a.png", png(grey, 1).subarray(0, 40));
    await expect(load([call("images", ["broken"])])).rejects.toThrow(/a\.png: cannot be decoded/);
    write("fake/a.png", "text");
    await expect(load([call("images", ["fake"])])).rejects.toThrow("is neither PNG nor JPEG");
    write("loose/a.png", png(grey, 1));
    write("loose/cat/b.png", png(grey, 1));
    await expect(load([call("images", ["loose"])])).rejects.toThrow("lies beside the folders of classes");
    await expect(load([call("images", ["nowhere"])])).rejects.toThrow(/nowhere: cannot be read.*\n.*--data DIR/);
    write("empty/readme.txt", "");
    await expect(load([call("images", ["empty"])])).rejects.toThrow(DataError);
  });
});

describe("arrays of NumPy", () => {
  const x = { dtype: "f32", shape: [3, 2], data: Float32Array.of(1, 2, 3, 4, 5, 6) } as const;
  const y = { dtype: "i32", shape: [3], data: Int32Array.of(7, 8, 9) } as const;
  write("x.npy", writeNpy(x));
  write("y.npy", writeNpy(y));
  write("both.npz", zipSync({ "x.npy": writeNpy(x), "y.npy": writeNpy(y) }));

  it("are columns, from memory and from the disk", async () => {
    for (const most of [undefined, 0]) {
      const { columns } = await load([call("npy", [], { x: "x.npy", y: "y.npy" })], most);
      expect(columns).toEqual({ x, y });
      const { columns: some } = await load([call("npy", [], { x: "x.npy" }), call("skip", [2])], most);
      expect([...some.x!.data]).toEqual([5, 6]);
    }
  });

  it("come from archives, all of them or some", async () => {
    expect((await load([call("npz", ["both.npz"])])).columns).toEqual({ x, y });
    expect((await load([call("npz", ["both.npz"], { label: "y" })])).columns).toEqual({ label: y });
    await expect(load([call("npz", ["both.npz"], { label: "z" })])).rejects.toThrow("has no array z");
    await expect(load([call("npz", ["x.npy"])])).rejects.toThrow(FormatError);
  });

  it("that are cut short are told", async () => {
    write("cut.npy", writeNpy(x).subarray(0, 140));
    for (const most of [undefined, 0])
      await expect(load([call("npy", [], { x: "cut.npy" })], most)).rejects.toThrow("[3, 2], 24 bytes, but 12 follow");
  });
});

describe("files of the MNIST kind", () => {
  const pictures = Uint8Array.of(0, 0, 8, 3, 0, 0, 0, 3, 0, 0, 0, 1, 0, 0, 0, 2, 0, 255, 51, 102, 1, 2);
  const numbers = Uint8Array.of(0, 0, 0x0b, 2, 0, 0, 0, 2, 0, 0, 0, 2, 0, 1, 255, 255, 1, 0, 0, 9);
  write("pictures.idx", pictures);
  write("pictures.idx.gz", gzipSync(pictures));
  write("numbers.idx", numbers);

  it("give the same from memory, from the disk, and unpacked", async () => {
    const whole = await load([call("idx", ["pictures.idx"])]);
    expect(whole.columns.image).toEqual({
      dtype: "f32",
      shape: [3, 1, 2, 1],
      data: Float32Array.of(0, 1, 51 / 255, 102 / 255, 1 / 255, 2 / 255),
    });
    expect(await load([call("idx", ["pictures.idx"])], 0)).toEqual(whole);
    expect(await load([call("idx", ["pictures.idx.gz"])], 0)).toEqual(whole);
    const last = await load([call("idx", ["pictures.idx"]), call("skip", [2])], 0);
    expect(last.columns.image?.data).toEqual(Float32Array.of(1 / 255, 2 / 255));
    for (const most of [undefined, 0]) {
      const { columns } = await load([call("idx", ["numbers.idx"])], most);
      expect(columns.image?.data).toEqual(Int32Array.of(1, -1, 256, 9));
    }
  });

  it("are the same where bytes stay bytes until a batch asks for them", () => {
    const pictures = { dtype: "u8", shape: [3, 2], data: Uint8Array.of(0, 255, 51, 102, 1, 2) } as const;
    const [floats, bytes] = [scaledImages(pictures), scaledImages(pictures, 5)];
    expect([isComputed(floats), isComputed(bytes)]).toEqual([false, true]);
    expect(gatherColumn(bytes, [2, 0])).toEqual(gatherColumn(floats, [2, 0]));
  });

  it("that are cut short are told", async () => {
    write("cut.idx", pictures.subarray(0, 20));
    for (const most of [undefined, 0])
      await expect(load([call("idx", ["cut.idx"])], most)).rejects.toThrow(
        /cut\.idx: its header says 3 × 1 × 2 .* 2 are missing/,
      );
    write("cut.idx.gz", gzipSync(pictures).subarray(0, 30));
    await expect(load([call("idx", ["cut.idx.gz"])], 0)).rejects.toThrow("cut short or damaged");
  });
});

describe("a text that is read in blocks", () => {
  it("has the same characters, also those that blocks cut through", async () => {
    // Three bytes each: blocks of 2^20 bytes cut through one.
    write("long.txt", `a${"€".repeat(700_000)}b`);
    const pipeline = [call("characters", ["long.txt", 350_001])];
    const whole = await load(pipeline);
    expect(whole.classes.text).toEqual(["a", "b", "€"]);
    expect([whole.rows, whole.columns.text?.data.at(-1), whole.columns.text?.data.at(-2)]).toEqual([2, 1, 2]);
    expect(await load(pipeline, 0)).toEqual(whole);
  });

  it("has any number of different characters, with those that come late", async () => {
    const points = Array.from({ length: 300 }, (_, i) => 0x4e00 + 299 - i);
    write("many.txt", String.fromCodePoint(...points, ...points));
    const { columns, classes } = await load([call("characters", ["many.txt", 600])]);
    expect(classes.text).toEqual([...points].reverse().map((point) => String.fromCodePoint(point)));
    const numbers = points.map((point) => point - 0x4e00);
    expect(columns.text).toEqual({ dtype: "i32", shape: [1, 600], data: Int32Array.from([...numbers, ...numbers]) });
  });

  it("that is no text is told", async () => {
    write("no.txt", Uint8Array.of(97, 0xff, 98));
    for (const most of [undefined, 0])
      await expect(load([call("characters", ["no.txt", 1])], most)).rejects.toThrow("no.txt: the text is not UTF-8");
  });
});

describe("tables that stay on the disk", () => {
  const text =
    'size,"kind, told",note,weight,count\r\n1.5,rose,"a ""b""\nc",2,3\r\n\r\n2.5,"lily, white",x,4e1,5\r\n-3,rose,"",6,7';
  write("table.csv", text);
  const named = { label: "kind, told", count: "count" };

  it("give the same columns as from memory", async () => {
    const whole = await load([call("csv", ["table.csv"], named)]);
    expect(whole.columns.features?.data).toEqual(Float32Array.of(1.5, 2, 2.5, 40, -3, 6));
    expect(await load([call("csv", ["table.csv"], named)], 0)).toEqual(whole);
    const one = await load([call("csv", ["table.csv"], { column: "weight" })]);
    expect(await load([call("csv", ["table.csv"], { column: "weight" })], 0)).toEqual(one);
  });

  it("whatever the size of the blocks that are read", async () => {
    const whole = await load([call("csv", ["table.csv"], named)]);
    const file = dataFiles(folder).open("table.csv", true)!;
    for (let block = 1; block <= text.length + 1; block++)
      expect(inMemory(streamTable(call("csv"), file, undefined, named, block))).toEqual(whole);
  });

  const broken: [string, string, string][] = [
    ["a cell that is empty", "a,b\n1,2\n3,\n", 'line 3, column "b": the cell is empty'],
    ["a cell that is no number", "a,b\n1,2\n\n3,x\n", 'line 4, column "b": "x" is not a number'],
    ["a row that is too short", 'a,b\n"1\n",2\n3\n', 'line 4 has no cell for "b"'],
    ["no rows", "a,b\n", "there are no rows"],
    ["nothing", "", "is empty"],
  ];
  it.each(broken)("say where there is %s, as those in memory do", async (_, contents, message) => {
    write("bad.csv", contents);
    for (const most of [undefined, -1]) await expect(load([call("csv", ["bad.csv"])], most)).rejects.toThrow(message);
  });
});
