// Executables of WebAssembly: memory that grows, compilation ahead, features of the engine, and what is too large.

import { describe, expect, it } from "vitest";
import type { Executable } from "../../../src/backends/backend.ts";
import { encodeModule } from "../../../src/backends/wasm/encode.ts";
import { createExecutable, prepareExecutable } from "../../../src/backends/wasm/executable.ts";
import { supportsSimd } from "../../../src/backends/wasm/features.ts";
import { renderGraph } from "../../../src/backends/wasm/render.ts";
import { printModule } from "../../../src/backends/wasm/wat.ts";
import { compile, load, loadAsync } from "../../../src/compile.ts";
import { compileSource } from "../../../src/dsl/compile-source.ts";
import type { Tensor } from "../../../src/ir/dtype.ts";
import type { Module } from "../../../src/ir/graph.ts";

const program = `
model Net(x: f32[N, 3]) -> (y: f32[N, 2]) {
  y = x |> dense(2) |> relu
}
`;
function moduleOf(text: string): Module {
  const { module, diagnostics } = compileSource({ name: "net.dlm", text }, () => undefined);
  if (!module) throw new Error(JSON.stringify(diagnostics));
  return module;
}
const { programs } = compile(moduleOf(program), { graphs: ["infer"], target: "wasm" });
const globals = [...programs.globals.values()].filter(({ role }) => role === "parameter");
const tensor = (shape: readonly number[], data: readonly number[]): Tensor => ({
  dtype: "f32",
  shape,
  data: Float32Array.from(data),
});
/** y = relu(x · [[1, -1], [2, -2], [3, -3]] + [0.5, 0.25]) */
function fill(executable: Executable): Executable {
  for (const { name, type } of globals) {
    const values = type.shape.length === 2 ? [1, -1, 2, -2, 3, -3] : [0.5, 0.25];
    executable.write(name, tensor(type.shape.map(Number), values));
  }
  return executable;
}
const run = (executable: Executable, x: readonly number[]): number[] => [
  ...executable.run("infer", { x: tensor([x.length / 3, 3], x) }).y!.data,
];

describe("an executable of WebAssembly", () => {
  it("keeps its parameters when the memory grows, again and again", () => {
    const executable = fill(createExecutable(programs));
    for (const rows of [1, 0, 100_000, 2, 300_000]) {
      const x = Array.from({ length: rows * 3 }, (_, i) => (i % 5) - 2);
      const expected = Array.from({ length: rows }, (_, n) => x[3 * n]! + 2 * x[3 * n + 1]! + 3 * x[3 * n + 2]!);
      const y = executable.run("infer", { x: tensor([rows, 3], x) }).y!.data;
      expect(y.length).toBe(2 * rows);
      const wrong = expected.findIndex(
        (sum, n) => y[2 * n] !== Math.max(sum + 0.5, 0) || y[2 * n + 1] !== Math.max(0.25 - sum, 0),
      );
      expect(wrong).toBe(-1);
    }
    expect([...executable.read(globals[0]!.name).data]).toEqual([1, -1, 2, -2, 3, -3]);
  });

  it("gives the same compiled ahead", async () => {
    const x = [1, 2, 3, -1, -2, -3];
    const now = run(fill(createExecutable(programs)), x);
    expect(now).toEqual([14.5, 0, 0, 14.25]);
    expect(run(fill(await prepareExecutable(programs)), x)).toEqual(now);
    const compiled = compile(moduleOf(program), { graphs: ["infer"], target: "auto" });
    expect(supportsSimd()).toBe(true);
    expect(compiled.target.name).toBe("wasm");
    expect(run(fill(load(compiled)), x)).toEqual(now);
    expect(run(fill(await loadAsync(compiled)), x)).toEqual(now);
  });

  it("passes NaN on through relu", () => {
    expect(run(fill(createExecutable(programs)), [Number.NaN, 0, 0])).toEqual([Number.NaN, Number.NaN]);
  });

  it("says that more memory is needed than there can be", () => {
    const huge = moduleOf("model Huge(x: f32[N, 60000]) -> (y: f32[N, 30000]) { y = x |> dense(30000, bias: false) }");
    const compiled = compile(huge, { graphs: ["infer"], target: "wasm" });
    expect(() => load(compiled)).toThrow("Huge needs 7.2 GB of memory, and WebAssembly gives at most 4.3 GB");
  });
});

it("a graph is one module, which imports its memory alone", () => {
  const { functions } = renderGraph(programs, "infer", { fma: false });
  const module = new WebAssembly.Module(encodeModule({ functions, memoryPages: 1 }));
  expect(WebAssembly.Module.exports(module)).toEqual([{ name: "infer", kind: "function" }]);
  expect(WebAssembly.Module.imports(module)).toEqual([{ module: "env", name: "memory", kind: "memory" }]);
  const text = printModule(functions, 1);
  for (const { name } of functions) expect(text).toContain(`(func $${name} `);
});
