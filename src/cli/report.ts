// report.html at the end of a training run: what was seen on the way, what the model says of rows that it has not learnt from,
// and how it is built, put together for the page.

import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import type { AnyExecutable } from "../backends/backend.ts";
import type { TrainingPlan } from "../dsl/training-plan.ts";
import { gradientGraph } from "../explain/gradients.ts";
import { outlineOf } from "../explain/outline.ts";
import { elementCount } from "../formats/elements.ts";
import type { Module } from "../ir/graph.ts";
import type { Plotting, ReportedPredictions, TrainingReport } from "../report/training.ts";
import { trainingPage } from "../report/training.ts";
import { orderedBatches } from "../train/batches.ts";
import type { Dataset } from "../train/data/dataset.ts";
import type { Metrics, TrainingEvent } from "../train/events.ts";
import type { Companion } from "../train/keeper.ts";
import type { TrainingResult } from "../train/loop.ts";
import { createObserver, type EpochObservation } from "../train/observe.ts";
import { overFolds } from "../train/progress.ts";
import { sessionOf } from "../train/session.ts";
import { observationsFile, reportFile, type Store } from "../train/store.ts";
import { globalShape } from "../train/weights.ts";

const gradientsName = "gradients";

/** The module with a graph that only gives gradients, for the report to look at. */
export function withGradients(module: Module): Module {
  const step = module.graphs.get("train_step");
  const gradients = step && gradientGraph(step, gradientsName);
  return gradients ? { ...module, graphs: new Map([...module.graphs, [gradientsName, gradients]]) } : module;
}

export const reportGraphs = ["infer", gradientsName];

export interface ReportOptions {
  readonly executable: AnyExecutable;
  /** As the language made it, for the drawing. */
  readonly source: Module;
  readonly compiled: Module;
  readonly plan: TrainingPlan;
  readonly data: Dataset;
  readonly test?: Dataset;
  readonly store: Store;
  readonly resumed: boolean;
  /** Told of what is observed, epoch by epoch. */
  readonly seen?: (observation: EpochObservation) => void;
}

export interface Reporting {
  readonly observe: (event: TrainingEvent) => void;
  /** What was observed so far, as a file. */
  readonly observations: () => Promise<Companion>;
  /** Writes what was observed, and at the end the page. */
  readonly finish: (result: TrainingResult) => Promise<void>;
}

export async function reporting(options: ReportOptions): Promise<Reporting> {
  const { executable, compiled, plan, data, store } = options;
  const session = sessionOf(executable, compiled);
  const columns = orderedBatches(data, plan.batch).batch(0);
  const observer = createObserver({
    session,
    seed: plan.seed,
    ...(compiled.graphs.has(gradientsName) ? { gradients: { graph: gradientsName, columns } } : {}),
    memory: () => process.memoryUsage.rss(),
    ...(options.seen ? { seen: options.seen } : {}),
  });
  let predictions: ReportedPredictions | undefined;
  const observe = (event: TrainingEvent): void => {
    observer.observe(event);
    // Epochs that ended after the checkpoint are trained, and observed, again.
    if (event.event === "resumed") earlier = saved.filter((seen) => isBefore(seen, event));
    if (event.event !== "predictions") return;
    const { on, names, rows, confusion, wrong, shape } = event;
    predictions = { of: on, ...(names ? { classes: names } : {}), rows, confusion, wrong, shape };
  };
  const saved = options.resumed ? await readObservations(store) : [];
  let earlier: readonly EpochObservation[] = [];
  const encode = (text: string) => new TextEncoder().encode(text);
  const all = async () => [...earlier, ...(await observer.observations())];
  const observations = async () => ({ name: observationsFile, bytes: encode(JSON.stringify(await all())) });
  const finish = async (result: TrainingResult): Promise<void> => {
    const { name, bytes } = await observations();
    await store.write(name, bytes);
    if (result.status !== "done") return;
    const report = reportOf(options, result, await all(), predictions);
    await store.write(reportFile, encode(trainingPage(report, await plotting())));
  };
  return { observe, observations, finish };
}

