// The runtime of WebGPU: what it asks of a device, what it leaves behind, and what it says when something is wrong.

import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { createExecutable } from "../../../src/backends/wgsl/executable.ts";
import { renderPlan } from "../../../src/backends/wgsl/render.ts";
import { requestDevice } from "../../../src/backends/wgsl/runtime/device.ts";
import { createRuntime } from "../../../src/backends/wgsl/runtime/runtime.ts";
import { compile, load } from "../../../src/compile.ts";
import { compileSource } from "../../../src/dsl/compile-source.ts";
import type { Tensor } from "../../../src/ir/dtype.ts";
import { webgpuTarget } from "../../../src/ir/target.ts";
import { swiftShader } from "../../support/webgpu.ts";

const limits = webgpuTarget.groups!;

/** A state that counts runs, two parameters, and outputs of which one is a view. */
const text = `
model Sums(a: f32[N, 6], b: f32[N, 6], c: f32[N, 6], d: f32[N, 6]) -> (y: f32[N, 3], total: f32[N, 6]) {
  param kernel: f32[6, 3] ~ ones
  state runs: f32[] = 0
  update runs = runs + 1
  total = a * b + c * d + runs
  y = total @ kernel
}
`;
const moduleOf = (source: string) => {
  const { module, diagnostics } = compileSource({ name: "sums.dlm", text: source }, () => undefined);
  if (!module) throw new Error(JSON.stringify(diagnostics));
  return module;
};
const { programs } = compile(moduleOf(text), { target: "webgpu", graphs: ["infer"] });

const inputs = (rows: number): Record<string, Tensor> =>
  Object.fromEntries(
    ["a", "b", "c", "d"].map((name, k) => [
      name,
      { dtype: "f32" as const, shape: [rows, 6], data: Float32Array.from({ length: rows * 6 }, (_, i) => (i % 7) - k) },
    ]),
  );
const dataOf = (tensors: Record<string, Tensor>) =>
  Object.fromEntries(Object.entries(tensors).map(([name, { data }]) => [name, data]));

/** What is asked of a device from now on. */
function watch(device: GPUDevice) {
  const counts = { buffers: 0, live: 0, groups: 0, pipelines: 0, submits: 0 };
  const createBuffer = device.createBuffer.bind(device);
  device.createBuffer = (descriptor) => {
    const buffer = createBuffer(descriptor);
    counts.buffers++;
    counts.live++;
    const destroy = buffer.destroy.bind(buffer);
    buffer.destroy = () => {
      counts.live--;
      destroy();
    };
    return buffer;
  };
  const createBindGroup = device.createBindGroup.bind(device);
  device.createBindGroup = (descriptor) => {
    counts.groups++;
    return createBindGroup(descriptor);
  };
  const createPipeline = device.createComputePipelineAsync.bind(device);
  device.createComputePipelineAsync = (descriptor) => {
    counts.pipelines++;
    return createPipeline(descriptor);
  };
  const submit = device.queue.submit.bind(device.queue);
  device.queue.submit = (buffers) => {
    counts.submits++;
    return submit(buffers);
  };
  return counts;
}

let device: GPUDevice;
let counts: ReturnType<typeof watch>;
beforeAll(async () => {
  device = await requestDevice(swiftShader());
  counts = watch(device);
});
afterAll(() => device.destroy());

it("makes nothing in steady runs, and submits once a run", async () => {
  const runtime = await createRuntime(device, renderPlan(programs, limits));
  await runtime.run("infer", dataOf(inputs(5)), { N: 5 });
  const before = { ...counts };
  const rounds = Number(process.env.RUNS ?? 100);
  for (let i = 0; i < rounds; i++) await runtime.run("infer", dataOf(inputs(5)), { N: 5 });
  expect(counts).toEqual({ ...before, submits: before.submits + rounds });
  expect((await runtime.read("runs")).data[0]).toBe(rounds + 1);
  runtime.dispose();
});

it("frees all buffers", async () => {
  const before = counts.live;
  for (let i = 0; i < Number(process.env.ROUNDS ?? 10); i++) {
    const runtime = await createRuntime(device, renderPlan(programs, limits));
    for (const N of [1, 40, 3]) await runtime.run("infer", dataOf(inputs(N)), { N });
    runtime.dispose();
    expect(counts.live).toBe(before);
  }
});

it("leaves one handler on a device, however many models it has had", async () => {
  const own = await requestDevice(swiftShader());
  const lost = new Promise<GPUDeviceLostInfo>(() => {});
  const handled = vi.spyOn(lost, "then");
  Object.defineProperty(own, "lost", { value: lost });
  for (let i = 0; i < 3; i++) (await createRuntime(own, renderPlan(programs, limits))).dispose();
  expect(handled).toHaveBeenCalledTimes(1);
  own.destroy();
});

