// Random modules on WebGPU, their updates included, against what the interpreter of kernels with float32 registers gives.

import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createExecutable as createJs } from "../../../src/backends/js/executable.ts";
import { createInterpreted } from "../../../src/backends/js/interpreted.ts";
import { renderPlan } from "../../../src/backends/wgsl/render.ts";
import { requestDevice } from "../../../src/backends/wgsl/runtime/device.ts";
import { createRuntime } from "../../../src/backends/wgsl/runtime/runtime.ts";
import { compile } from "../../../src/compile.ts";
import { isFloat, type Tensor } from "../../../src/ir/dtype.ts";
import { webgpuTarget } from "../../../src/ir/target.ts";
import { createRandom, randomInputs, randomTensor } from "../../support/graphs.ts";
import { expectClose } from "../../support/lowered.ts";
import { randomModule } from "../../support/random-graph.ts";
import { toReference, toTensor } from "../../support/tensors.ts";
import { swiftShader } from "../../support/webgpu.ts";

let device: GPUDevice;
beforeAll(async () => {
  device = await requestDevice(swiftShader());
});
afterAll(() => device.destroy());

describe("random modules on WebGPU", () => {
  for (const size of [0, 1, 5]) {
    it(`give what their kernels mean, for N = ${size}`, async () => {
      await fc.assert(
        fc.asyncProperty(randomModule({ steps: 16 }), async (module) => {
          const sizes = { N: size };
          const random = createRandom(size + 1);
          const globals = [...module.globals].map(
            ([name, { type }]) => [name, toTensor(randomTensor(type, sizes, random))] as const,
          );
          const drawn = randomInputs(module.graphs.get("infer")!, sizes, 11);
          const { programs } = compile(module, { target: "webgpu" });
          const { inputs } = programs.programs.get("infer")!;
          const given = Object.fromEntries(inputs.map(({ name }) => [name, toTensor(drawn[name]!)]));

          const meaning = createJs(programs, {
            create: (m, graph) => createInterpreted(m, graph, { registers: "f32" }),
          });
          for (const [name, value] of globals) meaning.write(name, value);
          const expected: Record<string, Tensor> = { ...meaning.run("infer", given, sizes) };
          for (const [name] of globals) expected[`@${name}`] = meaning.read(name);

          const runtime = await createRuntime(device, renderPlan(programs, webgpuTarget.groups!));
          for (const [name, value] of globals) runtime.write(name, value.data);
          const data = Object.fromEntries(Object.entries(given).map(([name, x]) => [name, x.data]));
          const got: Record<string, Tensor> = { ...(await runtime.run("infer", data, sizes)) };
          for (const [name] of globals) got[`@${name}`] = await runtime.read(name);
          runtime.dispose();

          for (const [name, value] of Object.entries(expected)) {
            const tolerance = isFloat(value.dtype) ? 1e-4 : 0;
            expectClose(toReference(got[name]!), toReference(value), tolerance);
          }
          expect(Object.keys(got)).toEqual(Object.keys(expected));
        }),
        { numRuns: Number(process.env.RUNS ?? 15), seed: size },
      );
    });
  }
});
