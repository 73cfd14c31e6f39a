// What is made ahead of runs: arrays that depend on nothing but parameters and states which a graph leaves as they are. They are kept
// in memory of their own, and made anew when something that they depend on has changed, not at every run.

import type { Graph, TensorType, Value } from "../../ir/graph.ts";
import type { KernelCall, Program } from "../../ir/kernel/program.ts";
import type { Kernel } from "../../ir/kernel/types.ts";
import type { Place } from "../../ir/memory-plan.ts";

/** What the programs of a module keep. Those that make the same of the same parameter share it. */
export interface Kept {
  readonly types: Map<string, TensorType>;
  /** Names by the code that makes an array, and the places that it reads. */
  readonly made: Map<Kernel["body"], Map<string, string>>;
}

export const createKept = (): Kept => ({ types: new Map(), made: new Map() });

/** The work that one graph has ahead of its runs. */
export interface AheadWork {
  /** Whether what lies there is the same from run to run. */
  isSettled(place: Place): boolean;
  /** Where the array lies that the last buffer of the kernel is; the others are at the given places. */
  make(kernel: Kernel, reads: readonly Place[]): Place;
  /** The program of it, laid out as that of the graph, if there is any. */
  program(graph: Program): Program | undefined;
}

export function createAheadWork({ updates }: Graph, kept: Kept): AheadWork {
  const changed = new Set(updates.filter(({ target, value }) => !isSelf(target, value)).map(({ target }) => target));
  const steps: KernelCall[] = [];
  const called = new Set<string>();
  return {
    isSettled: (place) => place.kind === "global" && typeof place.offset === "number" && !changed.has(place.name),
    make(kernel, reads) {
      const alike = kept.made.get(kernel.body) ?? new Map<string, string>();
      kept.made.set(kernel.body, alike);
      const from = reads.map((place) => (place.kind === "global" ? `${place.name} ${place.offset}` : "")).join(", ");
      const array = alike.get(from) ?? `ahead ${kept.types.size}`;
      const place: Place = { kind: "global", name: array, offset: 0 };
      const { dtype, length } = kernel.buffers.at(-1)!;
      alike.set(from, array);
      kept.types.set(array, { dtype, shape: [length] });
      if (!called.has(array)) steps.push({ kind: "call", kernel, places: [...reads, place] });
      called.add(array);
      return place;
    },
    program: (graph) =>
      steps.length === 0 ? undefined : { ...graph, name: `${graph.name}.ahead`, outputs: [], steps, copies: [] },
  };
}

/** An update of a parameter by itself. */
export const isSelf = (target: string, value: Value): boolean => value.kind === "global" && value.name === target;
