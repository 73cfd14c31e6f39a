import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FormatError } from "../../src/formats/format-error.ts";
import { readSafetensors, writeSafetensors } from "../../src/formats/safetensors.ts";
import { tensors } from "./tensors.ts";

/** A file from a header, or its text, and data. */
function file(header: unknown, data: Uint8Array = new Uint8Array(0)): Uint8Array {
  const text = new TextEncoder().encode(typeof header === "string" ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + text.length + data.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  bytes.set(data, 8 + text.length);
  return bytes;
}

const f32 = (shape: unknown, begin: unknown, end: unknown) => ({ dtype: "F32", shape, data_offsets: [begin, end] });
const data = (length: number) => new Uint8Array(length);

describe("safetensors", () => {
  it("reads back what it wrote, whatever the names, types and shapes", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), tensors), fc.dictionary(fc.string(), fc.string()), (given, metadata) => {
        const { __metadata__: _, ...named } = given;
        const bytes = writeSafetensors(named, metadata);
        const read = readSafetensors(bytes, "x");
        expect(Object.keys(read.tensors).sort()).toEqual(Object.keys(named).sort());
        for (const [name, tensor] of Object.entries(named)) expect(read.tensors[name]).toEqual(tensor);
        expect(Object.entries(read.metadata).sort()).toEqual(Object.entries(metadata).sort());
      }),
    );
  });

  it("gives the same bytes in whatever order the tensors come, each aligned to its element", () => {
    const a = { dtype: "u8", shape: [3], data: Uint8Array.of(1, 2, 3) } as const;
    const b = { dtype: "f32", shape: [1], data: Float32Array.of(4) } as const;
    const bytes = writeSafetensors({ a, b }, { p: "1", q: "2" });
    expect(writeSafetensors({ b, a }, { q: "2", p: "1" })).toEqual(bytes);
    expect(new TextDecoder().decode(bytes.subarray(8))).toContain(
      '"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}',
    );
    expect(Number(new DataView(bytes.buffer).getBigUint64(0, true)) % 8).toBe(0);
  });

  it("narrows I64 and F64", () => {
    const values = new Uint8Array(24);
    const view = new DataView(values.buffer);
    view.setBigInt64(0, -5n, true);
    view.setBigInt64(8, 2147483647n, true);
    view.setFloat64(16, 0.1, true);
    const { tensors: read } = readSafetensors(
      file(
        {
          i: { dtype: "I64", shape: [2], data_offsets: [0, 16] },
          d: { dtype: "F64", shape: [], data_offsets: [16, 24] },
        },
        values,
      ),
      "x",
    );
    expect(read.i).toEqual({ dtype: "i32", shape: [2], data: Int32Array.of(-5, 2147483647) });
    expect(read.d).toEqual({ dtype: "f32", shape: [], data: Float32Array.of(0.1) });
    view.setBigInt64(8, 2147483648n, true);
    const tooLarge = file({ i: { dtype: "I64", shape: [2], data_offsets: [0, 16] } }, values.subarray(0, 16));
    expect(() => readSafetensors(tooLarge, "x")).toThrow('tensor "i": element 1 is 2147483648');
  });

  const broken: [string, Uint8Array, string][] = [
    ["empty", data(0), "is 0 bytes long"],
    ["a header longer than the file", file("{}").map((b, i) => (i === 3 ? 255 : b)), "its header claims"],
    ["a header of 2^63 bytes", new Uint8Array(16).fill(255), "its header claims 18446744073709551615 bytes"],
    ["not JSON", file("{'a': 1}"), "its header is not JSON"],
    ["a list", file([]), "its header is not a JSON object"],
    ["not UTF-8", file("{}").map((b, i) => (i === 8 ? 0xff : b)), "is not UTF-8"],
    ["a name twice", file('{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"\\u0061":{}}'), 'has "a" twice'],
    ["a number for a tensor", file({ a: 3 }), 'tensor "a" has no type, shape and place'],
    ["null for a tensor", file({ a: null }), 'tensor "a" has no type, shape and place'],
    [
      "an unknown type",
      file({ a: { dtype: "F8", shape: [], data_offsets: [0, 1] } }, data(1)),
      "convert it to one of F32",
    ],
    [
      "a type of all objects",
      file({ a: { dtype: "toString", shape: [], data_offsets: [0, 1] } }, data(1)),
      '"toString"',
    ],
    ["a negative size", file({ a: f32([-1], 0, 4) }, data(4)), "its shape is not a list of sizes"],
    ["half a size", file({ a: f32([0.5], 0, 4) }, data(4)), "its shape is not a list of sizes"],
    ["sizes that overflow", file({ a: f32([2 ** 40, 2 ** 40], 0, 4) }, data(4)), "takes"],
    ["one offset", file({ a: { dtype: "F32", shape: [1], data_offsets: [0] } }, data(4)), "data_offsets"],
    ["an end before its begin", file({ a: f32([1], 4, 0) }, data(4)), "data_offsets"],
    ["a place out of the file", file({ a: f32([2], 0, 8) }, data(4)), "ends at byte 8 of the data, which are 4 bytes"],
    ["a lying length", file({ a: f32([2], 0, 4) }, data(4)), "F32[2] takes 8 bytes, but its place has 4"],
    ["an overlap", file({ a: f32([2], 0, 8), b: f32([1], 4, 8) }, data(8)), 'tensors "a" and "b" overlap at byte 4'],
    ["a gap", file({ a: f32([1], 0, 4), b: f32([1], 8, 12) }, data(12)), "bytes 4 to 8"],
    ["bytes at the end", file({ a: f32([1], 0, 4) }, data(6)), '2 bytes after "a" belong to no tensor'],
    ["metadata of numbers", file({ __metadata__: { a: 1 } }), '__metadata__ "a" is not a text'],
    ["brackets without end", file(`{"a":${"[".repeat(100_000)}`), "its header is"],
  ];
  it.each(broken)("refuses %s", (_, bytes, message) => {
    const read = () => readSafetensors(bytes, "w.safetensors");
    expect(read).toThrow(FormatError);
    expect(read).toThrow(message);
    expect(read).toThrow("w.safetensors");
    expect(read).toThrow("= help:");
  });

  it("gives a FormatError or a result, and nothing else, when any bytes are changed or cut", () => {
    const good = writeSafetensors({
      a: { dtype: "f32", shape: [2, 2], data: Float32Array.of(1, 2, 3, 4) },
      b: { dtype: "bool", shape: [3], data: Uint8Array.of(1, 0, 1) },
    });
    const position = fc.nat(good.length - 1);
    fc.assert(
      fc.property(fc.array(fc.tuple(position, fc.nat(255)), { maxLength: 4 }), position, (changes, cut) => {
        const bytes = good.slice(0, cut + 1);
        for (const [at, value] of changes) bytes[at] = value;
        try {
          readSafetensors(bytes, "x");
        } catch (error) {
          expect(error).toBeInstanceOf(FormatError);
        }
      }),
      { numRuns: 1000 },
    );
  });
});
