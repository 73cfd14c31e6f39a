// Parameters, states and totals: what a body declares for the whole module, its initial values, and its changes.

import { equalShapes, formatDim } from "../ir/dim.ts";
import type { GlobalRole, TensorType, Value } from "../ir/graph.ts";
import type { ParamStatement, Span, StateStatement, TotalStatement, UpdateStatement } from "./ast.ts";
import { applyFunction } from "./call.ts";
import { type Context, checkSize, here, make, mistake, userFrame } from "./context.ts";
import { positionOf } from "./diagnostics.ts";
import { type Environment, evaluate, seenFrom } from "./evaluate.ts";
import { reachable } from "./graph-state.ts";
import { assign } from "./scope.ts";
import { asOperand, broadcastTo } from "./tensors.ts";
import { tensorType } from "./types.ts";
import {
  type CompileValue,
  calleeName,
  describe,
  formatType,
  int,
  isInitializer,
  kindOf,
  list,
  tensor,
} from "./values.ts";

/** The full name of something declared in the present body. */
function fullName(c: Context, name: string): string {
  const { path, suffix } = c.frame;
  return [...path, name, ...(suffix === undefined ? [] : [suffix])].join(".");
}

/** Runs `work` with nodes going to the graph `init`. */
function inInit<T>(c: Context, work: () => T): T {
  const { graph } = c;
  c.graph = c.init;
  try {
    return work();
  } finally {
    c.graph = graph;
  }
}

/**
 * Declares a global, or finds it where another graph or another call of the same model declared it before. `initial` computes its
 * initial value in the graph `init`.
 */
function declareGlobal(
  c: Context,
  local: string,
  role: GlobalRole,
  type: TensorType,
  initializer: string,
  initial: () => Value,
): string {
  const name = fullName(c, local);
  if (c.graph.declared.has(name) && !c.frame.shared)
    throw mistake(c, "name", `${name} is declared twice`, { help: "blocks called in a loop declare their own" });
  c.graph.declared.add(name);
  const present = c.globals.get(name);
  if (present) {
    if (present.type.dtype !== type.dtype || !equalShapes(present.type.shape, type.shape))
      throw mistake(c, "shape", `${name} is ${formatType(present.type)} elsewhere, and ${formatType(type)} here`);
    return name;
  }
  for (const dim of type.shape) {
    if (typeof dim !== "number")
      throw mistake(c, "shape", `${name} would be ${formatType(type)}, and its size must be known at compile time`, {
        help: `${formatDim(dim)} is free until run time; what is trained has one size for all inputs`,
      });
  }
  checkSize(c, name, type);
  const { owner, path } = c.frame;
  const ownName = owner && [...path.slice(owner.depth), local].join(".");
  const { file, span } = here(c);
  c.globals.set(name, {
    name,
    type,
    role,
    initializer,
    ...(owner && ownName !== undefined ? { owner: { model: owner.model, name: ownName } } : {}),
    location: { file: file.name, ...positionOf(file, span.start), scope: c.frame.scope.join("/") },
  });
  inInit(c, () => {
    const value = initial();
    const foreign = [...reachable([value])].find((v) => v.kind === "input" && !c.init.members.has(v));
    if (foreign?.kind === "input")
      throw mistake(
        c,
        "type",
        `the initial value of ${local} depends on ${foreign.name}, which is known at run time only`,
      );
    c.init.current.set(name, value);
  });
  return name;
}

/** The value that a global has by now in the present graph. */
function currentValue(c: Context, name: string, type: TensorType): CompileValue {
  return tensor(c.graph.current.get(name) ?? { kind: "global", name, type });
}

export function declareParameter(
  c: Context,
  env: Environment,
  { name, type, initializer, span }: ParamStatement,
): void {
  const declared = tensorType(c, env, type);
  const initial = evaluate(c, env, initializer);
  c.frame.span = span;
  const full = declareGlobal(c, name.name, "parameter", declared, initializerText(initial), () =>
    initialValue(c, env, initial, declared, name.name, initializer.span),
  );
  env.scope.names.set(name.name, currentValue(c, full, declared));
}

/** What an initializer block, a number or a tensor gives for a parameter of a type. */
function initialValue(
  c: Context,
  env: Environment,
  initial: CompileValue,
  type: TensorType,
  name: string,
  span: Span,
): Value {
  const place = { file: c.frame.file, span };
  let value = initial;
  if (value.kind === "function") {
    if (!isInitializer(value))
      throw mistake(
        c,
        "type",
        `the initial value of ${name} should be an initializer or a number, not ${kindOf(value)}`,
        { place },
      );
    value = applyFunction(c, env, value, [{ value: list(type.shape.map(int)), place: { file: c.frame.file, span } }]);
  }
  return fitted(c, value, type, `the initial value of ${name}`);
}

