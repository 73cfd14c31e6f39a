// Reductions, contractions and windows at a tile of points: accumulators in registers, loops over what is summed up, each operand
// loaded once for all points that need it.

import type { Attributes } from "../../ir/attributes.ts";
import type { Dim } from "../../ir/dim.ts";
import type { Node } from "../../ir/graph.ts";
import { exprKey } from "../../ir/kernel/affine.ts";
import { k } from "../../ir/kernel/build.ts";
import { childrenOf } from "../../ir/kernel/query.ts";
import type { Expr, LoopRole, Stmt } from "../../ir/kernel/types.ts";
import type { LoweringContext, ReductionLowering } from "../../ir/op.ts";
import { operation } from "../../ir/ops/index.ts";
import { substitute } from "../kernel/rewrite.ts";
import { bind } from "./bind.ts";
import { type Draft, type LoopAxis, nest } from "./draft.ts";
import { conditionsOn, intervalOf } from "./interior.ts";
import {
  assume,
  type Bounds,
  type Condition,
  type Narrowing,
  narrow,
  sharesConditions,
  without as withoutEffect,
} from "./narrow.ts";
import { nearUse } from "./near-use.ts";
import type { Panel } from "./panel.ts";

export interface Reduction {
  readonly node: Node;
  readonly rule: ReductionLowering<Attributes>;
  readonly context: LoweringContext<Attributes>;
}

export function reductionOf(draft: Draft, node: Node): Reduction {
  const rule = operation(node.op)?.lower;
  if (rule?.kind !== "reduction") throw new TypeError(`${node.op} is no reduction`);
  return { node, rule, context: draft.elements.context(node) };
}

export interface Accumulators {
  readonly reduction: Reduction;
  readonly point: readonly Expr[];
  readonly names: readonly Expr[];
}

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
  const narrowing = narrowed(reductions, points, domain, variables);
  const width = narrowing ? 1 : partial;
  const named = narrowing !== undefined || panel !== undefined;
  const between =
    panel === undefined && width === 1 ? bordersOf(draft, reductions, points, domain, variables, narrowing) : undefined;
  const unrolled =
    panel !== undefined || width > 1 ? 0 : unrollOf(draft, domain, narrowing, points.length * reductions.length);
  const cut = width === 1 ? cutOf(draft, reductions, domain) : undefined;
  const isCut = cut !== undefined && !narrowing?.bounds.has(cut.axis) && !between?.axes.has(cut.axis);
  const lanes = Array.from({ length: width }, () => registersOf(draft, between?.reductions ?? reductions, points));
  const axes = domain.map((size, i): LoopAxis => {
    const bounds = narrowing?.bounds.get(i) ?? { from: k.index(0), to: k.fromDim(size), step: 1 };
    const variable = variables[i]!;
    const whole = i >= domain.length - unrolled;
    return {
      stem,
      size,
      width: i === domain.length - 1 ? width : 1,
      role,
      mode: "serial",
      ...(whole ? { written: placesWithin(bounds) } : {}),
      ...(named && variable.kind === "variable" ? { narrowed: { name: variable.name, bounds } } : {}),
      ...(between?.axes.get(i) ?? {}),
    };
  });
  const simplify = (expr: Expr): Expr => {
    const narrower = narrowing ? narrowing.simplify(expr) : expr;
    return panel ? panel.redirect(narrower) : narrower;
  };
  const statements: Stmt[] = lanes.flat().flatMap(clear);
  if (isCut) {
    const parts = registersOf(draft, between?.reductions ?? reductions, points);
    const inner = (before: readonly (readonly Expr[])[], first: Expr): readonly Stmt[] => {
      const [variable, size] = [variables[cut.axis]!, k.fromDim(domain[cut.axis]!)];
      if (variable.kind !== "variable") throw new TypeError("a long sum has no variable");
      const bounds = { from: first, to: k.minimum(k.add(first, cut.count), size), step: 1 };
      const rest = [{ ...axes[cut.axis]!, narrowed: { name: variable.name, bounds } }, ...axes.slice(cut.axis + 1)];
      return [
        ...parts.flatMap(clear),
        ...nest(rest, draft.fresh, (after) => step(draft, [parts], [...before, ...after], simplify)),
        ...combine(lanes[0]!, parts),
      ];
    };
    const blocks = (before: readonly (readonly Expr[])[]): readonly Stmt[] => [
      k.loop(draft.fresh(stem), k.fromDim(domain[cut.axis]!), (first) => inner(before, first), {
        step: cut.count,
        role,
      }),
    ];
    statements.push(...nest(axes.slice(0, cut.axis), draft.fresh, blocks));
  } else {
    statements.push(...nest(axes, draft.fresh, (positions) => step(draft, lanes, positions, simplify)));
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

/** Registers for each reduction at each point. */
const registersOf = (
  draft: Draft,
  reductions: readonly Reduction[],
  points: readonly (readonly Expr[])[],
): Accumulators[] =>
  reductions.flatMap((reduction) =>
    points.map((point) => {
      const initial = reduction.rule.accumulators(reduction.context);
      return { reduction, point, names: initial.map(({ type }) => k.variable(draft.fresh(nameOf(reduction)), type)) };
    }),
  );

/** Sets them to what nothing has been added to. */
const clear = ({ reduction, names }: Accumulators): readonly Stmt[] =>
  reduction.rule
    .accumulators(reduction.context)
    .flatMap((value, i) => (names[i]!.kind === "variable" ? [k.var(names[i]!.name, value)] : []));

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
  const isSum = (reduction: Reduction): boolean => {
    const [sum, ...more] = reduction.rule.accumulators(reduction.context);
    return combination(reduction) === combinations.sum && more.length === 0 && sum?.type === "f32";
  };
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
  domain: readonly Dim[],
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
  return narrow(steps, before, variables, domain.map(k.fromDim));
}

