// A kernel in the making: which values have buffers, names that are not taken yet, and the loops around a point.

import type { Dim } from "../../ir/dim.ts";
import { addDims, floorDivideDim, multiplyDims, subtractDims } from "../../ir/dim.ts";
import type { DType } from "../../ir/dtype.ts";
import type { Node, ResultValue } from "../../ir/graph.ts";
import { k } from "../../ir/kernel/build.ts";
import type { Expr, LoopRole, Stmt } from "../../ir/kernel/types.ts";
import type { Interval } from "../schedule/reduction.ts";
import type { TileTable } from "../schedule/tiles.ts";
import type { Elements } from "./elements.ts";
import type { Bounds } from "./narrow.ts";

/** What a kernel reads that can be made before runs, and kept: an array, and the statements that fill it. */
export interface Ahead {
  readonly name: string;
  readonly dtype: DType;
  readonly length: number;
  readonly fill: readonly Stmt[];
}

export interface Draft {
  /** The body: a single node, or those of a fusion. */
  readonly nodes: readonly Node[];
  readonly outputs: readonly ResultValue[];
  readonly elements: Elements;
  readonly tiles: TileTable;
  /** Whether buffers are addressed by one index over all axes. */
  readonly flat: boolean;
  /** Whether what a buffer holds is the same from run to run; undefined where nothing is made ahead of runs. */
  readonly isSettled?: (buffer: string) => boolean;
  /** Makes an array ahead of runs; the kernel reads it as a buffer. */
  makeAhead(array: Ahead): void;
  /** A name that nothing else in the kernel has. */
  fresh(stem: string): string;
  /** Tells readers of a transformation, or why it was chosen. */
  note(line: string): void;
  /** Writes an element of output `output`. */
  store(output: number, index: readonly Expr[], value: Expr): Stmt;
  /** What was written there before. */
  stored(output: number, index: readonly Expr[]): Expr;
}

export interface LoopAxis {
  readonly stem: string;
  readonly size: Dim;
  /** Points along this axis that the body handles at once. */
  readonly width: number;
  readonly role: LoopRole;
  readonly mode: "serial" | "parallel";
  /** Positions that are written out instead of a loop, all in one tile. */
  readonly written?: readonly Expr[];
  /** A loop whose variable has its name already, and that runs over a part of the axis only. */
  readonly narrowed?: { readonly name: string; readonly bounds: Bounds };
  /** Positions before and behind such a loop, one by one. */
  readonly before?: readonly Expr[];
  readonly after?: readonly Expr[];
  /**
   * Points come in vectors as far as possible, and positions are those of lane 0. `width` is a multiple of the lanes or, for bodies
   * that take a single point (or vector) at a time, 1.
   */
  readonly lanes?: 4;
  /** Of an axis of free size only whole tiles, or only what they leave. */
  readonly part?: "tiles" | "rest";
  /** Points before this one are done otherwise. */
  readonly from?: number;
  /** Tiles lie between these positions; before and behind them points go one by one. */
  readonly interior?: Interval;
}

/** Where a body is. */
export interface Within {
  /** The positions along the axis that has lanes are those of lane 0 of vectors. */
  readonly vector: boolean;
  /** Axes, by depth, along which the positions lie in the interior. */
  readonly inside: readonly number[];
}

/** What is done at a tile. */
export type NestBody = (positions: readonly (readonly Expr[])[], within: Within) => readonly Stmt[];

/**
 * Nested loops, the first axis outermost. The body gets for each axis the positions of its tile: `width` of them in the main
 * part, and what is left over in a part of its own, so that no iteration has to ask whether it is inside.
 */
export function nest(axes: readonly LoopAxis[], fresh: (stem: string) => string, body: NestBody): readonly Stmt[] {
  const around = (depth: number, positions: readonly (readonly Expr[])[], within: Within): readonly Stmt[] => {
    const axis = axes[depth];
    if (!axis) return body(positions, within);
    if (axis.written) return around(depth + 1, [...positions, axis.written], within);
    if (axis.narrowed) {
      const { name, bounds } = axis.narrowed;
      const { from, step } = bounds;
      const inside = (at: Expr) => around(depth + 1, [...positions, [at]], within);
      const loop = k.loop(name, bounds.to, inside, { from, step, mode: axis.mode, role: axis.role });
      return [...(axis.before ?? []).flatMap(inside), loop, ...(axis.after ?? []).flatMap(inside)];
    }
    return parts(axis).flatMap((part) => {
      const inside = (at: Expr) =>
        around(depth + 1, [...positions, run(at, part.width, part.lanes)], {
          vector: within.vector || part.lanes > 1,
          inside: part.inside ? [...within.inside, depth] : within.inside,
        });
      if (part.once !== undefined) return inside(part.once);
      const name = fresh(axis.stem);
      return [
        k.loop(name, k.fromDim(part.to), inside, {
          from: k.fromDim(part.from),
          step: part.width,
          mode: axis.mode,
          role: axis.role,
        }),
      ];
    });
  };
  return around(0, [], { vector: false, inside: [] });
}

