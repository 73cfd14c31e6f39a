// Which storage bindings a kernel gets: one for each tensor in memory that it touches. Tensors that lie in one stretch share its
// binding, for WebGPU lets no two overlap; and where a kernel has more tensors than a stage has bindings, all those of one memory do.

import { type Dim, floorDivideDim, multiplyDims, productOf, subtractDims } from "../../ir/dim.ts";
import { bytesOf, type DType } from "../../ir/dtype.ts";
import type { KernelCall, Program, ProgramModule } from "../../ir/kernel/program.ts";
import type { BufferParameter } from "../../ir/kernel/types.ts";
import type { Place } from "../../ir/memory-plan.ts";
import { alignment, elementBytes, type GpuNumber, type GpuSlice } from "./runtime/plan.ts";

export interface Bindings {
  readonly storage: readonly StorageBinding[];
  /** Of each buffer of the kernel: its binding, and at which element of it it begins: a number, or the name of a uniform. */
  readonly buffers: ReadonlyMap<string, { readonly root: string; readonly from: number | string }>;
  /** Values of the uniforms that `buffers` names. */
  readonly starts: ReadonlyMap<string, GpuNumber>;
}

export interface StorageBinding {
  /** A name for the stretch of memory, unique in the kernel. */
  readonly root: string;
  /** For readers: the name of the first buffer in it. */
  readonly name: string;
  readonly access: "read" | "write";
  readonly dtype: DType;
  readonly slice: GpuSlice;
}

/** Elements between places where a binding may begin. */
const step = alignment / elementBytes;

type Memory = "globals" | "work";

interface Use {
  readonly buffer: BufferParameter;
  readonly place: Place;
}

/** Parameters and states have a memory of their own: a kernel that only reads them shares them with nobody who writes. */
const memoryOf = (place: Place): Memory => (place.kind === "global" ? "globals" : "work");

const rootOf = (place: Place): string =>
  place.kind === "arena" ? `arena ${place.buffer}` : `${place.kind} ${place.name}`;

export function bindingsOf(
  { kernel, places }: KernelCall,
  program: Program,
  module: ProgramModule,
  most: number,
): Bindings {
  const uses = kernel.buffers.map((buffer, i): Use => ({ buffer, place: places[i]! }));
  const byRoot = groupBy(uses, ({ place }) => rootOf(place));
  const merged = memoriesToMerge(byRoot, most);
  const groups = groupBy(uses, ({ place }) => {
    const memory = memoryOf(place);
    return merged.includes(memory) ? `all ${memory}` : rootOf(place);
  });
  const written = new Set(uses.flatMap(({ buffer, place }) => (buffer.access === "read" ? [] : [memoryOf(place)])));
  const buffers = new Map<string, { readonly root: string; readonly from: number | string }>();
  const starts = new Map<string, GpuNumber>();
  const startAt = (buffer: BufferParameter, dim: Dim): number | string => {
    if (typeof dim === "number") return dim;
    starts.set(`${buffer.name}_from`, { dim });
    return `${buffer.name}_from`;
  };
  const storage = [...groups].map(([root, members]): StorageBinding => {
    const [first, ...others] = members;
    const { buffer, place } = first!;
    const memory = memoryOf(place);
    const common = {
      root,
      name: buffer.name,
      access: written.has(memory) ? "write" : "read",
      dtype: buffer.dtype,
    } as const;
    if (merged.includes(memory)) {
      for (const use of members) {
        const name = `${use.buffer.name}_from`;
        starts.set(name, { start: use.place });
        buffers.set(use.buffer.name, { root, from: name });
      }
      return { ...common, name: memory, slice: { whole: memory } };
    }
    if (others.length > 0) {
      for (const use of members) {
        buffers.set(use.buffer.name, { root, from: startAt(use.buffer, use.place.offset) });
      }
      const whole: Place = { ...place, offset: 0 };
      return { ...common, slice: { place: whole, length: elementsOf(place, program, module, buffer.dtype) } };
    }
    const start = multiplyDims(floorDivideDim(place.offset, step), step);
    const inside = subtractDims(place.offset, start);
    buffers.set(buffer.name, { root, from: startAt(buffer, inside) });
    return { ...common, slice: { place, length: buffer.length } };
  });
  return { storage, buffers, starts };
}

/** The memories whose tensors share a binding so that no more than `most` are needed: the one with more of them first. */
function memoriesToMerge(byRoot: ReadonlyMap<string, readonly Use[]>, most: number): readonly Memory[] {
  if (byRoot.size <= most) return [];
  const roots = [...byRoot.values()];
  const count = (memory: Memory): number => roots.filter(([use]) => memoryOf(use!.place) === memory).length;
  const [more, fewer]: readonly Memory[] =
    count("work") >= count("globals") ? ["work", "globals"] : ["globals", "work"];
  return count(fewer!) + 1 <= most ? [more!] : ["work", "globals"];
}

/** All elements of the tensor or buffer that the place lies in. */
function elementsOf(place: Place, program: Program, module: ProgramModule, dtype: DType): Dim {
  switch (place.kind) {
    case "arena":
      return floorDivideDim(program.buffers[place.buffer]!.bytes, bytesOf[dtype]);
    case "input":
      return productOf(program.inputs.find(({ name }) => name === place.name)!.type.shape);
    case "global":
      return productOf(module.globals.get(place.name)!.type.shape);
  }
}

function groupBy<T>(items: readonly T[], key: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) groups.set(key(item), [...(groups.get(key(item)) ?? []), item]);
  return groups;
}
