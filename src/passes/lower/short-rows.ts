// Long sums for few results, as the weight gradient of a convolution that rests on few channels: the sum runs outside, over parts that
// stay in the fastest cache, and the sums of a block of columns, which fill lines of the cache, wait in scratch memory.

import { type Dim, productOf } from "../../ir/dim.ts";
import { k } from "../../ir/kernel/build.ts";
import type { Expr, LoopRole, Stmt } from "../../ir/kernel/types.ts";
import type { OuterPlan, ReductionPlan } from "../schedule/reduction.ts";
import { collapse } from "./collapse.ts";
import { type Draft, inLanes, type LoopAxis, nest } from "./draft.ts";
import { assume, type Bounds, conditionsAround } from "./narrow.ts";
import type { Reduction } from "./registers.ts";
import { clearSums, waitingAt } from "./split-sum.ts";

export interface Parts {
  /** The sum over one part, at the values of `variables`. */
  readonly part: Reduction;
  /** How many parts there are, along each leading axis of the domain. */
  readonly parts: readonly { readonly name: string; readonly size: Dim }[];
}

/** The parts of the sum: as long as a cache holds what they read. Undefined where sums cannot be added up in parts. */
export function partsOf(
  draft: Draft,
  { node, rule, context }: Reduction,
  { order, lanes }: ReductionPlan,
  shape: readonly Dim[],
): Parts | undefined {
  const [sum, ...more] = rule.accumulators(context);
  const domain = rule.domain(context);
  const rows = productOf(order.slice(1).map(({ axis }) => shape[axis]!));
  if (order[0]?.axis !== lanes || more.length > 0 || sum?.type !== "f32" || rule.finish) return undefined;
  if (typeof rows !== "number" || rows * draft.tiles.columns > draft.tiles.panel) return undefined;
  const isShort = (count: number): boolean => {
    const length = productOf(domain.slice(count));
    return typeof length === "number" && length <= draft.tiles.partLength;
  };
  const count = domain.findIndex((_, i) => isShort(i + 1)) + 1;
  if (count === 0 || count === domain.length) return undefined;
  const parts = domain.slice(0, count).map((size) => ({ name: draft.fresh("k"), size }));
  const at = parts.map(({ name }) => k.variable(name, "index"));
  const part: Reduction = {
    node,
    context,
    rule: {
      ...rule,
      domain: () => domain.slice(count),
      step: (within, index, point, sums) => rule.step(within, index, [...at, ...point], sums),
    },
  };
  return { part: collapse(part), parts };
}

export interface ShortRowOptions {
  /** The loops over the result: blocks of columns first. */
  readonly axes: readonly LoopAxis[];
  readonly order: readonly OuterPlan[];
  readonly shape: readonly Dim[];
  /** Columns of a tile: of a block there may be several. */
  readonly columns: number;
  /** The points at positions along each axis, at a place in the vectors. */
  readonly points: (positions: readonly (readonly Expr[])[], at: Expr) => readonly (readonly Expr[])[];
  readonly lane: { readonly name: string; readonly role: LoopRole };
  readonly accumulate: (points: readonly (readonly Expr[])[], part: Reduction) => readonly Stmt[];
  readonly store: (points: readonly (readonly Expr[])[]) => readonly Stmt[];
  /** Of the outermost loop over parts, where not all of it is meant. */
  readonly slice: Bounds | undefined;
}

export function lowerShortRows(draft: Draft, { part, parts }: Parts, options: ShortRowOptions): readonly Stmt[] {
  const { axes, order, shape, lane, slice } = options;
  const { lanes } = draft.tiles;
  const result = part.node.results[0]!;
  const sums = draft.fresh("sums");
  const rows = Number(productOf(order.slice(1).map(({ axis }) => shape[axis]!)));
  const loops = nest(axes.slice(0, 1), draft.fresh, ([at], { vector }) => {
    const first = at![0]!;
    const width = at!.length * (vector ? lanes : 1);
    const waiting = (point: readonly Expr[]): Expr => waitingAt(order, shape, point, first, width);
    /** All tiles of the block. */
    const tiles = (body: (points: readonly (readonly Expr[])[]) => readonly Stmt[]): readonly Stmt[] =>
      nest(axes.slice(1), draft.fresh, (positions) =>
        columnsOf(at!, vector, (columns) =>
          inLanes(lane.name, vector, lane.role, (to) => body(options.points([columns, ...positions], to))),
        ),
      );
    const columnsOf = (
      all: readonly Expr[],
      isVector: boolean,
      body: (columns: readonly Expr[]) => readonly Stmt[],
    ): readonly Stmt[] => {
      const most = options.columns / lanes;
      if (!isVector || all.length <= most) return body(all);
      const step = most * lanes;
      const inner = (from: Expr): readonly Stmt[] =>
        body(Array.from({ length: most }, (_, i) => k.add(k.add(first, from), i * lanes)));
      return [k.loop(draft.fresh("n"), all.length * lanes, inner, { step, mode: "parallel", role: "n" })];
    };
    const add = tiles((points) => {
      const { known, inside } = where(part, points);
      const more = [
        ...options.accumulate(points, inside),
        ...points.map((point) => {
          const sum = k.add(k.load(sums, waiting(point), "f32"), draft.elements.element(result, point));
          return k.store(sums, waiting(point), sum);
        }),
      ];
      return known ? [k.if(known, more)] : more;
    });
    const end = tiles((points) => {
      for (const point of points) draft.elements.define(result, point, k.load(sums, waiting(point), "f32"));
      return options.store(points);
    });
    const loop = parts.reduceRight<readonly Stmt[]>((body, { name, size }, i) => {
      const { from, to } = (i === 0 ? slice : undefined) ?? { from: k.index(0), to: k.fromDim(size) };
      return [k.loop(name, to, body, { from, role: "k" })];
    }, add);
    return [...clearSums(draft, sums, rows * width, draft.tiles), ...loop, ...end];
  });
  return [k.alloc(sums, "f32", rows * draft.tiles.columns), ...loops];
}

/** On what a whole part of the sum depends at a tile, as on its row of the image being there, and the part where that holds. */
function where(
  part: Reduction,
  points: readonly (readonly Expr[])[],
): { readonly known: Expr | undefined; readonly inside: Reduction } {
  const { rule, context } = part;
  const sums = rule.accumulators(context).map((value, i) => k.variable(`?a${i}`, value.type));
  const domain = rule.domain(context).map((_, i) => k.variable(`?k${i}`, "index"));
  const steps = points.flatMap((point) => rule.step(context, point, domain, sums));
  const before = points.flatMap(() => sums);
  const known = conditionsAround(steps, before, domain);
  if (known.length === 0) return { known: undefined, inside: part };
  const step: typeof rule.step = (...given) => rule.step(...given).map((value) => assume(value, known));
  return { known: known.reduce<Expr>(k.and, k.bool(true)), inside: { ...part, rule: { ...rule, step } } };
}
