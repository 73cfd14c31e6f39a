// Padding without conditions: where an operand does not exist, a step of a reduction changes nothing, so the loop over the window
// runs only over the places that exist. What the step asked for is then known to hold, and disappears from the inner loop.

import { type Affine, exprKey, mentions, strideOf, toAffine } from "../../ir/kernel/affine.ts";
import { k } from "../../ir/kernel/build.ts";
import { childrenOf } from "../../ir/kernel/query.ts";
import type { Expr } from "../../ir/kernel/types.ts";
import { withChildren } from "./bind.ts";

/** The iterations of one loop that have an effect. */
export interface Bounds {
  readonly from: Expr;
  readonly to: Expr;
  readonly step: number;
}

export interface Narrowing {
  /** For each loop that became shorter, by position in the domain. */
  readonly bounds: ReadonlyMap<number, Bounds>;
  /** An expression of the step, given that its loop runs only within the bounds. */
  simplify(expr: Expr): Expr;
}

/** A condition on the position of a window's element. */
export type Condition = Extract<Expr, { kind: "compare" }>;

/**
 * Looks for conditions that all `steps` share (`steps[i]` are the new values of `accumulators[i]`) and that bound one of the loop
 * variables `domain` (which run within `limits`). Undefined where there is none.
 */
export function narrow(
  steps: readonly Expr[],
  accumulators: readonly Expr[],
  domain: readonly Expr[],
  limits: readonly Bounds[],
): Narrowing | undefined {
  const idle = idleConditions(steps, accumulators);
  const bounds = new Map<number, Bounds>();
  const known: Condition[] = [];
  const later: { readonly at: number; readonly condition: Condition; readonly multiple: Multiple }[] = [];
  for (const condition of idle) {
    const at = onlyVariable(condition, domain);
    const variable = domain[at];
    if (variable?.kind !== "variable") continue;
    const multiple = asMultiple(condition);
    if (multiple) {
      later.push({ at, condition, multiple });
      continue;
    }
    const limit = limitOf(condition, variable.name);
    if (!limit) continue;
    const before = bounds.get(at) ?? limits[at]!;
    bounds.set(at, {
      ...before,
      ...(limit.kind === "from"
        ? { from: k.maximum(before.from, limit.value) }
        : { to: k.minimum(before.to, limit.value) }),
    });
    known.push(condition);
  }
  for (const { at, condition, multiple } of later) {
    const variable = domain[at]!;
    const before = bounds.get(at) ?? limits[at]!;
    const stride = variable.kind === "variable" ? strideOf(multiple.of, variable.name) : undefined;
    if (before.step !== 1 || stride?.coefficient.kind !== "constant" || stride.coefficient.value !== 1) continue;
    // The first iteration at which the position is a multiple: at the start of the loop it is not negative.
    const behind = k.remainder(k.add(before.from, stride.rest), multiple.by);
    const from = k.add(before.from, k.remainder(k.subtract(k.index(multiple.by), behind), multiple.by));
    bounds.set(at, { ...before, from, step: multiple.by });
    known.push(condition);
  }
  return bounds.size === 0 ? undefined : { bounds, simplify: (expr) => assume(expr, known) };
}

/**
 * Conditions that all steps share and that depend on none of the loop variables `domain`: where one fails, no step has an effect.
 */
export function conditionsAround(
  steps: readonly Expr[],
  accumulators: readonly Expr[],
  domain: readonly Expr[],
): readonly Condition[] {
  return idleConditions(steps, accumulators).filter((condition) =>
    domain.every((variable) => variable.kind !== "variable" || !mentions(condition, variable.name)),
  );
}

/** Whether there is any condition that all steps share. */
export const sharesConditions = (steps: readonly Expr[]): boolean => sharedConditions(steps).length > 0;

/** Conditions that all steps share, and without which none changes its accumulator. */
const idleConditions = (steps: readonly Expr[], accumulators: readonly Expr[]): readonly Condition[] =>
  sharedConditions(steps).filter((condition) =>
    steps.every((step, i) => exprKey(without(step, condition)) === exprKey(accumulators[i]!)),
  );

interface Multiple {
  readonly of: Expr;
  readonly by: number;
}

function asMultiple({ op, a, b }: Condition): Multiple | undefined {
  if (op !== "eq" || b.kind !== "constant" || b.value !== 0) return undefined;
  if (a.kind !== "binary" || a.op !== "remainder" || a.b.kind !== "constant") return undefined;
  return { of: a.a, by: a.b.value };
}

/** Conditions on indices that every step asks for, in a selection. */
function sharedConditions(steps: readonly Expr[]): Condition[] {
  const [first, ...others] = steps.map((step) => {
    const found = new Map<string, Condition>();
    const seen = new Set<Expr>();
    const visit = (expr: Expr): void => {
      if (seen.has(expr)) return;
      seen.add(expr);
      if (expr.kind === "select") conjuncts(expr.condition, found);
      childrenOf(expr).forEach(visit);
    };
    visit(step);
    return found;
  });
  return [...(first ?? [])].filter(([key]) => others.every((map) => map.has(key))).map(([, condition]) => condition);
}

