// Reductions, contractions and windows, with what is fused before and behind them: loops over the result, a tile of it in
// registers, and the element operations on the results where they are stored.

import { type Dim, formatDim, productOf } from "../../ir/dim.ts";
import { bytesOf } from "../../ir/dtype.ts";
import { k } from "../../ir/kernel/build.ts";
import type { Expr, LoopRole, Stmt } from "../../ir/kernel/types.ts";
import { reducedAxes } from "../graph/fuse-roles.ts";
import type { Iteration } from "../graph/iteration.ts";
import { planBlocks } from "../schedule/blocks.ts";
import {
  bytesAt,
  type ContractionShape,
  notesOf,
  type OuterPlan,
  planContraction,
  planReduction,
  type ReductionPlan,
  rowTiles,
  sizeAt,
  type Walk,
} from "../schedule/reduction.ts";
import { planShortRows } from "../schedule/short-rows.ts";
import type { TileTable } from "../schedule/tiles.ts";
import { accumulate } from "./accumulate.ts";
import { accumulateLanes } from "./accumulate-lanes.ts";
import { lowerBlocked } from "./blocked.ts";
import { collapse } from "./collapse.ts";
import { columnBlockOf, noteOf } from "./column-blocks.ts";
import { type Draft, inLanes, type LoopAxis, nest } from "./draft.ts";
import { insideOf } from "./interior.ts";
import { indexBy, storePoints } from "./loop.ts";
import { lowerPacked } from "./packed.ts";
import { type Panel, panelLength } from "./panel.ts";
import { pointsOf } from "./points.ts";
import { partialOf, type Reduction, reductionOf } from "./registers.ts";
import { rowByRow, rowVectorAxis } from "./row-vector.ts";
import { lowerShortRows, partsOf } from "./short-rows.ts";
import { lowerSplit, splitOf } from "./split-sum.ts";
import { stridesOf } from "./strides.ts";
import type { Tiling } from "./tiling.ts";
import { createWaiting, endsInFunctions } from "./waiting.ts";

export function lowerReduction(draft: Draft, iteration: Iteration): readonly Stmt[] {
  const reductions = reductionsOf(draft, iteration);
  const walk = walkOf(draft, iteration, reductions);
  const blocks = walk.contraction && planBlocks(walk.contraction, draft.tiles);
  const blocked = blocks && lowerBlocked(draft, reductions[0]!, blocks, walk.shape, storing(draft, iteration));
  if (!blocked) return lowerTiles(draft, iteration, reductions, walk);
  if (blocks.least.length === 0) return blocked;
  // Whether free sizes are large enough for blocks is known when the kernel runs.
  draft.note(`where ${blocks.least.map(({ size, least }) => `${formatDim(size)} < ${least}`).join(" or ")} instead:`);
  const direct = lowerTiles(draft, iteration, reductions, walk);
  const sizes = blocks.least.map(({ size, least }) => k.subtract(k.fromDim(size), least));
  const isLarge = k.ge(
    sizes.reduce((a, b) => k.minimum(a, b)),
    0,
  );
  const isScratch = (s: Stmt): boolean => s.kind === "alloc";
  const loops = (body: readonly Stmt[]): readonly Stmt[] => body.filter((s) => !isScratch(s));
  return [...[...blocked, ...direct].filter(isScratch), k.if(isLarge, loops(blocked), loops(direct))];
}

function reductionsOf(draft: Draft, iteration: Iteration): readonly Reduction[] {
  const given = iteration.reductions.map((node) => reductionOf(draft, node));
  // Several reductions share their loops, and would have to agree.
  return draft.tiles.lanes > 1 && given.length === 1 ? given.map(collapse) : given;
}

/** Computes and stores all outputs at points of the result. */
const storing =
  (draft: Draft, { shape, outer, access }: Iteration) =>
  (points: readonly (readonly Expr[])[]): readonly Stmt[] =>
    storePoints(
      draft,
      points.flatMap((point) => {
        const index: Expr[] = shape.map(() => k.index(0));
        outer.forEach((axis, i) => {
          index[axis] = point[i]!;
        });
        return draft.outputs.map((output) => ({ output, index: indexBy(access.get(output)!, index) }));
      }),
    );

