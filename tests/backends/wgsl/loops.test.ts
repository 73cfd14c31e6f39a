// Loops on WebGPU: of a known batch that one group of threads can do, all steps are one dispatch; else each step has its own.

import { describe, expect, it } from "vitest";
import { countsOf } from "../../../src/backends/wgsl/counts.ts";
import { renderPlan } from "../../../src/backends/wgsl/render.ts";
import { type Compiled, compile, loadGpu } from "../../../src/compile.ts";
import { compileSource } from "../../../src/dsl/compile-source.ts";
import { interpretGraph } from "../../../src/ir/interpret.ts";
import { webgpuTarget } from "../../../src/ir/target.ts";
import { createRandom, randomInputs, randomTensor } from "../../support/graphs.ts";
import { toTensor } from "../../support/tensors.ts";
import { swiftShader } from "../../support/webgpu.ts";

function compileText(text: string): Compiled {
  const { module, diagnostics } = compileSource({ name: "loops.dlm", text }, () => undefined);
  expect(diagnostics).toEqual([]);
  return compile(module!, { target: "webgpu", graphs: ["infer"] });
}

const dispatchesOf = ({ programs }: Compiled, sizes: Readonly<Record<string, number>>): number =>
  countsOf(renderPlan(programs, webgpuTarget.groups), "infer", sizes).dispatches;

const layers: Readonly<Record<string, string>> = {
  "an lstm": "lstm(12)",
  "an lstm of more units than a group has threads": "lstm(300, last: true)",
  "a gru that begins at the end": "gru(9, reversed: true)",
  "the last state of a plain network": "simple_rnn(7, last: true)",
  "both directions": "bidirectional(gru, 5)",
};

describe("a recurrent network over two sequences, on WebGPU", () => {
  it.each(Object.entries(layers))("%s", async (_, layer) => {
    const rank = layer.includes("last") ? "[2, H]" : "[2, T, H]";
    const width = /\d+/.exec(layer)![0];
    const units = layer.startsWith("bidirectional") ? 2 * Number(width) : Number(width);
    const text = `model M(x: f32[2, T, 6]) -> (y: f32${rank.replace("H", String(units))}) { y = x |> ${layer} }`;
    const compiled = compileText(text);
    const few = units <= 256;
    expect(dispatchesOf(compiled, { T: 20 }) === dispatchesOf(compiled, { T: 3 })).toBe(few);
    const random = createRandom(3);
    const globals = new Map(
      [...compiled.module.globals].map(([name, { type }]) => [name, randomTensor(type, {}, random)]),
    );
    const { module } = compileSource({ name: "loops.dlm", text }, () => undefined);
    const graph = module!.graphs.get("infer")!;
    const executable = await loadGpu(compiled, { gpu: swiftShader() });
    for (const [name, value] of globals) executable.write(name, toTensor(value));
    for (const T of [1, 5]) {
      const inputs = randomInputs(graph, { T }, T);
      const expected = interpretGraph(graph, inputs, globals, { T }).outputs.y!;
      const { y } = await executable.run("infer", { x: toTensor(inputs.x!) });
      expect(y!.shape).toEqual(expected.shape);
      const wrong = expected.data.findIndex((value, i) => !(Math.abs(y!.data[i]! - value) <= 2e-5));
      expect(wrong, `${y!.data[wrong]} for ${expected.data[wrong]}`).toBe(-1);
    }
    executable.dispose();
  });
});

it("asks for a dispatch or more a step where the batch is free", () => {
  const compiled = compileText("model M(x: f32[N, T, 6]) -> (y: f32[N, T, 8]) { y = x |> gru(8) }");
  const more = dispatchesOf(compiled, { N: 4, T: 20 }) - dispatchesOf(compiled, { N: 4, T: 10 });
  expect(more).toBeGreaterThanOrEqual(10);
});
