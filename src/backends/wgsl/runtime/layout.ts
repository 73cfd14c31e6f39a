// Where tensors lie in the two memories of a plan once the free sizes are known: parameters and states in `globals`, which stays; inputs,
// the arena, and what copies set aside in `work`, which every graph lays out anew. A memory may be larger than a buffer of the device:
// it consists of pages, each of which is a buffer, and no tensor lies across two.

import type { Sizes } from "../../../ir/dim.ts";
import type { Place } from "../../../ir/memory-plan.ts";
import { align, evaluate, place } from "../../runtime/layout.ts";
import { GpuError } from "./errors.ts";
import {
  alignment,
  elementBytes,
  type GpuDispatch,
  type GpuGraph,
  type GpuPlan,
  type GpuSlice,
  type GpuTensor,
} from "./plan.ts";

export const countOf = ({ shape }: Pick<GpuTensor, "shape">, sizes: Sizes): number =>
  shape.reduce<number>((product, dim) => product * evaluate(dim, sizes), 1);

/** The least that a binding has: a vector of four, even where nothing is read. */
const leastBytes = 4 * elementBytes;

/** Bytes that a tensor is given: bindings of no bytes are not allowed. */
const room = (elements: number): number => align(Math.max(1, elements * elementBytes), alignment);

/** Moves what would lie across two pages of so many bytes to the next one. Throws a GpuError where no page is large enough. */
const fitTo =
  (page: number) =>
  (offset: number, size: number): number => {
    if (size > page) {
      const [needed, largest] = [size, page].map((bytes) => `${Math.ceil(bytes / 1e6)} MB`);
      throw new GpuError("out-of-memory", `a tensor takes ${needed}, and the device has buffers of at most ${largest}`);
    }
    return Math.floor(offset / page) === Math.floor((offset + size - 1) / page)
      ? offset
      : Math.ceil(offset / page) * page;
  };

export interface Offsets {
  /** Of each parameter and state, in bytes. */
  readonly byName: ReadonlyMap<string, number>;
  readonly bytes: number;
}

/** Pages have so many bytes, a multiple of `alignment`; by default there is one. */
export function globalOffsets({ globals }: GpuPlan, page = Number.POSITIVE_INFINITY): Offsets {
  const fitted = fitTo(page);
  const byName = new Map<string, number>();
  let bytes = 0;
  for (const tensor of globals) {
    const size = room(countOf(tensor, {}));
    const offset = fitted(bytes, size);
    byName.set(tensor.name, offset);
    bytes = offset + size;
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
  /** The stretch that a binding of a dispatch covers, of memory that is so large. */
  stretch(
    slice: GpuSlice,
    dispatch: GpuDispatch,
    bytes: Readonly<Record<Memory, number>>,
    within: Sizes,
  ): Location & { readonly size: number };
}

export type Memory = "globals" | "work";

export interface Location {
  readonly memory: Memory;
  readonly offset: number;
}

export function layoutOf(graph: GpuGraph, globals: Offsets, sizes: Sizes, page = Number.POSITIVE_INFINITY): Layout {
  const fitted = fitTo(page);
  let end = 0;
  const take = (elements: number): number => {
    const size = room(elements);
    const offset = fitted(end, size);
    end = offset + size;
    return offset;
  };
  const inputs = new Map(graph.inputs.map((input) => [input.name, take(countOf(input, sizes))]));
  const aside = graph.copies.map(({ source, length }) =>
    source.kind === "global" ? take(evaluate(length, sizes)) : undefined,
  );
  const bytes = graph.buffers.map(({ elements }) => room(evaluate(elements, sizes)));
  const arena = place(bytes, graph.buffers, end, alignment, fitted);
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
  const locate = (at: Place, within: Sizes): Location => {
    const { memory, offset } = base(at);
    return { memory, offset: offset + evaluate(at.offset, within) * elementBytes };
  };
  /** The page that all tensors of a memory lie in which a dispatch finds by their starts. */
  const pageOf = (memory: Memory, { uniforms }: GpuDispatch, within: Sizes): number => {
    const places = uniforms.flatMap((number) => ("start" in number ? [locate(number.start, within)] : []));
    const pages = places.flatMap((at) => (at.memory === memory ? [Math.floor(at.offset / page)] : []));
    const [first = 0] = pages;
    if (pages.some((other) => other !== first)) {
      throw new GpuError("out-of-memory", `${graph.name} joins more tensors in a step than the device binds buffers`);
    }
    return first;
  };
  return {
    sizes,
    bytes: arena.reduce((most, offset, i) => Math.max(most, offset + bytes[i]!), Math.max(end, alignment)),
    aside,
    locate: (at, within = sizes) => locate(at, within),
    stretch(slice, dispatch, memories, within) {
      if ("whole" in slice) {
        const number = pageOf(slice.whole, dispatch, within);
        const offset = number === 0 ? 0 : number * page;
        return { memory: slice.whole, offset, size: Math.min(page, memories[slice.whole] - offset) };
      }
      const { memory, offset } = base(slice.place);
      const from = evaluate(slice.place.offset, within) * elementBytes;
      const start = Math.floor(from / alignment) * alignment;
      const size = from - start + evaluate(slice.length, within) * elementBytes;
      return { memory, offset: offset + start, size: Math.max(size, leastBytes) };
    },
  };
}
