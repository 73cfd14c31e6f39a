// The schedule of reductions, contractions and windows: which axes of the result are tiled in registers, and in which order the
// loops over the result run.

import { type Dim, evaluateDim, productOf, symbolsOf } from "../../ir/dim.ts";
import type { TileTable } from "./tiles.ts";

/** How the loops over the result are arranged, outermost first; `width` points of an axis are computed at once. */
export interface OuterPlan {
  readonly axis: number;
  readonly width: number;
  readonly role: "batch" | "m" | "n" | "element";
  /** The operand's columns do not lie side by side: a panel has to make them so. */
  readonly packed?: boolean;
  /** Where tiles need no conditions. */
  readonly interior?: Interval;
  /** Of an axis of free size only whole tiles, or only what they leave. */
  readonly part?: "tiles" | "rest";
}

/** From a position to below another. */
export type Interval = readonly [number, number];

export interface ReductionPlan {
  readonly order: readonly OuterPlan[];
  /** Where whole tiles of a batch of free size leave some of it: how that is computed instead. */
  readonly alone?: readonly OuterPlan[];
  /** The axis of the result that is computed in vectors, or `inner`: the innermost loop of the sum is. */
  readonly lanes: number | "inner" | undefined;
  /** The columns of a tile, where sums of blocks of columns wait in memory and the sum runs outside of all rows. */
  readonly columnsAtOnce?: number;
}

/** How operands are walked through, see `stridesOf`. */
export interface Walk {
  /** Of the result. */
  readonly shape: readonly Dim[];
  readonly contiguous: ReadonlySet<number>;
  /** Axes along which operands move by a few elements each step. */
  readonly spaced: ReadonlySet<number>;
  /** Axes whose position decides whether an element exists (padding): tiling them would put conditions into the inner loop. */
  readonly guarded: ReadonlySet<number>;
  readonly inner: boolean;
  /** Whether conditions depend on the innermost loop of the sum. */
  readonly innerGuarded: boolean;
  /** Of guarded axes: between which positions every element exists, where that is known. */
  readonly interior: ReadonlyMap<number, Interval>;
  /** Of guarded axes: at how many places of the sum conditions depend on the position, where these are few. */
  readonly borders: ReadonlyMap<number, number>;
}

export interface ContractionShape extends Walk {
  readonly m: readonly number[];
  readonly n: readonly number[];
  /** What is summed over, the innermost loop last. */
  readonly domain: readonly Dim[];
  /** Products in a sum, unless that depends on free sizes. */
  readonly depth: number | undefined;
  /** Products along the innermost loop of the sum, unless that depends on free sizes. */
  readonly run: number | undefined;
  /** Elements of the first operand. */
  readonly rows: number;
  /** Bytes of the second operand that a run over all columns touches. */
  readonly panelBytes: number;
}

