// A lowered module: for each graph the calls of kernels, in order, and where everything lies in memory. Back-ends take this.

import type { Dim } from "../dim.ts";
import type { Global, TensorType } from "../graph.ts";
import type { Place, PlannedBuffer } from "../memory-plan.ts";
import type { Kernel } from "./types.ts";

export interface KernelCall {
  readonly kernel: Kernel;
  /** Where the buffers of the kernel lie, in the order of `kernel.buffers`. */
  readonly places: readonly Place[];
}

/** A dimension that must be 0 or more for the sizes of a run, and what is wrong where it is not. */
export interface Requirement {
  readonly dim: Dim;
  readonly text: string;
}

export interface Program {
  /** The name of the graph. */
  readonly name: string;
  readonly inputs: readonly { readonly name: string; readonly type: TensorType }[];
  readonly outputs: readonly { readonly name: string; readonly type: TensorType; readonly place: Place }[];
  readonly calls: readonly KernelCall[];
  /** Copies made after the last call, all sources read before any target is written: updates that were not done in place. */
  readonly copies: readonly { readonly target: string; readonly source: Place; readonly length: Dim }[];
  /** Buffers of the arena, in order of placement. */
  readonly buffers: readonly PlannedBuffer[];
  /** Free sizes of the graph. */
  readonly sizes: readonly string[];
  /** Checked as soon as the sizes are known. */
  readonly requirements: readonly Requirement[];
}

export interface ProgramModule {
  readonly name: string;
  readonly doc: string;
  readonly globals: ReadonlyMap<string, Global>;
  readonly programs: ReadonlyMap<string, Program>;
}
