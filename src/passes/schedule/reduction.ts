// The schedule of reductions, contractions and windows: which axes of the result are tiled in registers, and in which order the
// loops over the result run.

import { type Dim, evaluateDim, productOf, symbolsOf } from "../../ir/dim.ts";
import type { TileTable } from "./tiles.ts";

/** How the loops over the result are arranged, outermost first; `width` points of an axis are computed at once. */
export interface OuterPlan {
  readonly axis: number;
  readonly width: number;
  readonly role: "batch" | "m" | "n" | "element";
}

export interface ContractionShape {
  /** Of the result. */
  readonly shape: readonly Dim[];
  readonly m: readonly number[];
  readonly n: readonly number[];
  /** Axes whose position decides whether an element exists (padding): tiling them would put conditions into the inner loop. */
  readonly guarded: ReadonlySet<number>;
  /** Bytes of the second operand that a run over all columns touches. */
  readonly panelBytes: number;
}

/** Register tiles over one axis of either operand: the contiguous one of the second, the longest of the first. */
export function planContraction(contraction: ContractionShape, tiles: TileTable): OuterPlan[] {
  const { shape, guarded } = contraction;
  const sizeOf = (axis: number): number => sizeAt(shape[axis]!, tiles.freeSize);
  const best = (axes: readonly number[], score: (axis: number) => number): number | undefined =>
    axes
      .filter((axis) => sizeOf(axis) > 1 && !guarded.has(axis))
      .reduce<number | undefined>((a, b) => (a === undefined || score(b) > score(a) ? b : a), undefined);
  const last = (axis: number): number => axis;
  /** Long axes; those of a known size rather than a batch that may be 1; of equal ones the last, which lies closest together. */
  const longest = (axis: number): number => {
    const size = sizeOf(axis);
    const known = typeof shape[axis] === "number" && size >= 8 ? 1000 : 0;
    return known + Math.min(size, 64) + (size % 2 === 0 ? 0.5 : 0) + axis * 0.01;
  };
  // Features in groups belong to both operands: neighbours share no load, but lie side by side in both.
  const columnAxes =
    contraction.n.length > 0
      ? contraction.n
      : shape.map((_, axis) => axis).filter((axis) => !contraction.m.includes(axis));
  const n = best(columnAxes, (axis) => (sizeOf(axis) >= 4 ? 100 + last(axis) : sizeOf(axis)));
  const m = best(contraction.m, longest);
  const columns = n === undefined ? 1 : sizeOf(n);
  const rows = m === undefined ? 1 : sizeOf(m);
  const row = tiles.contraction.find((entry) => entry.columns <= columns) ?? tiles.contraction.at(-1)!;
  const alone = row.tile.m * row.tile.n;
  const width = (axis: number): number => {
    if (axis === n) return Math.min(columns, rows === 1 ? alone : row.tile.n);
    return axis === m ? Math.min(rows, columns === 1 ? alone : row.tile.m) : 1;
  };
  const others = shape.map((_, axis) => axis).filter((axis) => axis !== m && axis !== n);
  const plan = (axis: number): OuterPlan => ({
    axis,
    width: width(axis),
    role: axis === m ? "m" : axis === n ? "n" : "batch",
  });
  const tiled = m === undefined ? [] : [m];
  if (n === undefined) return [...others, ...tiled].map(plan);
  // A second operand that stays in the cache is run through for each row; a larger one is read in panels of few columns.
  const order = contraction.panelBytes <= tiles.cachedPanel ? [...others, ...tiled, n] : [n, ...others, ...tiled];
  return order.map(plan);
}

/** Sums over leading axes take several neighbouring columns at once; all others go point by point. */
export function planReduction(shape: readonly Dim[], contiguous: boolean, tiles: TileTable): OuterPlan[] {
  return shape.map((size, axis) => {
    const columns = contiguous && axis === shape.length - 1 ? Math.min(sizeAt(size, tiles.freeSize), tiles.columns) : 1;
    return { axis, width: Math.max(1, columns), role: "element" };
  });
}

/** A dimension with its free sizes taken at a usual value. */
export const sizeAt = (dim: Dim, freeSize: number): number =>
  Math.max(0, evaluateDim(dim, Object.fromEntries(symbolsOf(dim).map((name) => [name, freeSize]))));

/** A number of bytes, free sizes taken at a usual value. */
export const bytesAt = (shape: readonly Dim[], bytes: number, tiles: TileTable): number =>
  sizeAt(productOf(shape), tiles.freeSize) * bytes;