it("gives what JavaScript gives, for one batch after another, and where tensors share bindings", async () => {
  const js = load(compile(moduleOf(text), { target: "js", graphs: ["infer"] }));
  const kernel: Tensor = { dtype: "f32", shape: [6, 3], data: Float32Array.from({ length: 18 }, (_, i) => i - 4) };
  js.write("kernel", kernel);
  const expected = [2, 300, 0, 7].map((N) => js.run("infer", inputs(N)));
  for (const buffers of [limits.buffers, 3, 2]) {
    const runtime = await createRuntime(device, renderPlan(programs, { ...limits, buffers }));
    runtime.write("kernel", kernel.data);
    // All are asked for before the first is there.
    const got = await Promise.all([2, 300, 0, 7].map((N) => runtime.run("infer", dataOf(inputs(N)), { N })));
    expect(got).toEqual(expected);
    runtime.dispose();
  }
});

it("splits memories over buffers where one is too small, and says when a tensor is larger than any", async () => {
  const plan = renderPlan(programs, { ...limits, buffers: 8 });
  const given = inputs(40);
  const whole = await createRuntime(device, plan);
  // A tensor of 40 × 6 takes 1,024 bytes with its alignment, and there are six of them.
  const split = await createRuntime(device, plan, { largest: 2048 });
  for (const runtime of [whole, split])
    runtime.write(
      "kernel",
      Float32Array.from({ length: 18 }, (_, i) => i),
    );
  const before = counts.live;
  for (let round = 0; round < 2; round++) {
    const [expected, got] = [
      await whole.run("infer", dataOf(given), { N: 40 }),
      await split.run("infer", dataOf(given), { N: 40 }),
    ];
    expect(got).toEqual(expected);
  }
  expect(await split.read("runs")).toEqual(await whole.read("runs"));
  expect(counts.live - before).toBeGreaterThan(2);
  await expect(split.run("infer", dataOf(inputs(100)), { N: 100 })).rejects.toThrow("a tensor takes 1 MB");
  whole.dispose();
  split.dispose();
  const few = await createRuntime(device, renderPlan(programs, { ...limits, buffers: 2 }), { largest: 2048 });
  await expect(few.run("infer", dataOf(given), { N: 40 })).rejects.toThrow("joins more tensors in a step");
  few.dispose();
});

it("reads back what is asked for alone", async () => {
  const runtime = await createRuntime(device, renderPlan(programs, limits));
  expect(Object.keys(await runtime.run("infer", dataOf(inputs(2)), { N: 2 }, { read: ["y"] }))).toEqual(["y"]);
  expect(await runtime.run("infer", dataOf(inputs(2)), { N: 2 }, { read: [] })).toEqual({});
  await runtime.finished();
  runtime.dispose();
});

describe("what goes wrong is told", () => {
  it("that there is no adapter", async () => {
    const none: Pick<GPU, "requestAdapter"> = { requestAdapter: async () => null };
    // Only what is asked of it matters.
    await expect(requestDevice(none as GPU)).rejects.toThrow("WebGPU finds no adapter");
  });

  it("that a shader is refused, with its line", async () => {
    const plan = renderPlan(programs, limits);
    const shaders = plan.shaders.map((shader) => ({ ...shader, code: shader.code.replace("let ", "lot ") }));
    await expect(createRuntime(device, { ...plan, shaders })).rejects.toThrow(
      /the shader \w+ is refused: \d+:\d+: .*lot/s,
    );
  });

  it("that an input does not fit", async () => {
    const executable = await createExecutable(programs, limits, { gpu: swiftShader() });
    const { a, b, c } = inputs(2);
    await expect(executable.run("infer", { a: a!, b: b!, c: c! })).rejects.toThrow("infer needs d");
    await expect(executable.run("train", {})).rejects.toThrow("Sums has no graph train");
    executable.dispose();
  });

  it("that a device was lost, and goes on on a new one from what the host has", async () => {
    const devices: GPUDevice[] = [];
    const losses: (() => void)[] = [];
    const gpu = swiftShader();
    const losing: Pick<GPU, "requestAdapter"> = {
      async requestAdapter(options) {
        const adapter = await gpu.requestAdapter(options);
        const request = adapter!.requestDevice.bind(adapter);
        adapter!.requestDevice = async (descriptor) => {
          const made = await request(descriptor);
          const lost = new Promise<GPUDeviceLostInfo>((resolve) => {
            losses.push(() => resolve({ reason: "unknown", message: "for the test" } as GPUDeviceLostInfo));
          });
          Object.defineProperty(made, "lost", { value: lost });
          devices.push(made);
          return made;
        };
        return adapter;
      },
    };
    const notices: string[] = [];
    const executable = await createExecutable(programs, limits, {
      gpu: losing as GPU,
      notice: (notice) => notices.push(notice),
    });
    await executable.run("infer", inputs(2));
    expect((await executable.read("runs")).data[0]).toBe(1);
    await executable.run("infer", inputs(2));
    losses[0]!();
    devices[0]!.destroy();
    await new Promise((resolve) => setTimeout(resolve, 0));
    await executable.run("infer", inputs(2));
    // The second run was lost with the device.
    expect((await executable.read("runs")).data[0]).toBe(2);
    expect(devices).toHaveLength(2);
    expect(notices).toEqual([expect.stringContaining("the GPU device was lost: for the test")]);
    executable.dispose();
  });
});