/** Loops over tiles of the result. */
function lowerTiles(
  draft: Draft,
  iteration: Iteration,
  reductions: readonly Reduction[],
  walk: ReductionWalk,
): readonly Stmt[] {
  const outerShape = walk.shape;
  const first = reductions[0]!;
  const storeAt = storing(draft, iteration);
  const waits = draft.tiles.lanes > 1 && reductions.length === 1 && endsInFunctions(draft, iteration);
  const waiting = waits ? createWaiting(draft, first.node.results[0]!, storeAt) : undefined;
  const plan = walk.contraction
    ? (planShortRows(walk.contraction, draft.tiles) ?? planContraction(walk.contraction, draft.tiles))
    : planReduction({ ...walk, side: hasSide(iteration) }, draft.tiles);
  const { order, alone, lanes } = plan;
  const rows = rowsOf(plan, outerShape, walk, draft.tiles);
  const row = rows === "tiled" ? undefined : rowVectorAxis(draft, first, plan, outerShape);
  const axisOf = (entry: OuterPlan): LoopAxis => ({
    stem: entry.role === "m" || entry.role === "n" ? entry.role : `i${entry.axis}`,
    size: outerShape[entry.axis]!,
    width: entry.width,
    role: entry.role,
    mode: "parallel",
    ...(lanes === entry.axis ? { lanes: 4 as const } : {}),
    ...(entry.role === "m" && row ? { part: "tiles" as const } : {}),
    ...(entry.part ? { part: entry.part } : {}),
    ...(entry.interior ? { interior: entry.interior } : {}),
  });
  const role = first.rule.contraction || reducedAxes(first.node) ? "k" : "window";
  const lane = lanes === undefined ? "" : draft.fresh("lane");
  const laneRole = order.find(({ axis }) => axis === lanes)?.role ?? "element";
  const pointsAt: Tiling["pointsAt"] = (arranged, positions, at) =>
    pointsOf(
      arranged,
      positions.map((list, i) => (arranged[i]!.axis === lanes ? list.map((from) => k.add(from, at)) : list)),
    );
  /** The reductions, with what is known of an interior. */
  const knownAt = (arranged: readonly OuterPlan[], inside: boolean): readonly Reduction[] => {
    const bordered = inside ? arranged.find((entry) => entry.interior) : undefined;
    return bordered ? reductions.map((reduction) => insideOf(reduction, bordered.axis)) : reductions;
  };
  const accumulateIn: Tiling["accumulate"] = (arranged, points, inside, panel) =>
    accumulateAt(draft, knownAt(arranged, inside), points, role, lanes === "inner", panel);
  const tile: Tiling["tile"] = (arranged, positions, { vector, inside }, panel) =>
    inLanes(lane, vector, laneRole, (at) => {
      const points = pointsAt(arranged, positions, at);
      const sums = accumulateIn(arranged, points, inside, panel);
      const stores = waiting?.store({
        plan: arranged,
        positions,
        pointsAt: (some) => pointsAt(arranged, some, at),
        width: vector ? draft.tiles.lanes : 1,
        lane: at,
      });
      return [...sums, ...(stores ?? storeAt(points))];
    });
  const arrangements = alone ? [order, alone] : [order];
  const tiling: Tiling = {
    draft,
    first,
    shape: outerShape,
    order,
    arrangements,
    lanes,
    lane: { name: lane, role: laneRole },
    role,
    axisOf,
    pointsAt,
    accumulate: accumulateIn,
    store: storeAt,
    tile,
  };
  const size = row && outerShape[row.axis];
  const parts = plan.columnsAtOnce === undefined ? undefined : partsOf(draft, first, plan, outerShape);
  if (parts) {
    return lowerShortRows(draft, parts, {
      axes: order.map(axisOf),
      order,
      shape: outerShape,
      columns: plan.columnsAtOnce!,
      points: (positions, at) => pointsAt(order, positions, at),
      lane: { name: lane, role: laneRole },
      accumulate: (points) => accumulate(draft, [parts.part], points, role),
      store: storeAt,
    });
  }
  const rest =
    row && typeof size === "number" ? rowByRow(draft, first, order.map(axisOf), order, row, size, storeAt) : [];
  if (rows === "single" && row) {
    draft.note("one row: several terms at a time, whose sums over all columns wait in the fastest cache");
    return rest;
  }
  const columns = order[0]?.role === "n" ? order[0].width : 0;
  const length = columns > 0 ? panelLength(first, columns) : undefined;
  const reused = isReused(order, outerShape, draft.tiles);
  const packs = length !== undefined && length <= draft.tiles.panel && reused;
  const split = packs || !reused || row ? undefined : splitOf(draft, reductionOf(draft, first.node), plan, outerShape);
  const total = packs && order[0]!.axis === lanes ? outerShape[order[0]!.axis]! : undefined;
  const block =
    walk.contraction && packs && typeof total === "number"
      ? columnBlockOf(order[0]!, total, length, walk.contraction.rows, draft.tiles)
      : undefined;
  if (block) draft.note(noteOf(block));
  for (const line of notesOf(plan, packs ? "packed" : split ? "parts" : undefined)) draft.note(line);
  if (split) return lowerSplit(tiling, split);
  if (!packs) {
    const loops = arrangements.flatMap((arranged) =>
      nest(arranged.map(axisOf), draft.fresh, (positions, within) => tile(arranged, positions, within)),
    );
    return [...(waiting?.alloc() ?? []), ...loops, ...rest];
  }
  const packed = lowerPacked(tiling, length, block);
  const tiles = whereTilesAre(order, outerShape, row !== undefined, packed.loops);
  return [...(waiting?.alloc() ?? []), ...packed.scratch, ...tiles, ...rest];
}

