// The numbers of the schedules, as data, measured on generated code (see bench/kernels.ts): one table for targets with vectors, one
// for those without, one for threads of a group.

import type { Target } from "../../ir/target.ts";

/** Rows × columns of results that are computed at once, so that each loaded operand is used several times. */
export interface Tile {
  readonly m: number;
  readonly n: number;
}

/** When products of matrices are computed in blocks, and how large these are: rows, columns, and terms of sums. */
export interface BlockSizes {
  readonly least: { readonly m: number; readonly n: number; readonly k: number };
  readonly block: { readonly m: number; readonly n: number; readonly k: number };
  /** Where rows are read as they are, blocks have fewer columns, and there are so many blocks of them if these are wide enough. */
  readonly runColumns: number;
  readonly parts: number;
  /** So many elements of rows that do not lie side by side are too many for the cache. */
  readonly farRows: number;
  /** Sums of so many terms are not cut. */
  readonly longestSum: number;
  /** What a free size is taken to be. */
  readonly freeSize: number;
}

export interface TileTable {
  /** Elements of a vector. Widths of axes that are computed in vectors are multiples of it. */
  readonly lanes: 1 | 4;
  /** By how many columns there are, and results in all, at least: the first row that fits counts. */
  readonly contraction: readonly { readonly columns: number; readonly results?: number; readonly tile: Tile }[];
  /** The same for sums whose terms, not columns, make up vectors; empty where none do. */
  readonly inner: TileTable["contraction"];
  /** Columns of a sum over leading axes that are summed at once, so that whole cache lines are used. */
  readonly columns: number;
  /** The same for features in groups, whose neighbours share no operand. */
  readonly apart: Tile;
  /** What a loop body may keep in registers. */
  readonly registers: number;
  /** Partial accumulators of a long sum, to hide the latency of an addition; always combined in the same order. */
  readonly partial: number;
  /** The most points of the domain that are written out instead of looped over, and the most steps (times points of a tile). */
  readonly unroll: { readonly points: number; readonly steps: number };
  /** The longest row, in elements, of which expensive intermediate values are kept in scratch memory. */
  readonly scratch: number;
  /** Right operands of at most so many bytes stay in the fastest cache: then columns are the inner loop. */
  readonly cachedPanel: number;
  /** The most elements of a panel of columns that is copied to scratch memory, and how many tiles of rows must share it. */
  readonly panel: number;
  readonly panelReuse: number;
  /** The same of panels of a single vector of columns. */
  readonly narrowPanel: number;
  /**
   * Panels that are filled ahead of runs pay for at most so many rows. Plain JavaScript has scratch memory of float64, which is read faster
   * than float32: for many rows that is worth filling it at every run.
   */
  readonly keptRows: number;
  /**
   * How many columns have their panels filled together, and elements of these panels, at most; threads share that many parts. Rows of
   * more elements than `rows` are too many for the second cache.
   */
  readonly columnBlock: {
    readonly columns: number;
    readonly panels: number;
    readonly parts: number;
    readonly rows: number;
  };
  /** The same for columns that do not lie side by side, where panels are what makes them so. */
  readonly transposeReuse: number;
  /** The fewest products, in a part of a sum, for which it pays to let sums wait in memory. */
  readonly splitDepth: number;
  /** Positions between borders, at least, for tiles along an axis with padding. */
  readonly interior: number;
  /** Whether loops over elements are cut at the borders of padding; where each loop is a start of threads they are not. */
  readonly cutsLoops: boolean;
  /**
   * The most terms of a part of a sum of few results: so many lines of both operands stay in the fastest cache. The sums wait for the
   * next part in memory. 0 where that never pays.
   */
  readonly partLength: number;
  /** Whether the engine loads all operands of a step before it computes with them: then each takes a register. */
  readonly loadsFirst: boolean;
  /** Runs of fewer terms are short: what is around them is written out where it can be. */
  readonly shortRun: number;
  /** So many terms are added in a register, at most: longer sums are sums of parts. Undefined where that is not needed. */
  readonly sumTerms: number | undefined;
  /**
   * Of long sums with few results that are cut into slices: tiles that threads should have to share, products that make it worth it, and
   * sums of all slices together, at most. Undefined where no threads share tiles.
   */
  readonly slices: { readonly tiles: number; readonly least: number; readonly sums: number } | undefined;
  /** Terms of a sum that are added to a single row of results at a time, and of how many columns; no columns where scratch memory is not fast. */
  readonly rowTerms: number;
  readonly rowColumns: number;
  /**
   * Of attention: queries and keys at once, features of a query in vectors, and keys of a block, whose scores wait in scratch memory.
   */
  readonly attention: {
    readonly queries: number;
    readonly keys: number;
    readonly features: number;
    readonly block: number;
  };
  /** Of products of matrices that are computed in blocks; undefined where none are. */
  readonly blocks: BlockSizes | undefined;
  /** What a free size is taken to be when axes are compared. */
  readonly freeSize: number;
}