function conjuncts(condition: Expr, found: Map<string, Condition>): void {
  if (condition.kind === "compare" && condition.a.type === "index") found.set(exprKey(condition), condition);
  if (condition.kind === "binary" && condition.op === "and") {
    conjuncts(condition.a, found);
    conjuncts(condition.b, found);
  }
}

/** The one loop variable that the condition depends on; -1 where it depends on several or none. */
function onlyVariable(condition: Expr, domain: readonly Expr[]): number {
  const found = domain.flatMap((variable, i) =>
    variable.kind === "variable" && mentions(condition, variable.name) ? [i] : [],
  );
  return found.length === 1 ? found[0]! : -1;
}

/** `c·v + r ≥ 0` as a lower limit of v, `c·v + r < 0` as an upper one, for c > 0. */
function limitOf({ op, a, b }: Condition, name: string): { kind: "from" | "to"; value: Expr } | undefined {
  if (op !== "ge" && op !== "lt") return undefined;
  const stride = strideOf(k.subtract(a, b), name);
  if (stride?.coefficient.kind !== "constant" || stride.coefficient.value <= 0) return undefined;
  const by = stride.coefficient.value;
  const value = k.floordiv(k.add(k.negate(stride.rest), by - 1), k.index(by));
  return { kind: op === "ge" ? "from" : "to", value };
}

/** The expression where the condition fails. Products with what does not exist are nothing, whatever the other factor is. */
export function without(expr: Expr, condition: Condition): Expr {
  const key = exprKey(condition);
  const done = new Map<Expr, Expr>();
  const rewrite = (x: Expr): Expr => {
    const known = done.get(x);
    if (known) return known;
    const result = x.kind === "compare" && exprKey(x) === key ? k.bool(false) : mapOver(x, rewrite, fold);
    done.set(x, result);
    return result;
  };
  return rewrite(expr);
}

/** The expression that `make` puts together of changed operands; itself if none changed. */
function mapOver(expr: Expr, change: (child: Expr) => Expr, make: (expr: Expr, parts: readonly Expr[]) => Expr): Expr {
  const children = childrenOf(expr);
  const parts = children.map(change);
  return parts.every((part, i) => part === children[i]) ? expr : make(expr, parts);
}

function fold(expr: Expr, parts: readonly Expr[]): Expr {
  const [x, y] = parts;
  const is = (part: Expr | undefined, value: number): boolean => part?.kind === "constant" && part.value === value;
  if (expr.kind === "binary" && expr.type === "bool") return k.binary(expr.op, x!, y!);
  if (expr.kind === "binary" && expr.type !== "index") {
    if (expr.op === "multiply" && (is(x, 0) || is(y, 0))) return k.constant(0, expr.type);
    if (expr.op === "add" && is(y, 0)) return x!;
    if (expr.op === "maximum" && is(y, Number.NEGATIVE_INFINITY)) return x!;
    if (expr.op === "minimum" && is(y, Number.POSITIVE_INFINITY)) return x!;
  }
  return withChildren(expr, parts);
}

/** The expression where all of `known` hold: they are true, and what kept indices in bounds can go. */
export function assume(expr: Expr, known: readonly Condition[]): Expr {
  const keys = new Set(known.map(exprKey));
  const form = (x: Expr): string => affineKey(toAffine(x));
  /** Index expressions that are known to be at least 0, or at most so much. */
  const least = new Set<string>();
  const most = new Map<string, string>();
  for (const { op, a, b } of known) {
    if (op === "ge" && b.kind === "constant" && b.value === 0) least.add(form(a));
    if (op === "lt") most.set(form(a), form(k.subtract(b, 1)));
  }
  const done = new Map<Expr, Expr>();
  const rewrite = (x: Expr): Expr => {
    const before = done.get(x);
    if (before) return before;
    const result = keys.size > 0 && x.kind === "compare" && keys.has(exprKey(x)) ? k.bool(true) : again(x);
    done.set(x, result);
    return result;
  };
  const again = (x: Expr): Expr => {
    if (x.kind === "binary" && x.type === "index") {
      const [a, b] = [rewrite(x.a), rewrite(x.b)];
      const inner = a.kind === "binary" && a.op === "floordiv" ? a.a : a;
      if (x.op === "maximum" && b.kind === "constant" && b.value === 0 && least.has(form(inner))) return a;
      if (x.op === "minimum" && isAtMost(inner, a, b)) return a;
    }
    return mapOver(x, rewrite, (_, parts) =>
      x.kind === "binary" && x.type === "bool" ? k.binary(x.op, parts[0]!, parts[1]!) : withChildren(x, parts),
    );
  };
  /** For a position p < 1 + s·(n - 1), floor(p / s) is at most n - 1. */
  const isAtMost = (position: Expr, index: Expr, limit: Expr): boolean => {
    const greatest = most.get(form(position));
    if (greatest === undefined) return false;
    if (position === index) return greatest === form(limit);
    const by = index.kind === "binary" ? index.b : k.index(1);
    return greatest === form(k.multiply(limit, by));
  };
  return rewrite(expr);
}

const affineKey = (form: Affine): string =>
  [...form.terms.map((term) => `${term.coefficient}*${term.atoms.map(exprKey).join("*")}`).sort(), form.constant].join(
    "+",
  );
