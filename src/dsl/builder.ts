// Tensors and layers of models built in TypeScript: what they call are the blocks of the library, through the same elaborator as
// programs in `.dlm`. So both give the same graphs. The models themselves are in builder-model.ts and builder-train.ts.

import type { Dim } from "../ir/dim.ts";
import { type DType, isDType } from "../ir/dtype.ts";
import type { Value } from "../ir/graph.ts";
import type { BinaryOperator } from "./ast.ts";
import type {
  Argument,
  Given,
  Initializer,
  InputType,
  Layer,
  Metric,
  Operand,
  Optimizer,
  Schedule,
  Tensor,
} from "./builder-types.ts";
import { applyFunction, instanceName, writtenParameters } from "./call.ts";
import { type Context, Mistake, rootFrame } from "./context.ts";
import type { Diagnostic } from "./diagnostics.ts";
import { type Environment, libraryFunction } from "./evaluate.ts";
import { binary, unary } from "./operators.ts";
import {
  bool,
  type CompileValue,
  describe,
  type FunctionValue,
  float,
  type GivenArgument,
  int,
  list,
  tensor,
} from "./values.ts";

/** What is wrong with a model that is built in TypeScript. */
export class BuilderError extends Error {
  override readonly name = "BuilderError";
}

export type * from "./builder-types.ts";

const inputType =
  (dtype: DType) =>
  (...shape: readonly (number | string)[]): InputType => ({ dtype, shape });

export const f32 = inputType("f32");
export const i32 = inputType("i32");
export const u8 = inputType("u8");

/** A model under construction; tensors and scopes know theirs. */
export interface Builder {
  readonly c: Context;
  /** The names of the present graph. */
  env: Environment;
}

/** Says to which model a handle belongs. */
export const builders = new WeakMap<object, Builder>();
const values = new WeakMap<object, Value>();
/** Names of the functions in `nn`, so that they can be arguments: `activation: nn.relu`. */
const functions = new WeakMap<object, string>();

/** A block of one's own: parameters of the layers called in it are named after it. */
export function block(name: string, body: (x: Tensor) => Tensor): Layer {
  return layer(name, (x, as) => {
    const { c } = builderOf(x);
    const caller = c.frame;
    const instance = instanceName(caller, as ?? name);
    const path = [...caller.path, instance];
    c.frame = { ...rootFrame(caller.file), path, scope: [...caller.scope, instance], parent: caller };
    try {
      return body(x);
    } finally {
      c.frame = caller;
    }
  });
}

function layer(name: string, run: (x: Tensor, as: string | undefined) => Tensor, as?: string): Layer {
  return Object.assign((x: Tensor) => run(x, as), { as: (given: string) => layer(name, run, given) });
}

function builderOf(value: object): Builder {
  const builder = builders.get(value);
  if (!builder) throw new BuilderError("this tensor does not belong to a model under construction");
  return builder;
}

/** Tensors of different models do not mix. */
function refuseForeign(builder: Builder, given: readonly Argument[]): void {
  for (const value of given) {
    if (isList(value)) refuseForeign(builder, value);
    else if (typeof value === "object" && builders.has(value) && builders.get(value) !== builder)
      throw new BuilderError("this tensor belongs to another model");
  }
}

export function tensorOf(value: Tensor): Value {
  const found = values.get(value);
  if (!found) throw new BuilderError("this is not a tensor of a model under construction");
  return found;
}

export function wrap(builder: Builder, value: Value): Tensor {
  const { c } = builder;
  const operate = (operator: BinaryOperator, y: Operand): Tensor => {
    refuseForeign(builder, [y]);
    return checked(() => toTensor(builder, binary(c, operator, tensor(value), toValue(y, builder))));
  };
  const made: Tensor = {
    shape: value.type.shape,
    dtype: value.type.dtype,
    pipe: (...layers) => layers.reduce((x, next) => next(x), made),
    add: (y) => operate("+", y),
    subtract: (y) => operate("-", y),
    multiply: (y) => operate("*", y),
    divide: (y) => operate("/", y),
    power: (y) => operate("**", y),
    matmul: (y) => operate("@", y),
    negate: () => checked(() => toTensor(builder, unary(c, "-", tensor(value)))),
  };
  builders.set(made, builder);
  values.set(made, value);
  return made;
}

/** Runs `work`; what is wrong in it is a BuilderError. */
export function checked<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof Mistake)) throw error;
    throw builderError(error.diagnostic);
  }
}

export const builderError = ({ message, label, help }: Diagnostic): BuilderError =>
  new BuilderError([message, label, help].filter((part) => part).join("; "));

function toTensor(builder: Builder, result: CompileValue): Tensor {
  if (result.kind === "tensor") return wrap(builder, result.value);
  throw new BuilderError(`a tensor is expected, and the result is ${describe(result)}`);
}

/** A TypeScript value as the language has it; what waits for the training is called in the present graph. */
function toValue(value: Argument, builder?: Builder): CompileValue {
  if (typeof value === "number") return Number.isInteger(value) ? int(value) : float(value);
  if (typeof value === "boolean") return bool(value);
  if (typeof value === "string") return isDType(value) ? { kind: "dtype", value } : { kind: "string", value };
  if (isList(value)) return list(value.map((item) => toValue(item, builder)));
  const found = values.get(value);
  if (found) return tensor(found);
  const name = functions.get(value);
  if (name !== undefined) return toFunction(name);
  if (isInitializer(value)) {
    const fn = toFunction(value.initializer);
    const names = parameterNames(fn).slice(1);
    const { positional, named } = splitOptions(value.arguments);
    return { ...fn, bound: [...positional.map((v, i) => argument(v, names[i])), ...named] };
  }
  if (isDim(value)) return int(value);
  if (isDeferred(value) && builder) return call(builder, value.name, value.arguments);
  throw new BuilderError("this is neither a tensor, a number, a list nor a block");
}

