// Whole models on WebGPU, training steps included, beside what JavaScript gives for them; and every one of their shaders as the
// null back-end sees it.

import { existsSync, readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { renderPlan } from "../../../src/backends/wgsl/render.ts";
import { requestDevice } from "../../../src/backends/wgsl/runtime/device.ts";
import { createPipelines } from "../../../src/backends/wgsl/runtime/pipelines.ts";
import { createRuntime } from "../../../src/backends/wgsl/runtime/runtime.ts";
import { loadSource } from "../../../src/cli/source.ts";
import { compile, load } from "../../../src/compile.ts";
import { evaluateDim } from "../../../src/ir/dim.ts";
import { allocate, type Tensor } from "../../../src/ir/dtype.ts";
import type { Module, TensorType } from "../../../src/ir/graph.ts";
import { webgpuTarget } from "../../../src/ir/target.ts";
import { shared } from "../../shared.ts";
import { createRandom } from "../../support/graphs.ts";
import { nullBackend, swiftShader } from "../../support/webgpu.ts";

const own = join(import.meta.dirname, "../../../models");
const listed = (folder: string): readonly string[] =>
  existsSync(folder)
    ? readdirSync(folder)
        .filter((file) => file.endsWith(".dlm"))
        .map((file) => join(folder, file))
    : [];

/** A file may hold nothing but blocks. */
function moduleOf(file: string): Module | undefined {
  try {
    return loadSource(file).module;
  } catch {
    return undefined;
  }
}

const limits = webgpuTarget.groups!;
const sizes = { N: 2, T: 5 };

/** Variances and counts are 1, other floats are small; integers are classes. */
function draw(name: string, { dtype, shape }: TensorType, random: () => number): Tensor {
  const numbers = shape.map((dim) => evaluateDim(dim, sizes));
  const data = allocate(
    dtype,
    numbers.reduce((a, b) => a * b, 1),
  );
  const positive = /variance|count|second|\.v\./.test(name);
  for (let i = 0; i < data.length; i++) {
    data[i] = dtype === "f32" ? (positive ? 1 : (random() - 0.5) * 0.4) : Math.floor(random() * 2);
  }
  return { dtype, shape: numbers, data };
}

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

describe("models on WebGPU and as JavaScript", () => {
  const files = new Map([...listed(shared("models")), ...listed(own)].map((file) => [basename(file), file]));
  for (const [name, file] of files) {
    if (!process.env.EVERY && !usual.includes(name)) continue;
    const module = moduleOf(file);
    it.skipIf(!module)(
      name,
      async () => {
        const js = load(compile(module!, { target: "js" }));
        const { programs } = compile(module!, { target: "webgpu" });
        await createPipelines(checking, renderPlan(programs, limits));
        // What init draws may be rounded to another side of a limit: the parameters come from here.
        const graphs = [...programs.programs.keys()].filter((graph) => graph !== "init");
        const runtime = await createRuntime(device, renderPlan(programs, limits, graphs));
        const random = createRandom(7);
        for (const [name, { type }] of programs.globals) {
          const value = draw(name, type, random);
          js.write(name, value);
          runtime.write(name, value.data);
        }
        const pairs: (readonly [string, Tensor, Tensor])[] = [];
        for (const graph of graphs) {
          const program = programs.programs.get(graph)!;
          const inputs = Object.fromEntries(program.inputs.map(({ name, type }) => [name, draw(name, type, random)]));
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
      60_000,
    );
  }
});
