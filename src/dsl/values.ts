// What an expression of the language stands for while a program is elaborated: a tensor of the graph under construction, or
// a value that is known at compile time. Also how such values are named in messages.

import type { Dim } from "../ir/dim.ts";
import { formatDim } from "../ir/dim.ts";
import type { DType } from "../ir/dtype.ts";
import type { TensorType, Value } from "../ir/graph.ts";
import type { BlockDeclaration, Expression, ModelDeclaration, SourceFile, Span } from "./ast.ts";
import type { Clauses } from "./conditions.ts";
import type { Builtin } from "./functions/define.ts";
import type { FileScope } from "./resolve.ts";

export type CompileValue =
  | TensorValue
  /** An integer; a polynomial where it depends on a free size. */
  | { readonly kind: "int"; readonly value: Dim }
  | { readonly kind: "float"; readonly value: number }
  | { readonly kind: "bool"; readonly value: boolean }
  | UndecidedValue
  | { readonly kind: "string"; readonly value: string }
  | { readonly kind: "dtype"; readonly value: DType }
  /** `none`: an argument that is not given. */
  | { readonly kind: "none" }
  | ListValue
  | FunctionValue
  /** What a mistake left behind; it was reported, so whatever uses it stays silent. */
  | { readonly kind: "poison" };

/** A condition that depends on a size which is free until run time. */
export interface UndecidedValue {
  readonly kind: "undecided";
  readonly text: string;
  readonly clauses: Clauses;
}

export interface TensorValue {
  readonly kind: "tensor";
  readonly value: Value;
}

/** A list, or the values of a tuple; a called model's tuple has names. */
export interface ListValue {
  readonly kind: "list";
  readonly items: readonly CompileValue[];
  readonly tuple: boolean;
  /** How many values it holds at all depths; a program may not build lists without end. */
  readonly weight: number;
  readonly names?: readonly string[];
}

/** A block, model or function as a value; `bound` are arguments that it has already (`normal(0, 0.02)`). */
export interface FunctionValue {
  readonly kind: "function";
  readonly callee: Callee;
  readonly bound: readonly GivenArgument[];
}

export type Callee =
  | { readonly kind: "block"; readonly declaration: BlockDeclaration; readonly scope: FileScope }
  | { readonly kind: "model"; readonly declaration: ModelDeclaration; readonly scope: FileScope }
  | { readonly kind: "builtin"; readonly builtin: Builtin };

export type BlockValue = Extract<Callee, { kind: "block" }>;

/** An argument of a call, with the place where it was written. */
export interface GivenArgument {
  readonly name?: string;
  readonly value: CompileValue;
  readonly place: Place;
  /** As it was written, to name it in messages. */
  readonly written?: Expression;
}

export interface Place {
  readonly file: SourceFile;
  readonly span: Span;
}

export const int = (value: Dim): CompileValue => ({ kind: "int", value });
export const float = (value: number): CompileValue => ({ kind: "float", value });
export const bool = (value: boolean): CompileValue => ({ kind: "bool", value });
export const tensor = (value: Value): TensorValue => ({ kind: "tensor", value });
const weightOf = (items: readonly CompileValue[]): number =>
  items.reduce((sum, item) => sum + (item.kind === "list" ? item.weight : 1), 1);
const collect = (items: readonly CompileValue[], tuple: boolean): ListValue => ({
  kind: "list",
  items,
  tuple,
  weight: weightOf(items),
});
export const list = (items: readonly CompileValue[]): ListValue => collect(items, false);
export const tuple = (items: readonly CompileValue[]): ListValue => collect(items, true);
export const none: CompileValue = { kind: "none" };
export const poison: CompileValue = { kind: "poison" };

export const calleeName = (callee: Callee): string =>
  callee.kind === "builtin" ? callee.builtin.name : callee.declaration.name.name;

/** What may stand after `~`: a block of that role, or one of the two functions that make a tensor from its shape alone. */
export const isInitializer = (value: CompileValue): value is FunctionValue =>
  value.kind === "function" &&
  (value.callee.kind === "block"
    ? value.callee.declaration.role === "initializer"
    : value.callee.kind === "builtin" && ["zeros", "ones"].includes(value.callee.builtin.name));

export const formatShape = (shape: readonly Dim[]): string => `[${shape.map(formatDim).join(", ")}]`;

export const formatType = (type: TensorType): string => `${type.dtype}${formatShape(type.shape)}`;

/** The value as it is shown in a message: `f32[N, 784]`, `3`, `"same"`, `[1, 2]`, `block relu`. */
export function describe(value: CompileValue): string {
  switch (value.kind) {
    case "tensor":
      return formatType(value.value.type);
    case "int":
      return formatDim(value.value);
    case "float":
      return Number.isInteger(value.value) ? value.value.toFixed(1) : String(value.value);
    case "bool":
      return String(value.value);
    case "undecided":
      return `the condition ${value.text}`;
    case "string":
      return JSON.stringify(value.value);
    case "dtype":
      return value.value;
    case "none":
      return "none";
    case "list": {
      const items = value.items.map(describe).join(", ");
      return value.tuple ? `(${items})` : `[${items}]`;
    }
    case "function":
      return `${value.callee.kind === "builtin" ? "function" : value.callee.kind} ${calleeName(value.callee)}`;
    case "poison":
      return "a value with a mistake";
  }
}

/** The kind of value for messages that complete "… is not". */
export function kindOf(value: CompileValue): string {
  switch (value.kind) {
    case "tensor":
      return `a tensor ${describe(value)}`;
    case "int":
      return `the integer ${describe(value)}`;
    case "float":
      return `the number ${describe(value)}`;
    case "bool":
      return describe(value);
    case "string":
      return `the string ${describe(value)}`;
    case "dtype":
      return `the element type ${value.value}`;
    case "list":
      return `the ${value.tuple ? "tuple" : "list"} ${describe(value)}`;
    case "function":
      return `the ${describe(value)}`;
    default:
      return describe(value);
  }
}

/** Whether two compile-time values are the same; undefined where that depends on a free size or on a tensor. */
export function equalValues(a: CompileValue, b: CompileValue, equalInts: EqualInts): boolean | undefined {
  if (a.kind === "tensor" || b.kind === "tensor") return undefined;
  const [m, n] = [a, b].map(wholeNumberOf);
  if (m !== undefined && n !== undefined) return equalInts(m, n);
  const numbers = [a, b].map((v) => (v.kind === "float" || v.kind === "int" ? v.value : undefined));
  if (typeof numbers[0] === "number" && typeof numbers[1] === "number") return numbers[0] === numbers[1];
  if (a.kind === "list" && b.kind === "list") {
    if (a.items.length !== b.items.length) return false;
    const same = a.items.map((item, i) => equalValues(item, b.items[i]!, equalInts));
    return same.includes(false) ? false : same.includes(undefined) ? undefined : true;
  }
  if (a.kind === "function" && b.kind === "function")
    return a.callee.kind === b.callee.kind && calleeName(a.callee) === calleeName(b.callee);
  if ("value" in a && "value" in b) return a.kind === b.kind && a.value === b.value;
  return a.kind === b.kind;
}

/** A number without a fraction, an integer or not: 2.0 is 2. */
const wholeNumberOf = (value: CompileValue): Dim | undefined =>
  value.kind === "int" || (value.kind === "float" && Number.isInteger(value.value)) ? value.value : undefined;

type EqualInts = (a: Dim, b: Dim) => boolean | undefined;
