// Every operation on WebGPU, against what graphs mean.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { renderPlan } from "../../../src/backends/wgsl/render.ts";
import { requestDevice } from "../../../src/backends/wgsl/runtime/device.ts";
import { createRuntime } from "../../../src/backends/wgsl/runtime/runtime.ts";
import { compile } from "../../../src/compile.ts";
import { isFloat, type Tensor } from "../../../src/ir/dtype.ts";
import { webgpuTarget } from "../../../src/ir/target.ts";
import { expectClose } from "../../support/lowered.ts";
import { operationSamples } from "../../support/operation-samples.ts";
import { toReference } from "../../support/tensors.ts";
import { swiftShader } from "../../support/webgpu.ts";

/** Sums of the samples have at most some hundred terms; functions of WebGPU are good to some units in the sixth digit. */
const toleranceOf = (dtype: Tensor["dtype"]): number => (dtype === "f16" ? 1e-3 : isFloat(dtype) ? 1e-4 : 0);

let device: GPUDevice;
beforeAll(async () => {
  device = await requestDevice(swiftShader());
});
afterAll(() => device.destroy());

describe("each operation on WebGPU has its meaning", () => {
  it.each(operationSamples)("%s", async (_, make) => {
    const { graph, module, inputs, expected } = make();
    const { programs } = compile(module, { target: "webgpu" });
    const runtime = await createRuntime(device, renderPlan(programs, webgpuTarget.groups!));
    const data = Object.fromEntries(Object.entries(inputs).map(([name, x]) => [name, x.data]));
    const got = await runtime.run("test", data, {});
    runtime.dispose();
    for (const { name, value } of graph.outputs) {
      expectClose(toReference(got[name]!), expected[name]!, toleranceOf(value.type.dtype));
    }
    expect(Object.keys(got)).toHaveLength(graph.outputs.length);
  });
});