/** Rows that are too few for a tile go one by one: panels would be filled for nothing. */
function whereTilesAre(
  order: readonly OuterPlan[],
  shape: readonly Dim[],
  apart: boolean,
  loops: readonly Stmt[],
): readonly Stmt[] {
  const rows = order.find(({ role, width }) => role === "m" && width > 1);
  if (!apart || !rows) return loops;
  return [k.if(k.compare("ge", k.fromDim(shape[rows.axis]!), k.index(rows.width)), loops)];
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

type Rows = "tiled" | "left" | "single";

/** Accumulates in vectors along the innermost loop if `inner`, else in scalars (which `vectorize` may lift to lanes of the result). */
function accumulateAt(
  draft: Draft,
  reductions: readonly Reduction[],
  points: readonly (readonly Expr[])[],
  role: LoopRole,
  inner: boolean,
  panel: Panel | undefined,
): readonly Stmt[] {
  const inVectors = inner ? accumulateLanes(draft, reductions, points, role) : undefined;
  if (inVectors) return inVectors;
  const partial = points.length === 1 ? partialOf(draft, reductions) : 1;
  return accumulate(draft, reductions, points, role, partial, panel);
}

/** Whether so many tiles of rows read the same columns that copying them first pays. */
function isReused(plan: readonly OuterPlan[], shape: readonly Dim[], tiles: TileTable): boolean {
  const enough = plan[0]?.packed ? tiles.transposeReuse : tiles.panelReuse;
  return rowTiles(plan.slice(1), shape, tiles) >= enough;
}

interface ReductionWalk extends Walk {
  readonly contraction?: ContractionShape;
}

/** How the operands are walked through; for contractions with what their schedule asks for. */
function walkOf({ tiles }: Draft, { shape, outer }: Iteration, reductions: readonly Reduction[]): ReductionWalk {
  const first = reductions[0]!;
  const walk: Walk = { shape: outer.map((axis) => shape[axis]!), ...stridesOf(reductions, tiles) };
  const axes = first.rule.contraction?.(first.context);
  if (!axes) return walk;
  const second = first.context.inputTypes[1]!;
  const panelBytes = bytesAt(second.shape, bytesOf[second.dtype], tiles);
  const rows = sizeAt(productOf(first.context.inputTypes[0]!.shape), tiles.freeSize);
  const length = productOf(first.rule.domain(first.context));
  const depth = typeof length === "number" ? length : undefined;
  const last = first.rule.domain(first.context).at(-1);
  const run = typeof last === "number" ? last : undefined;
  const domain = first.rule.domain(first.context);
  return { ...walk, contraction: { ...walk, ...axes, domain, depth, run, rows, panelBytes } };
}

/** Whether neighbouring results come from neighbouring elements, which they do unless the sum itself runs along the last axis. */
const hasSide = ({ shape, outer, reduced }: Iteration): boolean =>
  reduced.length > 0 ? !reduced.includes(shape.length - 1) : outer.length > 0;
