// What a device can do at most, measured by shaders that do nothing else: the scale for the speed of kernels.

import { createClock } from "./gpu-clock.ts";
import type { Machine } from "./machine.ts";

const threads = 64;
const groups = 512;
const steps = 1024;
/** Sums that do not wait for each other. */
const sums = 8;

const names = Array.from({ length: sums }, (_, i) => `s${i}`);

/** Multiplications and additions in registers. */
const peakCode = `
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(${threads})
fn main(@builtin(global_invocation_id) id: vec3u) {
  let a = x[id.x];
${names.map((name, i) => `  var ${name} = a + ${i}.0;`).join("\n")}
  for (var i = 0; i < ${steps}; i++) {
${names.map((name) => `    ${name} = fma(${name}, a, a);`).join("\n")}
  }
  y[id.x] = ${names.join(" + ")};
}`;

/** Elements that are copied: more than caches hold. */
const elements = 8 * 1024 * 1024;

const copyCode = `
@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4f>;
@compute @workgroup_size(${threads})
fn main(@builtin(global_invocation_id) id: vec3u) { y[id.x] = x[id.x]; }`;

const storage = 0x80;

/** The best of some runs of each. The device must have the feature timestamp-query. */
export async function measureGpu(device: GPUDevice): Promise<Machine> {
  const buffers = [0, 1].map(() => device.createBuffer({ size: 4 * elements, usage: storage }));
  const entries = buffers.map((buffer, binding) => ({ binding, resource: { buffer } }));
  const fastest = async (code: string, count: number): Promise<number> => {
    const module = device.createShaderModule({ code });
    const pipeline = await device.createComputePipelineAsync({ layout: "auto", compute: { module } });
    const group = device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries });
    const rounds = 5;
    const clock = createClock(device, rounds);
    const encoder = device.createCommandEncoder();
    for (let round = 0; round < rounds; round++) {
      const pass = encoder.beginComputePass({ timestampWrites: clock.writes(round) });
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, group);
      pass.dispatchWorkgroups(count);
      pass.end();
    }
    clock.stop(encoder);
    device.queue.submit([encoder.finish()]);
    const times = await clock.read();
    clock.dispose();
    return Math.min(...times);
  };
  const peak = (2 * sums * steps * threads * groups) / (await fastest(peakCode, groups));
  const bandwidth = (8 * elements) / (await fastest(copyCode, elements / 4 / threads));
  for (const buffer of buffers) buffer.destroy();
  return { peak, bandwidth };
}
