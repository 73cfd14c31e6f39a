// Functions on what is known at compile time (shapes, lists, element types), and gradients.

import { productOf } from "../../ir/dim.ts";
import { isFloat } from "../../ir/dtype.ts";
import type { Value } from "../../ir/graph.ts";
import { type Context, guarded, mistake } from "../context.ts";
import { type CompileValue, formatType, int, kindOf, type ListValue, list, tensor, tuple } from "../values.ts";
import { type Arguments, type Builtin, define } from "./define.ts";

/** The longest list or string that a program may build. */
export const mostItems = 100_000;

/** 0, 1, … n - 1, or from `from` up to `to`. */
export function range(c: Context, from: number, to: number): ListValue {
  if (to - from > mostItems) throw mistake(c, "limit", `a range of ${to - from} numbers is too long to unroll`);
  return list(Array.from({ length: Math.max(0, to - from) }, (_, i) => int(from + i)));
}

/** The trainable tensors that the program declared up to here, as this graph sees them. */
export function parameterValues(c: Context): Value[] {
  const values: Value[] = [];
  for (const name of c.graph.declared) {
    const found = c.globals.get(name);
    if (found?.role === "parameter") values.push({ kind: "global", name, type: found.type });
  }
  return values;
}

function gradient(a: Arguments, c: Context): CompileValue {
  const loss = a.tensor("loss");
  if (loss.type.shape.length > 0 || !isFloat(loss.type.dtype))
    throw a.wrong(
      "loss",
      `loss should be one number of floats, f32[], and is ${formatType(loss.type)}`,
      isFloat(loss.type.dtype)
        ? "sum(…) or mean(…) makes it one number"
        : "cast(…, f32) before whatever is to be derived",
    );
  const given = a.value("wrt");
  const wrt = given.kind === "list" ? a.tensors("wrt") : [a.tensor("wrt")];
  for (const value of wrt) {
    if (value.kind === "literal") throw a.wrong("wrt", "wrt should be a tensor, and is a number");
    if (!isFloat(value.type.dtype))
      throw a.wrong("wrt", `only floats have gradients, and this is ${formatType(value.type)}`);
  }
  const results = gradientsOf(c, loss, wrt).map(tensor);
  return given.kind === "list" ? tuple(results) : results[0]!;
}

export const gradientsOf = (c: Context, loss: Value, wrt: readonly Value[]): readonly Value[] =>
  guarded(c, [loss, ...wrt], () => c.emit.node("gradient", [loss, ...wrt]));

/** The last value that was made in a call, which a path of calls names as locations do. */
function madeIn(a: Arguments, c: Context): CompileValue {
  const path = a.text("call");
  const made = c.graph.nodes.findLast((node) => isInside(node.location?.scope, path))?.results[0];
  if (made) return tensor(made);
  const calls = new Set(c.graph.nodes.flatMap((node) => node.location?.scope || []));
  throw a.wrong("call", `nothing was made in ${path}`, `there are ${[...calls].join(", ") || "no calls yet"}`);
}

const isInside = (scope: string | undefined, path: string): boolean =>
  scope !== undefined && (scope === path || scope.startsWith(`${path}/`));

function length(a: Arguments): CompileValue {
  const given = a.value("items");
  if (given.kind === "list") return int(given.items.length);
  if (given.kind === "tensor" && given.value.type.shape.length > 0) return int(given.value.type.shape[0]!);
  throw a.wrong("items", `len takes a list or a tensor with axes, not ${kindOf(given)}`);
}

export const metaFunctions: readonly Builtin[] = [
  define(
    "grad(loss: tensor, wrt: tensor)",
    "The gradient of a scalar with respect to a tensor, or a tuple of gradients for a list of tensors. It can be differentiated again.",
    gradient,
  ),
  define("shape(x: tensor)", "The sizes of the axes of `x`, as a list.", (a) =>
    list(a.tensor("x").type.shape.map(int)),
  ),
  define("rank(x: tensor)", "How many axes `x` has.", (a) => int(a.tensor("x").type.shape.length)),
  define("size(x: tensor)", "How many elements `x` has.", (a) => int(productOf(a.tensor("x").type.shape))),
  define("dtype(x: tensor)", "The element type of `x`.", (a) => ({ kind: "dtype", value: a.tensor("x").type.dtype })),
  define("len(items: list)", "The length of a list, or of the first axis of a tensor.", (a) => length(a)),
  define("range(start: int, limit: int = none)", "A list of integers: 0 … start - 1, or start … limit - 1.", (a, c) =>
    a.given("limit") ? range(c, a.int("start"), a.int("limit")) : range(c, 0, a.int("start")),
  ),
  define("append(items: list, item: tensor)", "The list with one more item.", (a) =>
    list([...a.list("items"), a.value("item")]),
  ),
  define(
    "made_in(call: string)",
    'What a call inside a model that ran before gave, by its path, to look inside from outside: `made_in("Cnn/relu_1")`.',
    madeIn,
  ),
  define("int(x: float)", "A whole number as an integer: rounds towards zero.", (a) => int(Math.trunc(a.number("x")))),
  define("parameters()", "The list of the trainable tensors declared so far, for penalties on weights.", (_, c) =>
    list(parameterValues(c).map(tensor)),
  ),
];
