// Evaluates expressions: what is known at compile time is worked out, tensors become nodes of the present graph.

import { dtypes, isDType } from "../ir/dtype.ts";
import type { Value } from "../ir/graph.ts";
import type { CallExpression, Expression, PipeExpression, Span, Template } from "./ast.ts";
import { applyFunction } from "./call.ts";
import { type Context, mistake, Poisoned } from "./context.ts";
import { closest } from "./diagnostics.ts";
import { builtins } from "./functions/index.ts";
import { range } from "./functions/meta.ts";
import { indexValue } from "./indexing.ts";
import { libraryDeclaration, libraryNames } from "./library.ts";
import { reduceToNumber } from "./notation/evaluate.ts";
import { binary, unary } from "./operators.ts";
import { helpFor } from "./other-names.ts";
import type { FileScope } from "./resolve.ts";
import { evaluateScan } from "./scan.ts";
import { assign, lookup, namesIn, openScope, type Scope } from "./scope.ts";
import {
  bool,
  type CompileValue,
  describe,
  type FunctionValue,
  float,
  type GivenArgument,
  int,
  kindOf,
  list,
  none,
  tensor,
  tuple,
  type UndecidedValue,
} from "./values.ts";

/** What names mean at a place. */
export interface Environment {
  readonly scope: Scope;
  readonly file: FileScope;
  /** In a `train` block schedules get the step by themselves. */
  readonly train?: boolean;
  /** In the body of a scan, what it has yielded so far. */
  readonly yields?: CompileValue[];
}

export function evaluate(c: Context, env: Environment, expression: Expression): CompileValue {
  switch (expression.kind) {
    case "number":
      return expression.integer ? int(expression.value) : float(expression.value);
    case "string":
      return { kind: "string", value: expression.value };
    case "boolean":
      return bool(expression.value);
    case "name":
      return evaluateName(c, env, expression.name, expression.span);
    case "member":
      return member(c, evaluate(c, env, expression.target), expression.name.name, expression.span);
    case "call":
      return callExpression(c, env, expression, [], expression.span);
    case "pipe":
      return pipe(c, env, expression);
    case "unary": {
      const operand = evaluate(c, env, expression.operand);
      c.frame.span = expression.span;
      return unary(c, expression.operator, operand);
    }
    case "binary": {
      const { operator } = expression;
      const left = evaluate(c, env, expression.left);
      // The right side of a decided condition may be senseless: `heads > 0 && D % heads == 0`.
      if (left.kind === "bool" && ((operator === "&&" && !left.value) || (operator === "||" && left.value)))
        return left;
      const right = evaluate(c, env, expression.right);
      c.frame.span = expression.span;
      return binary(c, operator, left, right);
    }
    case "range": {
      const [from, to] = [expression.from, expression.to].map((side) => wholeNumber(c, env, side));
      c.frame.span = expression.span;
      return range(c, from!, to!);
    }
    case "list":
      return list(expression.items.map((item) => evaluate(c, env, item)));
    case "tuple":
      return tuple(expression.items.map((item) => evaluate(c, env, item)));
    case "index": {
      const target = evaluate(c, env, expression.target);
      return indexValue(c, env, target, expression);
    }
    case "reduction":
      return reduceToNumber(c, env, expression);
    case "scan":
      return evaluateScan(c, env, expression);
  }
}

/** The integer that an expression stands for; a mistake where it is none, or not known at compile time. */
export function wholeNumber(c: Context, env: Environment, expression: Expression): number {
  const value = evaluate(c, env, expression);
  if (value.kind === "int" && typeof value.value === "number") return value.value;
  c.frame.span = expression.span;
  if (value.kind === "int")
    throw mistake(c, "type", `this must be known at compile time, and ${describe(value)} is free until run time`);
  throw mistake(c, "type", `an integer is expected here, not ${kindOf(value)}`);
}

/** A condition, worked out where it does not depend on a free size. */
export function condition(c: Context, env: Environment, expression: Expression): boolean | UndecidedValue {
  const value = evaluate(c, env, expression);
  if (value.kind === "bool") return value.value;
  if (value.kind === "undecided") return value;
  c.frame.span = expression.span;
  throw mistake(c, "type", `a condition is true or false at compile time, and this is ${kindOf(value)}`, {
    help: value.kind === "tensor" ? "where(condition, a, b) chooses element by element" : undefined,
  });
}

const special: ReadonlyMap<string, CompileValue> = new Map([
  ["none", none],
  ["inf", float(Number.POSITIVE_INFINITY)],
  ["pi", float(Math.PI)],
]);

function evaluateName(c: Context, env: Environment, name: string, span: Span): CompileValue {
  const local = lookup(env.scope, name);
  if (local) {
    if (local.kind === "poison") throw new Poisoned();
    return local.kind === "tensor" ? tensor(seenFrom(c, local.value)) : local;
  }
  if (name === "training") return bool(c.graph.training);
  const known = special.get(name);
  if (known) return known;
  const declared = declarationValue(c, env.file, name, span);
  if (declared) return declared;
  if (isDType(name)) return { kind: "dtype", value: name };
  c.frame.span = span;
  if (name === "") throw new Poisoned();
  const help = helpFor(name, visibleNames(env));
  throw mistake(c, "name", `there is no ${name}`, {
    label: help ? "" : "nothing of that name is in scope",
    help: help ?? (env.train ? targetHelp(env, name) : undefined),
  });
}

