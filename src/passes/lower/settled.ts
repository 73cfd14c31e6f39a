// Whether panels of columns can be filled ahead of runs: their columns come from what the graph leaves as it is.

import type { Dim } from "../../ir/dim.ts";
import { k } from "../../ir/kernel/build.ts";
import { definedIn, eachPartIn } from "../../ir/kernel/visit.ts";
import { type ReductionPlan, sizeAt } from "../schedule/reduction.ts";
import type { Draft } from "./draft.ts";
import type { Reduction } from "./registers.ts";
import { panelAt, pointsIn } from "./tiling.ts";

/** Filled ahead, panels pay from two rows on: a single one reads everything once, as it lies. */
export function canFillAhead(
  draft: Draft,
  first: Reduction,
  { order, lanes }: ReductionPlan,
  shape: readonly Dim[],
): boolean {
  const columns = order[0];
  if (!draft.isSettled || columns?.role !== "n" || typeof shape[columns.axis] !== "number") return false;
  const { freeSize, keptRows } = draft.tiles;
  const rows = order.slice(1).reduce((product, { axis }) => product * sizeAt(shape[axis]!, freeSize), 1);
  return rows > 1 && rows <= keptRows && readsSettled(draft, first, { order, lanes }, draft.isSettled);
}

/** Whether the panel of any column is filled from nothing but what is the same from run to run, whatever the free sizes are. */
function readsSettled(
  draft: Draft,
  first: Reduction,
  { order, lanes }: Pick<ReductionPlan, "order" | "lanes">,
  isSettled: (buffer: string) => boolean,
): boolean {
  const [column, lane] = [draft.fresh("column"), draft.fresh("lane")];
  const tiling = { draft, order, lane: { name: lane, role: "n" as const }, pointsAt: pointsIn(lanes) };
  const panel = panelAt(tiling, first, "", [k.variable(column, "index")], order[0]!.axis === lanes);
  if (!panel || ![...panel.reads].every(isSettled)) return false;
  const bound = new Set([column, lane, ...definedIn(panel.fill)]);
  let isBound = true;
  eachPartIn(panel.fill, (part) => {
    if (part.kind === "variable" && !bound.has(part.name)) isBound = false;
  });
  return isBound;
}
