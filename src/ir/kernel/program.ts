// A lowered module: for each graph the steps of a run, in order, and where everything lies in memory. Back-ends take this.

import { type Dim, multiplyDims } from "../dim.ts";
import type { Global, TensorType } from "../graph.ts";
import type { Place, PlannedBuffer } from "../memory-plan.ts";
import type { Requirement } from "../requirement.ts";
import type { Kernel } from "./types.ts";

export interface KernelCall {
  readonly kind: "call";
  readonly kernel: Kernel;
  /** Where the buffers of the kernel lie, in the order of `kernel.buffers`. */
  readonly places: readonly Place[];
}

/**
 * Steps that are run `extent` times, one round after the other. Within them `index` is one more size: it goes from 0 up to
 * `extent` - 1, or down to 0 where `reversed`. Offsets of places are affine in it, and kernels may take it among their sizes.
 */
export interface Loop {
  readonly kind: "loop";
  readonly index: string;
  readonly extent: Dim;
  readonly reversed: boolean;
  readonly steps: readonly Step[];
}

export type Step = KernelCall | Loop;

export interface Program {
  /** The name of the graph. */
  readonly name: string;
  readonly inputs: readonly { readonly name: string; readonly type: TensorType }[];
  readonly outputs: readonly { readonly name: string; readonly type: TensorType; readonly place: Place }[];
  readonly steps: readonly Step[];
  /** Copies made after the last step, all sources read before any target is written: updates that were not done in place. */
  readonly copies: readonly { readonly target: string; readonly source: Place; readonly length: Dim }[];
  /** Buffers of the arena, in order of placement. */
  readonly buffers: readonly PlannedBuffer[];
  /** Free sizes of the graph; the indices of loops are not among them. */
  readonly sizes: readonly string[];
  /** Checked as soon as the sizes are known. */
  readonly requirements: readonly Requirement[];
  /**
   * The program of the module that makes what this one finds in `kept`: to be run before it, with the same sizes and layout, whenever
   * something that it reads has changed.
   */
  readonly ahead?: string;
}

export interface ProgramModule {
  readonly name: string;
  readonly doc: string;
  readonly globals: ReadonlyMap<string, Global>;
  /**
   * What programs have made ahead of runs, by name: it lies behind parameters and states, stays as they do, and places of kind global
   * name it.
   */
  readonly kept: ReadonlyMap<string, TensorType>;
  readonly programs: ReadonlyMap<string, Program>;
}

/** A call with the loops around it, the outermost first. */
export interface PlacedCall {
  readonly call: KernelCall;
  readonly loops: readonly Loop[];
  /** How often it is run. */
  readonly rounds: Dim;
}

/** All calls, those in loops too, in order. */
export function callsIn(steps: readonly Step[], loops: readonly Loop[] = []): PlacedCall[] {
  return steps.flatMap((step): PlacedCall[] => {
    if (step.kind === "loop") return callsIn(step.steps, [...loops, step]);
    return [{ call: step, loops, rounds: loops.reduce<Dim>((rounds, { extent }) => multiplyDims(rounds, extent), 1) }];
  });
}

/** The programs of graphs, without those that are run ahead of them. */
export function graphsIn({ programs }: Pick<ProgramModule, "programs">): readonly Program[] {
  const all = [...programs.values()];
  const ahead = new Set(all.map((program) => program.ahead));
  return all.filter(({ name }) => !ahead.has(name));
}

/** The parameters, states and kept arrays that calls read, or those that a run changes. */
export function globalsOf({ steps, copies }: Program, access: "read" | "write"): ReadonlySet<string> {
  const names = new Set(access === "write" ? copies.map(({ target }) => target) : []);
  const note = (place: Place): void => {
    if (place.kind === "global") names.add(place.name);
  };
  for (const { call } of callsIn(steps)) {
    call.places.forEach((place, i) => {
      const { access: actual } = call.kernel.buffers[i]!;
      if (actual === access || actual === "read_write") note(place);
    });
  }
  if (access === "read") for (const { source } of copies) note(source);
  return names;
}

/** The kernels of all calls, each once. */
export const kernelsIn = (steps: readonly Step[]): readonly Kernel[] => [
  ...new Set(callsIn(steps).map(({ call }) => call.kernel)),
];
