// What a run of a graph asks of the device, counted without one.

import { evaluate } from "../js/runtime/layout.ts";
import { globalOffsets, layoutOf } from "./runtime/layout.ts";
import type { GpuPlan } from "./runtime/plan.ts";

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
  const run = graph.dispatches.filter(({ groups }) => evaluate(groups, sizes) > 0);
  const bound = run.flatMap(({ slices }) => slices.map((slice) => layout.stretch(slice, memories).size));
  return {
    dispatches: run.length,
    withBarriers: run.filter(({ shader }) => plan.shaders[shader]!.barriers > 0).length,
    boundBytes: bound.reduce((sum, size) => sum + size, 0),
  };
}
