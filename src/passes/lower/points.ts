// Points of a tile from the positions along each loop around it.

import type { Expr } from "../../ir/kernel/types.ts";
import type { OuterPlan } from "../schedule/reduction.ts";

/** The points of a tile: every combination of positions, as indices in the order of the result's axes. */
export function pointsOf(plan: readonly OuterPlan[], positions: readonly (readonly Expr[])[]): (readonly Expr[])[] {
  let points: Expr[][] = [[]];
  plan.forEach(({ axis }, i) => {
    points = points.flatMap((point) => positions[i]!.map((at) => assign(point, axis, at)));
  });
  return points;
}

export function assign(point: readonly Expr[], axis: number, at: Expr): Expr[] {
  const copy = [...point];
  copy[axis] = at;
  return copy;
}
