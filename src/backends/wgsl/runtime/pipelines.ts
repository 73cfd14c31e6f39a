// All pipelines of a plan, created ahead and without blocking.

import { GpuError } from "./errors.ts";
import type { GpuPlan, GpuShader } from "./plan.ts";

export interface Pipeline {
  readonly pipeline: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
}

/** In the order of `plan.shaders`. Throws a GpuError that has the compiler's messages, by line of the shader. */
export async function createPipelines(device: GPUDevice, plan: GpuPlan): Promise<readonly Pipeline[]> {
  const layouts = new Map<string, GPUBindGroupLayout>();
  const layoutOf = ({ bindings }: GpuShader): GPUBindGroupLayout => {
    const key = bindings.join();
    const known = layouts.get(key);
    if (known) return known;
    const entries = bindings.map((kind, binding): GPUBindGroupLayoutEntry => {
      const type = kind === "uniform" ? "uniform" : kind === "read" ? "read-only-storage" : "storage";
      return { binding, visibility: computeStage, buffer: { type } };
    });
    const made = device.createBindGroupLayout({ entries });
    layouts.set(key, made);
    return made;
  };
  const create = async (shader: GpuShader): Promise<Pipeline> => {
    const module = device.createShaderModule({ label: shader.name, code: shader.code });
    const layout = layoutOf(shader);
    try {
      const pipeline = await device.createComputePipelineAsync({
        label: shader.name,
        layout: device.createPipelineLayout({ bindGroupLayouts: [layout] }),
        compute: { module, entryPoint: shader.name },
      });
      return { pipeline, layout };
    } catch (error) {
      throw await refusal(shader, module, error);
    }
  };
  const pipelines: Pipeline[] = [];
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < plan.shaders.length) {
      const at = next++;
      pipelines[at] = await create(plan.shaders[at]!);
    }
  };
  await Promise.all(Array.from({ length: mostAtOnce }, work));
  return pipelines;
}

/** Dawn takes a thread for each pipeline that is being made, and ends where the system has no more of them. */
const mostAtOnce = 8;

/** GPUShaderStage.COMPUTE, which not every host has as a global. */
const computeStage = 4;

async function refusal(shader: GpuShader, module: GPUShaderModule, error: unknown): Promise<GpuError> {
  const { messages } = await module.getCompilationInfo();
  const lines = shader.code.split("\n");
  const told = messages
    .filter(({ type }) => type === "error")
    .map(({ lineNum, linePos, message }) => `${lineNum}:${linePos}: ${message}\n  ${lines[lineNum - 1] ?? ""}`);
  const why = told.length > 0 ? told.join("\n") : error instanceof Error ? error.message : String(error);
  return new GpuError("invalid", `the shader ${shader.name} is refused: ${why}`);
}