/** Whether an epoch ended before the one in which a run is resumed. */
const isBefore = (
  seen: EpochObservation,
  { fold = 0, epoch }: { readonly fold?: number; readonly epoch: number },
): boolean => (seen.fold ?? 0) < fold || ((seen.fold ?? 0) === fold && seen.epoch < epoch);

/** What an interrupted run left; a file that cannot be read is no reason to stop a training. */
async function readObservations(store: Store): Promise<EpochObservation[]> {
  const bytes = await store.read(observationsFile);
  if (!bytes) return [];
  try {
    const parsed: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return Array.isArray(parsed) ? parsed : [];
  } catch {
    return [];
  }
}

async function plotting(): Promise<Plotting> {
  const require = createRequire(import.meta.url);
  const script = await readFile(require.resolve("uplot/dist/uPlot.iife.min.js"), "utf8");
  return { script, style: await readFile(require.resolve("uplot/dist/uPlot.min.css"), "utf8") };
}

function reportOf(
  options: ReportOptions,
  { progress, test }: TrainingResult,
  observations: readonly EpochObservation[],
  predictions: ReportedPredictions | undefined,
): TrainingReport {
  const { source, plan, data } = options;
  const infer = source.graphs.get("infer")!;
  const parameters = [...source.globals.values()].filter(({ role }) => role === "parameter");
  const count = parameters.reduce((sum, global) => sum + elementCount(globalShape(global)), 0);
  const seconds = observations.reduce((sum, observation) => sum + observation.seconds, 0);
  const folds = progress.folds.length > 0 ? overFolds(progress.folds) : undefined;
  const outline = outlineOf(infer);
  const result = resultOf(test, "test") ?? resultOf(folds?.mean, `${progress.folds.length} folds`) ?? [];
  return {
    model: source.name,
    ...(source.doc ? { doc: source.doc } : {}),
    summary: [
      ...result,
      ["parameters", count.toLocaleString("en")],
      ["rows of training data", data.rows.toLocaleString("en")],
      ["epochs", String(progress.history.length)],
      ...(progress.best ? [["best epoch", String(progress.best.epoch)] as const] : []),
      ["training", seconds < 120 ? `${seconds.toFixed(1)} s` : `${(seconds / 60).toFixed(1)} min`],
      ["seed", String(plan.seed)],
      ["batch", String(plan.batch)],
    ],
    epochs: progress.history.map(({ fold, epoch, metrics }) => ({
      ...observations.find((seen) => seen.epoch === epoch && seen.fold === fold),
      ...(fold === undefined ? {} : { fold }),
      epoch,
      metrics: numbersOf(metrics),
    })),
    ...(folds
      ? { folds: { count: progress.folds.length, mean: numbersOf(folds.mean), deviation: numbersOf(folds.deviation) } }
      : {}),
    ...(progress.best ? { bestEpoch: progress.best.epoch } : {}),
    ...(predictions ? { predictions } : {}),
    graph: {
      boxes: outline.boxes.map(({ parameters: held, ...box }) => ({
        ...box,
        ...(held === undefined ? {} : { detail: held }),
      })),
      arrows: outline.arrows,
    },
  };
}

const numbersOf = (metrics: Metrics): Record<string, number> =>
  Object.fromEntries(
    Object.entries(metrics).filter((entry): entry is [string, number] => typeof entry[1] === "number"),
  );

/** The loss and the first metric, as a reader wants to see them first. */
function resultOf(metrics: Metrics | undefined, of: string): (readonly [string, string])[] | undefined {
  if (!metrics) return undefined;
  const entries = Object.entries(numbersOf(metrics)).slice(0, 3).reverse();
  return entries.map(([name, value]) => [`${name}, ${of}`, String(Number(value.toPrecision(4)))] as const);
}
