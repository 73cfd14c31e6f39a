// How the operands of a reduction are walked through: which axes of the result, and whether its innermost loop, pass through memory
// element by element, and where conditions depend on the position. Schedules choose by this.

import { mentions, strideOf } from "../../ir/kernel/affine.ts";
import { k } from "../../ir/kernel/build.ts";
import { childrenOf } from "../../ir/kernel/query.ts";
import { type Expr, vectorOf } from "../../ir/kernel/types.ts";
import type { Interval } from "../schedule/reduction.ts";
import type { TileTable } from "../schedule/tiles.ts";

import { narrowed } from "./accumulate.ts";
import { domainInteriorOf, insideOf, interiorOf } from "./interior.ts";
import { combination, type Reduction } from "./registers.ts";

export interface Strides {
  /** Axes of the result along which every operand moves by one element, or not at all; between borders, where there are such. */
  readonly contiguous: ReadonlySet<number>;
  /** Axes of the result along which operands move by the same few elements each step, so that few vectors hold four of them. */
  readonly spaced: ReadonlySet<number>;
  /** Axes of the result that occur in conditions of the step: padding is there on one side of them, or on both. */
  readonly guarded: ReadonlySet<number>;
  /**
   * Whether the innermost loop of the domain may run in vectors with a partial result for each lane: all operands move by one
   * element (of a contraction a few) or not at all, and partial results can be combined.
   */
  readonly inner: boolean;
  /** Whether conditions depend on that loop, which may be what bounds it. */
  readonly innerGuarded: boolean;
  /** Of guarded axes: between which positions every element exists, where that is known. */
  readonly interior: ReadonlyMap<number, Interval>;
  /** Of guarded axes: at how many places of the domain conditions depend on the position, where these are few. */
  readonly borders: ReadonlyMap<number, number>;
}

/**
 * Looks at one step of reductions that share their domain, for vectors as the tiles have them: at a point of variables, or at the
 * `point` where what they depend on is known already.
 */
export function stridesOf(
  reductions: readonly Reduction[],
  { lanes, inner }: Pick<TileTable, "lanes" | "inner">,
  point?: readonly Expr[],
): Strides {
  const { rule, context } = reductions[0]!;
  const axes = context.resultTypes[0]!.shape.map((_, axis) => `?${axis}`);
  const domain = rule.domain(context).map((_, i) => `?k${i}`);
  const values = reductions.flatMap((reduction) =>
    stepAt(reduction, point ?? axes.map(variableOf), domain.map(variableOf)),
  );
  const { loads, conditions } = partsOf(values);
  const isGuarded = (name: string): boolean => [...conditions].some((condition) => mentions(condition, name));
  const last = domain.at(-1);
  /** The innermost loop where limits take the place of conditions on it. */
  const bounded = (): ReadonlySet<Load> | undefined => {
    const places = domain.map(variableOf);
    const narrowing = narrowed(reductions, [point ?? axes.map(variableOf)], places);
    const bounds = narrowing?.bounds.get(domain.length - 1);
    return narrowing && bounds?.step === 1 ? partsOf(values.map(narrowing.simplify)).loads : undefined;
  };
  const isBounded = rule.contraction !== undefined && last !== undefined && isGuarded(last);
  const innerLoads = isBounded ? bounded() : last !== undefined && isGuarded(last) ? undefined : loads;
  const size = rule.domain(context).at(-1) ?? 0;
  const guarded = new Set(axes.flatMap((name, axis) => (isGuarded(name) ? [axis] : [])));
  const interior = new Map<number, Interval>();
  for (const axis of lanes > 1 && reductions.length === 1 && !point ? guarded : []) {
    const interval = interiorOf(reductions[0]!, axis);
    if (interval) interior.set(axis, interval);
  }
  const borders = new Map<number, number>();
  for (const axis of lanes > 1 && reductions.length === 1 && !point ? guarded : []) {
    const found = domainInteriorOf(reductions[0]!, axis);
    if (found) borders.set(axis, found.size - (found.interval[1] - found.interval[0]));
  }
  /** Between borders, no index is kept within limits. */
  const isInside = (name: string, axis: number, most: number): boolean =>
    interior.has(axis) &&
    isWithin(
      partsOf(stepAt(insideOf(reductions[0]!, axis), axes.map(variableOf), domain.map(variableOf))).loads,
      name,
      most,
    );
  const near = (most: number): ReadonlySet<number> =>
    new Set(axes.flatMap((name, axis) => (isWithin(loads, name, most) || isInside(name, axis, most) ? [axis] : [])));
  return {
    interior,
    borders,
    contiguous: near(1),
    spaced: near(mostSpace),
    guarded,
    innerGuarded: isBounded,
    inner:
      lanes > 1 &&
      inner.length > 0 &&
      last !== undefined &&
      (typeof size !== "number" || size >= lanes) &&
      innerLoads !== undefined &&
      isWithin(innerLoads, last, rule.contraction ? mostSpace : 1) &&
      reductions.every((reduction) => isSplittable(reduction)),
  };
}

type Load = Extract<Expr, { kind: "load" }>;

/** What steps load, and the conditions on positions in them. */
function partsOf(steps: readonly Expr[]): {
  readonly loads: ReadonlySet<Load>;
  readonly conditions: ReadonlySet<Expr>;
} {
  const loads = new Set<Load>();
  const conditions = new Set<Expr>();
  const seen = new Set<Expr>();
  const visit = (expr: Expr): void => {
    if (seen.has(expr)) return;
    seen.add(expr);
    if (expr.kind === "load") loads.add(expr);
    if (expr.kind === "compare" && expr.a.type === "index") conditions.add(expr);
    childrenOf(expr).forEach(visit);
  };
  steps.forEach(visit);
  return { loads, conditions };
}

/** What lies further apart is not in two vectors, and gathering it costs as much as computing with scalars. */
const mostSpace = 3;

/** Whether all loads that depend on the variable move by 1 to `most` elements each step of it. */
const isWithin = (loads: ReadonlySet<Load>, name: string, most: number): boolean =>
  [...loads].every((load) => {
    if (!mentions(load, name)) return true;
    const stride = strideOf(load.index, name)?.coefficient;
    return stride?.kind === "constant" && stride.value >= 1 && stride.value <= most;
  });

const isSplittable = (reduction: Reduction): boolean =>
  combination(reduction) !== undefined &&
  reduction.rule.accumulators(reduction.context).every(({ type }) => vectorOf(type) !== undefined);

const variableOf = (name: string): Expr => k.variable(name, "index");

function stepAt({ rule, context }: Reduction, index: readonly Expr[], point: readonly Expr[]): readonly Expr[] {
  const accumulators = rule.accumulators(context).map((value, i) => k.variable(`?a${i}`, value.type));
  return rule.step(context, index, point, accumulators);
}
