// What the graphs of a training are made from: a model to run, and a loss, metrics and an optimizer to evaluate in its scope. A `train`
// block has them as expressions, a program in TypeScript as functions (builder-train.ts).

import type { TensorType } from "../ir/graph.ts";
import type { CallExpression, Expression, Identifier, ModelDeclaration, Span, TrainDeclaration } from "./ast.ts";
import type { Context } from "./context.ts";
import { callExpression, type Environment, evaluate, visibleNames } from "./evaluate.ts";
import { freeType, openModel, runModel } from "./model.ts";
import type { FileScope } from "./resolve.ts";
import { entryOf } from "./train-entries.ts";
import type { CompileValue, GivenArgument } from "./values.ts";

export interface ModelSource {
  /** The file that declares it, which may be another than the one with the `train` block. */
  readonly file: FileScope;
  /** Its inputs, in order. */
  readonly inputs: readonly string[];
  /** Adds the inputs to the present graph, and binds their names. */
  readonly open: (c: Context) => Environment;
  /** Runs the body, which binds the names that loss and metrics may use. */
  readonly run: (c: Context, env: Environment) => void;
}

/** Something to be evaluated in a graph of the training. */
export interface Written<T = CompileValue> {
  readonly span: Span;
  readonly value: (c: Context, env: Environment) => T;
}

export interface MetricValue {
  /** Whether the metric keeps totals of its own; others are averaged over the rows. */
  readonly own: boolean;
  readonly value: CompileValue;
}

export interface WrittenMetric extends Written<MetricValue> {
  /** What it is called unless another one before it is. */
  readonly stem: string;
}

export interface TrainingSource {
  /** What is said of the plan: epochs, rows to hold back, running means; and the name of the model, with its place. */
  readonly declaration: TrainDeclaration;
  readonly targets: readonly {
    readonly name: Identifier;
    readonly type: (c: Context, env: Environment) => TensorType;
  }[];
  readonly loss: Written | undefined;
  readonly optimizer: Written | undefined;
  readonly metrics: readonly WrittenMetric[];
  /** What becomes of the list of gradients. */
  readonly clip: Written<(gradients: GivenArgument) => CompileValue> | undefined;
}

export const modelSource = (model: ModelDeclaration, file: FileScope): ModelSource => ({
  file,
  inputs: model.parameters.map((parameter) => parameter.name.name),
  open: (c) => openModel(c, file, model),
  run: (c, env) => void runModel(c, env, model),
});

/** What a `train` block says. */
export function trainingSource(declaration: TrainDeclaration): TrainingSource {
  const written = (name: "loss" | "optimizer" | "clip"): Expression | undefined =>
    entryOf(declaration, name)?.values[0];
  const evaluated = (expression: Expression | undefined): Written | undefined =>
    expression && { span: expression.span, value: (c, env) => evaluate(c, env, expression) };
  const clip = written("clip");
  return {
    declaration,
    targets: declaration.targets.map(({ name, type }) => ({ name, type: (c, env) => freeType(c, env, name, type) })),
    loss: evaluated(written("loss")),
    optimizer: evaluated(written("optimizer")),
    metrics: (entryOf(declaration, "metrics")?.values ?? []).map((expression) => ({
      stem: stemOf(expression),
      span: expression.span,
      value: (c, env) => ({ own: keepsTotals(c, env, expression), value: evaluate(c, env, expression) }),
    })),
    clip: clip && { span: clip.span, value: (c, env) => (gradients) => clipped(c, env, clip, gradients) },
  };
}

/** `clip: global_norm(1.0)` calls the block `clip_global_norm` with the list of gradients; other names are called as they are. */
function clipped(c: Context, env: Environment, written: Expression, gradients: GivenArgument): CompileValue {
  const call: CallExpression =
    written.kind === "call" ? written : { kind: "call", callee: written, arguments: [], span: written.span };
  const { callee } = call;
  const prefixed = callee.kind === "name" && visibleNames(env).includes(`clip_${callee.name}`);
  const target: Expression = prefixed ? { ...callee, name: `clip_${callee.name}` } : callee;
  return callExpression(c, env, { ...call, callee: target }, [gradients], written.span);
}

/** The name of what is computed last: `accuracy` of `accuracy(a, b)`, or the name given by `as`. */
function stemOf(written: Expression): string {
  switch (written.kind) {
    case "name":
      return written.name;
    case "call":
      return stemOf(written.callee);
    case "pipe":
      return written.as?.name ?? stemOf(written.stage);
    case "member":
      return written.name.name;
    default:
      return "metric";
  }
}

function calleeOf(written: Expression): Expression | undefined {
  if (written.kind === "call") return written.callee;
  if (written.kind === "pipe") return written.stage.kind === "call" ? written.stage.callee : written.stage;
  return undefined;
}

function keepsTotals(c: Context, env: Environment, written: Expression): boolean {
  const callee = calleeOf(written);
  const value = callee && evaluate(c, env, callee);
  return value?.kind === "function" && value.callee.kind === "block" && value.callee.declaration.role === "metric";
}
