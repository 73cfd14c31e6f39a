// The elementwise primitives under their names in the language, and what is made of them. Numbers that are known at compile
// time are worked out at once, by the operation's own reference meaning.

import type { DType } from "../../ir/dtype.ts";
import type { Operation } from "../../ir/op.ts";
import { operations } from "../../ir/ops/index.ts";
import { type Context, make, mistake } from "../context.ts";
import { alike, alikeShapes, asOperand, isNumeric } from "../tensors.ts";
import { bool, type CompileValue, float, int, kindOf, tensor } from "../values.ts";
import { type Arguments, type Builtin, define } from "./define.ts";

/** Names that need more than broadcasting, or that operators stand for. */
const special = new Set(["compare", "select", "convert", "stop_gradient"]);
/** Operations with which integers can be at compile time. */
const wholeToWhole = new Set([
  "maximum",
  "minimum",
  "absolute",
  "abs",
  "sign",
  "negate",
  "add",
  "subtract",
  "multiply",
]);

function fromOperation(definition: Operation): Builtin {
  const name = definition.alias ?? definition.name;
  const doc = definition.doc.split("\n")[0] ?? "";
  return define(`${name}(${definition.inputs.map((input) => `${input}: tensor`).join(", ")})`, doc, (a, c) => {
    const values = definition.inputs.map((input) => a.value(input));
    values.forEach((value, i) => {
      const input = definition.inputs[i]!;
      if (!isNumeric(value)) throw a.wrong(input, `${input} should be a tensor or a number, and is ${kindOf(value)}`);
    });
    return folded(definition, values) ?? tensor(make(c, definition.name, alike(c, values, name)));
  });
}

function folded(definition: Operation, values: readonly CompileValue[]): CompileValue | undefined {
  const numbers: number[] = [];
  for (const value of values) {
    if ((value.kind !== "int" && value.kind !== "float") || typeof value.value !== "number") return undefined;
    numbers.push(value.value);
  }
  const dtype: DType = "f32";
  const operands = numbers.map((x) => ({ dtype, shape: [], data: Float64Array.of(x) }));
  const types = definition.infer(
    operands.map(({ shape }) => ({ dtype, shape })),
    {},
  );
  const [type] = types;
  if (!type) return undefined;
  const [result] = definition.evaluate(operands, {}, [{ dtype: type.dtype, shape: [] }]);
  const value = result?.data[0];
  if (value === undefined) return undefined;
  if (type.dtype === "bool") return bool(value !== 0);
  return values.every((v) => v.kind === "int") && wholeToWhole.has(definition.name) ? int(value) : float(value);
}

function where(a: Arguments, c: Context): CompileValue {
  const condition = a.value("condition");
  if (condition.kind === "bool") return condition.value ? a.value("x") : a.value("y");
  if (condition.kind !== "tensor" || condition.value.type.dtype !== "bool")
    throw a.wrong("condition", `the condition should have elements bool, and is ${kindOf(condition)}`);
  const [x, y] = [a.value("x"), a.value("y")];
  for (const branch of [x, y])
    if (!isNumeric(branch)) throw mistake(c, "type", `where chooses between tensors, not ${kindOf(branch)}`);
  const branches = alike(c, [x, y], "where");
  const [mask, ...rest] = alikeShapes(c, [condition.value, ...branches], "where");
  return tensor(make(c, "select", [mask!, ...rest]));
}

function clip(a: Arguments, c: Context): CompileValue {
  let x: CompileValue = a.value("x");
  for (const [name, op] of [
    ["low", "maximum"],
    ["high", "minimum"],
  ] as const)
    if (a.given(name)) x = tensor(make(c, op, alike(c, [x, a.value(name)], "clip")));
  return x;
}

function cast(a: Arguments, c: Context): CompileValue {
  const dtype = a.dtype("dtype");
  const x = a.value("x");
  if (x.kind === "tensor") return x.value.type.dtype === dtype ? x : tensor(make(c, "convert", [x.value], { dtype }));
  return tensor(asOperand(c, x, dtype));
}

/** Rounded down, for integers of either sign: truncation, less one where the signs differ and something is left. */
function floorDivide(a: Arguments, c: Context): CompileValue {
  const [x, y] = alike(c, [a.value("x"), a.value("y")], "floor_divide");
  if (!x || !y) throw mistake(c, "type", "floor_divide takes two tensors");
  const quotient = make(c, "divide", [x, y]);
  if (quotient.type.dtype === "f32" || quotient.type.dtype === "f16") return tensor(make(c, "floor", [quotient]));
  const rest = make(c, "subtract", [x, make(c, "multiply", [quotient, y])]);
  const zero = asOperand(c, int(0), rest.type.dtype);
  const inexact = make(c, "compare", [rest, zero], { direction: "ne" });
  const signs = make(c, "compare", [make(c, "multiply", [rest, y]), zero], { direction: "lt" });
  const less = make(c, "convert", [make(c, "and", [inexact, signs])], { dtype: quotient.type.dtype });
  return tensor(make(c, "subtract", [quotient, less]));
}

export function elementwiseFunctions(): readonly Builtin[] {
  const primitives = operations().filter((op) => op.elementwise && !special.has(op.name));
  return [
    ...primitives.map(fromOperation),
    define(
      "where(condition: tensor, x: tensor, y: tensor)",
      "`x` where the condition is true, `y` elsewhere, element by element.",
      where,
    ),
    define(
      "clip(x: tensor, low: float = none, high: float = none)",
      "`x`, but no less than `low` and no more than `high`.",
      clip,
    ),
    define(
      "cast(x: tensor, dtype: dtype)",
      "`x` with elements of another type; floats are cut towards zero for integers.",
      cast,
    ),
    define("floor_divide(x: tensor, y: tensor)", "x / y rounded down, for integers and floats.", floorDivide),
    define("stop_gradient(x: tensor)", "`x` itself, which gradients treat as a constant.", (a, c) =>
      tensor(make(c, "stop_gradient", [a.tensor("x")])),
    ),
  ];
}
