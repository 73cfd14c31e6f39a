// Calls: arguments are matched with parameters (signature.ts solves for the sizes), and the body of the block runs in a frame of its own.

import { formatDim, productOf } from "../ir/dim.ts";
import type { Value } from "../ir/graph.ts";
import { bindArguments, parameterInfo } from "./arguments.ts";
import type { BlockDeclaration, BlockRole, Parameter } from "./ast.ts";
import { type Context, type Frame, guarded, mistake, Poisoned, step } from "./context.ts";
import { type Environment, evaluate } from "./evaluate.ts";
import { type Builtin, readArguments } from "./functions/define.ts";
import { epochInput, stepInput } from "./graph-state.ts";
import { checkOutputs } from "./model.ts";
import { openScope } from "./scope.ts";
import { bindParameters, checkResult } from "./signature.ts";
import { runBody } from "./statements.ts";
import { describeArgument } from "./types.ts";
import {
  type Callee,
  type CompileValue,
  calleeName,
  type FunctionValue,
  formatType,
  type GivenArgument,
  kindOf,
  tensor,
  tuple,
} from "./values.ts";

type BlockCallee = Extract<Callee, { kind: "block" }>;
type ModelCallee = Extract<Callee, { kind: "model" }>;

/** Parameters at the front that the caller of such a block supplies by itself: the step, the shape, the weights and gradient. */
const implicitParameters: Readonly<Record<BlockRole, number>> = {
  block: 0,
  metric: 0,
  optimizer: 2,
  schedule: 1,
  initializer: 1,
};

export function applyFunction(
  c: Context,
  env: Environment,
  fn: CompileValue,
  given: readonly GivenArgument[],
  as?: string,
): CompileValue {
  const value = apply(c, env, fn, given, as);
  // The mistake was reported in the body; what is made of its value stays silent.
  if (value.kind === "poison") throw new Poisoned();
  return value;
}

function apply(
  c: Context,
  env: Environment,
  fn: CompileValue,
  given: readonly GivenArgument[],
  as: string | undefined,
): CompileValue {
  step(c);
  if (fn.kind !== "function")
    throw mistake(c, "type", `only blocks, models and functions can be called, not ${kindOf(fn)}`);
  const { callee } = fn;
  const all = [...given, ...fn.bound];
  if (callee.kind === "builtin") return callBuiltin(c, callee.builtin, all);
  if (callee.kind === "model") return callModel(c, callee, all);
  const partial = partially(c, callee, fn, given);
  if (!partial) return callBlock(c, callee, [...all, ...suppliedTo(c, callee, all)], as);
  if (!env.train || callee.declaration.role !== "schedule") return partial;
  const steps = evaluate(c, env, { kind: "name", name: "step", span: c.frame.span });
  const supplied = [{ value: steps, place: { file: c.frame.file, span: c.frame.span } }, ...partial.bound];
  return callBlock(c, callee, [...supplied, ...suppliedTo(c, callee, supplied)], as);
}

/** `normal(0, 0.02)` and `adam(lr: 1e-3)` are values: what comes before their arguments is supplied where they are used. */
function partially(
  c: Context,
  { declaration, scope }: BlockCallee,
  fn: FunctionValue,
  given: readonly GivenArgument[],
): FunctionValue | undefined {
  const { role, parameters } = declaration;
  const implicit = implicitParameters[role];
  const first = parameters[0]?.name.name;
  if (implicit === 0 || given.some((argument) => argument.name === first)) return undefined;
  const [leading] = given;
  const supplied = role === "initializer" ? leading?.value.kind === "list" : leading?.value.kind === "tensor";
  if (supplied && leading?.name === undefined) return undefined;
  const { bound } = bindArguments(
    c,
    declaration.name.name,
    writtenParameters(declaration).map(parameterInfo),
    given,
    undefined,
  );
  const named = [...bound].map(([name, argument]) => ({ ...argument, name }));
  return { kind: "function", callee: { kind: "block", declaration, scope }, bound: [...fn.bound, ...named] };
}

/** The parameters of a block but for those that it gets by itself where it is used. */
export const writtenParameters = ({ role, parameters }: BlockDeclaration): readonly Parameter[] =>
  parameters.slice(implicitParameters[role]).filter(({ name }) => name.name !== counters[role]?.name);

/** Counts that blocks of a role get by themselves, where they have a parameter of that name. */
const counters: { readonly [role in BlockRole]?: { readonly name: string; readonly count: (c: Context) => Value } } = {
  optimizer: { name: "step", count: stepInput },
  schedule: { name: "epoch", count: (c) => epochInput(c, "count") },
};

/** The count that a block asks for and does not get: an optimizer that another one calls, `inner(w, g)`, or a schedule. */
function suppliedTo(c: Context, { declaration }: BlockCallee, given: readonly GivenArgument[]): GivenArgument[] {
  const counter = counters[declaration.role];
  if (!counter) return [];
  const at = declaration.parameters.findIndex((parameter) => parameter.name.name === counter.name);
  const positional = given.filter((argument) => argument.name === undefined).length;
  if (at < 0 || positional > at || given.some(({ name }) => name === counter.name)) return [];
  const place = { file: c.frame.file, span: c.frame.span };
  return [{ name: counter.name, value: tensor(counter.count(c)), place }];
}

