// Reductions, contractions and windows at a tile of points: accumulators in registers, loops over what is summed up, each operand
// loaded once for all points that need it.

import type { Dim } from "../../ir/dim.ts";
import { k } from "../../ir/kernel/build.ts";
import type { Expr, LoopRole, Stmt } from "../../ir/kernel/types.ts";
import { step } from "./advance.ts";
import { bordersOf } from "./borders.ts";
import { type Draft, type LoopAxis, nest } from "./draft.ts";
import { type Bounds, type Narrowing, narrow, sharesConditions } from "./narrow.ts";
import type { Panel } from "./panel.ts";
import { clear, combine, isSum, limitsOf, type Reduction, registersOf } from "./registers.ts";

/**
 * Accumulates all reductions (which share their domain) at all points, and defines their elements there. With `partial` > 1 the
 * innermost loop feeds that many accumulators in turn.
 */
export function accumulate(
  draft: Draft,
  reductions: readonly Reduction[],
  points: readonly (readonly Expr[])[],
  role: LoopRole,
  partial = 1,
  panel?: Panel,
): readonly Stmt[] {
  const domain = reductions[0]!.rule.domain(reductions[0]!.context);
  const stem = role === "window" ? "w" : "k";
  const variables =
    panel?.variables ?? domain.map((size) => (size === 1 ? k.index(0) : k.variable(draft.fresh(stem), "index")));
  const narrowing = narrowed(reductions, points, variables);
  const limits = limitsOf(reductions[0]!).map((all, i) => narrowing?.bounds.get(i) ?? all);
  const isSliced = reductions[0]!.slice !== undefined;
  const width = narrowing || (isSliced && domain.length === 1) ? 1 : partial;
  const isNamed = (axis: number): boolean => narrowing !== undefined || panel !== undefined || (isSliced && axis === 0);
  const between =
    panel === undefined && width === 1 ? bordersOf(draft, reductions, points, domain, variables, narrowing) : undefined;
  const unrolled = panel !== undefined || width > 1 ? 0 : unrollOf(draft, limits, points.length * reductions.length);
  const cut = width === 1 ? cutOf(draft, reductions, domain) : undefined;
  const lanes = Array.from({ length: width }, () => registersOf(draft, between?.reductions ?? reductions, points));
  const axes = domain.map((size, i): LoopAxis => {
    const bounds = limits[i]!;
    const variable = variables[i]!;
    const whole = i >= domain.length - unrolled;
    return {
      stem,
      size,
      width: i === domain.length - 1 ? width : 1,
      role,
      mode: "serial",
      ...(whole ? { written: placesWithin(bounds) } : {}),
      ...(isNamed(i) && variable.kind === "variable" ? { narrowed: { name: variable.name, bounds } } : {}),
      ...(between?.axes.get(i) ?? {}),
    };
  });
  const simplify = (expr: Expr): Expr => {
    const narrower = narrowing ? narrowing.simplify(expr) : expr;
    return panel ? panel.redirect(narrower) : narrower;
  };
  const statements: Stmt[] = lanes.flat().flatMap(clear);
  const advanced = (to: typeof lanes) => (positions: readonly (readonly Expr[])[]) =>
    step(draft, to, positions, simplify);
  const variable = cut && variables[cut.axis];
  if (cut && variable?.kind === "variable" && !narrowing?.bounds.has(cut.axis) && !between?.axes.has(cut.axis)) {
    const parts = registersOf(draft, between?.reductions ?? reductions, points);
    const { from: start, to: end } = limits[cut.axis]!;
    const block = (before: readonly (readonly Expr[])[], from: Expr): readonly Stmt[] => {
      const bounds = { from, to: k.minimum(k.add(from, cut.count), end), step: 1 };
      const cutAxis = { ...axes[cut.axis]!, narrowed: { name: variable.name, bounds } };
      return [
        ...parts.flatMap(clear),
        ...nest([cutAxis, ...axes.slice(cut.axis + 1)], draft.fresh, (after) =>
          advanced([parts])([...before, ...after]),
        ),
        ...combine(lanes[0]!, parts),
      ];
    };
    const blocks = (before: readonly (readonly Expr[])[]): readonly Stmt[] => [
      k.loop(draft.fresh(stem), end, (from) => block(before, from), { from: start, step: cut.count, role }),
    ];
    statements.push(...nest(axes.slice(0, cut.axis), draft.fresh, blocks));
  } else {
    statements.push(...nest(axes, draft.fresh, advanced(lanes)));
  }
  for (const [lane, accumulators] of lanes.entries()) {
    if (lane > 0) statements.push(...combine(lanes[0]!, accumulators));
  }
  for (const { reduction, point, names } of lanes[0]!) {
    const { node, rule, context } = reduction;
    draft.elements.define(node.results[0]!, point, rule.finish ? rule.finish(context, names) : names[0]!);
  }
  return statements;
}

/**
 * Long sums of float32 are sums of parts, since what is lost by rounding grows with the number of terms that a register has taken: the
 * loop over one axis of the domain is cut every `count` positions. Undefined where a sum is short, or not one.
 */
function cutOf(
  { tiles }: Draft,
  reductions: readonly Reduction[],
  domain: readonly Dim[],
): { readonly axis: number; readonly count: number } | undefined {
  const { sumTerms } = tiles;
  if (sumTerms === undefined || !reductions.every(isSum)) return undefined;
  let terms = 1;
  for (let axis = domain.length - 1; axis >= 0; axis--) {
    const size = domain[axis]!;
    if (typeof size !== "number" || terms * size > sumTerms)
      return { axis, count: Math.max(1, Math.floor(sumTerms / terms)) };
    terms *= size;
  }
  return undefined;
}

/** Whether some of the domain has no effect, for all points alike. */
export function narrowed(
  reductions: readonly Reduction[],
  points: readonly (readonly Expr[])[],
  variables: readonly Expr[],
): Narrowing | undefined {
  const steps: Expr[] = [];
  const before: Expr[] = [];
  for (const { rule, context } of reductions) {
    for (const point of points) {
      const names = rule.accumulators(context).map((value, i) => k.variable(`?${i}`, value.type));
      steps.push(...rule.step(context, point, variables, names));
      before.push(...names);
      // What the first step does not ask for, not all of them do.
      if (before.length === names.length && !sharesConditions(steps)) return undefined;
    }
  }
  return narrow(steps, before, variables, limitsOf(reductions[0]!));
}

/** How many of the innermost loops have limits that are known, and are short enough to be written out. */
function unrollOf(draft: Draft, limits: readonly Bounds[], work: number): number {
  const { points, steps } = draft.tiles.unroll;
  let product = 1;
  let count = 0;
  for (const bounds of limits.toReversed()) {
    const size = countWithin(bounds);
    if (!size) break;
    product *= size;
    if (product > points || product * work > steps) break;
    count++;
  }
  return count;
}

/** How often a loop with constant limits runs. */
function countWithin({ from, to, step }: Bounds): number | undefined {
  if (from.kind !== "constant" || to.kind !== "constant") return undefined;
  return Math.max(0, Math.ceil((to.value - from.value) / step));
}

const placesWithin = (bounds: Bounds): readonly Expr[] =>
  Array.from({ length: countWithin(bounds) ?? 0 }, (_, i) => k.add(bounds.from, i * bounds.step));