/** The body with a loop over the lanes around it, where it has vectors: the pass `vectorize` lifts that. */
export function inLanes(
  name: string,
  vector: boolean,
  role: LoopRole,
  body: (lane: Expr) => readonly Stmt[],
): readonly Stmt[] {
  if (!vector) return body(k.index(0));
  return [k.loop(name, 4, body, { step: 4, lanes: 4, role })];
}

/** Like `nest`, for bodies that need not know about lanes: they get positions that are those of each lane. */
export function nestLanes(axes: readonly LoopAxis[], fresh: (stem: string) => string, body: NestBody): readonly Stmt[] {
  return nest(axes, fresh, (positions, within) => {
    const { vector } = within;
    const role = axes.find((axis) => axis.lanes)?.role ?? "element";
    return inLanes(vector ? fresh("lane") : "", vector, role, (lane) =>
      body(
        positions.map((list, i) => (axes[i]!.lanes ? list.map((at) => k.add(at, lane)) : list)),
        within,
      ),
    );
  });
}

const run = (from: Expr, width: number, lanes: number): readonly Expr[] =>
  Array.from({ length: width / lanes }, (_, i) => k.add(from, i * lanes));

interface Part {
  readonly from: Dim;
  readonly to: Dim;
  readonly width: number;
  readonly lanes: number;
  readonly inside?: boolean;
  /** Where the part is a single iteration: its start. */
  readonly once?: Expr;
}

/** Wide tiles first; then, of an axis with lanes, single vectors; then what is left. */
function parts(axis: LoopAxis): Part[] {
  if (axis.lanes) return laneParts(axis, axis.lanes);
  const { size, width } = axis;
  if (typeof size !== "number") {
    const [tiled, left] = freeParts(size, width);
    if (axis.part === "rest") return left ? [left] : [];
    return axis.part === "tiles" || !left ? [tiled!] : [tiled!, left];
  }
  if (!axis.interior) return tileParts(0, size, axis);
  const [low, high] = axis.interior;
  return [
    ...part(0, low, 1, 1),
    ...tileParts(low, high, axis).map((inner) => ({ ...inner, inside: true })),
    ...part(high, size, 1, 1),
  ];
}

function tileParts(from: number, to: number, { width }: LoopAxis): Part[] {
  const whole = to - ((to - from) % width);
  return [...part(from, whole, width, 1), ...part(whole, to, Math.max(1, to - whole), 1)];
}

function laneParts(axis: LoopAxis, lanes: number): Part[] {
  const { size } = axis;
  const width = Math.max(axis.width, lanes);
  if (typeof size === "number") {
    if (!axis.interior) return vectorParts(axis.from ?? 0, size, axis, lanes);
    const [low, high] = axis.interior;
    const inside = vectorParts(low, high, axis, lanes).map((inner) => ({ ...inner, inside: true }));
    return [...part(0, low, 1, 1), ...inside, ...part(high, size, 1, 1)];
  }
  const upTo = (by: number): Dim => multiplyDims(floorDivideDim(size, by), by);
  const [whole, vectors] = [upTo(width), upTo(lanes)];
  const found: Part[] = [{ from: 0, to: whole, width, lanes }];
  if (subtractDims(vectors, whole) !== 0) found.push({ from: whole, to: vectors, width: lanes, lanes });
  if (subtractDims(size, vectors) !== 0) found.push({ from: vectors, to: size, width: 1, lanes: 1 });
  return found;
}

function vectorParts(from: number, to: number, axis: LoopAxis, lanes: number): Part[] {
  const width = Math.max(axis.width, lanes);
  const whole = to - ((to - from) % width);
  const vectors = to - ((to - from) % lanes);
  return [
    ...part(from, whole, width, lanes),
    ...part(whole, vectors, lanes, lanes),
    ...part(vectors, to, Math.max(1, Math.min(axis.width, to - vectors)), 1),
  ];
}

/** From `from` to `to`, a multiple of `width` apart. */
function part(from: number, to: number, width: number, lanes: number): Part[] {
  if (from >= to) return [];
  return [{ from, to, width, lanes, ...(to - from === width ? { once: k.index(from) } : {}) }];
}

function freeParts(size: Exclude<Dim, number>, width: number): Part[] {
  if (width === 1) return [{ from: 0, to: size, width, lanes: 1 }];
  const whole = multiplyDims(floorDivideDim(size, width), width);
  const even = subtractDims(size, whole) === 0;
  const main = { from: 0, to: whole, width, lanes: 1 };
  return even ? [main] : [main, { from: whole, to: addDims(whole, subtractDims(size, whole)), width: 1, lanes: 1 }];
}
