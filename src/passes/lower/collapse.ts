// Loops of a sum that walk through memory as one: where each operand moves as far in one step of the outer loop as in all steps of
// the inner one, a single loop over both saves the ends of many short ones. A convolution without padding sums over runs of
// (width of the window) · (channels) elements.

import { type Dim, multiplyDims } from "../../ir/dim.ts";
import { mentions, strideOf } from "../../ir/kernel/affine.ts";
import { k } from "../../ir/kernel/build.ts";
import { childrenOf } from "../../ir/kernel/query.ts";
import type { Expr } from "../../ir/kernel/types.ts";
import type { Reduction } from "./registers.ts";

type Load = Extract<Expr, { kind: "load" }>;

/** The reduction over a domain with fewer axes, if some can be joined; else as it is. */
export function collapse(reduction: Reduction): Reduction {
  const { rule, context } = reduction;
  const domain = rule.domain(context);
  const names = domain.map((_, i) => `?k${i}`);
  const index = context.resultTypes[0]!.shape.map((_, axis) => k.variable(`?${axis}`, "index"));
  const accumulators = rule.accumulators(context).map((value, i) => k.variable(`?a${i}`, value.type));
  const point = names.map((name) => k.variable(name, "index"));
  const found = placesIn(rule.step(context, index, point, accumulators), names);
  if (!found) return reduction;
  for (let inner = domain.length - 1; inner > 0; inner--) {
    if (!found.every(({ index: at }) => isRun(at, names[inner - 1]!, names[inner]!, domain[inner]!))) continue;
    // The joined loop runs where the inner one did; the outer position stays at 0.
    const joined = domain.flatMap((size, i) => {
      if (i === inner - 1) return [];
      return [i === inner ? multiplyDims(domain[i - 1]!, size) : size];
    });
    return collapse({
      ...reduction,
      rule: {
        ...rule,
        domain: () => joined,
        step: (within, at, place, sums) =>
          rule.step(within, at, [...place.slice(0, inner - 1), k.index(0), ...place.slice(inner - 1)], sums),
      },
    });
  }
  return reduction;
}

/** The loads of a step that depend on the domain; undefined where anything but a load does. */
function placesIn(step: readonly Expr[], names: readonly string[]): readonly Load[] | undefined {
  const loads: Load[] = [];
  let only = true;
  const visit = (expr: Expr): void => {
    if (expr.kind === "load") loads.push(expr);
    else if (expr.type === "index" && names.some((name) => mentions(expr, name))) only = false;
    else childrenOf(expr).forEach(visit);
  };
  step.forEach(visit);
  return only ? loads : undefined;
}

/** Whether a step of `outer` goes as far as `size` steps of `inner`. */
function isRun(at: Expr, outer: string, inner: string, size: Dim): boolean {
  const [far, near] = [strideOf(at, outer)?.coefficient, strideOf(at, inner)?.coefficient];
  if (!far || !near) return false;
  const rest = k.subtract(far, k.multiply(near, k.fromDim(size)));
  return rest.kind === "constant" && rest.value === 0;
}
