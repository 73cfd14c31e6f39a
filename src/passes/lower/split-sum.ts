// Long sums in parts: where the second operand is too large for a panel, its outermost part (an image of a batch, say) is packed at a
// time, and the sums of all rows wait in scratch memory in between. A weight gradient of a convolution is such a sum.

import { type Dim, productOf } from "../../ir/dim.ts";
import { k } from "../../ir/kernel/build.ts";
import type { Expr, Stmt } from "../../ir/kernel/types.ts";
import type { OuterPlan, ReductionPlan } from "../schedule/reduction.ts";
import type { TileTable } from "../schedule/tiles.ts";
import { accumulate } from "./accumulate.ts";
import { collapse } from "./collapse.ts";
import { type Draft, inLanes, type LoopAxis, nest, nestLanes } from "./draft.ts";
import { linearIndex } from "./elements.ts";
import type { Bounds } from "./narrow.ts";
import type { Reduction } from "./registers.ts";
import { type Positions, panelAt, type Tiling } from "./tiling.ts";

export interface Split {
  /** The sum over one part, at the value of `variable`. */
  readonly part: Reduction;
  readonly variable: string;
  /** How many parts there are. */
  readonly parts: Dim;
  /** Rows of results: the sums that wait are so many times the columns of a tile. */
  readonly rows: number;
  /** Elements of the panel of a part. */
  readonly panel: number;
}

/** How to split a sum of a plan whose outermost loop runs over tiles of columns; undefined where that is not possible or worth it. */
export function splitOf(
  draft: Draft,
  { node, rule, context }: Reduction,
  { order, alone, lanes }: ReductionPlan,
  shape: readonly Dim[],
): Split | undefined {
  const { tiles } = draft;
  const [columns, ...others] = order;
  const [parts, ...domain] = rule.domain(context);
  const depth = productOf(domain);
  const rows = productOf(others.map(({ axis }) => shape[axis]!));
  const [sum, ...more] = rule.accumulators(context);
  if (columns?.role !== "n" || columns.axis !== lanes || alone || more.length > 0 || sum?.type !== "f32")
    return undefined;
  if (parts === undefined || typeof depth !== "number" || typeof rows !== "number" || rule.finish) return undefined;
  const panel = depth * columns.width;
  if (panel > tiles.panel || depth < tiles.splitDepth || rows * columns.width > tiles.panel) return undefined;
  const variable = draft.fresh("k");
  const at = k.variable(variable, "index");
  const part: Reduction = {
    node,
    context,
    rule: {
      ...rule,
      domain: () => domain,
      step: (within, index, point, sums) => rule.step(within, index, [at, ...point], sums),
    },
  };
  return { part: collapse(part), variable, parts, rows, panel };
}

/** Where the sum of a point waits: rows in the order of the other loops, the columns of a tile side by side. */
export function waitingAt(
  order: readonly OuterPlan[],
  shape: readonly Dim[],
  point: readonly Expr[],
  first: Expr,
  width: number,
): Expr {
  const [columns, ...others] = order;
  const row = linearIndex(
    others.map(({ axis }) => point[axis]!),
    others.map(({ axis }) => shape[axis]!),
  );
  return k.add(k.multiply(row, width), k.subtract(point[columns!.axis]!, first));
}

/** Sets the waiting sums to 0. */
export function clearSums(draft: Draft, name: string, length: number, tiles: TileTable): readonly Stmt[] {
  const axis: LoopAxis = {
    stem: "i",
    size: length,
    width: 1,
    role: "element",
    mode: "serial",
    ...(tiles.lanes > 1 ? { lanes: 4 as const } : {}),
  };
  return nestLanes([axis], draft.fresh, ([at]) => [k.store(name, at![0]!, k.constant(0, "f32"))]);
}

/** The loops of a sum in parts, or of some of them: all rows add a part, then the next is packed. */
export function lowerSplit(tiling: Tiling, split: Split, slice?: Bounds): readonly Stmt[] {
  const { draft, first, shape, order, lane, role, axisOf, pointsAt, store } = tiling;
  const columns = order[0]!;
  const [name, sums] = [draft.fresh("panel"), draft.fresh("sums")];
  const result = first.node.results[0]!;
  const loops = nest([axisOf(columns)], draft.fresh, ([at], { vector }) => {
    const width = at!.length * (vector ? draft.tiles.lanes : 1);
    const waiting = (point: readonly Expr[]): Expr =>
      k.load(sums, waitingAt(order, shape, point, at![0]!, width), "f32");
    const panel = panelAt(tiling, split.part, name, at!, vector);
    const rows = (body: (points: Positions) => readonly Stmt[]): readonly Stmt[] =>
      nest(order.slice(1).map(axisOf), draft.fresh, (positions) =>
        inLanes(lane.name, vector, lane.role, (to) => body(pointsAt(order, [at!, ...positions], to))),
      );
    const add = rows((points) => [
      ...accumulate(draft, [split.part], points, role, 1, panel),
      ...points.map((point) => {
        const sum = k.add(waiting(point), draft.elements.element(result, point));
        return k.store(sums, waitingAt(order, shape, point, at![0]!, width), sum);
      }),
    ]);
    const end = rows((points) => {
      for (const point of points) draft.elements.define(result, point, waiting(point));
      return store(points);
    });
    return [
      ...clearSums(draft, sums, split.rows * width, draft.tiles),
      k.loop(split.variable, slice?.to ?? k.fromDim(split.parts), [...(panel?.fill ?? []), ...add], {
        from: slice?.from ?? k.index(0),
        role: "k",
      }),
      ...end,
    ];
  });
  return [k.alloc(name, "f32", split.panel), k.alloc(sums, "f32", split.rows * columns.width), ...loops];
}
