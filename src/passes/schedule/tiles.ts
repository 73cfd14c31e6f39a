// The numbers of the schedules, as data. Measured on generated JavaScript (see bench/js-kernels.ts); other targets bring their own.

/** Rows × columns of results that are computed at once, so that each loaded operand is used several times. */
export interface Tile {
  readonly m: number;
  readonly n: number;
}

export interface TileTable {
  /** By how many columns there are, at least: the first row that fits counts. */
  readonly contraction: readonly { readonly columns: number; readonly tile: Tile }[];
  /** Columns of a sum over leading axes that are summed at once, so that whole cache lines are used. */
  readonly columns: number;
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
  /** What a free size is taken to be when axes are compared. */
  readonly freeSize: number;
}

export const scalarTiles: TileTable = {
  contraction: [
    { columns: 4, tile: { m: 2, n: 4 } },
    { columns: 3, tile: { m: 3, n: 3 } },
    { columns: 2, tile: { m: 4, n: 2 } },
    { columns: 1, tile: { m: 8, n: 1 } },
  ],
  columns: 8,
  partial: 4,
  unroll: { points: 9, steps: 72 },
  scratch: 4096,
  cachedPanel: 16384,
  panel: 16384,
  panelReuse: 8,
  freeSize: 32,
};
