// Reductions, contractions and windows, with what is fused before and behind them: loops over the result, a tile of it in
// registers, and the element operations on the results where they are stored.

import { type Dim, productOf } from "../../ir/dim.ts";
import { bytesOf } from "../../ir/dtype.ts";
import { k } from "../../ir/kernel/build.ts";
import type { Expr, LoopRole, Stmt } from "../../ir/kernel/types.ts";
import { reducedAxes } from "../graph/fuse-roles.ts";
import type { Iteration } from "../graph/iteration.ts";
import {
  bytesAt,
  type OuterPlan,
  planContraction,
  planReduction,
  type ReductionPlan,
  rowTiles,
} from "../schedule/reduction.ts";
import type { TileTable } from "../schedule/tiles.ts";
import { accumulate, partialOf, type Reduction, reductionOf } from "./accumulate.ts";
import { accumulateLanes } from "./accumulate-lanes.ts";
import { collapse } from "./collapse.ts";
import { type Draft, inLanes, type LoopAxis, nest } from "./draft.ts";
import { indexBy, storePoints } from "./loop.ts";
import { makePanel, type Panel, panelLength } from "./panel.ts";
import { accumulateRow, rowVectorAxis } from "./row-vector.ts";
import { stridesOf } from "./strides.ts";

export function lowerReduction(draft: Draft, iteration: Iteration): readonly Stmt[] {
  const { shape, outer } = iteration;
  const given = iteration.reductions.map((node) => reductionOf(draft, node));
  // Several reductions share their loops, and would have to agree.
  const reductions = draft.tiles.lanes > 1 && given.length === 1 ? given.map(collapse) : given;
  const outerShape = outer.map((axis) => shape[axis]!);
  const first = reductions[0]!;
  const plan = planOf(draft, iteration, reductions);
  const { order, lanes } = plan;
  const axisOf = ({ axis, width, role }: OuterPlan): LoopAxis => ({
    stem: role === "m" || role === "n" ? role : `i${axis}`,
    size: outerShape[axis]!,
    width,
    role,
    mode: "parallel",
    ...(lanes === axis ? { lanes: 4 as const } : {}),
    ...(role === "m" && draft.tiles.stretch ? { stretch: true } : {}),
    ...(role === "m" && row ? { part: "tiles" as const } : {}),
  });
  const row = rowsAlone(order, outerShape) ? rowVectorAxis(draft, first, plan, outerShape) : undefined;
  const axes = order.map(axisOf);
  const role = first.rule.contraction || reducedAxes(first.node) ? "k" : "window";
  const lane = lanes === undefined ? "" : draft.fresh("lane");
  const laneRole = order.find(({ axis }) => axis === lanes)?.role ?? "element";
  /** The points of a tile, with a vector of them where there is one in the place of a position. */
  const pointsAt = (positions: readonly (readonly Expr[])[], at: Expr): (readonly Expr[])[] =>
    pointsOf(
      order,
      positions.map((list, i) => (order[i]!.axis === lanes ? list.map((from) => k.add(from, at)) : list)),
    );
  const storeAt = (points: readonly (readonly Expr[])[]): readonly Stmt[] =>
    storePoints(
      draft,
      points.flatMap((point) => {
        const index: Expr[] = shape.map(() => k.index(0));
        outer.forEach((axis, i) => {
          index[axis] = point[i]!;
        });
        return draft.outputs.map((output) => ({ output, index: indexBy(iteration.access.get(output)!, index) }));
      }),
    );
  const tile = (positions: readonly (readonly Expr[])[], vector: boolean, panel?: Panel): readonly Stmt[] =>
    inLanes(lane, vector, laneRole, (at) => {
      const points = pointsAt(positions, at);
      const sums = accumulateAt(draft, reductions, points, role, lanes === "inner", panel);
      return [...sums, ...storeAt(points)];
    });
  /** Rows that whole tiles leave, one by one. */
  const rest = (): readonly Stmt[] => {
    const size = row && outerShape[row.axis];
    if (!row || typeof size !== "number") return [];
    const others = order.filter((entry) => entry !== row);
    const scratch = draft.fresh("row");
    const rows = others.map((entry) => ({
      ...axisOf(entry),
      ...(entry.role === "m" ? { part: "rest" as const } : {}),
    }));
    const loops = nest(rows, draft.fresh, (positions) => {
      const pointAt = (column: Expr): readonly Expr[] =>
        order.reduce<readonly Expr[]>((point, entry) => {
          const at = entry === row ? column : positions[others.indexOf(entry)]![0]!;
          return assign(point, entry.axis, at);
        }, []);
      return accumulateRow(draft, first, scratch, size, pointAt, (column) => storeAt([pointAt(column)]));
    });
    return [k.alloc(scratch, "f32", size), ...loops];
  };
  const columns = order[0]?.role === "n" ? order[0].width : 0;
  const length = columns > 0 ? panelLength(first, columns) : undefined;
  if (length === undefined || length > draft.tiles.panel || !isReused(order, outerShape, draft.tiles)) {
    return [...nest(axes, draft.fresh, (positions, vector) => tile(positions, vector)), ...rest()];
  }
  const name = draft.fresh("panel");
  const loops = nest(axes.slice(0, 1), draft.fresh, ([at], vector) => {
    const rows = axes.slice(1).map(() => k.variable(draft.fresh("row"), "index"));
    const panel = makePanel(draft, first, {
      name,
      lane: vector ? { name: lane, role: laneRole } : undefined,
      points: pointsAt([at!, ...rows.map((row) => [row])], vector ? k.variable(lane, "index") : k.index(0)),
      rows: rows.map((row) => (row.kind === "variable" ? row.name : "")),
    });
    const inner = nest(axes.slice(1), draft.fresh, (positions) => tile([at!, ...positions], vector, panel));
    return [...(panel?.fill ?? []), ...inner];
  });
  return [k.alloc(name, "f32", length), ...loops, ...rest()];
}

