// Metrics of a `train` block: batches add to totals, and the graph `metrics` reads at the end of an epoch what has come together.

import { isFloat } from "../ir/dtype.ts";
import { type Global, type Graph, literal, type Value } from "../ir/graph.ts";
import type { Expression, ModelDeclaration, TrainDeclaration } from "./ast.ts";
import { attempt, type Context, make, mistake, Poisoned, rootFrame } from "./context.ts";
import { type Environment, evaluate } from "./evaluate.ts";
import { addTotal } from "./globals.ts";
import { createGraphState, finishGraph, reachable } from "./graph-state.ts";
import { asOperand } from "./tensors.ts";
import { entryOf } from "./train-entries.ts";
import { int, kindOf } from "./values.ts";

export interface MetricEntry {
  readonly name: string;
  readonly written: Expression;
  /** The call's own name, and how many calls of that name came before. */
  readonly stem: string;
  readonly before: number;
}

export function metricEntries(train: TrainDeclaration): MetricEntry[] {
  const counts = new Map<string, number>();
  return (entryOf(train, "metrics")?.values ?? []).map((written) => {
    const stem = stemOf(written);
    const before = counts.get(stem) ?? 0;
    counts.set(stem, before + 1);
    return { name: before === 0 ? stem : `${stem}_${before}`, written, stem, before };
  });
}

/** What the optimizer may name: the loss and the metrics of an epoch, those of rows held back after `val_`. */
export function epochNames(train: TrainDeclaration): readonly string[] {
  const own = ["loss", ...metricEntries(train).map(({ name }) => name)];
  return entryOf(train, "validation") || entryOf(train, "folds") ? own.flatMap((name) => [name, `val_${name}`]) : own;
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

/** Whether a metric keeps totals of its own; others are averaged over the rows. */
function keepsTotals(c: Context, env: Environment, { written }: MetricEntry): boolean {
  const callee = calleeOf(written);
  const value = callee && evaluate(c, env, callee);
  return value?.kind === "function" && value.callee.kind === "block" && value.callee.declaration.role === "metric";
}

function metricFrame(c: Context, env: Environment, { stem, before, written }: MetricEntry): void {
  c.frame = {
    ...rootFrame(env.file.file),
    path: ["metric"],
    scope: ["metrics"],
    instances: new Map(before > 0 ? [[stem, before]] : []),
    span: written.span,
  };
}

/** Adds the batch to the totals: the loss and plain metrics weighted by rows, others as they say. */
export function addMetrics(
  c: Context,
  env: Environment,
  { model, train }: { readonly model: ModelDeclaration; readonly train: TrainDeclaration },
  metrics: readonly MetricEntry[],
  loss: Value,
): void {
  c.frame = { ...rootFrame(env.file.file), scope: ["metrics"], span: entryOf(train, "loss")?.span ?? train.name.span };
  const rows = rowsOf(c, model);
  const average = (name: string, value: Value): void => {
    c.frame = { ...c.frame, path: ["metric", name], scope: ["metrics", name] };
    addTotal(c, "sum", make(c, "multiply", [value, rows]));
    addTotal(c, "count", rows);
  };
  average("loss", loss);
  for (const metric of metrics)
    attempt(c, () => {
      metricFrame(c, env, metric);
      const own = keepsTotals(c, env, metric);
      const value = evaluate(c, env, metric.written);
      if (own) return;
      c.frame.span = metric.written.span;
      if (value.kind !== "tensor" || value.value.type.shape.length > 0 || !isFloat(value.value.type.dtype))
        throw mistake(c, "train", `a metric is one number or a block of the role metric, and this is ${kindOf(value)}`);
      average(metric.name, value.value);
    });
}

export function checkMetrics(c: Context, env: Environment, metrics: readonly MetricEntry[]): void {
  for (const metric of metrics)
    attempt(c, () => {
      metricFrame(c, env, metric);
      return evaluate(c, env, metric.written);
    });
}

/** How many rows the batch has: the length of the first axis of the model's first input. */
function rowsOf(c: Context, model: ModelDeclaration): Value {
  const name = model.parameters[0]?.name.name;
  const input = c.graph.inputs.find((given) => given.name === name);
  const rows = input?.type.shape[0];
  return rows === undefined ? literal(1, "f32") : asOperand(c, int(rows), "f32");
}

export function metricsGraph(
  c: Context,
  env: Environment,
  train: TrainDeclaration,
  metrics: readonly MetricEntry[],
): Graph {
  const graph = createGraphState("metrics", "metrics", false);
  c.graph = graph;
  c.frame = {
    ...rootFrame(env.file.file),
    scope: ["metrics", "loss"],
    span: entryOf(train, "loss")?.span ?? train.name.span,
  };
  const outputs = [{ name: "loss", value: averageOf(c, "loss") }];
  for (const metric of metrics)
    attempt(c, () => {
      metricFrame(c, env, metric);
      if (!keepsTotals(c, env, metric)) {
        outputs.push({ name: metric.name, value: averageOf(c, metric.name) });
        return;
      }
      const value = evaluate(c, env, metric.written);
      c.frame.span = metric.written.span;
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
