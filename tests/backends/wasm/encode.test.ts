// The binary form: numbers, constants, and modules that engines accept.

import { describe, expect, it } from "vitest";
import { encodeModule, signed, unsigned, vectorBytes } from "../../../src/backends/wasm/encode.ts";
import { laneOps, memoryOps, type PlainOp, plainOps } from "../../../src/backends/wasm/opcodes.ts";
import { add, f64, get, i32, type Label, type Local, op, set, type Tree } from "../../../src/backends/wasm/tree.ts";

describe("LEB128", () => {
  // The examples of the WebAssembly specification and of DWARF, and the edges of each length.
  it.each([
    [0, [0]],
    [127, [0x7f]],
    [128, [0x80, 0x01]],
    [624485, [0xe5, 0x8e, 0x26]],
    [2 ** 32 - 1, [0xff, 0xff, 0xff, 0xff, 0x0f]],
    [2 ** 32, [0x80, 0x80, 0x80, 0x80, 0x10]],
  ])("unsigned %d", (value, bytes) => {
    expect(unsigned(value)).toEqual(bytes);
  });
  it.each([
    [0n, [0]],
    [63n, [0x3f]],
    [64n, [0xc0, 0x00]],
    [-1n, [0x7f]],
    [-64n, [0x40]],
    [-65n, [0xbf, 0x7f]],
    [128n, [0x80, 0x01]],
    [-128n, [0x80, 0x7f]],
    [-123456n, [0xc0, 0xbb, 0x78]],
    [2n ** 31n - 1n, [0xff, 0xff, 0xff, 0xff, 0x07]],
    [-(2n ** 31n), [0x80, 0x80, 0x80, 0x80, 0x78]],
    [-(2n ** 63n), [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x7f]],
  ])("signed %d", (value, bytes) => {
    expect(signed(value)).toEqual(bytes);
  });
});

it("vector constants are little-endian, lane 0 first", () => {
  expect([...vectorBytes("i32x4", [1, -1, 256, 0])]).toEqual([1, 0, 0, 0, 255, 255, 255, 255, 0, 1, 0, 0, 0, 0, 0, 0]);
  expect([...vectorBytes("f32x4", [1, -0, 0, 0])]).toEqual([0, 0, 128, 63, 0, 0, 0, 128, 0, 0, 0, 0, 0, 0, 0, 0]);
  expect([...vectorBytes("i64x2", [-(2n ** 63n), 1n])]).toEqual([0, 0, 0, 0, 0, 0, 0, 128, 1, 0, 0, 0, 0, 0, 0, 0]);
});

/** The result of a function without parameters. */
function run(body: readonly Tree[], result: "i32" | "f64" = "i32"): number {
  const main = { name: "main", comments: [], parameters: [], result, body, exported: true } as const;
  const binary = encodeModule({ functions: [main], memoryPages: 1 });
  const memory = new WebAssembly.Memory({ initial: 1 });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(binary), { env: { memory } });
  if (typeof exports.main !== "function") throw new Error("main is not exported");
  return exports.main();
}

describe("modules", () => {
  it.each([0, -1, 63, 64, -64, -65, 2 ** 31 - 1, -(2 ** 31)])("hold the constant %d", (value) => {
    expect(run([i32(value)])).toBe(value);
  });
  it.each([0, -0, 0.1, Number.NaN, Number.NEGATIVE_INFINITY, 5e-324])("hold the float %d", (value) => {
    expect(run([f64(value)], "f64")).toBe(value);
  });

  it("branch to the block that a label means, through an if", () => {
    const count: Local = { name: "count", type: "i32" };
    const [outer, inner]: readonly Label[] = [{ name: "same" }, { name: "same" }];
    const step = set(count, add(get(count), i32(1)));
    const leave: Tree = {
      kind: "if",
      condition: op("i32.ge_s", get(count), i32(5)),
      then: [{ kind: "branch", label: outer! }],
      otherwise: [],
    };
    const loop: Tree = { kind: "loop", label: inner!, body: [step, leave, { kind: "branch", label: inner! }] };
    expect(run([{ kind: "block", label: outer!, body: [loop] }, get(count)])).toBe(5);
  });

  it("choose by an if with a result", () => {
    const choose = (condition: number): Tree => ({
      kind: "if",
      condition: i32(condition),
      result: "i32",
      then: [i32(300)],
      otherwise: [i32(-300)],
    });
    expect([run([choose(1)]), run([choose(0)])]).toEqual([300, -300]);
  });

  it("reach the end of a memory by an offset of 32 bits, and trap behind it", () => {
    const load = (offset: number): Tree => ({ kind: "memory", op: "i32.load", offset, operands: [i32(0)] });
    expect(run([load(65532)])).toBe(0);
    expect(() => run([load(65533)])).toThrow(WebAssembly.RuntimeError);
    expect(() => run([load(2 ** 32 - 1)])).toThrow(WebAssembly.RuntimeError);
  });

  it("take every instruction of the tables as an engine does", () => {
    // Types by name: operands are those of the prefix, save for the instructions listed.
    const typeOf = (name: string): "i32" | "i64" | "f32" | "f64" | "v128" =>
      name.startsWith("i32.")
        ? "i32"
        : name.startsWith("i64.")
          ? "i64"
          : name.startsWith("f32.")
            ? "f32"
            : name.startsWith("f64.")
              ? "f64"
              : "v128";
    const codes = [
      ...Object.values(plainOps),
      ...Object.values(memoryOps).map(([code]) => code),
      ...Object.values(laneOps),
    ];
    expect(new Set(codes).size).toBe(codes.length);
    const binaryNames = (Object.keys(plainOps) as PlainOp[]).filter((name) =>
      /\.(add|sub|mul|div|min|max|and|or|xor)$/.test(name),
    );
    for (const name of binaryNames) {
      const x: Local = { name: "x", type: typeOf(name) };
      const test = { name: "test", comments: [], parameters: [x], result: x.type, body: [op(name, get(x), get(x))] };
      expect([name, WebAssembly.validate(encodeModule({ functions: [test], memoryPages: 1 }))]).toEqual([name, true]);
    }
  });
});