/** Register tiles over one axis of either operand: the contiguous one of the second, the longest of the first. */
export function planContraction(contraction: ContractionShape, tiles: TileTable): ReductionPlan {
  const { shape, guarded, contiguous, interior } = contraction;
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
  // Features in groups belong to both operands: neighbours lie side by side in both.
  const columnAxes =
    contraction.n.length > 0
      ? contraction.n
      : shape.map((_, axis) => axis).filter((axis) => !contraction.m.includes(axis));
  /** Neighbours that make up vectors count most. */
  const sideBySide = (axis: number): number => (tiles.lanes > 1 && contiguous.has(axis) ? 1000 : 0);
  const n = best(columnAxes, (axis) => (sizeOf(axis) >= 4 ? 100 + sideBySide(axis) + last(axis) : sizeOf(axis)));
  const plain = best(contraction.m, longest);
  const between = (axis: number | undefined): number => {
    const [from, to] = (axis === undefined ? undefined : interior.get(axis)) ?? [0, 0];
    return to - from;
  };
  const room = (axis: number): number => (guarded.has(axis) ? between(axis) : sizeOf(axis));
  // Where there are too few columns for a vector, neighbouring rows may make one up.
  const runsAlong = (axes: ReadonlySet<number>): number | undefined =>
    contraction.m.findLast(
      (axis) => typeof shape[axis] === "number" && axes.has(axis) && room(axis) >= 2 * tiles.lanes,
    );
  const isNarrow = tiles.lanes > 1 && (n === undefined || sizeOf(n) < tiles.lanes);
  // Columns that share what is loaded make better vectors than rows that lie apart.
  const areApart = n === undefined || contraction.n.length === 0;
  const beneath = isNarrow
    ? (runsAlong(contiguous) ?? (areApart ? runsAlong(contraction.spaced) : undefined))
    : undefined;
  if (beneath !== undefined) return planRowVectors(contraction, beneath, n, tiles);
  const bordered = contraction.m.reduce<number | undefined>(
    (a, b) => (between(b) >= tiles.interior && between(b) >= between(a) ? b : a),
    undefined,
  );
  // Features in groups share no operand, but neighbouring positions of a window share most of what lies under it.
  const beside = contraction.n.length > 0 ? undefined : contraction.m.findLast((axis) => room(axis) >= tiles.interior);
  // Of a short run through memory the steps around it count: along the interior of an axis they can be written out.
  const isShort = contraction.run !== undefined && contraction.run < tiles.shortRun;
  const isWide = bordered !== undefined && 2 * between(bordered) > sizeOf(bordered);
  const isFew = plain === undefined || sizeOf(plain) < tiles.interior || (isShort && isWide);
  const m = beside ?? (isFew ? (bordered ?? plain) : plain);
  /** Rows where a batch of free size leaves some: those along another axis. */
  const other =
    m === undefined || typeof shape[m] === "number" || tiles.lanes === 1
      ? undefined
      : (best(
          contraction.m.filter((axis) => typeof shape[axis] === "number" && sizeOf(axis) >= tiles.interior),
          longest,
        ) ?? bordered);
  const columns = n === undefined ? 1 : sizeOf(n);
  const rows = m === undefined ? 1 : sizeOf(m);
  const others = shape.map((_, axis) => axis).filter((axis) => axis !== m && axis !== n);
  const lanes = lanesOf(contraction, tiles, n, m === undefined ? others : [...others, m], columns);
  const table = lanes === "inner" ? tiles.inner : tiles.contraction;
  const inVectors = lanes === n ? Math.max(columns, tiles.lanes) : columns;
  const results = sizeAt(productOf(shape), tiles.freeSize);
  const row = beside !== undefined && lanes === n ? { tile: tiles.apart } : tileFor(table, inVectors, results);
  const alone = row.tile.m * row.tile.n;
  const packed = lanes !== undefined && lanes === n && (!contiguous.has(n) || columns < tiles.lanes);
  const near = (beside !== undefined || contraction.panelBytes <= tiles.cachedPanel) && !packed;
  /** All axes, with tiles of rows along `along`. */
  const arrange = (along: number | undefined, rows: number): OuterPlan[] => {
    const most = (axis: number): number => {
      const columnsAtOnce = Math.min(inVectors, rows === 1 ? alone : row.tile.n);
      if (axis === n) return lanes === n ? columnsAtOnce - (columnsAtOnce % tiles.lanes) : columnsAtOnce;
      return axis === along ? Math.min(rows, columns === 1 ? alone : row.tile.m) : 1;
    };
    const plan = (axis: number): OuterPlan => ({
      axis,
      width: most(axis),
      role: axis === along ? "m" : axis === n ? "n" : "batch",
      ...(packed && axis === n ? { packed } : {}),
      ...(axis === along && interior.has(axis) ? { interior: interior.get(axis)! } : {}),
    });
    const loops = shape.map((_, axis) => axis).filter((axis) => axis !== along && axis !== n);
    if (along !== undefined) loops.push(along);
    if (n === undefined) return loops.map(plan);
    // A second operand that stays in the cache is run through for each row; a larger one is read in panels of few columns.
    return (near ? [...loops, n] : [n, ...loops]).map(plan);
  };
  const order = arrange(m, rows);
  if (other === undefined) return { order, lanes };
  // What whole tiles leave depends on how wide these are.
  const { width } = order.find((entry) => entry.axis === m)!;
  const split = (part: "tiles" | "rest", plan: readonly OuterPlan[]): OuterPlan[] =>
    plan.map((entry) => (entry.axis === m ? { ...entry, part, width } : entry));
  return { order: split("tiles", order), alone: split("rest", arrange(other, sizeOf(other))), lanes };
}

/** Vectors along an axis of rows: what is loaded of them serves all columns, which become the rows of the tile. */
function planRowVectors(
  { shape, interior }: ContractionShape,
  vectors: number,
  columns: number | undefined,
  tiles: TileTable,
): ReductionPlan {
  const rows = columns === undefined ? 1 : sizeAt(shape[columns]!, tiles.freeSize);
  const { tile } = tileFor(tiles.contraction, 2 * tiles.lanes);
  const plan = (axis: number): OuterPlan => {
    if (axis === columns) return { axis, width: rows, role: "m" };
    if (axis !== vectors) return { axis, width: 1, role: "batch" };
    // So many vectors that few are left over.
    const [from, to] = interior.get(axis) ?? [0, sizeAt(shape[axis]!, tiles.freeSize)];
    const [count, most] = [
      Math.floor((to - from) / tiles.lanes),
      (rows === 1 ? tile.m * tile.n : tile.n) / tiles.lanes,
    ];
    const width = tiles.lanes * Math.floor(count / Math.ceil(count / most));
    return { axis, width, role: "n", ...(interior.has(axis) ? { interior: interior.get(axis)! } : {}) };
  };
  const others = shape.map((_, axis) => axis).filter((axis) => axis !== vectors && axis !== columns);
  return { order: [...others, ...(columns === undefined ? [] : [columns]), vectors].map(plan), lanes: vectors };
}

