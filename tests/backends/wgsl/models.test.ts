// Whole models on WebGPU, training steps included, beside what JavaScript gives for them; and every one of their shaders as the
// null back-end sees it.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { renderPlan } from "../../../src/backends/wgsl/render.ts";
import { requestDevice } from "../../../src/backends/wgsl/runtime/device.ts";
import { createPipelines } from "../../../src/backends/wgsl/runtime/pipelines.ts";
import { createRuntime } from "../../../src/backends/wgsl/runtime/runtime.ts";
import { loadSource } from "../../../src/cli/source.ts";
import { compile, load } from "../../../src/compile.ts";
import type { Tensor } from "../../../src/ir/dtype.ts";
import { webgpuTarget } from "../../../src/ir/target.ts";
import { createRandom } from "../../support/graphs.ts";
import { drawValue, modelFiles } from "../../support/models.ts";
import { nullBackend, swiftShader } from "../../support/webgpu.ts";

const limits = webgpuTarget.groups!;
const sizes = { N: 2, T: 5 };

let device: GPUDevice;
let checking: GPUDevice;
beforeAll(async () => {
  device = await requestDevice(swiftShader());
  checking = await requestDevice(nullBackend());
});
afterAll(() => {
  device.destroy();
  checking.destroy();
});

/** Between them they have every kind of kernel; EVERY=1 runs all models, for which SwiftShader needs some minutes. */
const usual = ["xor.dlm", "mnist_cnn.dlm", "temperature_gru.dlm", "vae.dlm"];

/** In ms: the training step of a transformer has 300 kernels, each of which SwiftShader compiles. */
const limit = process.env.EVERY ? 300_000 : 60_000;

describe("models on WebGPU and as JavaScript", () => {
  for (const [name, file] of modelFiles()) {
    if (!process.env.EVERY && !usual.includes(name)) continue;
    it(
      name,
      async () => {
        const { module } = loadSource(file);
        const js = load(compile(module, { target: "js" }));
        const { programs } = compile(module, { target: "webgpu" });
        await createPipelines(checking, renderPlan(programs, limits));
        // What init draws may be rounded to another side of a limit: the parameters come from here.
        const graphs = [...programs.programs.keys()].filter((graph) => graph !== "init");
        const runtime = await createRuntime(device, renderPlan(programs, limits, graphs));
        const random = createRandom(7);
        for (const [name, { type }] of programs.globals) {
          const value = drawValue(name, type, sizes, random);
          js.write(name, value);
          runtime.write(name, value.data);
        }
        const pairs: (readonly [string, Tensor, Tensor])[] = [];
        for (const graph of graphs) {
          const program = programs.programs.get(graph)!;
          const inputs = Object.fromEntries(
            program.inputs.map(({ name, type }) => [name, drawValue(name, type, sizes, random)]),
          );
          const data = Object.fromEntries(Object.entries(inputs).map(([name, x]) => [name, x.data]));
          const expected = js.run(graph, inputs);
          const got = await runtime.run(graph, data, sizes);
          for (const [name, value] of Object.entries(expected)) pairs.push([`${graph} ${name}`, got[name]!, value]);
        }
        for (const name of programs.globals.keys()) pairs.push([name, await runtime.read(name), js.read(name)]);
        runtime.dispose();
        for (const [name, got, expected] of pairs) {
          const largest = [...expected.data].reduce((most, x) => Math.max(most, Math.abs(x)), 1e-3);
          const wrong = expected.data.findIndex((x, i) => !(Math.abs(x - got.data[i]!) <= 1e-4 * largest));
          if (wrong >= 0) expect.fail(`${name}[${wrong}] is ${got.data[wrong]}, as JavaScript ${expected.data[wrong]}`);
        }
      },
      limit,
    );
  }
});
