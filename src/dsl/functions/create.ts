// Functions that make tensors out of nothing, and the source of randomness.

import type { Dim } from "../../ir/dim.ts";
import { subtractDims } from "../../ir/dim.ts";
import type { DType } from "../../ir/dtype.ts";
import { literal, type TensorType, type Value } from "../../ir/graph.ts";
import { type Context, make } from "../context.ts";
import { keyInput } from "../graph-state.ts";
import { asOperand } from "../tensors.ts";
import { type CompileValue, tensor } from "../values.ts";
import { type Arguments, type Builtin, define } from "./define.ts";

const full = (c: Context, value: number, { dtype, shape }: TensorType): Value =>
  shape.length === 0 ? literal(value, dtype) : make(c, "broadcast", [literal(value, dtype)], { shape, axes: [] });

const iota = (c: Context, shape: readonly Dim[], axis: number, dtype: DType): Value =>
  make(c, "iota", [], { shape, axis, dtype });

/** 1 where `compare` holds between the row and the column, of an n×m matrix. */
function matrix(c: Context, rows: Dim, columns: Dim, direction: "eq" | "ge"): Value {
  const shape = [rows, columns];
  return make(c, "compare", [iota(c, shape, 0, "i32"), iota(c, shape, 1, "i32")], { direction });
}

/** Numbers from `start` up to `limit`, both whole: 0, 1, 2, … when only one is given. */
function arange(a: Arguments, c: Context): Value {
  const [start, limit]: [Dim, Dim] = a.given("limit") ? [a.dim("start"), a.dim("limit")] : [0, a.dim("start")];
  const dtype = a.dtype("dtype");
  const numbers = iota(c, [subtractDims(limit, start)], 0, dtype);
  if (start === 0) return numbers;
  return make(c, "add", [numbers, asOperand(c, { kind: "int", value: start }, dtype)]);
}

/** A tensor of the numbers in (nested) lists. */
function array(a: Arguments, c: Context): Value {
  const values: number[] = [];
  const shape: number[] = [];
  const visit = (value: CompileValue, depth: number): void => {
    if (value.kind === "list") {
      const known = shape[depth];
      if (known === undefined) shape.push(value.items.length);
      else if (known !== value.items.length) throw a.wrong("values", "all rows should have one length");
      for (const item of value.items) visit(item, depth + 1);
      return;
    }
    if (depth !== shape.length) throw a.wrong("values", "all rows should be nested equally deep");
    if ((value.kind !== "int" && value.kind !== "float") || typeof value.value !== "number")
      throw a.wrong("values", "values should be numbers that are known at compile time");
    values.push(value.value);
  };
  visit(a.value("values"), 0);
  return make(c, "constant", [], { values, shape, dtype: a.dtype("dtype") });
}

export const createFunctions: readonly Builtin[] = [
  define("zeros(shape: ints, dtype: dtype = f32)", "A tensor of zeros.", (a, c) =>
    tensor(full(c, 0, { dtype: a.dtype("dtype"), shape: a.dims("shape") })),
  ),
  define("ones(shape: ints, dtype: dtype = f32)", "A tensor of ones.", (a, c) =>
    tensor(full(c, 1, { dtype: a.dtype("dtype"), shape: a.dims("shape") })),
  ),
  define("full(shape: ints, value: float, dtype: dtype = f32)", "A tensor of one number.", (a, c) => {
    const number = asOperand(c, a.value("value"), a.dtype("dtype"));
    const shape = a.dims("shape");
    return tensor(shape.length === 0 ? number : make(c, "broadcast", [number], { shape, axes: [] }));
  }),
  define("zeros_like(x: tensor)", "Zeros of the type of `x`.", (a, c) => tensor(full(c, 0, a.tensor("x").type))),
  define("ones_like(x: tensor)", "Ones of the type of `x`.", (a, c) => tensor(full(c, 1, a.tensor("x").type))),
  define("eye(n: int, m: int = none, dtype: dtype = f32)", "The identity matrix, n×n or n×m.", (a, c) => {
    const mask = matrix(c, a.dim("n"), a.given("m") ? a.dim("m") : a.dim("n"), "eq");
    const dtype = a.dtype("dtype");
    return tensor(dtype === "bool" ? mask : make(c, "convert", [mask], { dtype }));
  }),
  define(
    "lower_triangle(n: int, m: int = none)",
    "An n×n matrix of bool, true on the diagonal and below: what a causal mask lets through.",
    (a, c) => tensor(matrix(c, a.dim("n"), a.given("m") ? a.dim("m") : a.dim("n"), "ge")),
  ),
  define(
    "arange(start: int, limit: int = none, dtype: dtype = f32)",
    "`start`, `start` + 1, … below `limit`; with one argument, from 0 below it.",
    (a, c) => tensor(arange(a, c)),
  ),
  define(
    "iota(shape: ints, axis: int, dtype: dtype = i32)",
    "Each element is its own position along `axis`.",
    (a, c) => {
      const shape = a.dims("shape");
      return tensor(iota(c, shape, a.axis("axis", shape.length), a.dtype("dtype")));
    },
  ),
  define(
    "array(values: list, dtype: dtype = f32)",
    "A tensor of the numbers in a list, or in a list of lists.",
    (a, c) => tensor(array(a, c)),
  ),
  define(
    "random_bits(shape: ints)",
    "32 random bits an element, as i32: Threefry-2x32 of the run's key, with a stream of its own for each use.",
    (a, c) => {
      const attributes = { shape: a.dims("shape"), stream: c.graph.streams++ };
      return tensor(make(c, "random_bits", [keyInput(c)], attributes));
    },
  ),
];
