// The schedule of contractions with few results and a long sum, such as the weight gradient of a convolution that rests on few
// channels, or on one: short axes of rows make up a tile together, and the sum runs outside of all tiles.

import type { ContractionShape, OuterPlan, ReductionPlan } from "./reduction.ts";
import { sizeAt } from "./reduction.ts";
import type { TileTable } from "./tiles.ts";

/** The longest axis of rows. */
const longest = 9;

/** Undefined where rows are many, or no short axes of them make up a tile. */
export function planShortRows(given: ContractionShape, tiles: TileTable): ReductionPlan | undefined {
  const { shape, contiguous, guarded, domain } = given;
  if (tiles.partLength === 0 || domain.length < 2) return undefined;
  const all = shape.map((_, axis) => axis);
  const isWide = (axis: number): boolean => {
    const size = shape[axis];
    return typeof size === "number" && size >= tiles.lanes && contiguous.has(axis) && !guarded.has(axis);
  };
  const columns = given.n.length > 0 ? given.n : all.filter((axis) => !given.m.includes(axis));
  const own = columns.findLast(isWide);
  // Few columns, under many channels: these make up the vectors, and each row reads its own.
  const n = own ?? all.findLast(isWide);
  const contraction = own === undefined ? { ...given, n: [], m: all.filter((axis) => axis !== n) } : given;
  if (n === undefined) return undefined;
  const isFew = shape.every((size, axis) => axis === n || (typeof size === "number" && size <= longest));
  if (!isFew) return undefined;
  const together = rowsOf(contraction, tiles);
  const rows = together.map((axis) => sizeAt(shape[axis]!, 1)).reduce((a, b) => a * b, 1);
  if (rows === 1) return undefined;
  const vectors = [4, 2].find((count) => held(contraction, rows, count, tiles) <= tiles.registers) ?? 1;
  const others = shape.map((_, axis) => axis).filter((axis) => axis !== n && !together.includes(axis));
  // Columns that enough tiles read are better copied side by side.
  const reuse = others.map((axis) => sizeAt(shape[axis]!, 1)).reduce((a, b) => a * b, 1);
  if (contraction.n.length > 0 && reuse >= tiles.panelReuse) return undefined;
  return {
    order: [
      { axis: n, width: tiles.columns, role: "n" },
      ...others.map((axis): OuterPlan => ({ axis, width: 1, role: "batch" })),
      ...together.map((axis): OuterPlan => ({ axis, width: sizeAt(shape[axis]!, 1), role: "m" })),
    ],
    lanes: n,
    columnsAtOnce: vectors * tiles.lanes,
  };
}

/** The last axes of rows, as many as registers hold. */
function rowsOf(contraction: ContractionShape, tiles: TileTable): readonly number[] {
  const { shape, m, guarded, borders } = contraction;
  const taken: number[] = [];
  let [rows, parts] = [1, 1];
  for (const axis of m.toReversed()) {
    const size = sizeAt(shape[axis]!, 1);
    if (size === 1) continue;
    const border = guarded.has(axis) ? borders.get(axis) : 0;
    if (border === undefined || held(contraction, rows * size, 1, tiles) > tiles.registers) break;
    // Each place at a border is written out.
    if (parts * (border + 1) * rows * size > 2 * tiles.unroll.steps) break;
    taken.unshift(axis);
    rows *= size;
    parts *= border + 1;
  }
  return taken;
}

/** Registers for the sums of so many rows and vectors of columns, and for what a step loads; features in groups share nothing of it. */
function held({ n }: ContractionShape, rows: number, vectors: number, { loadsFirst }: TileTable): number {
  const sums = rows * vectors;
  if (!loadsFirst) return sums + Math.min(rows, vectors) + 1;
  return sums + vectors + (n.length > 0 ? rows : sums);
}
