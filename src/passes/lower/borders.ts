// Places at borders: where padding makes the terms of a sum differ from point to point, the few such places are written out, and the
// loop between them has no conditions.

import type { Dim } from "../../ir/dim.ts";
import { k } from "../../ir/kernel/build.ts";
import type { Expr } from "../../ir/kernel/types.ts";
import { substitute } from "../kernel/rewrite.ts";
import type { Draft, LoopAxis } from "./draft.ts";
import { conditionsOn, intervalOf } from "./interior.ts";
import { assume, type Condition, type Narrowing, without as withoutEffect } from "./narrow.ts";
import type { Reduction } from "./registers.ts";

export interface Borders {
  /** How loops of the domain run, by position: the places at borders one by one. */
  readonly axes: ReadonlyMap<number, Pick<LoopAxis, "narrowed" | "before" | "after">>;
  /** The reductions, with what is known at each place. */
  readonly reductions: readonly Reduction[];
}

/**
 * Where conditions differ from point to point, as those of a tile that takes a whole axis: the few places of the domain at which some do
 * not hold are written out, and the loop runs between them.
 */
export function bordersOf(
  draft: Draft,
  reductions: readonly Reduction[],
  points: readonly (readonly Expr[])[],
  domain: readonly Dim[],
  variables: readonly Expr[],
  narrowing: Narrowing | undefined,
): Borders | undefined {
  if (draft.tiles.lanes === 1) return undefined;
  const steps = stepsAt(reductions, points, variables);
  const axes = new Map<number, Pick<LoopAxis, "narrowed" | "before" | "after">>();
  domain.forEach((size, i) => {
    const variable = variables[i]!;
    if (variable.kind !== "variable" || typeof size !== "number" || narrowing?.bounds.has(i)) return;
    if (i === 0 && reductions[0]!.slice) return;
    const [from, to] = intervalOf(steps, variable.name, size, new Map()) ?? [0, size];
    const count = from + size - to;
    if (count === 0 || count > draft.tiles.unroll.points) return;
    const places = (low: number, high: number): Expr[] =>
      Array.from({ length: high - low }, (_, j) => k.index(low + j));
    const bounds = { from: k.index(from), to: k.index(to), step: 1 };
    axes.set(i, { narrowed: { name: variable.name, bounds }, before: places(0, from), after: places(to, size) });
  });
  if (axes.size === 0) return undefined;
  return { axes, reductions: reductions.map((reduction) => atBorders(reduction, [...axes.keys()], variables)) };
}

/** The reduction, which at places between borders takes conditions for granted, and at others knows them. */
function atBorders(reduction: Reduction, axes: readonly number[], variables: readonly Expr[]): Reduction {
  const { rule } = reduction;
  return {
    ...reduction,
    rule: {
      ...rule,
      step: (context, index, place, accumulators) => {
        const general = place.map((at, i) => (axes.includes(i) ? variables[i]! : at));
        const old = accumulators.map((value, i) => k.variable(`?a${i}`, value.type));
        const known = new Map(accumulators.map((value, i) => [`?a${i}`, value]));
        const steps = rule.step(context, index, general, old);
        return steps.map((step) =>
          substitute(
            axes.reduce((expr, i) => resolve(expr, variables[i]!, place[i]!), step),
            known,
          ),
        );
      },
    },
  };
}

/** The step at a place along one axis: at the variable of its loop all conditions hold, at a constant some do. */
function resolve(step: Expr, variable: Expr, at: Expr): Expr {
  if (variable.kind !== "variable") return step;
  const conditions = conditionsOn(variable.name, [step]);
  const place = new Map([[variable.name, at]]);
  const holds = (condition: Condition): boolean => {
    const value = substitute(condition, place);
    return at.kind !== "constant" || (value.kind === "constant" && value.value !== 0);
  };
  const without = conditions.filter((condition) => !holds(condition)).reduce(withoutEffect, step);
  return substitute(assume(without, conditions.filter(holds)), place);
}

/** The steps of all points. */
const stepsAt = (
  reductions: readonly Reduction[],
  points: readonly (readonly Expr[])[],
  place: readonly Expr[],
): readonly Expr[] =>
  reductions.flatMap(({ rule, context }) => {
    const names = rule.accumulators(context).map((value, i) => k.variable(`?${i}`, value.type));
    return points.flatMap((point) => rule.step(context, point, place, names));
  });
