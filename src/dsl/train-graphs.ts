// The graphs of a `train` block: `train_step` (loss, gradients and all updates in one), `eval_step`, which only adds to the
// totals, and `metrics`, which reads them.

import { isFloat } from "../ir/dtype.ts";
import { type Graph, literal, type Value } from "../ir/graph.ts";
import { attempt, type Context, mistake, report, rootFrame } from "./context.ts";
import type { Environment } from "./evaluate.ts";
import { addInput, createGraphState, finishGraph, type GraphState, keyInput, stepInput } from "./graph-state.ts";
import type { FileScope } from "./resolve.ts";
import { openScope } from "./scope.ts";
import { addMetrics, checkMetrics, metricEntries, metricsGraph, ofSeveralNumbers } from "./train-metrics.ts";
import { optimize, optimizerOf, scheduledRate } from "./train-update.ts";
import type { ModelSource, TrainingSource } from "./training-source.ts";
import { describe, kindOf, tensor } from "./values.ts";

export interface TrainingGraphs {
  readonly graphs: readonly Graph[];
  /** As the graph `metrics` names them, besides the loss. */
  readonly metrics: readonly string[];
  /** What an epoch gives that is not one number. */
  readonly several: readonly string[];
}

/** Elaborates a training whose model is sound. */
export function trainingGraphs(
  c: Context,
  program: FileScope,
  model: ModelSource,
  train: TrainingSource,
): TrainingGraphs {
  const metrics = metricEntries(train);
  const graphs: Graph[] = [];
  const step = forward(c, program, model, train, true);
  const loss = attempt(c, () => lossOf(c, step.env, train));
  // Without a loss, the optimizer and the metrics are still looked at for mistakes of their own.
  const optimizer = attempt(c, () => (loss ? optimize(c, step.env, train, loss) : optimizerOf(c, step.env, train)));
  if (!loss) checkMetrics(c, step.env, metrics);
  if (loss) addMetrics(c, step.env, { model, train }, metrics, loss);
  if (loss) {
    const rate = scheduledRate(optimizer?.bound ?? []);
    const outputs = [{ name: "loss", value: loss }, ...(rate ? [{ name: "learning_rate", value: rate }] : [])];
    graphs.push(finishGraph(step.graph, outputs, updatesOf(c, step.graph, false)));
  }

  const evaluation = forward(c, program, model, train, false);
  const held = attempt(c, () => lossOf(c, evaluation.env, train));
  const ownTotals = held && addMetrics(c, evaluation.env, { model, train }, metrics, held);
  if (held) graphs.push(finishGraph(evaluation.graph, [], updatesOf(c, evaluation.graph, true)));
  const totals = loss && metricsGraph(c, evaluation.env, train, metrics, ownTotals ?? new Set());
  if (totals) graphs.push(totals);
  const several = totals ? ofSeveralNumbers(totals) : [];
  checkWatched(c, program, train, graphs, several);
  return { graphs, metrics: metrics.map((metric) => metric.name), several };
}

/** An optimizer that watches what an epoch gives can only watch one number. */
function checkWatched(
  c: Context,
  { file }: FileScope,
  train: TrainingSource,
  graphs: readonly Graph[],
  several: readonly string[],
): void {
  const step = graphs.find(({ name }) => name === "train_step");
  const watched = several.find((name) => step?.inputs.some((input) => input.name === `epoch.${name}`));
  if (watched === undefined) return;
  const span = train.optimizer?.span ?? train.declaration.name.span;
  const message = `the optimizer watches ${watched}, which is not one number`;
  report(c, mistake(c, "train", message, { place: { file, span }, help: "watch a loss or another metric" }).diagnostic);
}

/** Runs the model, and puts the targets beside the names that its body bound. */
function forward(
  c: Context,
  program: FileScope,
  model: ModelSource,
  train: TrainingSource,
  training: boolean,
): { readonly graph: GraphState; readonly env: Environment } {
  const graph = createGraphState(training ? "train_step" : "eval_step", "run", training);
  c.graph = graph;
  const inner = model.open(c);
  const scope = openScope(inner.scope);
  const env: Environment = { scope, file: program, train: true };
  for (const { name, type } of train.targets) {
    c.frame = rootFrame(program.file);
    const target = attempt(c, () => tensor(addInput(graph, name.name, type(c, inner))));
    scope.names.set(name.name, target ?? { kind: "poison" });
  }
  if (training) keyInput(c);
  // Evaluation takes schedules at their beginning, so that its losses can be compared from epoch to epoch.
  scope.names.set("step", tensor(training ? stepInput(c) : literal(0, "f32")));
  c.frame = rootFrame(model.file.file);
  model.run(c, inner);
  return { graph, env };
}

/** Updates in the order of declaration. Evaluation changes nothing but totals. */
function updatesOf(c: Context, graph: GraphState, totalsOnly: boolean): Map<string, Value> {
  const updates = new Map<string, Value>();
  for (const [name, { role }] of c.globals) {
    const value = graph.current.get(name);
    if (value && (!totalsOnly || role === "metric")) updates.set(name, value);
  }
  return updates;
}

function lossOf(c: Context, env: Environment, { loss, declaration }: TrainingSource): Value {
  c.frame = { ...rootFrame(env.file.file), scope: ["loss"], path: ["loss"], span: declaration.name.span };
  if (!loss) throw mistake(c, "train", "a train block needs a loss", { help: "loss: cross_entropy(logits, label)" });
  const value = loss.value(c, env);
  c.frame.span = loss.span;
  if (value.kind !== "tensor") throw mistake(c, "train", `the loss is a scalar tensor, not ${kindOf(value)}`);
  const { shape, dtype } = value.value.type;
  if (shape.length > 0 || !isFloat(dtype))
    throw mistake(c, "train", `the loss is one number, and this is ${describe(value)}`, {
      help: "mean(…) makes it one",
    });
  return value.value;
}