type Deferred = Optimizer | Schedule | Metric;
const isList = (value: Argument): value is readonly Argument[] => Array.isArray(value);
const isDim = (value: object): value is Exclude<Dim, number> => "terms" in value;
const isInitializer = (value: Argument): value is Initializer => typeof value === "object" && "initializer" in value;
const isDeferred = (value: object): value is Deferred => "role" in value && "arguments" in value;
const place = { file: { name: "", text: "" }, span: { start: 0, end: 0 } };

function argument(value: Argument, name: string | undefined, builder?: Builder): GivenArgument {
  return { value: toValue(value, builder), place, ...(name === undefined ? {} : { name }) };
}

/** A last argument that is a plain object holds options by name. */
function splitOptions(
  given: readonly Argument[],
  builder?: Builder,
): { positional: readonly Argument[]; named: GivenArgument[] } {
  const last = given.at(-1);
  const plain =
    typeof last === "object" &&
    !isList(last) &&
    !values.has(last) &&
    !builders.has(last) &&
    !isInitializer(last) &&
    !isDeferred(last) &&
    !isDim(last);
  if (!plain) return { positional: given, named: [] };
  const named = Object.entries(last).flatMap(([name, value]) =>
    value === undefined ? [] : [argument(value, name, builder)],
  );
  return { positional: given.slice(0, -1), named };
}

export function toFunction(name: string): FunctionValue {
  const found = libraryFunction(name);
  if (!found) throw new BuilderError(`the library has no ${name}`);
  return found;
}

function parameterNames({ callee }: FunctionValue): string[] {
  if (callee.kind === "builtin") return callee.builtin.parameters.map((parameter) => parameter.name);
  return callee.declaration.parameters.map((parameter) => parameter.name.name);
}

function requiredNames(fn: FunctionValue): string[] {
  const { callee } = fn;
  if (callee.kind === "builtin")
    return callee.builtin.parameters.flatMap((p) => (p.default === undefined ? [p.name] : []));
  const { declaration } = callee;
  const written = declaration.kind === "block" ? writtenParameters(declaration) : declaration.parameters;
  return written.flatMap((p) => (p.default === undefined ? [p.name.name] : []));
}

function findBuilder(given: readonly Argument[]): Builder | undefined {
  for (const value of given) {
    if (typeof value !== "object") continue;
    const found = isList(value) ? findBuilder(value) : builders.get(value);
    if (found) return found;
  }
  return undefined;
}

/** Calls a function of the library in the present graph. */
export function call(builder: Builder, name: string, given: readonly Argument[], as?: string): CompileValue {
  refuseForeign(builder, given);
  const fn = toFunction(name);
  const required = requiredNames(fn);
  const { positional, named } = splitOptions(given, builder);
  const rest = positional.filter((value) => typeof value !== "object" || !builders.has(value) || values.has(value));
  if (rest.length > required.length)
    throw new BuilderError(
      `${name} takes ${required.join(", ")}, and the rest by name: { ${parameterNames(fn).join(", ")} }`,
    );
  const bound = [...rest.map((value, i) => argument(value, required[i], builder)), ...named];
  return checked(() => applyFunction(builder.c, builder.env, fn, bound, as));
}

const withoutGaps = (given: Given): readonly Argument[] =>
  given.filter((value): value is Argument => value !== undefined);

/**
 * A function of `nn`: with a tensor (or a scope) among its arguments it is called at once; without, it is a layer that waits
 * for its input.
 */
export function libraryCall(name: string): (...given: Given) => Tensor & Layer {
  const made = (...given: readonly Argument[]): Tensor | Layer => {
    const present = withoutGaps(given);
    const builder = findBuilder(present);
    if (builder) return toTensor(builder, call(builder, name, present));
    return layer(name, (x, as) => {
      const own = builderOf(x);
      return toTensor(own, call(own, name, [x, ...present], as));
    });
  };
  functions.set(made, name);
  // Which of the two it is follows from the arguments; the generated signatures say so, one overload each.
  return made as (...given: Given) => Tensor & Layer;
}

/** A function of `nn` that gives several tensors. */
export function libraryTuple(name: string): (...given: Given) => readonly Tensor[] {
  return (...given) => {
    const present = withoutGaps(given);
    const builder = findBuilder(present);
    if (!builder) throw new BuilderError(`${name} needs a tensor`);
    const result = call(builder, name, present);
    const items = result.kind === "list" ? result.items : [result];
    return items.map((item) => toTensor(builder, item));
  };
}

/** An initializer of `nn`. */
export const libraryInitializer =
  (name: string) =>
  (...given: Given): Initializer => ({ initializer: name, arguments: withoutGaps(given) });

/** An optimizer, a schedule or a metric of `nn`: nothing is called before the training is built. */
export const libraryDeferred =
  <Role extends Deferred["role"]>(role: Role, name: string) =>
  (...given: Given): { readonly role: Role; readonly name: string; readonly arguments: readonly Argument[] } => ({
    role,
    name,
    arguments: withoutGaps(given),
  });