/** Whether there may be rows that no tile takes: those of a batch of free size, or the only one. */
const rowsAlone = (order: readonly OuterPlan[], shape: readonly Dim[]): boolean =>
  order.some(({ axis, role }) => role === "m" && typeof shape[axis] !== "number");

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

/** The points of a tile: every combination of positions, as indices in the order of the result's axes. */
function pointsOf(plan: readonly OuterPlan[], positions: readonly (readonly Expr[])[]): (readonly Expr[])[] {
  let points: Expr[][] = [[]];
  plan.forEach(({ axis }, i) => {
    points = points.flatMap((point) => positions[i]!.map((at) => assign(point, axis, at)));
  });
  return points;
}

function assign(point: readonly Expr[], axis: number, at: Expr): Expr[] {
  const copy = [...point];
  copy[axis] = at;
  return copy;
}

function planOf(draft: Draft, iteration: Iteration, reductions: readonly Reduction[]): ReductionPlan {
  const { shape, outer, reduced } = iteration;
  const { tiles } = draft;
  const outerShape = outer.map((axis) => shape[axis]!);
  const first = reductions[0]!;
  const length = productOf(first.rule.domain(first.context));
  const strides = stridesOf(reductions, tiles.lanes);
  const contraction = first.rule.contraction?.(first.context);
  if (contraction) {
    const second = first.context.inputTypes[1]!;
    const panelBytes = bytesAt(second.shape, bytesOf[second.dtype], tiles);
    const depth = typeof length === "number" ? length : undefined;
    return planContraction({ shape: outerShape, ...contraction, ...strides, depth, panelBytes }, tiles);
  }
  // Neighbouring results come from neighbouring elements, unless the sum itself runs along the last axis.
  const side = reduced.length > 0 ? !reduced.includes(shape.length - 1) : outerShape.length > 0;
  return planReduction({ shape: outerShape, ...strides, side }, tiles);
}