/** A value as a tensor of exactly `type`; numbers and scalars are spread. */
function fitted(c: Context, value: CompileValue, type: TensorType, what: string): Value {
  if (value.kind !== "tensor" && value.kind !== "int" && value.kind !== "float" && value.kind !== "bool")
    throw mistake(c, "type", `${what} should be ${formatType(type)}, not ${kindOf(value)}`);
  const operand = asOperand(c, value, type.dtype);
  const seen = seenFrom(c, operand);
  if (seen.type.dtype !== type.dtype)
    throw mistake(c, "type", `${what} should have elements ${type.dtype}, and has ${seen.type.dtype}`, {
      help: `cast(…, ${type.dtype}) converts it`,
    });
  if (equalShapes(seen.type.shape, type.shape)) return seen;
  if (seen.type.shape.length === 0) return broadcastTo(c, seen, type.shape);
  throw mistake(c, "shape", `${what} should be ${formatType(type)}, and is ${formatType(seen.type)}`);
}

/** The initializer as readers see it, whichever way its arguments were given: `glorot_uniform`, `normal(mean: 0, …)`. */
function initializerText(value: CompileValue): string {
  if (value.kind !== "function") return value.kind === "tensor" ? "computed" : describe(value);
  const bound = value.bound.map(({ name, value: given }) => `${name}: ${describe(given)}`);
  return bound.length > 0 ? `${calleeName(value.callee)}(${bound.join(", ")})` : calleeName(value.callee);
}

export function declareState(c: Context, env: Environment, { name, type, value, span }: StateStatement): void {
  const role: GlobalRole = c.frame.optimizing ? "optimizer" : "state";
  // The type comes from the declaration or from the value, which is worked out where it is used: in `init`.
  const present = c.globals.get(fullName(c, name.name));
  const declared = type ? tensorType(c, env, type) : present?.type;
  let initial: Value | undefined;
  if (!present)
    inInit(c, () => {
      const given = evaluate(c, env, value);
      c.frame.span = span;
      initial = declared
        ? fitted(c, given, declared, `the initial value of ${name.name}`)
        : given.kind === "tensor"
          ? given.value
          : asOperand(c, given, "f32");
    });
  c.frame.span = span;
  const stateType = declared ?? initial?.type;
  if (!stateType) throw mistake(c, "type", `the state ${name.name} has no type`);
  const text = c.frame.file.text.slice(value.span.start, value.span.end).replace(/\s+/g, " ");
  const full = declareGlobal(c, name.name, role, stateType, text, () => {
    if (!initial) throw mistake(c, "type", `the state ${name.name} has no initial value`);
    return initial;
  });
  c.frame.states.set(name.name, { name: full, type: stateType });
  env.scope.names.set(name.name, currentValue(c, full, stateType));
}

export function updateState(c: Context, env: Environment, { name, value, span }: UpdateStatement): void {
  const state = c.frame.states.get(name.name);
  if (!state)
    throw mistake(c, "name", `${name.name} is no state of this block`, {
      help: `declare it: state ${name.name} = …`,
    });
  const given = evaluate(c, env, value);
  c.frame.span = span;
  const next = fitted(c, given, state.type, `the new value of ${name.name}`);
  if (c.graph.mode === "run") c.graph.current.set(state.name, next);
  assign(env.scope, name.name, tensor(next));
}

/** `total x: T += …`: grows by the batch's value; the graph `metrics` reads what has come together. */
export function declareTotal(c: Context, env: Environment, { name, type, value, span }: TotalStatement): void {
  const frame = userFrame(c.frame);
  if (c.frame.metric === undefined)
    throw mistake(c, "type", "totals belong into blocks of the role metric", {
      place: { file: frame.file, span: frame.span },
    });
  const declared = tensorType(c, env, type);
  const given = c.graph.mode === "run" ? evaluate(c, env, value) : undefined;
  c.frame.span = span;
  const full = declareGlobal(c, name.name, "metric", declared, "zeros", () => zeros(c, declared));
  let current = currentValue(c, full, declared);
  if (given && current.kind === "tensor") {
    const sum = make(c, "add", [current.value, fitted(c, given, declared, `what is added to ${name.name}`)]);
    c.graph.current.set(full, sum);
    current = tensor(sum);
  }
  env.scope.names.set(name.name, current);
}

const zeros = (c: Context, { dtype, shape }: TensorType): Value =>
  broadcastTo(c, asOperand(c, dtype === "bool" ? { kind: "bool", value: false } : int(0), dtype), shape);

/** Adds `value` to a total of the present frame: `metric.loss.sum`. */
export function addTotal(c: Context, local: string, value: Value): void {
  const { type } = value;
  const name = declareGlobal(c, local, "metric", type, "zeros", () => zeros(c, type));
  c.graph.current.set(name, make(c, "add", [{ kind: "global", name, type }, value]));
}
