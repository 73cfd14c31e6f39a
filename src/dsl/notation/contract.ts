// Sums of products over indices: pairs of factors become contractions (`dot`), from left to right, each index summed as soon
// as no later factor has it.

import type { Span } from "../ast.ts";
import { type Context, make, mistake } from "../context.ts";
import { binary } from "../operators.ts";
import { commonType } from "../tensors.ts";
import { tensor } from "../values.ts";
import { type Index, type Indexed, spread, tensorOf, textOf, unionOf } from "./indexed.ts";

/** Σ over the indices `over` of the product of the factors. */
export function contract(c: Context, factors: readonly Indexed[], over: readonly Index[], span: Span): Indexed {
  commonType(
    c,
    factors.map((factor) => factor.value),
    "a product",
  );
  for (const factor of factors) {
    if (tensorOf(factor)?.type.dtype !== "bool") continue;
    c.frame.span = factor.span;
    throw mistake(c, "type", `sums are of numbers, and ${textOf(c, factor)} has elements bool`, {
      help: "cast(…, f32) makes 0 and 1",
    });
  }
  c.frame.span = span;
  let [product, ...rest] = factors;
  while (product && rest.length > 0) {
    const [next, ...later] = rest;
    const needed = new Set(later.flatMap((factor) => factor.indices));
    const summed = over.filter((index) => !needed.has(index));
    product = pair(c, product, next!, summed);
    rest = later;
  }
  return sumOver(c, product!, over);
}

function sumOver(c: Context, factor: Indexed, over: readonly Index[]): Indexed {
  const axes = factor.indices.flatMap((index, axis) => (over.includes(index) ? [axis] : []));
  const x = tensorOf(factor);
  if (!x || axes.length === 0) return factor;
  const value = tensor(make(c, "reduce", [x], { kind: "sum", axes }));
  return { ...factor, value, indices: factor.indices.filter((index) => !over.includes(index)) };
}

/** The product of two factors, summed over `summed`. */
function pair(c: Context, first: Indexed, second: Indexed, summed: readonly Index[]): Indexed {
  // What one side alone has is summed there: Σ a[i] b[j] = Σ a[i] · Σ b[j].
  const alone = (side: Indexed, other: Indexed): Indexed =>
    sumOver(
      c,
      side,
      summed.filter((index) => !other.indices.includes(index)),
    );
  const [a, b] = [alone(first, second), alone(second, first)];
  const shared = unionOf([a]).filter((index) => b.indices.includes(index));
  const contracted = shared.filter((index) => summed.includes(index));
  const { span } = a;
  if (contracted.length === 0) {
    const indices = unionOf([a, b]);
    return { value: binary(c, "*", spread(c, a, indices), spread(c, b, indices)), indices, span };
  }
  const batch = shared.filter((index) => !summed.includes(index));
  const free = (side: Indexed): Index[] => side.indices.filter((index) => !shared.includes(index));
  // The side whose own indices come first on the left of the statement also comes first here, which spares a transpose.
  const earliest = (side: Indexed): number => Math.min(...free(side).map((index) => index.position));
  const [lhs, rhs] = earliest(b) < earliest(a) ? [b, a] : [a, b];
  const axes = (side: Indexed, indices: readonly Index[]): number[] => indices.map((i) => side.indices.indexOf(i));
  const value = make(c, "dot", [tensorOf(lhs)!, tensorOf(rhs)!], {
    batch: [axes(lhs, batch), axes(rhs, batch)],
    contract: [axes(lhs, contracted), axes(rhs, contracted)],
  });
  return { value: tensor(value), indices: [...batch, ...free(lhs), ...free(rhs)], span };
}
