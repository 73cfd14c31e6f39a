// Trainings built in TypeScript: a loss, metrics and an optimizer as callbacks, which run in each graph of the training, through the same
// elaborator as a `train` block. So both give the same graphs, the same plan and the same checks.

import type { Module } from "../ir/graph.ts";
import type { Expression, Identifier, TrainDeclaration, TrainEntry } from "./ast.ts";
import { type Builder, BuilderError, builderError, call, checked, tensorOf, toFunction } from "./builder.ts";
import {
  type Body,
  bodySource,
  emptyProgram,
  type Inputs,
  inferOf,
  moduleOf,
  type Tensors,
  tensorsNamed,
  typeOf,
} from "./builder-model.ts";
import type { InputType, Metric, Optimizer, Tensor } from "./builder-types.ts";
import { applyFunction } from "./call.ts";
import { attemptAll } from "./context.ts";
import { trainingPlan } from "./train-entries.ts";
import { trainingGraphs } from "./train-graphs.ts";
import { epochNames } from "./train-metrics.ts";
import type { TrainingPlan, ValidationSplit } from "./training-plan.ts";
import type { TrainingSource, WrittenMetric } from "./training-source.ts";
import { float, tensor } from "./values.ts";

/** How a model is trained. `Names` are those of its inputs, of what its body gives, and of the targets. */
export interface TrainingDescription<Names extends string = string, Target extends string = string> {
  /** Columns that the loss needs beside the inputs. */
  readonly targets?: Readonly<Record<Target, InputType>>;
  /** One number. */
  readonly loss: (tensors: Tensors<Names | Target>) => Tensor;
  /** `nn.adam({ lr: 1e-3 })`; as a callback it also gets the loss and the metrics of the epoch before, `loss`, `val_loss`. */
  readonly optimizer: Optimizer | ((watched: Tensors) => Optimizer);
  /** By the names that they are reported by; a tensor is a scalar, and averaged over the rows. */
  readonly metrics?: Readonly<Record<string, (tensors: Tensors<Names | Target>) => Metric | Tensor>>;
  /** What the body gives for loss and metrics alone: no outputs of the model. */
  readonly inner?: readonly Names[];
  readonly clip?: { readonly global_norm: number } | { readonly value: number };
  /** How much of the running mean of each parameter is kept at a step: 0.999. */
  readonly ema?: number;
  /** A share of the rows to hold back. */
  readonly validation?: number | ValidationSplit;
  readonly folds?: number;
  readonly earlyStop?: TrainingPlan["earlyStop"];
  /** Default 10. */
  readonly epochs?: number;
  /** Default 32. */
  readonly batch?: number;
  /** Default 0. */
  readonly seed?: number;
  readonly doc?: string;
}

/**
 * Builds a model and its training: the module for `compile`, and the plan for `train`, as `compileSource` gives them. Throws a
 * BuilderError for what does not fit.
 */
export function trainable<const I extends Inputs, R extends string, const T extends Inputs>(
  name: string,
  inputs: I,
  body: Body<keyof I & string, R>,
  training: TrainingDescription<(keyof I & string) | NoInfer<R>, keyof T & string> & { readonly targets?: T },
): { readonly module: Module; readonly plan: TrainingPlan } {
  const { builder, file } = emptyProgram(name);
  const { c } = builder;
  const source = bodySource<keyof I & string>(builder, file, inputs, body);
  const inner: readonly string[] = training.inner ?? [];
  const infer = inferOf(builder, source, (output) => !inner.includes(output));
  const names = [...new Set([...source.inputs, ...source.outputs(), ...Object.keys(training.targets ?? {})])];
  const made = attemptAll(c, () => {
    const described = describedTraining(builder, name, training, names);
    for (const target of described.targets) refuseName(target.name.name, [...source.inputs, ...source.outputs()]);
    const { graphs, ...epoch } = trainingGraphs(c, file, source, described);
    const plan = trainingPlan(c, file, described.declaration, source.inputs, epoch);
    return { graphs, plan: { ...plan, targets: described.targets.map((target) => target.name.name) } };
  });
  const [wrong] = c.diagnostics.filter(({ severity }) => severity === "error");
  if (wrong) throw builderError(wrong);
  if (!made) throw new BuilderError(`the training of ${name} cannot be built`);
  return { module: moduleOf(builder, name, training.doc ?? "", [infer, ...made.graphs]), plan: made.plan };
}

