// Reductions, by NumPy's names. A reduction over a compile-time list of numbers is worked out at once.

import { type Dim, multiplyDims, productOf } from "../../ir/dim.ts";
import { isFloat } from "../../ir/dtype.ts";
import type { Value } from "../../ir/graph.ts";
import { type Context, make, mistake } from "../context.ts";
import { binary } from "../operators.ts";
import { asOperand } from "../tensors.ts";
import { type CompileValue, formatType, int, tensor } from "../values.ts";
import { type Arguments, type Builtin, define } from "./define.ts";

type Kind = "sum" | "product" | "max" | "min";

/** Axes of length one are put back where `keepdims` asks for them. */
function keep(c: Context, x: Value, reduced: Value, axes: readonly number[]): Value {
  const shape = x.type.shape.map((dim, i) => (axes.includes(i) ? 1 : dim));
  return make(c, "reshape", [reduced], { shape });
}

function reduce(a: Arguments, c: Context, kind: Kind): Value {
  const x = a.tensor("x");
  if (x.type.dtype === "bool")
    throw a.wrong("x", `x has elements bool; count them by sum(cast(x, f32)), or use any and all`);
  const axes = a.axes("axis", x.type.shape.length);
  if (axes.length === 0) return x;
  const reduced = make(c, "reduce", [x], { kind, axes });
  return a.bool("keepdims") ? keep(c, x, reduced, axes) : reduced;
}

/** How many elements each result is made of, as an operand beside `x`. */
function count(c: Context, x: Value, axes: readonly number[]): Value {
  const size: Dim = productOf(axes.map((axis) => x.type.shape[axis]!));
  return asOperand(c, int(size), x.type.dtype);
}

function mean(a: Arguments, c: Context): Value {
  const x = a.tensor("x");
  if (!isFloat(x.type.dtype)) throw a.wrong("x", `the mean needs floats, and x is ${formatType(x.type)}: cast(x, f32)`);
  const sum = reduce(a, c, "sum");
  return make(c, "divide", [sum, count(c, x, a.axes("axis", x.type.shape.length))]);
}

/** The mean of the squared distances from the mean (over n, as NumPy's default). */
function variance(a: Arguments, c: Context): Value {
  const x = a.tensor("x");
  if (!isFloat(x.type.dtype))
    throw a.wrong("x", `the variance needs floats, and x is ${formatType(x.type)}: cast(x, f32)`);
  const axes = a.axes("axis", x.type.shape.length);
  if (axes.length === 0) return make(c, "subtract", [x, x]);
  const n = count(c, x, axes);
  const middle = keep(c, x, make(c, "divide", [make(c, "reduce", [x], { kind: "sum", axes }), n]), axes);
  const spread = make(c, "broadcast", [middle], { shape: x.type.shape, axes: x.type.shape.map((_, i) => i) });
  const away = make(c, "subtract", [x, spread]);
  const squares = make(c, "reduce", [make(c, "multiply", [away, away])], { kind: "sum", axes });
  const result = make(c, "divide", [squares, n]);
  return a.bool("keepdims") ? keep(c, x, result, axes) : result;
}

function choose(a: Arguments, c: Context, kind: "max" | "min"): Value {
  const x = a.tensor("x");
  const axis = a.axis("axis", x.type.shape.length);
  const result = make(c, "argmax", [x], { axis, kind });
  return a.bool("keepdims") ? keep(c, x, result, [axis]) : result;
}

/** any and all: the maximum and minimum of 0 and 1. */
function truth(a: Arguments, c: Context, kind: "max" | "min"): Value {
  const x = a.tensor("x");
  if (x.type.dtype !== "bool") throw a.wrong("x", `x should have elements bool, and is ${formatType(x.type)}`);
  const axes = a.axes("axis", x.type.shape.length);
  if (axes.length === 0) return x;
  const numbers = make(c, "convert", [x], { dtype: "i32" });
  const reduced = make(c, "convert", [make(c, "reduce", [numbers], { kind, axes })], { dtype: "bool" });
  return a.bool("keepdims") ? keep(c, x, reduced, axes) : reduced;
}

/** Sums and products of lists of sizes: `prod(S)`. */
function fold(c: Context, items: readonly CompileValue[], kind: "sum" | "product"): CompileValue {
  if (kind === "product" && items.every((item) => item.kind === "int"))
    return int(items.reduce<Dim>((all, item) => (item.kind === "int" ? multiplyDims(all, item.value) : all), 1));
  const start: CompileValue = int(kind === "sum" ? 0 : 1);
  return items.reduce((all, item) => binary(c, kind === "sum" ? "+" : "*", all, item), start);
}

const over = "over `axis` (an integer, a list, or all of them); `keepdims` leaves axes of length 1.";
const reducer = (name: string, kind: Kind, doc: string): Builtin =>
  define(`${name}(x: tensor, axis: ints = none, keepdims: bool = false)`, `${doc} ${over}`, (a, c) => {
    const x = a.value("x");
    if (x.kind !== "list") return tensor(reduce(a, c, kind));
    if (kind === "sum" || kind === "product") return fold(c, x.items, kind);
    throw mistake(c, "type", `${name} takes a tensor, not a list`);
  });

const signature = "(x: tensor, axis: ints = none, keepdims: bool = false)";

export const reduceFunctions: readonly Builtin[] = [
  reducer("sum", "sum", "The sum"),
  reducer("prod", "product", "The product"),
  reducer("max", "max", "The greatest element"),
  reducer("min", "min", "The least element"),
  define(`mean${signature}`, `The mean ${over}`, (a, c) => tensor(mean(a, c))),
  define(`var${signature}`, `The variance, mean((x - mean(x))²), ${over}`, (a, c) => tensor(variance(a, c))),
  define(`std${signature}`, `The standard deviation, the root of \`var\`, ${over}`, (a, c) =>
    tensor(make(c, "sqrt", [variance(a, c)])),
  ),
  define(
    "argmax(x: tensor, axis: int = -1, keepdims: bool = false)",
    "Where the greatest element along `axis` is; the first of several.",
    (a, c) => tensor(choose(a, c, "max")),
  ),
  define(
    "argmin(x: tensor, axis: int = -1, keepdims: bool = false)",
    "Where the least element along `axis` is; the first of several.",
    (a, c) => tensor(choose(a, c, "min")),
  ),
  define(`any${signature}`, `Whether one is true ${over}`, (a, c) => tensor(truth(a, c, "max"))),
  define(`all${signature}`, `Whether all are true ${over}`, (a, c) => tensor(truth(a, c, "min"))),
];
