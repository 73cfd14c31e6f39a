// Declared types: what they say of compile-time values, and the sizes they give tensors.

import type { Dim } from "../ir/dim.ts";
import { symbol } from "../ir/dim.ts";
import { type DType, isDType } from "../ir/dtype.ts";
import type { TensorType as IrType } from "../ir/graph.ts";
import type { Expression, Parameter, Span, TensorType, TypeExpression } from "./ast.ts";
import { applyFunction } from "./call.ts";
import { type Context, mistake } from "./context.ts";
import { closest } from "./diagnostics.ts";
import { type Environment, evaluate } from "./evaluate.ts";
import { stepInput } from "./graph-state.ts";
import {
  type Binding,
  type DimEnvironment,
  dimOf,
  formatExpression,
  formatPattern,
  namesInDim,
} from "./linear-dims.ts";
import { lookup } from "./scope.ts";
import { asOperand } from "./tensors.ts";
import {
  type CompileValue,
  describe,
  float,
  formatType,
  type GivenArgument,
  isInitializer,
  kindOf,
  list,
  tensor,
} from "./values.ts";

/** A type as it was written: `f32[...B, D]`, `int[2]`. */
export function formatTypeExpression(type: TypeExpression): string {
  switch (type.kind) {
    case "named":
      return type.name;
    case "tensor":
      return `${type.element.name}${formatPattern(type.dims)}`;
    case "list":
      return `${type.element.name}[${type.length ? formatExpression(type.length) : ""}]`;
    case "tuple":
      return `(${type.items.map(formatTypeExpression).join(", ")})`;
  }
}

/** Names of sizes as the body of a block sees them: its parameters and local names, and constants of its file. */
export function dimEnvironment(c: Context, env: Environment): DimEnvironment {
  return {
    known(name) {
      const local = lookup(env.scope, name) ?? constantOf(c, env, name);
      return local && bindingOf(local);
    },
    evaluate(expression) {
      const value = evaluate(c, env, expression);
      if (value.kind === "int") return value.value;
      c.frame.span = expression.span;
      throw mistake(c, "type", `a size is an integer, not ${kindOf(value)}`);
    },
  };
}

function constantOf(c: Context, env: Environment, name: string): CompileValue | undefined {
  const found = env.file.declarations.get(name)?.declaration;
  return found?.kind === "const" ? evaluate(c, env, { kind: "name", name, span: found.name.span }) : undefined;
}

function bindingOf(value: CompileValue): Binding | undefined {
  if (value.kind === "int") return value.value;
  if (value.kind === "float" && Number.isInteger(value.value)) return value.value;
  if (value.kind !== "list") return undefined;
  const dims: Dim[] = [];
  for (const item of value.items) {
    if (item.kind !== "int") return undefined;
    dims.push(item.value);
  }
  return dims;
}

/** The element type that a declaration names, or that its variable stands for; undefined for a variable without a value. */
function elementOf(c: Context, env: Environment, { element }: TensorType): DType | undefined {
  const { name } = element;
  if (isDType(name)) return name;
  const bound = lookup(env.scope, name);
  if (bound?.kind === "dtype") return bound.value;
  if (/^[A-Z]$/.test(name)) return undefined;
  c.frame.span = element.span;
  throw mistake(c, "type", `there is no element type ${name}`, { help: "element types are f32 f16 i32 u8 i8 bool" });
}

/**
 * The tensor type that a declaration gives. Names that nothing binds are mistakes, unless `free` makes them sizes that are
 * known at run time.
 */
export function tensorType(c: Context, env: Environment, type: TypeExpression, free?: (name: string) => void): IrType {
  if (type.kind !== "tensor") {
    c.frame.span = type.span;
    throw mistake(
      c,
      "type",
      `the type of a tensor is expected here, such as f32[N, 3], not ${formatTypeExpression(type)}`,
    );
  }
  const dims = dimEnvironment(c, env);
  const shape: Dim[] = [];
  const dtype = elementOf(c, env, type);
  if (!dtype)
    throw mistake(c, "type", `nothing says which element type ${type.element.name} is`, place(c, type.element.span));
  for (const dim of type.dims) {
    if (dim.kind === "spread") {
      const sizes = dims.known(dim.name.name);
      if (!Array.isArray(sizes))
        throw mistake(c, "shape", `nothing says which sizes ...${dim.name.name} stands for`, place(c, dim.span));
      shape.push(...sizes);
      continue;
    }
    const unknown = namesInDim(dim.value).filter((name) => dims.known(name) === undefined);
    const [first] = unknown;
    if (first !== undefined && !free)
      throw mistake(c, "name", `nothing says which size ${first} is`, place(c, dim.span));
    for (const name of unknown) free?.(name);
    const known: DimEnvironment = { ...dims, known: (name) => dims.known(name) ?? (free ? symbol(name) : undefined) };
    const size = dimOf(dim.value, known);
    if (size === undefined || (typeof size === "number" && size < 0))
      throw mistake(c, "shape", `${formatExpression(dim.value)} is no whole size`, {
        ...place(c, dim.span),
        label: sizeText(c, env, dim.value),
      });
    shape.push(size);
  }
  return { dtype, shape };
}

/** What a size that is none comes to: `-4`, `1.333`; nothing where that cannot be said. */
function sizeText(c: Context, env: Environment, expression: Expression): string {
  const value = expression.kind === "number" ? undefined : evaluate(c, env, expression);
  return value?.kind === "int" || value?.kind === "float" ? `this is ${describe(value)}` : "";
}

const typeNames = ["int", "float", "bool", "string", "fn", "initializer", "dtype"];

