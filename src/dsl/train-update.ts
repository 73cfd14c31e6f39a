// What a training step does with the loss: gradients, clipping, the optimizer's block once for each parameter, and the running means
// of the parameters where the `train` block asks for them.

import { literal, type Value } from "../ir/graph.ts";
import { bindArguments, parameterInfo } from "./arguments.ts";
import { runBlock } from "./call.ts";
import { type Context, mistake, Poisoned, rootFrame } from "./context.ts";
import { type Environment, evaluate, libraryFunction } from "./evaluate.ts";
import { gradientsOf, parameterValues } from "./functions/meta.ts";
import { epochInput, stepInput } from "./graph-state.ts";
import { openScope } from "./scope.ts";
import { entryOf } from "./train-entries.ts";
import { epochNames, spanOfLoss } from "./train-metrics.ts";
import type { TrainingSource } from "./training-source.ts";
import { type BlockValue, type CompileValue, describe, type GivenArgument, kindOf, list, tensor } from "./values.ts";

export interface OptimizerValue {
  readonly callee: BlockValue;
  readonly bound: readonly GivenArgument[];
}

/** The optimizer of a `train` block. In its scope are also the loss and the metrics of the epoch before. */
export function optimizerOf(c: Context, env: Environment, train: TrainingSource): OptimizerValue {
  c.frame = optimizerFrame(env, train);
  if (!train.optimizer)
    throw mistake(c, "train", "a train block needs an optimizer", { help: "optimizer: adam(lr: 1e-3)" });
  const scope = openScope(env.scope);
  for (const name of epochNames(train)) scope.names.set(name, tensor(epochInput(c, name)));
  const value = train.optimizer.value(c, { ...env, scope });
  c.frame.span = train.optimizer.span;
  if (value.kind !== "function" || value.callee.kind !== "block" || value.callee.declaration.role !== "optimizer")
    throw mistake(c, "train", `the optimizer should be a block of that role, not ${kindOf(value)}`, {
      help: "for example adam(lr: 1e-3)",
    });
  return { callee: value.callee, bound: value.bound };
}

const optimizerFrame = (env: Environment, train: TrainingSource) => ({
  ...rootFrame(env.file.file),
  optimizing: true as const,
  scope: ["optimizer"],
  path: ["optimizer"],
  span: train.optimizer?.span ?? train.declaration.name.span,
});

/** The learning rate of a step, where a schedule changes it: for those who watch. */
export function scheduledRate(bound: readonly GivenArgument[]): Value | undefined {
  for (const { name, value } of bound) {
    if (name === "lr" && value.kind === "tensor") return value.value;
    const within = value.kind === "function" ? scheduledRate(value.bound) : undefined;
    if (within) return within;
  }
  return undefined;
}

/** Gives every parameter its new value, and every running mean. */
export function optimize(c: Context, env: Environment, train: TrainingSource, loss: Value): OptimizerValue {
  const parameters = parameterValues(c);
  c.frame = { ...rootFrame(env.file.file), scope: ["gradient"], span: spanOfLoss(train) };
  if (parameters.length === 0) throw mistake(c, "train", `${train.declaration.name.name} has no parameters to train`);
  const gradients = applyClip(c, env, train, gradientsOf(c, loss, parameters));
  const optimizer = optimizerOf(c, env, train);
  const { declaration } = optimizer.callee;
  const ema = emaOf(c, env, train);
  const stepped = declaration.parameters.some((parameter) => parameter.name.name === "step");
  c.frame = optimizerFrame(env, train);
  const place = { file: env.file.file, span: c.frame.span };
  const given = (value: CompileValue, name?: string): GivenArgument => ({ value, place, ...(name ? { name } : {}) });
  parameters.forEach((parameter, i) => {
    if (parameter.kind !== "global") return;
    const step = given(tensor(stepInput(c)), "step");
    const value = forParameter(c, optimizer.callee, "optimizer", parameter.name, [
      given(tensor(parameter)),
      given(tensor(gradients[i]!)),
      ...optimizer.bound,
      ...(stepped ? [step] : []),
    ]);
    if (value.kind === "poison") throw new Poisoned();
    const { type } = parameter;
    if (value.kind !== "tensor" || describe(value) !== describe(tensor(parameter)))
      throw mistake(
        c,
        "train",
        `the optimizer ${declaration.name.name} should give new weights ${describe(tensor({ kind: "global", name: parameter.name, type }))}, and gives ${kindOf(value)}`,
      );
    c.graph.current.set(parameter.name, value.value);
    if (!ema) return;
    c.frame = { ...c.frame, span: ema.span };
    const decay = given(tensor(literal(ema.decay, "f32")), "decay");
    forParameter(c, ema.callee, "ema", parameter.name, [given(tensor(parameter)), given(value), step, decay]);
    c.frame = { ...c.frame, span: place.span };
  });
  return optimizer;
}

/** `ema: 0.999`: the block that averages a parameter, and how much of the mean it keeps. */
function emaOf(c: Context, env: Environment, { declaration }: TrainingSource) {
  const [written] = entryOf(declaration, "ema")?.values ?? [];
  if (!written) return undefined;
  c.frame.span = written.span;
  const value = evaluate(c, env, written);
  const share = value.kind === "float" || value.kind === "int" ? value.value : undefined;
  if (typeof share !== "number" || share <= 0 || share >= 1)
    throw mistake(c, "train", `ema should be a number between 0 and 1, and is ${kindOf(value)}`, {
      help: "for example ema: 0.999, which keeps 99.9 % of the mean at each step",
    });
  const callee = libraryFunction("ema")?.callee;
  return callee?.kind === "block" ? { callee, decay: share, span: written.span } : undefined;
}

/** Calls a block for one parameter: its states are called after both, `optimizer.m.dense.kernel`. */
function forParameter(
  c: Context,
  callee: BlockValue,
  role: string,
  parameter: string,
  given: readonly GivenArgument[],
): CompileValue {
  const { declaration, scope } = callee;
  const name = declaration.name.name;
  const { bound } = bindArguments(c, name, declaration.parameters.map(parameterInfo), given, undefined);
  const frame = {
    ...rootFrame(scope.file),
    library: scope.library,
    callee,
    path: [role],
    suffix: parameter,
    optimizing: true as const,
    scope: role === name ? [role] : [role, name],
    parent: c.frame,
  };
  return runBlock(c, declaration, bound, frame, { scope: openScope(), file: scope });
}

function applyClip(
  c: Context,
  env: Environment,
  { clip }: TrainingSource,
  gradients: readonly Value[],
): readonly Value[] {
  if (!clip) return gradients;
  c.frame = { ...rootFrame(env.file.file), scope: ["clip"], path: ["clip"], span: clip.span };
  const place = { file: env.file.file, span: clip.span };
  const result = clip.value(c, env)({ value: list(gradients.map(tensor)), place });
  c.frame.span = clip.span;
  const items = result.kind === "list" ? result.items : [];
  const clipped = items.flatMap((item) => (item.kind === "tensor" ? [item.value] : []));
  if (clipped.length !== gradients.length)
    throw mistake(
      c,
      "train",
      `clip should give a gradient for each of ${gradients.length} parameters, and gives ${kindOf(result)}`,
    );
  return clipped;
}