const tileFor = (table: TileTable["contraction"], columns: number, results = 0) =>
  table.find((entry) => entry.columns <= columns && (entry.results ?? 0) <= results) ?? table.at(-1)!;

/** What becomes a vector: neighbouring columns, columns that a panel makes neighbours, the terms of a sum, or nothing. */
function lanesOf(
  { shape, contiguous, inner, depth, n: ofSecond }: ContractionShape,
  tiles: TileTable,
  n: number | undefined,
  others: readonly number[],
  columns: number,
): number | "inner" | undefined {
  if (tiles.lanes === 1) return undefined;
  // Columns that do not fill a vector would waste some of it.
  if (inner && columns < tiles.lanes) return "inner";
  if (n !== undefined && (columns >= tiles.lanes || ofSecond.includes(n))) {
    const inVectors = Math.max(columns, tiles.lanes);
    const row = tileFor(tiles.contraction, inVectors);
    const reuse = rowTiles(
      others.map((axis) => ({ axis, width: 1, role: "batch" as const })),
      shape,
      tiles,
    );
    const fits = depth !== undefined && depth * row.tile.n <= panelRoom(row.tile.n, tiles);
    const full = contiguous.has(n) && columns >= tiles.lanes;
    if (full || (fits && reuse >= row.tile.m * tiles.transposeReuse)) return n;
  }
  return inner ? "inner" : undefined;
}

/** Sums over leading axes take several neighbouring columns at once; all others go point by point. */
export function planReduction(walk: Walk & { readonly side: boolean }, tiles: TileTable): ReductionPlan {
  const { shape, contiguous, guarded, inner } = walk;
  const last = shape.findLastIndex((size) => size !== 1);
  const columns = Math.min(sizeAt(shape[last] ?? 1, tiles.freeSize), tiles.columns);
  const vectors = tiles.lanes > 1 && walk.side && columns >= tiles.lanes && contiguous.has(last) && !guarded.has(last);
  const inLanes = vectors ? columns - (columns % tiles.lanes) : 1;
  const order = shape.map((_, axis): OuterPlan => {
    const wide = walk.side && axis === (vectors ? last : shape.length - 1);
    return { axis, width: Math.max(1, wide ? (vectors ? inLanes : scalarColumns(shape, tiles)) : 1), role: "element" };
  });
  return { order, lanes: vectors ? last : inner ? "inner" : undefined };
}

const scalarColumns = (shape: readonly Dim[], tiles: TileTable): number =>
  Math.min(sizeAt(shape.at(-1)!, tiles.freeSize), tiles.columns);

/** The most elements of a panel. Of a single vector of columns so little is read for each term that the second cache may hold it. */
export const panelRoom = (columns: number, { lanes, panel, narrowPanel }: TileTable): number =>
  columns <= lanes ? narrowPanel : panel;

/** How many tiles of rows there are in such loops, free sizes taken at a usual value. */
export const rowTiles = (plan: readonly OuterPlan[], shape: readonly Dim[], tiles: TileTable): number =>
  plan.map(({ axis, width }) => Math.floor(sizeAt(shape[axis]!, tiles.freeSize) / width)).reduce((a, b) => a * b, 1);

/** A dimension with its free sizes taken at a usual value. */
export const sizeAt = (dim: Dim, freeSize: number): number =>
  Math.max(0, evaluateDim(dim, Object.fromEntries(symbolsOf(dim).map((name) => [name, freeSize]))));

/** A number of bytes, free sizes taken at a usual value. */
export const bytesAt = (shape: readonly Dim[], bytes: number, tiles: TileTable): number =>
  sizeAt(productOf(shape), tiles.freeSize) * bytes;

/** The transformations of a plan, for readers. */
export function notesOf({ order, lanes }: ReductionPlan, panel: "packed" | "split" | undefined): readonly string[] {
  const nameOf = ({ axis, role }: OuterPlan): string => (role === "m" || role === "n" ? role : `i${axis}`);
  const wide = order.filter(({ width }) => width > 1).map((entry) => `${nameOf(entry)} by ${entry.width}`);
  const along = order.find(({ axis }) => axis === lanes);
  return [
    ...(order.length > 1 ? [`reorder to ${order.map(nameOf).join(", ")}`] : []),
    ...(panel === "packed" ? ["pack the columns of a tile, which stay in the fastest cache while rows go by"] : []),
    ...(panel === "split"
      ? ["split the sum, and pack the columns of one part: all of them are too many for the cache"]
      : []),
    ...(wide.length > 0 ? [`register-tile ${wide.join(", ")}`] : []),
    ...(along ? [`vectorize ${nameOf(along)}`] : lanes === "inner" ? ["vectorize the sum"] : []),
  ];
}
