// What the loops over tiles of one reduction have in common, whichever way they read its second operand.

import type { Dim } from "../../ir/dim.ts";
import { k } from "../../ir/kernel/build.ts";
import type { Expr, LoopRole, Stmt } from "../../ir/kernel/types.ts";
import type { OuterPlan, ReductionPlan } from "../schedule/reduction.ts";
import type { Draft, LoopAxis, Within } from "./draft.ts";
import { makePanel, type Panel, type PanelOptions } from "./panel.ts";
import { pointsOf } from "./points.ts";
import type { Reduction } from "./registers.ts";

export type Arrangement = readonly OuterPlan[];

/** Of each axis of an arrangement those of a tile; or those of each point of it. */
export type Positions = readonly (readonly Expr[])[];

export interface Tiling {
  readonly draft: Draft;
  readonly first: Reduction;
  /** Of the result. */
  readonly shape: readonly Dim[];
  /** The loops over the result, outermost first, and those over what they leave. */
  readonly order: Arrangement;
  readonly arrangements: readonly Arrangement[];
  /** The axis of the result that is computed in vectors, or `inner`: the innermost loop of the sum is. */
  readonly lanes: number | "inner" | undefined;
  readonly lane: { readonly name: string; readonly role: LoopRole };
  /** Of the loops over what is summed up. */
  readonly role: LoopRole;
  axisOf(entry: OuterPlan): LoopAxis;
  /** The points of a tile, with a vector of them where there is one in the place of a position. */
  pointsAt(arranged: Arrangement, positions: Positions, at: Expr): Positions;
  /** Adds up the sums of points. */
  accumulate(arranged: Arrangement, points: Positions, inside: boolean, panel?: Panel): readonly Stmt[];
  store(points: Positions): readonly Stmt[];
  /** Adds up and stores a tile. */
  tile(arranged: Arrangement, positions: Positions, within: Within, panel?: Panel): readonly Stmt[];
}

/** `pointsAt` where the axis `lanes` is computed in vectors. */
export const pointsIn =
  (lanes: ReductionPlan["lanes"]): Tiling["pointsAt"] =>
  (arranged, positions, at) =>
    pointsOf(
      arranged,
      positions.map((list, i) => (arranged[i]!.axis === lanes ? list.map((from) => k.add(from, at)) : list)),
    );

/** The panel of the columns at `at`, for all rows. */
export function panelAt(
  { draft, order, lane, pointsAt }: Pick<Tiling, "draft" | "order" | "lane" | "pointsAt">,
  reduction: Reduction,
  name: string,
  at: readonly Expr[],
  vector: boolean,
  more: Pick<PanelOptions, "columns" | "distance" | "each"> = {},
): Panel | undefined {
  const rows = order.slice(1).map(() => draft.fresh("row"));
  const variables = rows.map((variable) => [k.variable(variable, "index")]);
  return makePanel(draft, reduction, {
    name,
    lane: vector ? lane : undefined,
    points: pointsAt(order, [at, ...variables], vector ? k.variable(lane.name, "index") : k.index(0)),
    rows,
    ...more,
  });
}
