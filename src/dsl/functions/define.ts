// How a built-in function is declared: a signature as text, documentation, and a few lines that emit nodes. Arguments reach it
// through accessors that check them and name the argument in their messages.

import type { Dim } from "../../ir/dim.ts";
import { formatDim } from "../../ir/dim.ts";
import type { DType } from "../../ir/dtype.ts";
import type { Value } from "../../ir/graph.ts";
import { type Context, type Mistake, mistake } from "../context.ts";
import { asOperand, isNumeric } from "../tensors.ts";
import { bool, type CompileValue, float, type GivenArgument, int, kindOf, none } from "../values.ts";

export interface BuiltinParameter {
  readonly name: string;
  /** For readers and for the generated wrappers: `tensor`, `ints`, `bool`. */
  readonly type: string;
  readonly default?: CompileValue;
  readonly written?: string;
}

export interface Builtin {
  readonly name: string;
  readonly signature: string;
  readonly doc: string;
  readonly parameters: readonly BuiltinParameter[];
  /** Takes further named arguments (`h: heads`), or any number of positional ones. */
  readonly rest?: "named" | "positional";
  readonly run: (a: Arguments, c: Context) => CompileValue;
}

/** The arguments of one call. Accessors throw a Mistake at the argument. */
export interface Arguments {
  value(name: string): CompileValue;
  given(name: string): boolean;
  tensor(name: string): Value;
  tensors(name: string): readonly Value[];
  list(name: string): readonly CompileValue[];
  int(name: string): number;
  dim(name: string): Dim;
  /** One integer or a list of them. */
  dims(name: string): readonly Dim[];
  ints(name: string): readonly number[];
  number(name: string): number;
  bool(name: string): boolean;
  text(name: string): string;
  dtype(name: string): DType;
  /** An axis of a tensor with `rank` axes, counted from 0; negative ones count from the end. */
  axis(name: string, rank: number): number;
  /** The same for several; all of them where the argument is `none`. In ascending order. */
  axes(name: string, rank: number): readonly number[];
  /** A mistake at this argument. */
  wrong(name: string, message: string, help?: string): Mistake;
  readonly rest: readonly GivenArgument[];
}

/**
 * Declares a function: `define("sum(x: tensor, axis: ints = none)", "Sum over …", (a, c) => …)`. A last parameter `...named` or `...values`
 * collects further arguments.
 */
export function define(signature: string, doc: string, run: Builtin["run"]): Builtin {
  const open = signature.indexOf("(");
  const inside = signature.slice(open + 1, signature.lastIndexOf(")"));
  const parameters: BuiltinParameter[] = [];
  let rest: Builtin["rest"];
  for (const part of inside.split(",").map((text) => text.trim())) {
    if (part === "") continue;
    if (part.startsWith("...")) {
      rest = part === "...named" ? "named" : "positional";
      continue;
    }
    const [head = "", written] = part.split("=").map((text) => text.trim());
    const [name = "", type = "tensor"] = head.split(":").map((text) => text.trim());
    parameters.push({ name, type, ...(written === undefined ? {} : { default: parseDefault(written), written }) });
  }
  return { name: signature.slice(0, open), signature, doc, parameters, ...(rest ? { rest } : {}), run };
}

function parseDefault(text: string): CompileValue {
  if (text === "none") return none;
  if (text === "true" || text === "false") return bool(text === "true");
  if (text.startsWith('"')) return { kind: "string", value: text.slice(1, -1) };
  if (text === "f32" || text === "i32" || text === "bool") return { kind: "dtype", value: text };
  return text.includes(".") ? float(Number(text)) : int(Number(text));
}

export function readArguments(
  c: Context,
  builtin: Builtin,
  bound: ReadonlyMap<string, GivenArgument>,
  rest: readonly GivenArgument[],
): Arguments {
  const value = (name: string): CompileValue => {
    const parameter = builtin.parameters.find((p) => p.name === name);
    return bound.get(name)?.value ?? parameter?.default ?? none;
  };
  const wrong = (name: string, message: string, help?: string): Mistake => {
    const place = bound.get(name)?.place;
    return mistake(c, "argument", `${builtin.name}: ${message}`, { help, ...(place ? { place } : {}) });
  };
  const expected = (name: string, what: string): Mistake =>
    wrong(name, `${name} should be ${what}, and is ${kindOf(value(name))}`);
  const whole = (name: string, item: CompileValue): Dim => {
    if (item.kind === "int") return item.value;
    if (item.kind === "float" && Number.isInteger(item.value)) return item.value;
    throw expected(name, "an integer");
  };
  const concrete = (name: string, dim: Dim): number => {
    if (typeof dim === "number") return dim;
    throw wrong(name, `${name} must be known at compile time, and ${formatDim(dim)} is free until run time`);
  };
  const toAxis = (name: string, axis: number, rank: number): number => {
    if (axis < -rank || axis >= rank)
      throw wrong(name, `there is no axis ${axis} in a tensor with ${rank === 1 ? "1 axis" : `${rank} axes`}`);
    return axis < 0 ? axis + rank : axis;
  };
  const dims = (name: string): readonly Dim[] => {
    const given = value(name);
    if (given.kind === "list") return given.items.map((item) => whole(name, item));
    return [whole(name, given)];
  };
  const a: Arguments = {
    value,
    rest,
    wrong,
    given: (name) => value(name).kind !== "none",
    tensor(name) {
      const given = value(name);
      if (!isNumeric(given)) throw expected(name, "a tensor");
      return asOperand(c, given, undefined);
    },
    tensors: (name) =>
      a.list(name).map((item) => {
        if (item.kind !== "tensor") throw expected(name, "a list of tensors");
        return item.value;
      }),
    list(name) {
      const given = value(name);
      if (given.kind !== "list") throw expected(name, "a list");
      return given.items;
    },
    int: (name) => concrete(name, whole(name, value(name))),
    dim: (name) => whole(name, value(name)),
    dims,
    ints: (name) => dims(name).map((dim) => concrete(name, dim)),
    number(name) {
      const given = value(name);
      if ((given.kind === "float" || given.kind === "int") && typeof given.value === "number") return given.value;
      throw expected(name, "a number");
    },
    bool(name) {
      const given = value(name);
      if (given.kind !== "bool") throw expected(name, "true or false");
      return given.value;
    },
    text(name) {
      const given = value(name);
      if (given.kind !== "string") throw expected(name, "a string");
      return given.value;
    },
    dtype(name) {
      const given = value(name);
      if (given.kind !== "dtype") throw expected(name, "an element type such as f32");
      return given.value;
    },
    axis: (name, rank) => toAxis(name, a.int(name), rank),
    axes(name, rank) {
      if (!a.given(name)) return Array.from({ length: rank }, (_, i) => i);
      const axes = a.ints(name).map((axis) => toAxis(name, axis, rank));
      if (new Set(axes).size < axes.length) throw wrong(name, "an axis is named twice");
      return axes.sort((p, q) => p - q);
    },
  };
  return a;
}
