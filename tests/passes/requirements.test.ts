// A slice whose end is a free size lies in its tensor only for some sizes: those for which it does not are refused, where the
// model runs in this process and where it runs as a bundle. Nothing is read from beyond the tensor's end.

import { describe, expect, it } from "vitest";
import { InputError } from "../../src/backends/backend.ts";
import { renderBundle } from "../../src/bundle/bundle.ts";
import { describeInputs } from "../../src/bundle/describe.ts";
import { compile, load } from "../../src/compile.ts";
import { compileSource } from "../../src/dsl/compile-source.ts";

const text = `model Positions(x: f32[N, T]) -> (y: f32[N, T]) {
  y = x + arange(4)[0:T]
}
`;
const { module } = compileSource({ name: "positions.dlm", text }, () => undefined);
const compiled = compile(module!, { graphs: ["infer"] });
const wrong = "positions.dlm:2:11: 0 to T does not lie in axis 0 of f32[4], for N = 1, T = 5";

const row = (count: number) => ({ dtype: "f32", shape: [1, count], data: new Float32Array(count).fill(1) }) as const;

describe("a slice up to a free size", () => {
  it("runs where it lies in its tensor", () => {
    const executable = load(compiled);
    for (const [count, values] of [
      [0, []],
      [2, [1, 2]],
      [4, [1, 2, 3, 4]],
    ] as const)
      expect([...executable.run("infer", { x: row(count) }).y!.data]).toEqual(values);
  });

  it("is refused where it does not", () => {
    const run = () => load(compiled).run("infer", { x: row(5) });
    expect(run).toThrow(InputError);
    expect(run).toThrow(wrong);
  });

  it("is refused by a bundle, too", async () => {
    const source = renderBundle({ js: compiled.programs, graph: "infer", weights: () => row(0) }).text;
    const bundle = await import(`data:text/javascript;base64,${Buffer.from(source).toString("base64")}`);
    expect([...bundle.Positions({ x: row(4) }).y.data]).toEqual([1, 2, 3, 4]);
    expect(() => bundle.Positions({ x: row(5) })).toThrow(wrong);
  });

  it("asks for nothing where every size will do", () => {
    const plain = text.replace("arange(4)[0:T]", "x[:, 0:T]");
    const { module: other } = compileSource({ name: "positions.dlm", text: plain }, () => undefined);
    expect(compile(other!, { graphs: ["infer"] }).programs.programs.get("infer")!.requirements).toEqual([]);
  });
});

describe("what a program asserts of free sizes", () => {
  const text = `block halved(x: f32[N, T]) {
  assert T % 2 == 0 || T == 3, "T = {T} should be even, or 3"
  x / 2
}
model Halves(x: f32[N, T]) -> (y: f32[N, T]) {
  y = x |> halved |> halved
}
`;
  const { module } = compileSource({ name: "halves.dlm", text }, () => undefined);
  const wrong = "halves.dlm:2:10: T = T should be even, or 3, for N = 1, T = 5";

  it.each(["js", "wasm"] as const)("is checked when it runs on %s", (target) => {
    const executable = load(compile(module!, { graphs: ["infer"], target }));
    for (const count of [0, 3, 4])
      expect([...executable.run("infer", { x: row(count) }).y!.data]).toEqual(new Array(count).fill(0.25));
    expect(() => executable.run("infer", { x: row(5) })).toThrow(InputError);
    expect(() => executable.run("infer", { x: row(5) })).toThrow(wrong);
  });

  it("is checked by bundles, those for WebGPU as well", async () => {
    const { programs } = compile(module!, { graphs: ["infer"] });
    // Two equations are four inequalities by pairs; the second call of the block adds none.
    expect(programs.programs.get("infer")!.requirements.length).toBe(4);
    const source = renderBundle({ js: programs, graph: "infer", weights: () => row(0) }).text;
    const bundle = await import(`data:text/javascript;base64,${Buffer.from(source).toString("base64")}`);
    expect([...bundle.Halves({ x: row(3) }).y.data]).toEqual([0.25, 0.25, 0.25]);
    expect(() => bundle.Halves({ x: row(5) })).toThrow(wrong);
    const inputs = describeInputs("Halves", programs.programs.get("infer")!).join("\n");
    expect(inputs).toContain("Math.max(");
  });
});
