// Broken data, weights and inputs through the command line: the right message, exit code 1, and nothing half-written.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { writeNpy } from "../../src/formats/npy.ts";
import { writeSafetensors } from "../../src/formats/safetensors.ts";
import type { Tensor } from "../../src/ir/dtype.ts";
import { dlm, listing, temporaryFolder } from "./dlm.ts";
import { xor } from "./models.ts";

const folder = temporaryFolder();
const path = (name: string): string => join(folder, name);
const write = (name: string, contents: string | Uint8Array): void => writeFileSync(path(name), contents);

/** An IDX file of bytes: its magic number, the sizes, the elements. */
function idx(shape: readonly number[], elements: readonly number[], magic = 0x0800 + shape.length): Buffer {
  const head = Buffer.alloc(4 + 4 * shape.length);
  head.writeUInt32BE(magic);
  shape.forEach((size, i) => head.writeUInt32BE(size, 4 + 4 * i));
  return Buffer.concat([head, Buffer.from(elements)]);
}

const zeros = (count: number): number[] => Array.from({ length: count }, () => 0);
const f32 = (shape: readonly number[], data?: readonly number[]): Tensor => ({
  dtype: "f32",
  shape,
  data: Float32Array.from(data ?? zeros(shape.reduce((a, b) => a * b, 1))),
});

const images = idx([3, 2, 2], zeros(12));
const labels = idx([3], [0, 1, 2]);

/** A linear model of 2×2 images, or of the rows of a table. */
const program = (input: string, label: string, data: string, layers = "flatten |> dense(3)"): string => `
model Net(${input}) -> (logits: f32[N, 3]) {
  logits = ${input.split(":")[0]} |> ${layers}
}
train Net {
  target ${label}
  data: ${data}
  loss: cross_entropy(logits, label)
  optimizer: sgd
  epochs: 1
}
`;
const imageProgram = (files: string): string => program("image: f32[N, 2, 2, 1]", "label: i32[N]", `idx(${files})`);
const tableProgram = (data = 'csv("table.csv", label: "kind")'): string =>
  program("features: f32[N, 2]", "label: i32[N]", data, "dense(3)");

const weights: Readonly<Record<string, Tensor>> = {
  "dense.kernel": f32([2, 8]),
  "dense.bias": f32([8]),
  "dense_1.kernel": f32([8, 1]),
  "dense_1.bias": f32([1]),
};

/** A safetensors file with a header that is taken as it stands. */
function rawSafetensors(header: string, bytes: Uint8Array, headerLength = header.length): Buffer {
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(headerLength));
  return Buffer.concat([length, Buffer.from(header), bytes]);
}

beforeEach(() => mkdirSync(folder, { recursive: true }));
let before: string[] = [];

/** Runs a command that must fail for the user's reasons alone, and leave the folder as it was. */
async function fails(...args: string[]): Promise<string> {
  before = listing(folder);
  const { code, stdout, stderr } = await dlm(...args);
  expect(stderr).not.toMatch(/^\s+at .*:\d+:\d+/m);
  expect(stderr).not.toContain("internal error");
  expect({ code, stdout }, stderr).toEqual({ code: 1, stdout: "" });
  return stderr;
}

afterEach(() => expect(listing(folder)).toEqual(before));

