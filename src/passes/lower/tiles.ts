// Loops over tiles of the result of a reduction, in the way that was chosen (see choice.ts).

import type { Dim } from "../../ir/dim.ts";
import { k } from "../../ir/kernel/build.ts";
import type { Expr, LoopRole, Stmt } from "../../ir/kernel/types.ts";
import { reducedAxes } from "../graph/fuse-roles.ts";
import { notesOf, type OuterPlan } from "../schedule/reduction.ts";
import { accumulate } from "./accumulate.ts";
import { accumulateLanes } from "./accumulate-lanes.ts";
import type { Choice } from "./choice.ts";
import { noteOf } from "./column-blocks.ts";
import { type Draft, inLanes, type LoopAxis, nest } from "./draft.ts";
import { insideOf } from "./interior.ts";
import type { Bounds } from "./narrow.ts";
import { lowerPacked } from "./packed.ts";
import type { Panel } from "./panel.ts";
import { partialOf, type Reduction } from "./registers.ts";
import { rowByRow } from "./row-vector.ts";
import { lowerShortRows } from "./short-rows.ts";
import type { StoreAt } from "./slices.ts";
import { lowerSplit } from "./split-sum.ts";
import { pointsIn, type Tiling } from "./tiling.ts";
import { createWaiting } from "./waiting.ts";

export interface TileEnd {
  /** Stores what is computed at points, and whether functions such as erf are computed there. */
  readonly store: StoreAt;
  readonly ends: "functions" | "stores";
  /** The part of the sum that is meant. */
  readonly slice?: Bounds;
}

export function lowerTiles(
  draft: Draft,
  given: readonly Reduction[],
  outerShape: readonly Dim[],
  { plan, sums, rows, row, isGuarded }: Choice,
  { store: storeAt, ends, slice }: TileEnd,
): readonly Stmt[] {
  const inParts = sums.kind === "split" || sums.kind === "short rows";
  const reductions = slice && !inParts ? given.map((reduction) => ({ ...reduction, slice })) : given;
  const first = reductions[0]!;
  const waits = draft.tiles.lanes > 1 && reductions.length === 1 && ends === "functions";
  const waiting = waits ? createWaiting(draft, first.node.results[0]!, storeAt) : undefined;
  const { order, alone, lanes } = plan;
  const inner = { isGuarded };
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
  const pointsAt = pointsIn(lanes);
  /** The reductions, with what is known of an interior. */
  const knownAt = (arranged: readonly OuterPlan[], inside: boolean): readonly Reduction[] => {
    const bordered = inside ? arranged.find((entry) => entry.interior) : undefined;
    return bordered ? reductions.map((reduction) => insideOf(reduction, bordered.axis)) : reductions;
  };
  const accumulateIn: Tiling["accumulate"] = (arranged, points, inside, panel) =>
    accumulateAt(draft, knownAt(arranged, inside), points, role, lanes === "inner" ? inner : undefined, panel);
  const tile: Tiling["tile"] = (arranged, positions, { vector, inside }, panel) =>
    inLanes(lane, vector, laneRole, (at) => {
      const points = pointsAt(arranged, positions, at);
      const sums = accumulateIn(arranged, points, inside.length > 0, panel);
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
  if (sums.kind === "short rows") {
    return lowerShortRows(draft, sums.parts, {
      axes: order.map(axisOf),
      order,
      shape: outerShape,
      columns: sums.columns,
      points: (positions, at) => pointsAt(order, positions, at),
      lane: { name: lane, role: laneRole },
      accumulate: (points, part) => accumulate(draft, [part], points, role),
      store: storeAt,
      slice,
    });
  }
  const size = row && outerShape[row.axis];
  const rest =
    row && typeof size === "number" ? rowByRow(draft, first, order.map(axisOf), order, row, size, storeAt) : [];
  if (rows === "single" && row) {
    draft.note("one row: several terms at a time, whose sums over all columns wait in the fastest cache");
    return rest;
  }
  const packed = sums.kind === "packed" ? lowerPacked(tiling, sums) : undefined;
  if (packed?.block) draft.note(noteOf(packed.block));
  for (const line of notesOf(plan, sums.kind === "packed" || sums.kind === "split" ? sums.kind : undefined)) {
    draft.note(line);
  }
  if (sums.kind === "split") return lowerSplit(tiling, sums.split, slice);
  if (!packed) {
    const loops = arrangements.flatMap((arranged) =>
      nest(arranged.map(axisOf), draft.fresh, (positions, within) => tile(arranged, positions, within)),
    );
    return [...(waiting?.alloc() ?? []), ...loops, ...rest];
  }
  const { ahead } = packed;
  if (ahead) {
    draft.note("the columns are packed ahead of runs, whenever what they are made of has changed");
    draft.makeAhead(ahead);
  }
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

/** The innermost loop of a sum in vectors. */
interface InnerLanes {
  readonly isGuarded: boolean;
}

/** Accumulates in vectors along the innermost loop where `inner` is given, else in scalars (which `vectorize` may lift to lanes of the result). */
function accumulateAt(
  draft: Draft,
  reductions: readonly Reduction[],
  points: readonly (readonly Expr[])[],
  role: LoopRole,
  inner: InnerLanes | undefined,
  panel: Panel | undefined,
): readonly Stmt[] {
  const inVectors = inner ? accumulateLanes(draft, reductions, points, role, inner.isGuarded) : undefined;
  if (inVectors) return inVectors;
  const partial = points.length === 1 ? partialOf(draft, reductions) : 1;
  return accumulate(draft, reductions, points, role, partial, panel);
}
