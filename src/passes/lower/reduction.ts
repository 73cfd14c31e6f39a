// Reductions, contractions and windows, with what is fused before and behind them: loops over the result, a tile of it in
// registers, and the element operations on the results where they are stored.

import type { Dim } from "../../ir/dim.ts";
import { bytesOf } from "../../ir/dtype.ts";
import { mentions } from "../../ir/kernel/affine.ts";
import { k } from "../../ir/kernel/build.ts";
import type { Expr, Stmt } from "../../ir/kernel/types.ts";
import { reducedAxes } from "../graph/fuse-roles.ts";
import type { Iteration } from "../graph/iteration.ts";
import { bytesAt, type OuterPlan, planContraction, planReduction, sizeAt } from "../schedule/reduction.ts";
import type { TileTable } from "../schedule/tiles.ts";
import { accumulate, partialOf, type Reduction, reductionOf } from "./accumulate.ts";
import { childrenOf } from "./bind.ts";
import { type Draft, nest } from "./draft.ts";
import { indexBy, storePoints } from "./loop.ts";
import { makePanel, type Panel, panelLength } from "./panel.ts";

export function lowerReduction(draft: Draft, iteration: Iteration): readonly Stmt[] {
  const { shape, outer } = iteration;
  const reductions = iteration.reductions.map((node) => reductionOf(draft, node));
  const outerShape = outer.map((axis) => shape[axis]!);
  const plan = planOf(draft, iteration, reductions);
  const axes = plan.map(({ axis, width, role }) => ({
    stem: role === "m" || role === "n" ? role : `i${axis}`,
    size: outerShape[axis]!,
    width,
    role,
    mode: "parallel" as const,
  }));
  const first = reductions[0]!;
  const role = first.rule.contraction || reducedAxes(first.node) ? "k" : "window";
  const tile = (positions: readonly (readonly Expr[])[], panel?: Panel): readonly Stmt[] => {
    const points = pointsOf(plan, positions);
    const partial = points.length === 1 ? partialOf(draft, reductions) : 1;
    const sums = accumulate(draft, reductions, points, role, partial, panel);
    const stores = storePoints(
      draft,
      points.flatMap((point) => {
        const index: Expr[] = shape.map(() => k.index(0));
        outer.forEach((axis, i) => {
          index[axis] = point[i]!;
        });
        return draft.outputs.map((output) => ({ output, index: indexBy(iteration.access.get(output)!, index) }));
      }),
    );
    return [...sums, ...stores];
  };
  const columns = plan[0]?.role === "n" ? plan[0].width : 0;
  const length = columns > 0 ? panelLength(first, columns) : undefined;
  if (length === undefined || length > draft.tiles.panel || !isReused(plan, outerShape, draft.tiles)) {
    return nest(axes, draft.fresh, (positions) => tile(positions));
  }
  const name = draft.fresh("panel");
  const loops = nest(axes.slice(0, 1), draft.fresh, ([at]) => {
    const rows = axes.slice(1).map(() => k.variable(draft.fresh("row"), "index"));
    const panel = makePanel(
      draft,
      first,
      name,
      pointsOf(plan, [at!, ...rows.map((row) => [row])]),
      rows.map((row) => (row.kind === "variable" ? row.name : "")),
    );
    const inner = nest(axes.slice(1), draft.fresh, (positions) => tile([at!, ...positions], panel));
    return [...(panel?.fill ?? []), ...inner];
  });
  return [k.alloc(name, "f32", length), ...loops];
}

/** Whether so many tiles of rows read the same columns that copying them first pays. */
function isReused(plan: readonly OuterPlan[], shape: readonly Dim[], tiles: TileTable): boolean {
  const rows = plan.slice(1).map(({ axis, width }) => Math.floor(sizeAt(shape[axis]!, tiles.freeSize) / width));
  return rows.reduce((a, b) => a * b, 1) >= tiles.panelReuse;
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

function planOf(draft: Draft, iteration: Iteration, reductions: readonly Reduction[]): OuterPlan[] {
  const { shape, outer, reduced } = iteration;
  const outerShape = outer.map((axis) => shape[axis]!);
  const first = reductions[0]!;
  const contraction = first.rule.contraction?.(first.context);
  if (contraction) {
    const second = first.context.inputTypes[1]!;
    const panelBytes = bytesAt(second.shape, bytesOf[second.dtype], draft.tiles);
    return planContraction({ shape: outerShape, ...contraction, guarded: guardedAxes(first), panelBytes }, draft.tiles);
  }
  // Neighbouring results come from neighbouring elements, unless the sum itself runs along the last axis.
  const contiguous = reduced.length > 0 ? !reduced.includes(shape.length - 1) : outerShape.length > 0;
  return planReduction(outerShape, contiguous, draft.tiles);
}

/** Axes of the result that occur in conditions of the step: padding is there on one side of them, or on both. */
function guardedAxes(reduction: Reduction): Set<number> {
  const { rule, context } = reduction;
  const rank = context.resultTypes[0]!.shape.length;
  const index = Array.from({ length: rank }, (_, axis) => k.variable(`?${axis}`, "index"));
  const point = rule.domain(context).map((_, i) => k.variable(`?k${i}`, "index"));
  const names = rule.accumulators(context).map((value, i) => k.variable(`?a${i}`, value.type));
  const guarded = new Set<number>();
  const visit = (expr: Expr): void => {
    if (expr.kind === "compare" && expr.a.type === "index") {
      for (let axis = 0; axis < rank; axis++) if (mentions(expr, `?${axis}`)) guarded.add(axis);
    }
    childrenOf(expr).forEach(visit);
  };
  rule.step(context, index, point, names).forEach(visit);
  return guarded;
}