function callBuiltin(c: Context, builtin: Builtin, given: readonly GivenArgument[]): CompileValue {
  const parameters = builtin.parameters.map((p) => ({ name: p.name, optional: p.default !== undefined }));
  const { bound, rest } = bindArguments(c, builtin.name, parameters, given, builtin.rest);
  return guarded(c, [], () => builtin.run(readArguments(c, builtin, bound, rest), c));
}

/** The name of a call in its body: `dense`, then `dense_1`. */
export function instanceName(frame: Frame, stem: string): string {
  const count = frame.instances.get(stem) ?? 0;
  frame.instances.set(stem, count + 1);
  return count === 0 ? stem : `${stem}_${count}`;
}

/** Blocks that contain blocks, at most: far more than a program needs, far less than the stack holds. */
const deepest = 200;

function refuseRecursion(c: Context, callee: BlockCallee | ModelCallee): void {
  const chain: string[] = [];
  let depth = 0;
  for (let frame: Frame | undefined = c.frame; frame; frame = frame.parent) {
    if (!frame.callee) continue;
    depth++;
    chain.unshift(calleeName(frame.callee));
    if (frame.callee.kind === "builtin" || frame.callee.declaration !== callee.declaration) continue;
    const name = calleeName(callee);
    throw mistake(c, "recursion", `${name} calls itself: ${[...chain, name].join(" → ")}`, {
      help: "blocks are unrolled at compile time, so none may contain itself",
    });
  }
  if (depth >= deepest) throw mistake(c, "limit", `blocks call each other more than ${deepest} deep`);
}

function callBlock(c: Context, callee: BlockCallee, given: readonly GivenArgument[], as?: string): CompileValue {
  const { declaration, scope } = callee;
  const name = declaration.name.name;
  const { bound } = bindArguments(c, name, declaration.parameters.map(parameterInfo), given, undefined);
  refuseRecursion(c, callee);
  const caller = c.frame;
  if (scope.library && name === "dense" && !caller.library) rememberUnflattened(c, bound.get("x"));
  const instance = instanceName(caller, as ?? name);
  const frame: Frame = {
    file: scope.file,
    library: scope.library,
    callee,
    path: [...caller.path, instance],
    ...(caller.suffix === undefined ? {} : { suffix: caller.suffix }),
    ...(caller.optimizing ? { optimizing: true } : {}),
    scope: [...caller.scope, instance],
    ...(caller.owner ? { owner: caller.owner } : {}),
    shared: caller.shared,
    instances: new Map(),
    states: new Map(),
    ...(declaration.role === "metric" ? { metric: instance } : {}),
    parent: caller,
    span: declaration.name.span,
  };
  return runBlock(c, declaration, bound, frame, { scope: openScope(), file: scope });
}

/** Dense layers take the last axis alone: right for sequences, a slip for images, which shows only where the model ends. */
function rememberUnflattened(c: Context, x: GivenArgument | undefined): void {
  if (c.graph.unflattened || x?.value.kind !== "tensor") return;
  const { dtype, shape } = x.value.value.type;
  if (shape.length <= 2) return;
  const rows = formatType({ dtype, shape: [shape[0]!, productOf(shape.slice(1))] });
  const label = `${describeArgument(x, "x")}, whose last axis is ${formatDim(shape.at(-1)!)}`;
  const note = { file: c.frame.file, span: c.frame.span, label };
  c.graph.unflattened = { note, help: `put \`flatten\` before \`dense\`: ${rows}` };
}

/** Binds the parameters in `env` and runs the body in `frame`. Also used where a role supplies a frame of its own. */
export function runBlock(
  c: Context,
  declaration: BlockDeclaration,
  bound: ReadonlyMap<string, GivenArgument>,
  frame: Frame,
  env: Environment,
): CompileValue {
  bindParameters(c, declaration, bound, frame, env);
  const caller = c.frame;
  c.frame = frame;
  try {
    const value = runBody(c, env, declaration.body);
    const { result } = declaration;
    if (value.kind !== "poison" && value.kind !== "none" && result) checkResult(c, env, declaration, value);
    return value;
  } finally {
    c.frame = caller;
  }
}

/** A model called like a block: its parameters are named after it, and all calls of it share them. */
function callModel(c: Context, callee: ModelCallee, given: readonly GivenArgument[]): CompileValue {
  const { declaration, scope } = callee;
  const name = declaration.name.name;
  const { bound } = bindArguments(c, name, declaration.parameters.map(parameterInfo), given, undefined);
  refuseRecursion(c, callee);
  const called = c.called.get(c.graph) ?? new Set();
  c.called.set(c.graph, called);
  const frame: Frame = {
    file: scope.file,
    library: scope.library,
    callee,
    path: [name],
    scope: [...c.frame.scope, name],
    owner: { model: name, depth: 1 },
    shared: called.has(name),
    instances: new Map(),
    states: new Map(),
    parent: c.frame,
    span: declaration.name.span,
  };
  called.add(name);
  const env: Environment = { scope: openScope(), file: scope };
  bindParameters(c, declaration, bound, frame, env);
  const caller = c.frame;
  c.frame = frame;
  try {
    runBody(c, env, declaration.body);
    const outputs = checkOutputs(c, env, declaration);
    if (outputs.some((output) => output.value.kind === "poison")) return { kind: "poison" };
    const items = outputs.map((output) => output.value);
    if (items.length === 1) return items[0]!;
    return { ...tuple(items), names: outputs.map((output) => output.name) };
  } finally {
    c.frame = caller;
  }
}
