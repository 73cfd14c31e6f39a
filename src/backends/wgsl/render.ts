// A lowered module as the plan that the runtime of WebGPU runs: its shaders, and for each graph the dispatches in order.

import { type Dim, floorDivideDim } from "../../ir/dim.ts";
import { bytesOf, type DType } from "../../ir/dtype.ts";
import { callsIn, type KernelCall, type Program, type ProgramModule, type Step } from "../../ir/kernel/program.ts";
import { toDim } from "../../ir/kernel/query.ts";
import type { Kernel, Stmt } from "../../ir/kernel/types.ts";
import type { GroupLimits } from "../../ir/target.ts";
import { bindingsOf } from "./bindings.ts";
import { renderKernel } from "./render-kernel.ts";
import type { GpuBuffer, GpuDispatch, GpuGraph, GpuPlan, GpuShader, GpuStep } from "./runtime/plan.ts";

/** The plan of a module whose kernels are bound to groups. `graphs` are the graphs to render, all of them by default. */
export function renderPlan(
  module: ProgramModule,
  limits: GroupLimits,
  graphs: readonly string[] = [...module.programs.keys()],
): GpuPlan {
  const shaders: GpuShader[] = [];
  const known = new Map<string, number>();
  const add = (shader: GpuShader): number => {
    // The same code, even of kernels of different names, is one pipeline.
    const key = shader.code.replaceAll(shader.name, "").replaceAll(/\/\/.*$/gm, "");
    const before = known.get(key);
    if (before !== undefined) return before;
    known.set(key, shaders.length);
    return shaders.push(shader) - 1;
  };
  const rendered = graphs.map((name) => {
    const program = module.programs.get(name);
    if (!program) throw new RangeError(`${module.name} has no graph ${name}`);
    return renderGraph(program, module, limits, add);
  });
  const globals = [...module.globals].map(([name, { type }]) => ({ name, ...type }));
  return { name: module.name, globals, shaders, graphs: rendered };
}

function renderGraph(
  program: Program,
  module: ProgramModule,
  limits: GroupLimits,
  add: (shader: GpuShader) => number,
): GpuGraph {
  const dispatchOf = (call: KernelCall): GpuDispatch => {
    const bindings = bindingsOf(call, program, module, limits.buffers);
    const { name, code, uniforms, barriers } = renderKernel(call.kernel, bindings);
    const access = bindings.storage.map((binding) => binding.access);
    return {
      kind: "dispatch",
      shader: add({
        name,
        code,
        bindings: uniforms.length > 0 ? ["uniform", ...access] : access,
        barriers,
      }),
      groups: groupsOf(call.kernel),
      uniforms,
      slices: bindings.storage.map(({ slice }) => slice),
    };
  };
  const stepOf = (step: Step): GpuStep =>
    step.kind === "call" ? dispatchOf(step) : { ...step, steps: step.steps.map(stepOf) };
  return {
    name: program.name,
    sizes: program.sizes,
    inputs: program.inputs.map(({ name, type }) => ({ name, ...type })),
    outputs: program.outputs.map(({ name, type, place }) => ({ name, ...type, place })),
    buffers: buffersOf(program),
    steps: program.steps.map(stepOf),
    copies: program.copies,
  };
}

/** How many groups a kernel runs in: the end of its grid loop. */
function groupsOf(kernel: Kernel): Dim {
  const grid = kernel.body.find((s): s is Extract<Stmt, { kind: "for" }> => s.kind === "for" && s.mode === "grid");
  const groups = grid && toDim(grid.to, kernel.sizes);
  if (groups === undefined) throw new TypeError(`${kernel.name} is not bound to a grid`);
  return groups;
}

/** The buffers of the arena in elements, each of which takes 4 bytes here whatever its type. */
function buffersOf(program: Program): GpuBuffer[] {
  const types = new Map<number, DType>();
  for (const { call } of callsIn(program.steps)) {
    call.places.forEach((place, i) => {
      if (place.kind === "arena") types.set(place.buffer, call.kernel.buffers[i]!.dtype);
    });
  }
  return program.buffers.map(({ bytes, first, last }, i) => ({
    elements: floorDivideDim(bytes, bytesOf[types.get(i) ?? "f32"]),
    first,
    last,
  }));
}