interface Borders {
  /** How loops of the domain run, by position: the places at borders one by one. */
  readonly axes: ReadonlyMap<number, Pick<LoopAxis, "narrowed" | "before" | "after">>;
  /** The reductions, with what is known at each place. */
  readonly reductions: readonly Reduction[];
}

/**
 * Where conditions differ from point to point, as those of a tile that takes a whole axis: the few places of the domain at which some do
 * not hold are written out, and the loop runs between them.
 */
function bordersOf(
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

export const nameOf = ({ node }: Reduction): string => {
  const { kind } = node.attributes;
  return typeof kind === "string" ? kind : node.op === "argmax" ? "best" : "sum";
};

/** How many of the innermost loops have limits that are known, and are short enough to be written out. */
function unrollOf(draft: Draft, domain: readonly Dim[], narrowing: Narrowing | undefined, work: number): number {
  const { points, steps } = draft.tiles.unroll;
  let product = 1;
  let count = 0;
  for (let i = domain.length - 1; i >= 0; i--) {
    const bounds = narrowing?.bounds.get(i) ?? { from: k.index(0), to: k.fromDim(domain[i]!), step: 1 };
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

/** Every combination of positions along the axes of the domain, the last axis fastest. */
const combinationsOf = (positions: readonly (readonly Expr[])[]): (readonly Expr[])[] =>
  positions.reduce<(readonly Expr[])[]>(
    (points, list) => points.flatMap((point) => list.map((at) => [...point, at])),
    [[]],
  );

/**
 * One more point of the domain; with several lanes one for each. Of loops that are written out, point after point: an engine that
 * loaded everything first would run out of registers. Points that read the same elements, as neighbouring places of a window do,
 * go together as far as registers hold what they read.
 */
function step(
  draft: Draft,
  lanes: readonly (readonly Accumulators[])[],
  positions: readonly (readonly Expr[])[],
  simplify: (expr: Expr) => Expr,
): readonly Stmt[] {
  const places = combinationsOf(positions);
  const only = lanes[0]!;
  if (lanes.length === 1) {
    if (places.length === 1) return advance(draft, [{ accumulators: only, places }], simplify);
    return sharing(draft, only, places, simplify).flatMap((group) => advance(draft, [group], simplify));
  }
  // What is left over after whole rounds is narrower than the number of lanes.
  const each = places.map((place, lane) => ({ accumulators: lanes[lane]!, places: [place] }));
  return advance(draft, each, simplify);
}

interface Advance {
  readonly accumulators: readonly Accumulators[];
  /** One behind the other. */
  readonly places: readonly (readonly Expr[])[];
  /** What becomes of the accumulators, where that is known. */
  readonly values?: readonly (readonly Expr[])[];
}

/** Places in their order, in groups of neighbours that share what they load. */
function sharing(
  draft: Draft,
  accumulators: readonly Accumulators[],
  places: readonly (readonly Expr[])[],
  simplify: (expr: Expr) => Expr,
): readonly Advance[] {
  const most = draft.tiles.registers - accumulators.reduce((sum, { names }) => sum + names.length, 0);
  const groups: Advance[] = [];
  let loaded = new Set<string>();
  for (const place of places) {
    const values = accumulators.map(({ reduction: { rule, context }, point, names }) =>
      rule.step(context, point, place, names).map(simplify),
    );
    const own = loadsOf(values.flat());
    const all = new Set([...loaded, ...own]);
    const last = groups.at(-1);
    if (last && all.size < loaded.size + own.size && all.size <= most) {
      groups[groups.length - 1] = { accumulators, places: [...last.places, place] };
      loaded = all;
    } else {
      groups.push({ accumulators, places: [place], values });
      loaded = own;
    }
  }
  return groups;
}

/** Keys of what expressions load. */
function loadsOf(values: readonly Expr[]): Set<string> {
  const keys = new Set<string>();
  const visit = (expr: Expr): void => {
    if (expr.kind === "load") keys.add(exprKey(expr));
    else childrenOf(expr).forEach(visit);
  };
  values.forEach(visit);
  return keys;
}

/** More points for each of several sets of accumulators. */
export function advance(draft: Draft, work: readonly Advance[], simplify: (expr: Expr) => Expr): readonly Stmt[] {
  const targets: { readonly to: Expr; readonly alone: boolean }[] = [];
  const roots: Expr[] = [];
  for (const { accumulators, places, values: known } of work) {
    for (const [at, { reduction, point, names }] of accumulators.entries()) {
      const { rule, context } = reduction;
      const values =
        known?.[at] ?? places.reduce((before, place) => rule.step(context, point, place, before), names).map(simplify);
      values.forEach((value, i) => {
        targets.push({ to: names[i]!, alone: values.length === 1 });
        roots.push(value);
      });
    }
  }
  const bound = bind(roots, draft.fresh);
  const early: Stmt[] = [...bound.statements];
  const late: Stmt[] = [];
  for (const [i, { to, alone }] of targets.entries()) {
    if (to.kind !== "variable") continue;
    const value = bound.values[i]!;
    if (value.kind === "variable" && value.name === to.name) continue;
    if (alone || value.kind === "constant") {
      late.push(k.assign(to.name, value));
      continue;
    }
    // Several accumulators of one reduction see each other's old values.
    const name = draft.fresh("next");
    early.push(k.let(name, value));
    late.push(k.assign(to.name, k.variable(name, value.type)));
  }
  return nearUse(early, late);
}

const combinations = { sum: k.add, product: k.multiply, max: k.maximum, min: k.minimum } as const;

/** How two partial results make one; undefined where the operation does not tell. */
export function combination({ node, rule }: Reduction): ((a: Expr, b: Expr) => Expr) | undefined {
  const { kind } = node.attributes;
  if (rule.contraction) return combinations.sum;
  if (node.op !== "reduce" || rule.finish) return undefined;
  return kind === "sum" || kind === "product" || kind === "max" || kind === "min" ? combinations[kind] : undefined;
}

function combine(into: readonly Accumulators[], from: readonly Accumulators[]): Stmt[] {
  return into.flatMap(({ reduction, names }, i) => {
    const join = combination(reduction);
    const [a, b] = [names[0]!, from[i]!.names[0]!];
    return join && a.kind === "variable" ? [k.assign(a.name, join(a, b))] : [];
  });
}

/** How many partial accumulators are worth it: none where the loop is short, or where partial results cannot be combined. */
export function partialOf(draft: Draft, reductions: readonly Reduction[]): number {
  const { partial } = draft.tiles;
  const [first] = reductions;
  const innermost = first?.rule.domain(first.context).at(-1);
  const long = innermost !== undefined && (typeof innermost !== "number" || innermost >= 4 * partial);
  return long && reductions.every((reduction) => combination(reduction)) ? partial : 1;
}
