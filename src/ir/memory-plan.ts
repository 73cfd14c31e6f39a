// The result of memory planning, as data. Sizes are polynomials in the free dimensions; what lives when and the order of
// placement are fixed here, and the runtime works out the offsets once the sizes are known.

import type { Dim } from "./dim.ts";

export interface MemoryPlan {
  /** In order of placement: each goes to the lowest offset that is free of the earlier buffers alive at the same time. */
  readonly buffers: readonly PlannedBuffer[];
  /** Where each result of each node of the graph lives; `results[n][i]` belongs to result i of node n. */
  readonly results: readonly (readonly Place[])[];
  /** Of the body of a loop, whose buffers are those of the graph around it: where its inputs lie, in order. */
  readonly inputs?: readonly Place[];
  /** Updates whose target is written in place by its producer, by name; the others are copied when the graph ends. */
  readonly inPlace: readonly string[];
}

/** A stretch of the arena, alive from node `first`, which writes it, to node `last`, which reads it last (both included).
 * Nodes of bodies count too, between the beginning and the end of their loop. */
export interface PlannedBuffer {
  readonly bytes: Dim;
  readonly first: number;
  readonly last: number;
}

/** A place in memory: a buffer of the arena, an input of the graph, or a global; `offset` counts elements of the view. */
export type Place =
  | { readonly kind: "arena"; readonly buffer: number; readonly offset: Dim }
  | { readonly kind: "input"; readonly name: string; readonly offset: Dim }
  | { readonly kind: "global"; readonly name: string; readonly offset: Dim };
