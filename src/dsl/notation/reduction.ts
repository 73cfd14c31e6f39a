// `sum(e) …`, `max(s) …`, `softmax(s) …`: any function with a parameter `axis` goes over the indices that it names. Sums of
// products become contractions.

import { productOf } from "../../ir/dim.ts";
import type { Expression, ReductionExpression } from "../ast.ts";
import { applyFunction } from "../call.ts";
import { mistake } from "../context.ts";
import { evaluate } from "../evaluate.ts";
import { binary, unary } from "../operators.ts";
import { type CompileValue, calleeName, float, int, kindOf, list } from "../values.ts";
import { contract } from "./contract.ts";
import { indexed, takesAxis } from "./evaluate.ts";
import { type Index, type Indexed, sizeOf, spread, unionOf } from "./indexed.ts";
import { type Indices, mentions, type Reading } from "./sizes.ts";

export function reduction(r: Reading, expression: ReductionExpression, around: Indices): Indexed {
  const { c, env } = r;
  const { name, span } = expression;
  const fn = evaluate(c, env, { kind: "name", name: name.name, span: name.span });
  c.frame.span = name.span;
  if (!takesAxis(fn))
    throw mistake(c, "type", `${name.name} is no reduction`, {
      label: fn.kind === "function" ? "it has no parameter `axis`" : kindOf(fn),
      help: "reductions are sum, mean, max, min, prod, softmax, and every block with a parameter `axis`",
    });
  const inner = r.scopes.get(expression) ?? around;
  const over = expression.indices.map((index) => inner.get(index.name)!);
  const kind = builtinName(fn);
  const result =
    kind === "sum" || kind === "mean"
      ? sumOfProducts(r, expression, inner, over, kind)
      : overAxes(r, fn, indexed(r, expression.body, inner), expression, over);
  for (const [i, index] of over.entries()) {
    const { span: named } = expression.indices[i]!;
    const left = result.indices.includes(index);
    const outer = around.has(index.name);
    if (left === outer) continue;
    c.frame.span = named;
    throw left
      ? mistake(c, "shape", `${name.name} keeps the index ${index.name}, which is not among those of the left side`, {
          help: `add ${index.name} on the left, or take it away: sum(${index.name}) (${name.name}(${index.name}) …)`,
        })
      : mistake(c, "shape", `${name.name} takes the index ${index.name} away, which is needed around it`, {
          notes: [{ file: c.frame.file, span: index.span, label: `${index.name} is named here` }],
          help: "give one of the two another name",
        });
  }
  return { ...result, span };
}

const builtinName = (fn: CompileValue): string | undefined =>
  fn.kind === "function" && fn.callee.kind === "builtin" ? calleeName(fn.callee) : undefined;

function missing(r: Reading, expression: ReductionExpression, index: Index): Error {
  const { c } = r;
  c.frame.span = expression.indices.find((written) => written.name === index.name)?.span ?? expression.span;
  return mistake(c, "shape", `the index ${index.name} does not appear behind ${expression.name.name}(${index.name})`, {
    help: "the body of a reduction reaches over products; put a sum or difference in parentheses",
  });
}

/** Calls a function with its `axis`; whether it keeps the axes, its result tells. */
function overAxes(
  r: Reading,
  fn: CompileValue,
  body: Indexed,
  expression: ReductionExpression,
  over: readonly Index[],
): Indexed {
  const { c, env } = r;
  const indices = unionOf([body]);
  for (const index of over) if (!indices.includes(index)) throw missing(r, expression, index);
  const axes = over.map((index) => int(indices.indexOf(index)));
  const place = { file: c.frame.file, span: expression.body.span };
  const [axis, ...more] = axes;
  c.frame.span = expression.span;
  const given = { value: spread(c, body, indices), place, written: expression.body };
  const at = { file: c.frame.file, span: expression.indices[0]!.span };
  const value = applyFunction(c, env, fn, [
    given,
    { name: "axis", value: more.length > 0 ? list(axes) : axis!, place: at },
  ]);
  const rank = value.kind === "tensor" ? value.value.type.shape.length : -1;
  if (rank === indices.length) return { value, indices, span: expression.span };
  if (rank === indices.length - over.length)
    return { value, indices: indices.filter((index) => !over.includes(index)), span: expression.span };
  c.frame.span = expression.span;
  throw mistake(c, "shape", `${expression.name.name} neither keeps nor takes away the axes that it goes over`, {
    label: `it gives ${kindOf(value)}`,
  });
}

/** The factors of a product; `divisors` are those that do not depend on the indices summed over. */
interface Product {
  readonly factors: Indexed[];
  readonly divisors: Indexed[];
  negative: boolean;
}

function sumOfProducts(
  r: Reading,
  expression: ReductionExpression,
  inner: Indices,
  over: readonly Index[],
  kind: "sum" | "mean",
): Indexed {
  const { c } = r;
  const product: Product = { factors: [], divisors: [], negative: false };
  collect(r, expression.body, inner, new Map(over.map((index) => [index.name, index])), product);
  const depends = (factor: Indexed): boolean => factor.indices.some((index) => over.includes(index));
  const inside = product.factors.filter(depends);
  for (const index of over)
    if (!inside.some((factor) => factor.indices.includes(index))) throw missing(r, expression, index);
  c.frame.span = expression.span;
  let result = contract(c, inside, over, expression.span);
  const apply = (operator: "*" | "/", operand: Indexed): void => {
    const indices = unionOf([result, operand]);
    const [x, y] = [result, operand].map((side) => spread(c, side, indices));
    result = { value: binary(c, operator, x!, y!), indices, span: expression.span };
  };
  for (const factor of product.factors) if (!depends(factor)) apply("*", factor);
  for (const divisor of product.divisors) apply("/", divisor);
  if (kind === "mean") apply("/", { value: countOf(over), indices: [], span: expression.span });
  return product.negative ? { ...result, value: unary(c, "-", result.value) } : result;
}

function countOf(over: readonly Index[]): CompileValue {
  const count = productOf(over.map(sizeOf));
  return typeof count === "number" ? float(count) : int(count);
}

/** Takes a product apart. A quotient is one factor where the index stands below the line. */
function collect(r: Reading, body: Expression, inner: Indices, over: Indices, product: Product): void {
  if (body.kind === "binary" && body.operator === "*") {
    collect(r, body.left, inner, over, product);
    collect(r, body.right, inner, over, product);
  } else if (body.kind === "binary" && body.operator === "/" && !mentions(body.right, over)) {
    collect(r, body.left, inner, over, product);
    product.divisors.push(indexed(r, body.right, inner));
  } else if (body.kind === "unary" && body.operator === "-") {
    product.negative = !product.negative;
    collect(r, body.operand, inner, over, product);
  } else product.factors.push(indexed(r, body, inner));
}
