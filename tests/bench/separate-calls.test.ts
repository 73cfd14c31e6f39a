// A graph taken apart does, part after part, what it does as a whole; only calls that may be repeated are said to be repeatable.

import { describe, expect, it } from "vitest";
import { batchSizeOf, randomInputs } from "../../src/bench/inputs.ts";
import { separateCalls } from "../../src/bench/separate-calls.ts";
import { compile, load, type TargetName } from "../../src/compile.ts";
import { compileSource } from "../../src/dsl/compile-source.ts";
import { symbol } from "../../src/ir/dim.ts";
import { digits } from "../cli/models.ts";

const { module } = compileSource({ name: "digits.dlm", text: digits }, () => undefined);

const targets: readonly TargetName[] = ["js", "wasm"];

describe.each(targets)("separate calls on %s", (target) => {
  const compiled = compile(module!, { graphs: ["init", "train_step"], target });
  const separate = separateCalls(compiled.programs, "train_step");
  const inputs = randomInputs(compiled.programs.programs.get("train_step")!.inputs, { N: 3 });

  const started = () => {
    const executable = load({ ...compiled, programs: compiled.programs });
    executable.run("init", { key: inputs.key! });
    const parts = load({ ...compiled, programs: separate.module });
    for (const name of compiled.module.globals.keys()) parts.write(name, executable.read(name));
    return { executable, parts };
  };

  it("make one run together, in order, with their updates", () => {
    const { executable, parts } = started();
    for (let step = 0; step < 3; step++) {
      executable.run("train_step", inputs);
      for (const { graph } of separate.calls) parts.prepare(graph, inputs).run();
      if (separate.copies !== undefined) parts.prepare(separate.copies, inputs).run();
    }
    for (const name of compiled.module.globals.keys()) expect(parts.read(name), name).toEqual(executable.read(name));
  });

  it("may be repeated where they say so", () => {
    const { executable, parts } = started();
    executable.run("train_step", inputs);
    for (const { graph, repeatable } of separate.calls) {
      const { run } = parts.prepare(graph, inputs);
      for (let i = 0; i < (repeatable ? 3 : 1); i++) run();
    }
    if (separate.copies !== undefined) parts.prepare(separate.copies, inputs).run();
    for (const name of compiled.module.globals.keys()) expect(parts.read(name), name).toEqual(executable.read(name));
    // An optimizer changes what it reads; a layer does not.
    expect(new Set(separate.calls.map(({ repeatable }) => repeatable))).toEqual(new Set([true, false]));
  });

  it("do nothing where there is nothing to do", () => {
    const { parts } = started();
    const before = [...compiled.module.globals.keys()].map((name) => parts.read(name));
    parts.prepare(separate.empty, inputs).run();
    expect([...compiled.module.globals.keys()].map((name) => parts.read(name))).toEqual(before);
  });

  it("are those of a graph that there is", () => {
    expect(() => separateCalls(compiled.programs, "infer")).toThrow(RangeError);
  });
});

describe("inputs of a measurement", () => {
  const n = symbol("N");

  it("are of the declared types, and the same each time", () => {
    const types = [
      { name: "x", type: { dtype: "f32", shape: [n, 2] } },
      { name: "half", type: { dtype: "f16", shape: [n] } },
      { name: "label", type: { dtype: "i32", shape: [n] } },
      { name: "image", type: { dtype: "u8", shape: [n] } },
      { name: "mask", type: { dtype: "bool", shape: [n] } },
      { name: "key", type: { dtype: "i32", shape: [2] } },
      { name: "step", type: { dtype: "f32", shape: [] } },
    ] as const;
    const inputs = randomInputs(types, { N: 500 });
    expect(randomInputs(types, { N: 500 })).toEqual(inputs);
    for (const { name, type } of types) expect(inputs[name]!.dtype).toBe(type.dtype);
    expect(inputs.x!.shape).toEqual([500, 2]);
    expect(inputs.x!.data.length).toBe(1000);
    const range = (name: string) => [Math.min(...inputs[name]!.data), Math.max(...inputs[name]!.data)];
    expect(range("x")[0]).toBeGreaterThanOrEqual(-1);
    expect(range("x")[0]).toBeLessThan(-0.9);
    expect(range("x")[1]).toBeLessThan(1);
    expect(range("label")).toEqual([0, 9]);
    expect(range("mask")).toEqual([0, 1]);
    expect(range("image")[1]).toBeGreaterThan(240);
    // Halves from 0.5 (0x3800) to below 1 (0x3c00).
    expect(range("half")[0]).toBeGreaterThanOrEqual(0x3800);
    expect(range("half")[1]).toBeLessThan(0x3c00);
    expect([...inputs.key!.data]).toEqual([0, 0]);
    expect([...inputs.step!.data]).toEqual([1]);
  });

  it("have a batch where their first axis has a name", () => {
    expect(batchSizeOf([{ name: "x", type: { dtype: "f32", shape: [n, 3] } }])).toBe("N");
    expect(
      batchSizeOf([
        { name: "key", type: { dtype: "i32", shape: [2] } },
        { name: "x", type: { dtype: "f32", shape: [symbol("B")] } },
      ]),
    ).toBe("B");
    expect(batchSizeOf([{ name: "x", type: { dtype: "f32", shape: [3, n] } }])).toBeUndefined();
  });
});
