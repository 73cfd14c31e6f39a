import { existsSync, readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { FormatError } from "../../src/formats/format-error.ts";
import { readIdx } from "../../src/formats/idx.ts";
import { shared } from "../shared.ts";

const images = Uint8Array.of(0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 3, 1, 2, 3, 4, 5, 255);
const gzipped = new Uint8Array(gzipSync(images));

describe("idx", () => {
  it("reads bytes, gzipped or not", async () => {
    const expected = { dtype: "u8", shape: [2, 1, 3], data: Uint8Array.of(1, 2, 3, 4, 5, 255) };
    expect(await readIdx(images, "x")).toEqual(expected);
    expect(await readIdx(gzipped, "x")).toEqual(expected);
  });

  it("reads the other element types, big-endian", async () => {
    const one = (type: number, ...bytes: number[]) => readIdx(Uint8Array.of(0, 0, type, 1, 0, 0, 0, 1, ...bytes), "x");
    expect(await one(0x09, 0xff)).toEqual({ dtype: "i8", shape: [1], data: Int8Array.of(-1) });
    expect(await one(0x0b, 0x01, 0x02)).toEqual({ dtype: "i32", shape: [1], data: Int32Array.of(258) });
    expect(await one(0x0c, 0xff, 0xff, 0xff, 0xfe)).toEqual({ dtype: "i32", shape: [1], data: Int32Array.of(-2) });
    expect(await one(0x0d, 0x3f, 0x80, 0, 0)).toEqual({ dtype: "f32", shape: [1], data: Float32Array.of(1) });
    expect(await one(0x0e, 0x40, 0, 0, 0, 0, 0, 0, 0)).toEqual({ dtype: "f32", shape: [1], data: Float32Array.of(2) });
  });

  const broken: [string, Uint8Array, string][] = [
    ["nothing", new Uint8Array(0), "is 0 bytes long"],
    ["a wrong magic number", images.map((b, i) => (i === 2 ? 7 : b)), "begins with 0x00 0x00 0x07 0x03"],
    ["a text", new TextEncoder().encode("label,image\n1,2"), "begins with 0x6c 0x61 0x62 0x65"],
    ["missing sizes", images.subarray(0, 10), "has 3 axes, but ends before their sizes"],
    ["missing bytes", images.subarray(0, 20), "2 × 1 × 3 elements, 6 bytes, but 4 follow: 2 are missing"],
    ["too many bytes", Uint8Array.of(...images, 0), "1 are too many"],
    ["sizes that overflow", images.map((b, i) => (i >= 4 && i < 16 ? 255 : b)), "are missing"],
    ["a truncated gzip", gzipped.subarray(0, gzipped.length - 10), "cut short or damaged"],
    ["a gzip of nothing but its first bytes", gzipped.subarray(0, 2), "cut short or damaged"],
    [
      "a gzip with a wrong checksum",
      gzipped.map((b, i) => (i === gzipped.length - 6 ? b ^ 1 : b)),
      "cut short or damaged",
    ],
  ];
  it.each(broken)("refuses %s", async (_, bytes, message) => {
    const error = await readIdx(bytes, "t10k.gz").then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(FormatError);
    expect(String(error)).toContain(message);
    expect(String(error)).toContain("t10k.gz");
  });

  const labels = shared("datasets/t10k-labels-idx1-ubyte.gz");
  it.skipIf(!existsSync(labels))("reads the labels of MNIST's test set", async () => {
    const { shape, data } = await readIdx(readFileSync(labels), labels);
    expect(shape).toEqual([10000]);
    // As published: http://yann.lecun.com/exdb/mnist, the first labels of the test set.
    expect([...data.subarray(0, 5)]).toEqual([7, 2, 1, 0, 4]);
  });
});
