// How a reduction that is computed tile by tile goes about it: its register tiles, whether columns are copied into panels first, whether
// long sums wait in memory, and into how many slices they are cut.

import { type Dim, productOf } from "../../ir/dim.ts";
import type { Iteration } from "../graph/iteration.ts";
import {
  type ContractionShape,
  type OuterPlan,
  panelRoom,
  planContraction,
  planReduction,
  type ReductionPlan,
  rowTiles,
  sizeAt,
  type Walk,
} from "../schedule/reduction.ts";
import { planShortRows } from "../schedule/short-rows.ts";
import { planSlices, type Slices } from "../schedule/slices.ts";
import type { TileTable } from "../schedule/tiles.ts";
import { type ColumnBlock, columnBlockOf } from "./column-blocks.ts";
import type { Draft } from "./draft.ts";
import { panelLength } from "./panel.ts";
import { isSum, type Reduction, reductionOf } from "./registers.ts";
import { rowVectorAxis } from "./row-vector.ts";
import { canFillAhead } from "./settled.ts";
import { type Parts, partsOf } from "./short-rows.ts";
import { type Split, splitOf } from "./split-sum.ts";

export interface ReductionWalk extends Walk {
  readonly contraction?: ContractionShape;
}

/** The columns of a tile are copied to a panel of such a length first, or those of a block; or all of them ahead of runs. */
export interface Packed {
  readonly kind: "packed";
  readonly length: number;
  readonly block: ColumnBlock | undefined;
  readonly isAhead: boolean;
}

/** What is read and added up where. */
export type Sums =
  /** Each tile reads what it needs. */
  | { readonly kind: "plain" }
  | Packed
  /** Columns of a part of the sum are; the sums of all rows wait in memory. */
  | { readonly kind: "split"; readonly split: Split }
  /** Short axes of rows make up a tile, and sums of blocks of columns wait. */
  | { readonly kind: "short rows"; readonly parts: Parts; readonly columns: number };

export interface Choice {
  readonly plan: ReductionPlan;
  readonly sums: Sums;
  /** Whether whole tiles may leave rows, or there is but one; and the axis of columns for such rows. */
  readonly rows: Rows;
  readonly row: OuterPlan | undefined;
  /** The loop that slices cut is that over so many steps. */
  readonly slices: Slices | undefined;
  readonly steps: Dim;
  /** Whether conditions depend on the innermost loop of the sum. */
  readonly isGuarded: boolean;
}

type Rows = "tiled" | "left" | "single";

export function choose(
  draft: Draft,
  iteration: Iteration,
  reductions: readonly Reduction[],
  walk: ReductionWalk,
): Choice {
  const { tiles } = draft;
  const { shape } = walk;
  const first = reductions[0]!;
  const plan = walk.contraction
    ? (planShortRows(walk.contraction, tiles) ?? planContraction(walk.contraction, tiles))
    : planReduction({ ...walk, side: hasSide(iteration) }, tiles);
  const rows = rowsOf(plan, shape, walk, tiles);
  const row = rows === "tiled" ? undefined : rowVectorAxis(draft, first, plan, shape);
  const sums = sumsOf(draft, first, plan, walk, row);
  // Where parts of a sum wait in memory, the loop over parts is cut.
  const whole = sums.kind === "split" ? reductionOf(draft, first.node) : first;
  const domain = whole.rule.domain(whole.context);
  const steps = domain[0] ?? 1;
  const terms = productOf(domain);
  const canBeCut = sums.kind !== "packed" && !row && !plan.alone && reductions.every(isSum);
  const { sumTerms = Number.POSITIVE_INFINITY } = tiles;
  // In vectors along the sum nothing else ends a register.
  const most = plan.lanes === "inner" ? tiles.lanes * sumTerms : Number.POSITIVE_INFINITY;
  const slices = canBeCut
    ? planSlices({ shape, steps, terms, tiles: sharedTiles(plan, sums, shape, tiles), most }, tiles)
    : undefined;
  return { plan, sums, rows, row, slices, steps, isGuarded: walk.innerGuarded };
}

/** How many tiles threads may share: those of the outermost loop, or of two if nothing stands between them. */
function sharedTiles({ order }: ReductionPlan, { kind }: Sums, shape: readonly Dim[], tiles: TileTable): number {
  return rowTiles(order.slice(0, kind === "plain" ? 2 : 1), shape, tiles);
}

function sumsOf(
  draft: Draft,
  first: Reduction,
  plan: ReductionPlan,
  { shape, contraction }: ReductionWalk,
  row: OuterPlan | undefined,
): Sums {
  const { tiles } = draft;
  const { order, lanes, columnsAtOnce } = plan;
  const parts = columnsAtOnce === undefined ? undefined : partsOf(draft, first, plan, shape);
  if (parts && columnsAtOnce !== undefined) return { kind: "short rows", parts, columns: columnsAtOnce };
  const columns = order[0]?.role === "n" ? order[0].width : 0;
  const length = columns > 0 ? panelLength(first, columns) : undefined;
  const fits = length !== undefined && length <= panelRoom(columns, tiles);
  const isAhead = fits && canFillAhead(draft, first, plan, shape);
  if (!isAhead && !isReused(order, shape, tiles)) return { kind: "plain" };
  if (fits) {
    const total = order[0]!.axis === lanes ? shape[order[0]!.axis]! : undefined;
    const block =
      contraction && typeof total === "number"
        ? columnBlockOf(order[0]!, total, length, contraction.rows, tiles)
        : undefined;
    return { kind: "packed", length, block, isAhead };
  }
  const split = row ? undefined : splitOf(draft, reductionOf(draft, first.node), plan, shape);
  return split ? { kind: "split", split } : { kind: "plain" };
}

/** Whether whole tiles may leave rows, as they do along an axis of free size, or there is but one. */
function rowsOf({ order, alone }: ReductionPlan, shape: readonly Dim[], walk: ReductionWalk, tiles: TileTable): Rows {
  if (alone) return "tiled";
  const rows = order.filter(({ role }) => role === "m");
  if (rows.length > 0) return rows.some(({ axis }) => typeof shape[axis] !== "number") ? "left" : "tiled";
  const columns = order.find(({ role }) => role === "n");
  // An engine that loads where values are used has registers for so many sums that none waits for the one before it.
  if (tiles.lanes > 1 && !tiles.loadsFirst) return "tiled";
  // Sums of fewer columns stay in registers.
  const isLong = columns !== undefined && sizeAt(shape[columns.axis]!, tiles.freeSize) >= 2 * columns.width;
  return isLong && walk.guarded.size === 0 && walk.contraction?.n.includes(columns.axis) ? "single" : "tiled";
}

/** Whether so many tiles of rows read the same columns that copying them first pays. */
function isReused(plan: readonly OuterPlan[], shape: readonly Dim[], tiles: TileTable): boolean {
  const enough = plan[0]?.packed ? tiles.transposeReuse : tiles.panelReuse;
  return rowTiles(plan.slice(1), shape, tiles) >= enough;
}

/** Whether neighbouring results come from neighbouring elements, which they do unless the sum itself runs along the last axis. */
const hasSide = ({ shape, outer, reduced }: Iteration): boolean =>
  reduced.length > 0 ? !reduced.includes(shape.length - 1) : outer.length > 0;
