import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FormatError } from "../../src/formats/format-error.ts";
import { readNpy, writeNpy } from "../../src/formats/npy.ts";
import { tensors } from "./tensors.ts";

/** A file as numpy.save writes it, from the text of its header. */
function file(header: string, data: Uint8Array, version = 1): Uint8Array {
  const text = new TextEncoder().encode(header);
  const lengthBytes = version === 1 ? 2 : 4;
  const bytes = new Uint8Array(8 + lengthBytes + text.length + data.length);
  bytes.set([0x93, ...new TextEncoder().encode("NUMPY"), version, 0, text.length]);
  bytes.set(text, 8 + lengthBytes);
  bytes.set(data, 8 + lengthBytes + text.length);
  return bytes;
}

const header = (descr: string, shape: string, order = "False") =>
  `{'descr': '${descr}', 'fortran_order': ${order}, 'shape': ${shape}, }\n`;

describe("npy", () => {
  it("reads back what it wrote, with data at a multiple of 64 bytes", () => {
    fc.assert(
      fc.property(tensors, (tensor) => {
        const bytes = writeNpy(tensor);
        expect((bytes.length - tensor.data.byteLength) % 64).toBe(0);
        expect(readNpy(bytes, "x.npy")).toEqual(tensor);
      }),
    );
  });

  it("reads version 2, float64 and int64", () => {
    const doubles = new Uint8Array(Float64Array.of(0.1, -3).buffer);
    expect(readNpy(file(header("<f8", "(1, 2)"), doubles, 2), "x")).toEqual({
      dtype: "f32",
      shape: [1, 2],
      data: Float32Array.of(0.1, -3),
    });
    const longs = new Uint8Array(BigInt64Array.of(-7n).buffer);
    expect(readNpy(file(header("<i8", "(1,)"), longs), "x").data).toEqual(Int32Array.of(-7));
    const large = new Uint8Array(BigInt64Array.of(2n ** 40n).buffer);
    expect(() => readNpy(file(header("<i8", "()"), large), "x")).toThrow("does not fit into 32 bits");
  });

  const four = new Uint8Array(4);
  const broken: [string, Uint8Array, string][] = [
    ["nothing", new Uint8Array(0), "magic number"],
    ["another format", new TextEncoder().encode("PK\u0003\u0004 and so on"), "magic number"],
    ["an unknown version", file(header("<f4", "()"), four, 9), "has the NPY version 9"],
    ["a lying header length", file(header("<f4", "()"), four).map((b, i) => (i === 9 ? 255 : b)), "its header claims"],
    ["no shape", file("{'descr': '<f4', 'fortran_order': False}", four), "its header is"],
    ["a record", file("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}", four), "its header is"],
    ["big-endian numbers", file(header(">f4", "()"), four), "big-endian"],
    ["texts", file(header("<U4", "()"), four), 'element type is "<U4"'],
    ["Fortran's order", file(header("<f4", "(1, 1)", "True"), four), "numpy.ascontiguousarray"],
    ["missing bytes", file(header("<f4", "(2,)"), four), "its header says [2], 8 bytes, but 4 follow"],
  ];
  it.each(broken)("refuses %s", (_, bytes, message) => {
    expect(() => readNpy(bytes, "x.npy")).toThrow(FormatError);
    expect(() => readNpy(bytes, "x.npy")).toThrow(message);
  });
});
