// Metrics of a `train` block: batches add to totals, and the graph `metrics` reads at the end of an epoch what has come together.

import { isFloat } from "../ir/dtype.ts";
import { type Global, type Graph, literal, type Value } from "../ir/graph.ts";
import type { Span } from "./ast.ts";
import { attempt, type Context, make, mistake, Poisoned, rootFrame } from "./context.ts";
import type { Environment } from "./evaluate.ts";
import { addTotal } from "./globals.ts";
import { createGraphState, finishGraph, reachable } from "./graph-state.ts";
import { asOperand } from "./tensors.ts";
import { entryOf } from "./train-entries.ts";
import type { ModelSource, TrainingSource, WrittenMetric } from "./training-source.ts";
import { int, kindOf } from "./values.ts";

export interface MetricEntry extends WrittenMetric {
  readonly name: string;
  /** How many metrics of that stem came before. */
  readonly before: number;
}

export function metricEntries({ metrics }: TrainingSource): MetricEntry[] {
  const counts = new Map<string, number>();
  return metrics.map((metric) => {
    const { stem } = metric;
    const before = counts.get(stem) ?? 0;
    counts.set(stem, before + 1);
    return { ...metric, name: before === 0 ? stem : `${stem}_${before}`, before };
  });
}

/** What the optimizer may name: the loss and the metrics of an epoch, those of rows held back after `val_`. */
export function epochNames(source: TrainingSource): readonly string[] {
  const own = ["loss", ...metricEntries(source).map(({ name }) => name)];
  const { declaration } = source;
  const held = entryOf(declaration, "validation") || entryOf(declaration, "folds");
  return held ? own.flatMap((name) => [name, `val_${name}`]) : own;
}

function metricFrame(c: Context, env: Environment, { stem, before, span }: MetricEntry): void {
  c.frame = {
    ...rootFrame(env.file.file),
    path: ["metric"],
    scope: ["metrics"],
    instances: new Map(before > 0 ? [[stem, before]] : []),
    span,
  };
}

/** Where the loss is written, entry and all. */
export const spanOfLoss = ({ declaration }: TrainingSource): Span =>
  entryOf(declaration, "loss")?.span ?? declaration.name.span;

/**
 * Adds the batch to the totals: the loss and plain metrics weighted by rows, others as they say. Gives the names of those that keep
 * totals of their own.
 */
export function addMetrics(
  c: Context,
  env: Environment,
  { model, train }: { readonly model: ModelSource; readonly train: TrainingSource },
  metrics: readonly MetricEntry[],
  loss: Value,
): ReadonlySet<string> {
  c.frame = { ...rootFrame(env.file.file), scope: ["metrics"], span: spanOfLoss(train) };
  const rows = rowsOf(c, model);
  const ownTotals = new Set<string>();
  const average = (name: string, value: Value): void => {
    c.frame = { ...c.frame, path: ["metric", name], scope: ["metrics", name] };
    addTotal(c, "sum", make(c, "multiply", [value, rows]));
    addTotal(c, "count", rows);
  };
  average("loss", loss);
  for (const metric of metrics)
    attempt(c, () => {
      metricFrame(c, env, metric);
      const { own, value } = metric.value(c, env);
      if (own) {
        ownTotals.add(metric.name);
        return;
      }
      c.frame.span = metric.span;
      if (value.kind !== "tensor" || value.value.type.shape.length > 0 || !isFloat(value.value.type.dtype))
        throw mistake(c, "train", `a metric is one number or a block of the role metric, and this is ${kindOf(value)}`);
      average(metric.name, value.value);
    });
  return ownTotals;
}

export function checkMetrics(c: Context, env: Environment, metrics: readonly MetricEntry[]): void {
  for (const metric of metrics)
    attempt(c, () => {
      metricFrame(c, env, metric);
      return metric.value(c, env);
    });
}

/** How many rows the batch has: the length of the first axis of the model's first input. */
function rowsOf(c: Context, { inputs: [name] }: ModelSource): Value {
  const input = c.graph.inputs.find((given) => given.name === name);
  const rows = input?.type.shape[0];
  return rows === undefined ? literal(1, "f32") : asOperand(c, int(rows), "f32");
}

export function metricsGraph(
  c: Context,
  env: Environment,
  train: TrainingSource,
  metrics: readonly MetricEntry[],
  ownTotals: ReadonlySet<string>,
): Graph {
  const graph = createGraphState("metrics", "metrics", false);
  c.graph = graph;
  c.frame = {
    ...rootFrame(env.file.file),
    scope: ["metrics", "loss"],
    span: spanOfLoss(train),
  };
  const outputs = [{ name: "loss", value: averageOf(c, "loss") }];
  for (const metric of metrics)
    attempt(c, () => {
      metricFrame(c, env, metric);
      if (!ownTotals.has(metric.name)) {
        outputs.push({ name: metric.name, value: averageOf(c, metric.name) });
        return;
      }
      const { value } = metric.value(c, env);
      c.frame.span = metric.span;
      if (value.kind !== "tensor")
        throw mistake(c, "train", `the metric ${metric.name} gives ${kindOf(value)}, not a tensor`);
      const foreign = [...reachable([value.value])].find((v) => v.kind === "input");
      if (foreign?.kind === "input")
        throw mistake(
          c,
          "train",
          `the value of ${metric.name} depends on ${foreign.name}, which the end of an epoch does not know`,
          {
            help: "add it up in a total",
          },
        );
      outputs.push({ name: metric.name, value: value.value });
    });
  return finishGraph(graph, outputs, new Map());
}

/** Those of the names that an epoch gives, with or without `val_`, behind which there are several numbers, such as one for each class. */
export function ofSeveralNumbers({ outputs }: Graph): readonly string[] {
  const several = outputs.filter(({ value }) => value.type.shape.length > 0);
  return several.flatMap(({ name }) => [name, `val_${name}`]);
}

function averageOf(c: Context, name: string): Value {
  const total = (part: string): Value => {
    const found: Global | undefined = c.globals.get(`metric.${name}.${part}`);
    if (!found) throw new Poisoned();
    return { kind: "global", name: found.name, type: found.type };
  };
  // No rows: 0, not NaN.
  const count = make(c, "maximum", [total("count"), 1]);
  return make(c, "divide", [total("sum"), count]);
}
