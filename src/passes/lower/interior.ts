// Padding is only there at the borders: between them every element that a step reads exists, for all of its window. There tiles of
// points need no conditions; at the borders points go one by one.

import type { Dim } from "../../ir/dim.ts";
import { type AffineTerm, mentions, strideOf, toAffine } from "../../ir/kernel/affine.ts";
import { k } from "../../ir/kernel/build.ts";
import { childrenOf } from "../../ir/kernel/query.ts";
import type { Expr } from "../../ir/kernel/types.ts";
import { substitute } from "../kernel/rewrite.ts";
import type { Interval } from "../schedule/reduction.ts";
import { assume, type Condition } from "./narrow.ts";
import type { Reduction } from "./registers.ts";

/**
 * The positions along `axis` of the result at which all conditions on it hold, whatever the point of the domain; undefined where
 * that depends on free sizes, or on more than limits.
 */
export function interiorOf({ rule, context }: Reduction, axis: number): Interval | undefined {
  const rank = context.resultTypes[0]!.shape.length;
  const domain = rule.domain(context);
  const size = context.resultTypes[0]!.shape[axis];
  if (typeof size !== "number") return undefined;
  const index = Array.from({ length: rank }, (_, i) => variable(i === axis ? inside : `?${i}`));
  const steps = stepAt(
    { rule, context },
    index,
    domain.map((_, i) => variable(`?k${i}`)),
  );
  return intervalOf(steps, inside, size, endsOf(domain, "?k"));
}

/**
 * The other way round: where in the domain all conditions hold that an axis of the result takes part in, whatever the position along
 * that axis. Undefined where there is no such place, or where more than one axis of the domain takes part.
 */
export function domainInteriorOf(
  { rule, context }: Reduction,
  axis: number,
): { readonly axis: number; readonly size: number; readonly interval: Interval } | undefined {
  const { shape } = context.resultTypes[0]!;
  const domain = rule.domain(context);
  const names = domain.map((_, i) => `?k${i}`);
  const steps = stepAt(
    { rule, context },
    shape.map((_, i) => variable(`?${i}`)),
    names.map(variable),
  );
  const conditions = conditionsOn(`?${axis}`, steps);
  const taking = names.flatMap((name, i) => (conditions.some((condition) => mentions(condition, name)) ? [i] : []));
  const [only, ...more] = taking;
  const size = only === undefined ? undefined : domain[only];
  if (only === undefined || more.length > 0 || typeof size !== "number") return undefined;
  const interval = intervalOf(steps, names[only]!, size, endsOf(shape, "?"));
  return interval && { axis: only, size, interval };
}

/** The values of a variable below `size` at which all conditions on it hold; `ends` are the greatest values of others. */
export function intervalOf(
  steps: readonly Expr[],
  name: string,
  size: number,
  ends: ReadonlyMap<string, number | undefined>,
): Interval | undefined {
  let [from, to] = [0, size];
  for (const { op, a, b } of conditionsOn(name, steps)) {
    const stride = strideOf(k.subtract(a, b), name);
    if (stride?.coefficient.kind !== "constant" || stride.coefficient.value <= 0) return undefined;
    const by = stride.coefficient.value;
    const rest = rangeOf(stride.rest, ends);
    if (!rest) return undefined;
    // by · i + rest is at least 0 (or below 0) for the least (the greatest) rest.
    if (op === "ge") from = Math.max(from, Math.ceil(-rest[0] / by));
    else if (op === "lt") to = Math.min(to, Math.ceil(-rest[1] / by));
    else return undefined;
  }
  return from < to ? [from, to] : undefined;
}

const endsOf = (sizes: readonly Dim[], stem: string): ReadonlyMap<string, number | undefined> =>
  new Map(sizes.map((size, i) => [`${stem}${i}`, typeof size === "number" ? size - 1 : undefined]));

/** The reduction for positions of the interior along `axis`: conditions on it are known to hold. */
export function insideOf(reduction: Reduction, axis: number): Reduction {
  const { rule } = reduction;
  return {
    ...reduction,
    rule: {
      ...rule,
      step: (context, index, point, accumulators) => {
        const steps = rule.step(context, index.with(axis, variable(inside)), point, accumulators);
        const known = conditionsOn(inside, steps);
        const position = new Map([[inside, index[axis]!]]);
        return steps.map((step) => substitute(assume(step, known), position));
      },
    },
  };
}

const inside = "?inside";

const variable = (name: string): Expr => k.variable(name, "index");

function stepAt(
  { rule, context }: Pick<Reduction, "rule" | "context">,
  index: readonly Expr[],
  point: readonly Expr[],
): readonly Expr[] {
  const accumulators = rule.accumulators(context).map((value, i) => k.variable(`?a${i}`, value.type));
  return rule.step(context, index, point, accumulators);
}

export function conditionsOn(name: string, steps: readonly Expr[]): readonly Condition[] {
  const found: Condition[] = [];
  const seen = new Set<Expr>();
  const visit = (expr: Expr): void => {
    if (seen.has(expr)) return;
    seen.add(expr);
    if (expr.kind === "compare" && expr.a.type === "index" && mentions(expr, name)) found.push(expr);
    childrenOf(expr).forEach(visit);
  };
  steps.forEach(visit);
  return found;
}

/** The least and greatest value of an affine expression over the variables of the domain, each from 0 to its end. */
function rangeOf(expr: Expr, ends: ReadonlyMap<string, number | undefined>): readonly [number, number] | undefined {
  const { terms, constant } = toAffine(expr);
  let [least, greatest] = [constant, constant];
  for (const term of terms) {
    const end = endOf(term, ends);
    if (end === undefined) return undefined;
    least += Math.min(0, term.coefficient * end);
    greatest += Math.max(0, term.coefficient * end);
  }
  return [least, greatest];
}

function endOf({ atoms }: AffineTerm, ends: ReadonlyMap<string, number | undefined>): number | undefined {
  const [atom] = atoms;
  return atoms.length === 1 && atom?.kind === "variable" ? ends.get(atom.name) : undefined;
}