describe("dlm train, with data that are broken", () => {
  const csv = (text: string): Readonly<Record<string, string>> => ({ "table.csv": text });
  const cases: readonly [string, string, Readonly<Record<string, string | Uint8Array>>, readonly string[]][] = [
    [
      "a truncated gzip file",
      imageProgram('"images.gz", "labels.gz"'),
      { "images.gz": gzipSync(images).subarray(0, 25), "labels.gz": gzipSync(labels) },
      ["images.gz: the gzip data are cut short or damaged"],
    ],
    [
      "a file that is only called gzip",
      imageProgram('"images.gz", "labels.gz"'),
      { "images.gz": "this is no gzip file", "labels.gz": gzipSync(labels) },
      ["images.gz: begins with 0x74", "this reads IDX files, such as those of MNIST"],
    ],
    [
      "the wrong magic number",
      imageProgram('"images", "labels"'),
      { images: idx([3, 2, 2], zeros(12), 0x12345678), labels },
      ["begins with 0x12 0x34 0x56 0x78, which is not the magic number of IDX"],
    ],
    [
      "fewer pixels than the header says",
      imageProgram('"images", "labels"'),
      { images: idx([3, 2, 2], zeros(11)), labels },
      ["images: its header says 3 × 2 × 2 elements, 12 bytes, but 11 follow"],
    ],
    [
      "sizes that nothing holds",
      imageProgram('"images", "labels"'),
      { images: idx([0xffffffff, 0xffffffff, 0xffffffff], zeros(12)), labels },
      ["images: its header says 4294967295 × 4294967295 × 4294967295 elements"],
    ],
    [
      "an empty file",
      imageProgram('"images", "labels"'),
      { images: "", labels },
      ["images: is 0 bytes long, too short for IDX"],
    ],
    [
      "fewer labels than images",
      imageProgram('"images", "labels"'),
      { images, labels: idx([2], [0, 1]) },
      ["net.dlm:7:9: image has 3 rows, but label has 2 rows"],
    ],
    [
      "labels and images exchanged",
      imageProgram('"labels", "images"'),
      { images, labels },
      ["images has 3 axes, but labels have one", "name the file of images first"],
    ],
    [
      "images of another size",
      imageProgram('"images", "labels"'),
      { images: idx([3, 3, 3], zeros(27)), labels },
      ["image: f32[3, 3, 3, 1]", "the model takes f32[N, 2, 2, 1]"],
    ],
    [
      "a file that is not there",
      imageProgram('"pictures", "labels"'),
      { labels },
      ["pictures", "there is no such file", "--data DIR"],
    ],
    [
      "a folder instead of a file",
      imageProgram('"folder", "labels"'),
      { labels, "folder/": "" },
      ["folder", "is a folder, not a file"],
    ],
    [
      "a CSV file with a missing cell",
      tableProgram(),
      csv("a,b,kind\n1,2,x\n3,,y\n5,6,z\n"),
      ['table.csv: line 3, column "b": the cell is empty', "fill it in or remove the line"],
    ],
    [
      "a row that is too short",
      tableProgram(),
      csv("a,b,kind\n1,2,x\n3,y\n"),
      ['table.csv: line 3 has no cell for "kind": 2 cells, not 3'],
    ],
    [
      "a text in a column of numbers",
      tableProgram('csv("table.csv", label: "kind", features: "a")'),
      csv("a,b,kind\n1,2,x\ntwo,3,y\n"),
      ['table.csv: line 3, column "a": "two" is not a number'],
    ],
    [
      "a column that is not there",
      tableProgram('csv("table.csv", label: "species")'),
      csv("a,b,kind\n1,2,x\n"),
      ["net.dlm:7:9", "table.csv has no column species", "its columns are a, b and kind"],
    ],
    ["a table without rows", tableProgram(), csv("a,b,kind\n"), ["net.dlm:7:9: there are no rows"]],
    ["an empty table", tableProgram(), csv(""), ["table.csv: is empty", "the first line names the columns"]],
    [
      "a target that the data do not have",
      tableProgram('csv("table.csv")'),
      csv("a,b,kind\n1,2,0\n"),
      ["net.dlm:7:9: the model takes label: i32[N], but the data have no such column, only features: f32[1, 3]"],
    ],
    [
      "a table that is not text",
      tableProgram(),
      { "table.csv": Uint8Array.of(0xff, 0xfe, 0, 1) },
      ["table.csv: the text is not UTF-8"],
    ],
    [
      "rows of different lengths",
      tableProgram("rows(features: [[1, 2], [3]], label: [0, 1])"),
      {},
      ["net.dlm:7:9: features[1] is a list of 1, where its siblings are lists of 2"],
    ],
    [
      "columns of different lengths",
      tableProgram("rows(features: [[1, 2], [3, 4]], label: [0])"),
      {},
      ["net.dlm:7:9: features has 2 rows, but label has 1 row"],
    ],
  ];

  it.each(cases)("%s", async (_, text, files, says) => {
    const place = "data";
    mkdirSync(path(place), { recursive: true });
    for (const [name, contents] of Object.entries(files)) {
      if (name.endsWith("/")) mkdirSync(path(`${place}/${name}`), { recursive: true });
      else write(`${place}/${name}`, contents);
    }
    write("net.dlm", text);
    const message = await fails("train", path("net.dlm"), "--data", path(place), "--out", path("out"));
    for (const part of says) expect(message).toContain(part);
  });
});

