// Points of a tile from the positions along each loop around it.

import type { Expr } from "../../ir/kernel/types.ts";
import type { OuterPlan } from "../schedule/reduction.ts";

/**
 * The points of a tile: every combination of positions, as indices in the order of the result's axes. The columns of a row come one
 * after the other, so that the value of a row is needed only while they are computed.
 */
export function pointsOf(plan: readonly OuterPlan[], positions: readonly (readonly Expr[])[]): (readonly Expr[])[] {
  let points: Expr[][] = [[]];
  const along = plan.map(({ axis, role }, i) => ({ axis, isColumn: role === "n", list: positions[i]! }));
  for (const { axis, list } of [
    ...along.filter((entry) => !entry.isColumn),
    ...along.filter((entry) => entry.isColumn),
  ]) {
    points = points.flatMap((point) => list.map((at) => assign(point, axis, at)));
  }
  return points;
}

export function assign(point: readonly Expr[], axis: number, at: Expr): Expr[] {
  const copy = [...point];
  copy[axis] = at;
  return copy;
}