export const scalarTiles: TileTable = {
  lanes: 1,
  contraction: [
    { columns: 4, tile: { m: 2, n: 4 } },
    { columns: 3, tile: { m: 3, n: 3 } },
    { columns: 2, tile: { m: 4, n: 2 } },
    { columns: 1, tile: { m: 8, n: 1 } },
  ],
  inner: [],
  apart: { m: 2, n: 4 },
  registers: 15,
  columns: 8,
  partial: 4,
  unroll: { points: 9, steps: 72 },
  scratch: 4096,
  cachedPanel: 16384,
  panel: 16384,
  keptRows: 16,
  narrowPanel: 16384,
  columnBlock: { columns: 0, panels: 0, parts: 1, rows: 0 },
  panelReuse: 8,
  transposeReuse: 8,
  splitDepth: Number.POSITIVE_INFINITY,
  interior: Number.POSITIVE_INFINITY,
  cutsLoops: false,
  partLength: 0,
  loadsFirst: false,
  shortRun: 0,
  sumTerms: undefined,
  slices: undefined,
  rowTerms: 8,
  rowColumns: 4096,
  attention: { queries: 2, keys: 2, features: 2, block: 128 },
  blocks: undefined,
  freeSize: 32,
};

/** Tiles of vectors: as wide as registers allow, for a column of eight and of four. */
const contractionTiles = (eight: number, four: number): TileTable["contraction"] => [
  { columns: 8, tile: { m: eight, n: 8 } },
  { columns: 4, tile: { m: four, n: 4 } },
  { columns: 3, tile: { m: 4, n: 3 } },
  { columns: 2, tile: { m: 4, n: 2 } },
  { columns: 1, tile: { m: 8, n: 1 } },
];

/**
 * What x64 has 15 registers for: the sums, the vectors of columns, and the values of rows, one at a time or, where the engine loads
 * first, all of them; a product that is not fused holds one more. A loop over k that is written out spills in V8 up to 12.
 */
const wasmTiles = (fma: boolean, loadsFirst: boolean): TileTable["contraction"] => {
  if (!fma) return contractionTiles(4, 4);
  return loadsFirst ? contractionTiles(4, 7) : contractionTiles(6, 7);
};

/** For vectors of four. */
const vectorTiles: Omit<TileTable, "contraction" | "loadsFirst"> = {
  lanes: 4,
  inner: [
    { columns: 2, tile: { m: 4, n: 2 } },
    { columns: 1, tile: { m: 4, n: 1 } },
  ],
  apart: { m: 4, n: 4 },
  registers: 15,
  columns: 16,
  partial: 4,
  unroll: { points: 9, steps: 72 },
  scratch: 4096,
  cachedPanel: 16384,
  panel: 16384,
  keptRows: Number.POSITIVE_INFINITY,
  narrowPanel: 65536,
  columnBlock: { columns: 64, panels: 65536, parts: 16, rows: 262144 },
  panelReuse: 4,
  transposeReuse: 2,
  splitDepth: 32,
  interior: 4,
  cutsLoops: true,
  partLength: 256,
  shortRun: 8,
  sumTerms: 2048,
  slices: { tiles: 16, least: 1 << 18, sums: 1 << 19 },
  rowTerms: 8,
  rowColumns: 512,
  // The scores of a few queries fit into the fastest cache together with the keys.
  attention: { queries: 4, keys: 2, features: 8, block: 128 },
  blocks: {
    least: { m: 16, n: 16, k: 32 },
    block: { m: 240, n: 256, k: 256 },
    parts: 8,
    runColumns: 64,
    longestSum: 512,
    farRows: 131072,
    freeSize: 64,
  },
  freeSize: 32,
};

/**
 * For a thread of a group, which has registers but no array of its own that would be fast, so that nothing is copied to scratch memory.
 * 8 × 8 sums use each value that is loaded eight times: on SwiftShader products take two thirds of the time that they do with 4 × 4,
 * where there are enough of them for all threads. Terms of a sum make up no vectors: a tile of columns loads less.
 */
const threadTiles: TileTable = {
  ...scalarTiles,
  lanes: 4,
  contraction: [
    { columns: 8, results: 32768, tile: { m: 8, n: 8 } },
    { columns: 8, results: 16384, tile: { m: 4, n: 8 } },
    { columns: 4, tile: { m: 4, n: 4 } },
    { columns: 2, tile: { m: 4, n: 2 } },
    { columns: 1, tile: { m: 4, n: 1 } },
  ],
  apart: { m: 4, n: 4 },
  registers: 32,
  interior: 4,
  columns: 1,
  scratch: 0,
  rowColumns: 0,
  attention: { queries: 2, keys: 4, features: 8, block: 32 },
  panelReuse: Number.POSITIVE_INFINITY,
  keptRows: 0,
  transposeReuse: Number.POSITIVE_INFINITY,
};

export function tilesFor({ lanes, fma, loadsFirst, groups }: Target): TileTable {
  if (groups) return threadTiles;
  return lanes > 1 ? { ...vectorTiles, loadsFirst, contraction: wasmTiles(fma, loadsFirst) } : scalarTiles;
}