describe("weights that are broken", () => {
  const bytes = new Uint8Array(64);
  const good = writeSafetensors(weights);
  const header = JSON.stringify({ w: { dtype: "F32", shape: [4, 4], data_offsets: [0, 64] } });
  const cases: readonly [string, Uint8Array, readonly string[]][] = [
    ["an empty file", new Uint8Array(), ["weights.safetensors: is 0 bytes long"]],
    [
      "a truncated file",
      good.subarray(0, good.length - 5),
      ['"dense_1.kernel" ends at byte 132 of the data, which are 127 bytes long'],
    ],
    [
      "a header longer than the file",
      rawSafetensors(header, bytes, 10_000),
      ["its header claims 10000 bytes, but only 121 follow"],
    ],
    ["a header of 2⁶² bytes", rawSafetensors(header, bytes, 2 ** 62), ["its header claims 4611686018427387904 bytes"]],
    ["a header that is no JSON", rawSafetensors("{nonsense", bytes), ["its header is not JSON"]],
    ["a header that is a list", rawSafetensors("[1, 2, 3]", bytes), ["its header is not a JSON object"]],
    [
      "offsets beyond the end",
      rawSafetensors(JSON.stringify({ w: { dtype: "F32", shape: [4, 4], data_offsets: [0, 640] } }), bytes),
      ['tensor "w" ends at byte 640 of the data, which are 64 bytes long'],
    ],
    [
      "offsets that do not fit the shape",
      rawSafetensors(JSON.stringify({ w: { dtype: "F32", shape: [4, 5], data_offsets: [0, 64] } }), bytes),
      ['tensor "w": F32[4, 5] takes 80 bytes, but its place has 64'],
    ],
    [
      "tensors that overlap",
      rawSafetensors(
        JSON.stringify({
          v: { dtype: "F32", shape: [4, 4], data_offsets: [0, 64] },
          w: { dtype: "F32", shape: [8], data_offsets: [32, 64] },
        }),
        bytes,
      ),
      ['tensors "v" and "w" overlap at byte 32'],
    ],
    [
      "a negative size",
      rawSafetensors(JSON.stringify({ w: { dtype: "F32", shape: [-4, -4], data_offsets: [0, 64] } }), bytes),
      ['tensor "w": its shape is not a list of sizes'],
    ],
    [
      "an element type that does not exist",
      rawSafetensors(JSON.stringify({ w: { dtype: "F33", shape: [4, 4], data_offsets: [0, 64] } }), bytes),
      ['tensor "w" has the element type "F33"', "convert it to one of F32"],
    ],
    [
      "another shape",
      writeSafetensors({ ...weights, "dense.kernel": f32([3, 8]) }),
      ["dense.kernel is f32[3, 8], but the model has dense.kernel: f32[2, 8]"],
    ],
    [
      "another element type",
      writeSafetensors({ ...weights, "dense.bias": { dtype: "i32", shape: [8], data: new Int32Array(8) } }),
      ["dense.bias is i32[8], but the model has dense.bias: f32[8]"],
    ],
    [
      "another name",
      writeSafetensors({
        "dense.kernel": f32([2, 8]),
        "dense.bais": f32([8]),
        "dense_1.kernel": f32([8, 1]),
        "dense_1.bias": f32([1]),
      }),
      ["missing dense.bias: f32[8]; perhaps it is dense.bais", "left over dense.bais: f32[8]"],
    ],
    [
      "weights of another model",
      writeSafetensors({ "conv2d.kernel": f32([3, 3, 1, 4]), "conv2d.bias": f32([4]) }),
      ["missing dense.kernel", "left over conv2d.kernel", "were the weights trained with this very model?"],
    ],
  ];

  it.each(cases)("%s", async (_, contents, says) => {
    write("xor.dlm", xor);
    write("weights.safetensors", contents);
    write("x.json", "[[0, 1]]");
    mkdirSync(path("out"), { recursive: true });
    write("out/weights.safetensors", good);
    const options = ["--weights", path("weights.safetensors")];
    const commands = [
      ["run", path("xor.dlm"), "--input", path("x.json"), "--output", path("y.json"), ...options],
      ["eval", path("xor.dlm"), ...options],
      ["bundle", path("xor.dlm"), "-o", path("xor.mjs"), ...options],
      ["train", path("xor.dlm"), "--out", path("out"), ...options],
    ];
    for (const command of commands) {
      const message = await fails(...command);
      for (const part of says) expect(message, command[0]).toContain(part);
      expect(listing(folder), command[0]).toEqual(before);
    }
  });

  it("none at all", async () => {
    write("xor.dlm", xor);
    write("x.json", "[[0, 1]]");
    expect(await fails("run", path("xor.dlm"), "--input", path("x.json"))).toContain(
      "Xor has 4 trained tensors, and no weights are given",
    );
    expect(await fails("eval", path("xor.dlm"), "--weights", path("missing.safetensors"))).toContain(
      "missing.safetensors: cannot be read: there is no such file",
    );
  });
});

