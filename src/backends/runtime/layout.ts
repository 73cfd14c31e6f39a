// Where everything lies in memory, once the free sizes are known: first the parameters and states and what is made of them, which stay,
// then the inputs
// of the graph that runs, then its arena. Nothing here needs the compiler; a bundle has the same computation printed.

import type { Dim, Sizes } from "../../ir/dim.ts";
import type { DType } from "../../ir/dtype.ts";
import type { TensorType } from "../../ir/graph.ts";
import type { Program, ProgramModule } from "../../ir/kernel/program.ts";

/** Every tensor begins at a multiple of so many bytes, unless a back-end needs more. */
const usualAlignment = 16;

export const align = (bytes: number, alignment = usualAlignment): number => Math.ceil(bytes / alignment) * alignment;

const widths: Readonly<Record<DType, number>> = { f32: 4, f16: 2, i32: 4, u8: 1, i8: 1, bool: 1 };

/** The value of a dimension. */
export function evaluate(dim: Dim, sizes: Sizes): number {
  if (typeof dim === "number") return dim;
  let sum = 0;
  for (const { coefficient, factors } of dim.terms) {
    let product = coefficient;
    for (const factor of factors) {
      if (typeof factor === "string") product *= sizes[factor] ?? Number.NaN;
      else product *= Math.floor(evaluate(factor.numerator, sizes) / factor.divisor);
    }
    sum += product;
  }
  return sum;
}

const bytesOfType = (type: TensorType, sizes: Sizes): number =>
  type.shape.reduce<number>((product, dim) => product * evaluate(dim, sizes), widths[type.dtype]);

export interface GlobalOffsets {
  /** Offsets in bytes. */
  readonly byName: ReadonlyMap<string, number>;
  /** Bytes that parameters and states take, aligned. */
  readonly givenBytes: number;
  /** Bytes of all that stays from run to run, aligned. */
  readonly bytes: number;
}

/**
 * Parameters and states, one after the other in order of declaration, then what is made of them and kept. Their shapes have no free
 * sizes.
 */
export function globalOffsets({ globals, kept }: Pick<ProgramModule, "globals" | "kept">): GlobalOffsets {
  const byName = new Map<string, number>();
  let bytes = 0;
  const add = (name: string, type: TensorType): void => {
    byName.set(name, bytes);
    bytes += align(bytesOfType(type, {}));
  };
  for (const [name, { type }] of globals) add(name, type);
  const givenBytes = bytes;
  for (const [name, type] of kept) add(name, type);
  return { byName, givenBytes, bytes };
}

export interface Layout {
  /** Offsets in bytes of the inputs, in order. */
  readonly inputs: readonly number[];
  /** Offsets in bytes of the buffers of the arena, in order. */
  readonly arena: readonly number[];
  /** Bytes that the memory must have. */
  readonly bytes: number;
}

/** The layout of a graph behind `start` bytes. */
export function layoutOf(program: Program, start: number, sizes: Sizes): Layout {
  let end = start;
  const inputs = program.inputs.map(({ type }) => {
    const offset = end;
    end += align(bytesOfType(type, sizes));
    return offset;
  });
  const bytes = program.buffers.map((buffer) => evaluate(buffer.bytes, sizes));
  const arena = place(bytes, program.buffers, end);
  return { inputs, arena, bytes: arena.reduce((most, offset, i) => Math.max(most, offset + align(bytes[i]!)), end) };
}

/**
 * Each buffer goes to the lowest offset from `start` on that is free of the earlier buffers alive at the same time. `fitted` moves a place
 * for so many bytes to the next one that will do, where not every place does.
 */
export function place(
  bytes: readonly number[],
  lives: readonly { readonly first: number; readonly last: number }[],
  start: number,
  alignment = usualAlignment,
  fitted: (offset: number, size: number) => number = (offset) => offset,
): number[] {
  const offsets: number[] = [];
  lives.forEach(({ first, last }, i) => {
    const size = align(bytes[i]!, alignment);
    const others = offsets.map((_, j) => j).filter((j) => lives[j]!.first <= last && first <= lives[j]!.last);
    others.sort((a, b) => offsets[a]! - offsets[b]!);
    let offset = fitted(start, size);
    for (const j of others) {
      if (offset + size <= offsets[j]!) break;
      offset = fitted(Math.max(offset, offsets[j]! + align(bytes[j]!, alignment)), size);
    }
    offsets.push(offset);
  });
  return offsets;
}
