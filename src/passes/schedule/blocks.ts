// The schedule of large products of matrices: blocks that caches hold, columns packed in the order in which they are read, tiles that
// registers hold. Here it is chosen and sized; ../lower/blocked.ts applies it.

import type { Dim } from "../../ir/dim.ts";
import { type ContractionShape, sizeAt } from "./reduction.ts";
import type { BlockSizes, TileTable } from "./tiles.ts";

/** Rows, columns and terms of a block, whole tiles each; terms undefined where the sum is not cut. */
export interface Block {
  readonly m: number;
  readonly n: number;
  readonly k: number | undefined;
}

export interface BlockedPlan {
  /** Axes of the result that are rows, columns, and those around the product, if they are longer than 1. */
  readonly m: number;
  readonly n: number;
  readonly batch: readonly number[];
  /** The size of blocks where rows are packed, and where they are read as they are. */
  readonly packed: Block;
  readonly runs: Block;
  /** Rows and columns of a tile. */
  readonly tile: { readonly m: number; readonly n: number };
  /** Whether blocks pay only where the terms of a row do not lie side by side. */
  readonly onlyFar: boolean;
  /** Free sizes that must be so large at run time for blocks to pay. */
  readonly least: readonly { readonly size: Dim; readonly least: number }[];
  /** Rows that whole tiles leave, as many as come at once; 0 if there are none. */
  readonly restRows: number;
  /** Whether the number of columns is a multiple of the tile's, or of a vector. */
  readonly wholeTiles: boolean;
  readonly wholeVectors: boolean;
}

/** Undefined where the product is too small to be worth it, or the target has no vectors. */
export function planBlocks(contraction: ContractionShape, tiles: TileTable): BlockedPlan | undefined {
  const { shape, depth } = contraction;
  const limits = tiles.blocks;
  if (!limits || contraction.guarded.size > 0) return undefined;
  const size = (axis: number | undefined): number => (axis === undefined ? 0 : sizeAt(shape[axis]!, limits.freeSize));
  const longest = (axes: readonly number[]): number | undefined =>
    axes.reduce<number | undefined>((a, b) => (a === undefined || size(b) >= size(a) ? b : a), undefined);
  const m = longest(contraction.m);
  const n = longest(contraction.n.filter((axis) => contraction.contiguous.has(axis))) ?? longest(contraction.n);
  if (m === undefined || n === undefined) return undefined;
  const terms = depth ?? limits.freeSize;
  if (size(m) < limits.least.m || size(n) < limits.least.n || terms < limits.least.k) return undefined;
  // Columns of shorter sums fit into panels as they are, and then blocks only help rows that lie far apart.
  const isLong = depth === undefined || depth * tiles.contraction[0]!.tile.n > tiles.panel;
  if (!isLong && size(m) * terms < limits.farRows) return undefined;
  const tile = tiles.contraction[0]!.tile;
  const up = (length: number, by: number): number => Math.ceil(length / by) * by;
  const most = (dim: Dim, limit: number, by: number): number =>
    up(typeof dim === "number" ? Math.min(dim, limit) : limit, by);
  const [rows, columns] = [shape[m]!, shape[n]!];
  const block = (width: number): Block => ({
    m: most(rows, limits.block.m, tile.m),
    n: most(columns, width, tile.n),
    k: depth !== undefined && depth <= limits.longestSum ? undefined : limits.block.k,
  });
  return {
    m,
    n,
    batch: shape.map((_, axis) => axis).filter((axis) => axis !== m && axis !== n && shape[axis] !== 1),
    // Threads share blocks: there should be some.
    packed: inParts(block(limits.block.n), [rows, columns], tile, limits),
    runs: block(
      typeof columns === "number"
        ? Math.min(limits.runColumns, Math.max(2 * tile.n, columns / limits.parts))
        : limits.runColumns,
    ),
    tile,
    onlyFar: !isLong,
    least: [
      { size: rows, least: limits.least.m },
      { size: columns, least: limits.least.n },
    ].filter((one) => typeof one.size !== "number"),
    restRows: typeof rows === "number" ? rows % tile.m : 1,
    wholeTiles: typeof columns === "number" && columns % tile.n === 0,
    wholeVectors: typeof columns === "number" && columns % tiles.lanes === 0,
  };
}

/** The block, halved along its longer side while there are few of it: rows and columns are then packed more than once. */
function inParts(
  block: Block,
  [rows, columns]: readonly [Dim, Dim],
  tile: BlockedPlan["tile"],
  limits: Pick<BlockSizes, "parts" | "least" | "freeSize">,
): Block {
  const { parts, least, freeSize } = limits;
  const count = (dim: Dim, by: number): number => Math.ceil(sizeAt(dim, freeSize) / by);
  const half = (length: number, by: number): number => Math.ceil(length / 2 / by) * by;
  if (count(rows, block.m) * count(columns, block.n) >= parts) return block;
  const smaller = block.m >= block.n ? { ...block, m: half(block.m, tile.m) } : { ...block, n: half(block.n, tile.n) };
  const isSmall = smaller.m < 4 * least.m || smaller.n < 4 * least.n;
  return isSmall ? block : inParts(smaller, [rows, columns], tile, limits);
}