describe("inputs of dlm run that are broken", () => {
  const npy = writeNpy(f32([2, 2]));
  const cases: readonly [string, string, string | Uint8Array, readonly string[]][] = [
    ["npy garbage", "x.npy", "no npy at all", ["x.npy: does not begin with the magic number of NPY", "numpy.save"]],
    [
      "a truncated npy file",
      "x.npy",
      npy.subarray(0, npy.length - 3),
      ["x.npy: its header says [2, 2], 16 bytes, but 13 follow"],
    ],
    ["ragged JSON", "x.json", "[[0, 1], [2]]", ["x.json: x[1] is a list of 1, where its siblings are lists of 2"]],
    ["JSON that is none", "x.json", "[[0, 1", ["x.json: is not JSON", "write an object of nested lists"]],
    ["JSON of texts", "x.json", '[["a", "b"]]', ['x.json: x[0][0] is "a", where a number is expected']],
    ["JSON of nothing", "x.json", "null", ['x.json: x is "null", where a number is expected']],
    ["an input lacking a tensor", "x.json", '{"z": [[0, 1]]}', ["has no tensor x", "it has z; Xor takes x"]],
    ["an input of another shape", "x.json", "[[0, 1, 2]]", ["x has the shape [1, 3], and should have [N, 2]"]],
    ["an input of another rank", "x.json", "[0, 1]", ["x has the shape [2], and should have [N, 2]"]],
    [
      "an input of another element type",
      "x.safetensors",
      writeSafetensors({ x: { dtype: "i32", shape: [1, 2], data: Int32Array.of(0, 1) } }),
      ["x is i32, expected f32"],
    ],
    [
      "a file of no known kind",
      "x.txt",
      "0 1",
      ["x.txt: has the extension .txt", "tensors are kept in .safetensors, .npy, .json"],
    ],
  ];

  it.each(cases)("%s", async (_, name, contents, says) => {
    write("xor.dlm", xor);
    write("weights.safetensors", writeSafetensors(weights));
    write(name, contents);
    const options = ["--weights", path("weights.safetensors"), "--output", path("y.npy")];
    const message = await fails("run", path("xor.dlm"), "--input", path(name), ...options);
    for (const part of says) expect(message).toContain(part);
  });
});

describe("places that cannot be written", () => {
  const prepare = (): string[] => {
    write("xor.dlm", xor);
    write("weights.safetensors", writeSafetensors(weights));
    write("x.json", "[[0, 1]]");
    write("file", "in the way");
    return ["--weights", path("weights.safetensors")];
  };

  it("a file where the folder of results should be", async () => {
    prepare();
    expect(await fails("train", path("xor.dlm"), "--out", path("file"))).toContain(
      "there is a file where a folder is wanted",
    );
    expect(await fails("train", path("xor.dlm"), "--out", path("file/below"))).toContain("part of the path is a file");
  });

  it("a folder where a file should be, and a folder that is not there", async () => {
    const options = prepare();
    mkdirSync(path("folder.json"), { recursive: true });
    const run = ["run", path("xor.dlm"), "--input", path("x.json"), ...options, "--output"];
    expect(await fails(...run, path("folder.json"))).toContain("folder.json: cannot be written: is a folder");
    expect(await fails(...run, path("missing/y.json"))).toContain("y.json: cannot be written");
    expect(await fails(...run, path("y.txt"))).toContain("y.txt: has the extension .txt");
    const bundle = ["bundle", path("xor.dlm"), ...options, "-o"];
    expect(await fails(...bundle, path("missing/xor.mjs"))).toContain("cannot be written");
    expect(await fails(...bundle, path("xor.js"))).toContain("xor.js does not end in .mjs");
  });
});