function targetHelp({ scope }: Environment, name: string): string {
  if (!name.startsWith("val_"))
    return `a column of the data that is no input of the model is declared: target ${name.slice(0, 30)}: f32[N]`;
  const known = namesIn(scope).filter((other) => other.startsWith("val_"));
  if (known.length > 0) return `the epoch before gives ${known.join(", ")}`;
  return "only the optimizer knows it, and only where rows are held back: add validation: 10%";
}

/** A block of the library or a built-in function, by its name. */
export function libraryFunction(name: string): FunctionValue | undefined {
  const found = libraryDeclaration(name);
  const builtin = builtins().get(name);
  if (found?.declaration.kind === "block")
    return {
      kind: "function",
      callee: { kind: "block", declaration: found.declaration, scope: found.scope },
      bound: [],
    };
  return builtin && { kind: "function", callee: { kind: "builtin", builtin }, bound: [] };
}

/** What a name means at the level of files: a constant, block, model or function. */
function declarationValue(c: Context, file: FileScope, name: string, span: Span): CompileValue | undefined {
  const found = file.declarations.get(name) ?? libraryDeclaration(name);
  if (!found) {
    const builtin = builtins().get(name);
    return builtin && { kind: "function", callee: { kind: "builtin", builtin }, bound: [] };
  }
  const { declaration, scope } = found;
  if (declaration.kind === "block")
    return { kind: "function", callee: { kind: "block", declaration, scope }, bound: [] };
  if (declaration.kind === "model")
    return { kind: "function", callee: { kind: "model", declaration, scope }, bound: [] };
  const known = scope.constants.get(declaration);
  if (known === "evaluating")
    throw mistake(c, "recursion", `the constant ${name} is defined by itself`, { place: { file: c.frame.file, span } });
  if (known?.kind === "poison") throw new Poisoned();
  if (known) return known;
  const { frame } = c;
  scope.constants.set(declaration, "evaluating");
  try {
    c.frame = { ...frame, file: scope.file, library: scope.library, span: declaration.value.span, parent: frame };
    const value = evaluate(c, { scope: openScope(), file: scope }, declaration.value);
    if (value.kind === "tensor")
      throw mistake(c, "type", `a constant is known at compile time, and ${name} is ${kindOf(value)}`);
    scope.constants.set(declaration, value);
    c.frame = frame;
    return value;
  } catch (error) {
    scope.constants.set(declaration, { kind: "poison" });
    throw error;
  }
}

export function visibleNames(env: Environment): string[] {
  const files = [...env.file.declarations.keys(), ...libraryNames(), ...builtins().keys()];
  return [...namesIn(env.scope), ...files, "training", ...special.keys(), ...dtypes];
}

/**
 * A tensor as the present graph may use it. `init` sees parameters by their initial values; what belongs to another graph
 * stands there for its type only, and whoever finishes the graph checks that nothing was computed from it.
 */
export function seenFrom(c: Context, value: Value): Value {
  const { graph } = c;
  if (graph.mode === "run" || value.kind === "literal" || graph.members.has(value)) return value;
  if (value.kind === "global") return graph.mode === "init" ? (graph.current.get(value.name) ?? value) : value;
  return { kind: "input", name: value.kind === "input" ? value.name : "a tensor of the program", type: value.type };
}

function member(c: Context, target: CompileValue, name: string, span: Span): CompileValue {
  c.frame.span = span;
  const names = target.kind === "list" ? (target.names ?? []) : [];
  const at = names.indexOf(name);
  if (target.kind === "list" && at >= 0) return target.items[at]!;
  const near = closest(name, names);
  throw mistake(c, "name", `${kindOf(target)} has no member ${name}`, {
    help: near ? `did you mean \`${near}\`?` : names.length > 0 ? `it has ${names.join(", ")}` : undefined,
  });
}

export function callExpression(
  c: Context,
  env: Environment,
  { callee, arguments: written }: CallExpression,
  piped: readonly GivenArgument[],
  span: Span,
  as?: string,
): CompileValue {
  const fn = evaluate(c, env, callee);
  const given: GivenArgument[] = [...piped];
  for (const { name, value, span: argumentSpan } of written) {
    const place = { file: c.frame.file, span: argumentSpan };
    const evaluated = evaluate(c, env, value);
    given.push({ value: evaluated, place, written: value, ...(name ? { name: name.name } : {}) });
  }
  c.frame.span = span;
  return applyFunction(c, env, fn, given, as);
}

function pipe(c: Context, env: Environment, { input, stage, as }: PipeExpression): CompileValue {
  const value = evaluate(c, env, input);
  const argument: GivenArgument = { value, place: { file: c.frame.file, span: stage.span }, written: input };
  const name = as?.name;
  let result: CompileValue;
  if (stage.kind === "call") result = callExpression(c, env, stage, [argument], stage.span, name);
  else {
    const fn = evaluate(c, env, stage);
    c.frame.span = stage.span;
    result = applyFunction(c, env, fn, [argument], name);
  }
  if (name !== undefined) assign(env.scope, name, result);
  return result;
}

/** The text of a template, with the values of the expressions in it. */
export function evaluateTemplate(c: Context, env: Environment, { parts }: Template): string {
  return parts
    .map((part) => {
      if (typeof part === "string") return part;
      const value = evaluate(c, env, part);
      return value.kind === "string" ? value.value : describe(value);
    })
    .join("");
}