function refuseName(target: string, taken: readonly string[]): void {
  if (taken.includes(target))
    throw new BuilderError(`the target ${target} has the name of another tensor of the model`);
  if (target === "key" || target === "step")
    throw new BuilderError(`${target} is the name of an input that graphs have by themselves; choose another name`);
}

const span = { start: 0, end: 0 };

function describedTraining(
  builder: Builder,
  model: string,
  training: TrainingDescription,
  names: readonly string[],
): TrainingSource {
  const { targets = {}, loss, optimizer, metrics = {}, clip } = training;
  const source: TrainingSource = {
    declaration: declarationOf(model, training),
    targets: Object.entries(targets).map(([name, type]) => ({ name: identifier(name), type: () => typeOf(type) })),
    loss: { span, value: inGraph(builder, () => tensor(tensorOf(loss(tensorsNamed(builder, names))))) },
    optimizer: {
      span,
      value: inGraph(builder, () => {
        const chosen =
          typeof optimizer === "function" ? optimizer(tensorsNamed(builder, epochNames(source))) : optimizer;
        return call(builder, chosen.name, chosen.arguments);
      }),
    },
    metrics: Object.entries(metrics).map(([stem, make]): WrittenMetric => {
      const value = inGraph(builder, () => {
        const metric = make(tensorsNamed(builder, names));
        if (!("role" in metric)) return { own: false, value: tensor(tensorOf(metric)) };
        return { own: true, value: call(builder, metric.name, metric.arguments, stem) };
      });
      return { stem, span, value };
    }),
    clip: clip && {
      span,
      value: (c, env) => (gradients) => {
        const [[name, limit]] = Object.entries(clip) as [[string, number]];
        const place = { file: env.file.file, span };
        return checked(() =>
          applyFunction(c, env, toFunction(`clip_${name}`), [gradients, { value: float(limit), place }]),
        );
      },
    },
  };
  return source;
}

/** Work of a callback, for which the names are those of the graph under construction. */
const inGraph =
  <T>(builder: Builder, work: () => T): ((c: unknown, env: Builder["env"]) => T) =>
  (_, env) => {
    builder.env = env;
    return work();
  };

const identifier = (name: string): Identifier => ({ name, span });
const named = (name: string): Expression => ({ kind: "name", name, span });
const written = (value: number): Expression => ({ kind: "number", value, integer: Number.isInteger(value), span });

/** What a `train` block would say of the plan: so its numbers are checked in one place. */
function declarationOf(model: string, training: TrainingDescription): TrainDeclaration {
  const { validation, earlyStop, ema, folds, epochs, batch, seed } = training;
  const entry = (name: string, value: Expression, options: TrainEntry["options"] = []): TrainEntry => ({
    name: identifier(name),
    values: [value],
    options,
    span,
  });
  const numbers = Object.entries({ ema, folds, epochs, batch, seed }).flatMap(([name, value]) =>
    value === undefined ? [] : [entry(name, written(value))],
  );
  const option = (name: string, value: Expression) => ({ name: identifier(name), value, span });
  const watch = earlyStop && [
    option("patience", written(earlyStop.patience)),
    ...(earlyStop.best ? [option("best", named(earlyStop.best))] : []),
  ];
  const share = typeof validation === "object" ? written(validation.share) : validation && written(validation);
  const from = typeof validation === "object" ? validation.from : undefined;
  const held =
    share && from ? { kind: "call" as const, callee: named(from), arguments: [{ value: share, span }], span } : share;
  const entries = [
    ...numbers,
    ...(held ? [entry("validation", held)] : []),
    ...(earlyStop ? [entry("early_stop", named(earlyStop.monitor), watch)] : []),
  ];
  return { kind: "train", name: identifier(model), targets: [], entries, body: span, span };
}
