// What a run of a graph asks of the device, counted without one.

import { globalOffsets, layoutOf } from "./runtime/layout.ts";
import type { GpuPlan } from "./runtime/plan.ts";
import { dispatchesOf } from "./runtime/steps.ts";

export interface GpuCounts {
  readonly dispatches: number;
  /** Dispatches of shaders in which threads wait for each other. */
  readonly withBarriers: number;
  /** Bytes of all storage bindings, those of tensors that several dispatches are given counted each time. */
  readonly boundBytes: number;
}

/** Of one run of a graph, for sizes of its free dimensions. */
export function countsOf(plan: GpuPlan, name: string, sizes: Readonly<Record<string, number>>): GpuCounts {
  const graph = plan.graphs.find((candidate) => candidate.name === name);
  if (!graph) throw new RangeError(`${plan.name} has no graph ${name}`);
  const offsets = globalOffsets(plan);
  const layout = layoutOf(graph, offsets, sizes);
  const memories = { globals: offsets.bytes, work: layout.bytes };
  const run = dispatchesOf(graph.steps, sizes);
  const bound = run.flatMap(({ dispatch, sizes: within }) =>
    dispatch.slices.map((slice) => layout.stretch(slice, dispatch, memories, within).size),
  );
  return {
    dispatches: run.length,
    withBarriers: run.filter(({ dispatch }) => plan.shaders[dispatch.shader]!.barriers > 0).length,
    boundBytes: bound.reduce((sum, size) => sum + size, 0),
  };
}
