// Where tensors lie in the two memories of a plan once the free sizes are known: parameters and states in `globals`, which stays; inputs,
// the arena, and what copies set aside in `work`, which every graph lays out anew.

import type { Sizes } from "../../../ir/dim.ts";
import type { Place } from "../../../ir/memory-plan.ts";
import { align, evaluate, place } from "../../runtime/layout.ts";
import { alignment, elementBytes, type GpuGraph, type GpuPlan, type GpuSlice, type GpuTensor } from "./plan.ts";

export const countOf = ({ shape }: Pick<GpuTensor, "shape">, sizes: Sizes): number =>
  shape.reduce<number>((product, dim) => product * evaluate(dim, sizes), 1);

/** Bytes that a tensor is given: bindings of no bytes are not allowed. */
const room = (elements: number): number => align(Math.max(1, elements * elementBytes), alignment);

export interface Offsets {
  /** Of each parameter and state, in bytes. */
  readonly byName: ReadonlyMap<string, number>;
  readonly bytes: number;
}

export function globalOffsets({ globals }: GpuPlan): Offsets {
  const byName = new Map<string, number>();
  let bytes = 0;
  for (const tensor of globals) {
    byName.set(tensor.name, bytes);
    bytes += room(countOf(tensor, {}));
  }
  return { byName, bytes: Math.max(bytes, alignment) };
}

export interface Layout {
  readonly sizes: Sizes;
  /** Bytes of `work`. */
  readonly bytes: number;
  /** Where copies set old values aside, in order of the copies; undefined where that is not needed. */
  readonly aside: readonly (number | undefined)[];
  /** The memory that a place lies in, and its first byte there; `within` has the positions of loops besides the sizes. */
  locate(place: Place, within?: Sizes): Location;
  /** The stretch that a binding covers, of memory that is so large. */
  stretch(
    slice: GpuSlice,
    bytes: Readonly<Record<Memory, number>>,
    within: Sizes,
  ): Location & { readonly size: number };
}

export type Memory = "globals" | "work";

export interface Location {
  readonly memory: Memory;
  readonly offset: number;
}

export function layoutOf(graph: GpuGraph, globals: Offsets, sizes: Sizes): Layout {
  let end = 0;
  const take = (elements: number): number => {
    const offset = end;
    end += room(elements);
    return offset;
  };
  const inputs = new Map(graph.inputs.map((input) => [input.name, take(countOf(input, sizes))]));
  const aside = graph.copies.map(({ source, length }) =>
    source.kind === "global" ? take(evaluate(length, sizes)) : undefined,
  );
  const bytes = graph.buffers.map(({ elements }) => room(evaluate(elements, sizes)));
  const arena = place(bytes, graph.buffers, end, alignment);
  const base = (at: Place): Location => {
    switch (at.kind) {
      case "arena":
        return { memory: "work", offset: arena[at.buffer]! };
      case "input":
        return { memory: "work", offset: inputs.get(at.name)! };
      case "global":
        return { memory: "globals", offset: globals.byName.get(at.name)! };
    }
  };
  return {
    sizes,
    bytes: arena.reduce((most, offset, i) => Math.max(most, offset + bytes[i]!), Math.max(end, alignment)),
    aside,
    locate(at, within = sizes) {
      const { memory, offset } = base(at);
      return { memory, offset: offset + evaluate(at.offset, within) * elementBytes };
    },
    stretch(slice, memories, within) {
      if ("whole" in slice) return { memory: slice.whole, offset: 0, size: memories[slice.whole] };
      const { memory, offset } = base(slice.place);
      const from = evaluate(slice.place.offset, within) * elementBytes;
      const start = Math.floor(from / alignment) * alignment;
      const size = from - start + evaluate(slice.length, within) * elementBytes;
      return { memory, offset: offset + start, size: Math.max(size, elementBytes) };
    },
  };
}