function typeHelp(name: string): string {
  const near = closest(name, typeNames);
  const all = `types are ${typeNames.join(" ")}, lists such as int[2] and tensors such as f32[N, 3]`;
  return near ? `did you mean \`${near}\`? ${all}` : all;
}

const place = (c: Context, span: Span) => ({ place: { file: c.frame.file, span } });

/** The name of an argument in messages: as it was written if that is short, else the parameter's. */
function argumentText(argument: GivenArgument, parameter: string): string {
  const { written } = argument;
  return written?.kind === "name" ? written.name : parameter;
}

/** An argument as its parameter's type wants it, for all types but those of tensors. */
export function convertArgument(
  c: Context,
  env: Environment,
  callee: string,
  parameter: Parameter,
  argument: GivenArgument,
): CompileValue {
  const { value } = argument;
  const { type } = parameter;
  const wrong = (): Error =>
    mistake(
      c,
      "argument",
      `${callee}: ${parameter.name.name} should be ${type ? article(type) : "a value"}, and is ${kindOf(value)}`,
      {
        place: argument.place,
      },
    );
  if (value.kind === "poison" || !type) return value;
  if (value.kind === "none") {
    if (parameter.default?.kind === "name" && parameter.default.name === "none") return value;
    throw wrong();
  }
  switch (type.kind) {
    case "named":
      return named(c, env, type.name, value, wrong, () =>
        mistake(c, "type", `there is no type ${type.name}`, { ...place(c, type.span), help: typeHelp(type.name) }),
      );
    case "list": {
      const items = value.kind === "list" ? value.items : undefined;
      const count = type.length ? dimEnvironment(c, env).evaluate(type.length) : undefined;
      const element = (item: CompileValue): CompileValue => named(c, env, type.element.name, item, wrong, wrong);
      if (items && (count === undefined || items.length === count)) return list(items.map(element));
      if (items || typeof count !== "number") {
        if (items) throw wrong();
        return list([element(value)]);
      }
      // A single number stands for all: `kernel: 3` for [3, 3].
      return list(Array.from({ length: count }, () => element(value)));
    }
    case "tuple":
      if (value.kind !== "list" || value.items.length !== type.items.length) throw wrong();
      return value;
    case "tensor":
      return value;
  }
}

function named(
  c: Context,
  env: Environment,
  name: string,
  value: CompileValue,
  wrong: () => Error,
  unknown: () => Error,
): CompileValue {
  switch (name) {
    case "int":
      if (value.kind === "int") return value;
      if (value.kind === "float" && Number.isInteger(value.value)) return { kind: "int", value: value.value };
      throw wrong();
    case "float":
      if (value.kind === "float") return value;
      if (value.kind === "int") return typeof value.value === "number" ? float(value.value) : value;
      // A number that is known at run time, such as a learning rate that follows a schedule.
      if (value.kind === "tensor" && value.value.type.shape.length === 0) return value;
      if (value.kind === "function" && value.callee.kind === "block" && value.callee.declaration.role === "schedule")
        return applyFunction(c, env, value, [
          { value: tensor(stepInput(c)), place: { file: c.frame.file, span: c.frame.span } },
        ]);
      throw wrong();
    case "bool":
    case "string":
    case "dtype":
      if (value.kind === name) return value;
      throw wrong();
    case "fn":
      if (value.kind === "function") return value;
      throw wrong();
    case "initializer":
      if (isInitializer(value)) return value;
      if ((value.kind === "int" || value.kind === "float") && typeof value.value === "number") return value;
      throw wrong();
    default:
      throw unknown();
  }
}

function article(type: TypeExpression): string {
  if (type.kind === "list")
    return type.length ? `${formatExpression(type.length)} numbers (${formatTypeExpression(type)})` : "a list";
  const text = formatTypeExpression(type);
  const words: Record<string, string> = {
    int: "an integer",
    float: "a number",
    bool: "true or false",
    fn: "a block",
    string: "a string",
  };
  return words[text] ?? `${/^[aeiou]/.test(text) ? "an" : "a"} ${text}`;
}

/** The tensor that an argument is, with the element type that its parameter declares. */
export function tensorArgument(
  c: Context,
  env: Environment,
  callee: string,
  parameter: Parameter,
  type: TensorType,
  argument: GivenArgument,
): CompileValue {
  const { value } = argument;
  const text = argumentText(argument, parameter.name.name);
  const wanted = elementOf(c, env, type);
  if (value.kind === "int" || value.kind === "float" || value.kind === "bool")
    return tensor(asOperand(c, value, wanted ?? (value.kind === "bool" ? "bool" : "f32")));
  const message = `${callee} expects ${parameter.name.name}: ${formatTypeExpression(type)}`;
  if (value.kind !== "tensor")
    throw mistake(c, "argument", `${message}, and gets ${kindOf(value)}`, {
      place: argument.place,
      help: value.kind === "list" ? `array(${describe(value)}) makes a tensor of it` : undefined,
    });
  const { dtype } = value.value.type;
  if (wanted !== undefined && wanted !== dtype)
    throw mistake(c, "type", `${message}, with elements ${wanted}, not ${dtype}`, {
      label: `${text}: ${formatType(value.value.type)}`,
      help: `cast(${text}, ${wanted}) converts it`,
    });
  if (wanted === undefined) env.scope.names.set(type.element.name, { kind: "dtype", value: dtype });
  return value;
}

export const describeArgument = (argument: GivenArgument, parameter: string): string =>
  `${argumentText(argument, parameter)}: ${describe(argument.value)}`;
