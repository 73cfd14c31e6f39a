// Runs the data pipelines of a plan: the source, the transforms in order, then the fit to what the graphs take.

import { bindDataCall, isDataProblem, signatureOf } from "../../dsl/data-arguments.ts";
import { isDataSource, isDataTransform } from "../../dsl/data-signatures.ts";
import type { DataCall, DataPipeline, TrainingPlan } from "../../dsl/training-plan.ts";
import type { TensorType } from "../../ir/graph.ts";
import { alignClasses, conformDataset } from "./conform.ts";
import { DataError } from "./data-error.ts";
import { type Dataset, takeRows } from "./dataset.ts";
import type { DataFiles } from "./files.ts";
import { type DataContext, sources } from "./sources.ts";
import { transforms } from "./transforms.ts";

/** The table that a pipeline makes. Throws a DataError, with its place in the program, or a FormatError. */
export async function loadDataset(pipeline: DataPipeline, context: DataContext): Promise<Dataset> {
  const [first, ...rest] = pipeline;
  if (!first) throw new RangeError("a data pipeline without a source");
  const bound = bind(first, true);
  if (!isDataSource(first.name)) throw new RangeError(`${first.name} is no data source`);
  let dataset = await sources[first.name](first, bound, context);
  for (const call of rest) {
    const settings = bind(call, false);
    if (!isDataTransform(call.name)) throw new RangeError(`${call.name} is no data transform`);
    dataset = transforms[call.name](dataset, call, settings, context);
  }
  return dataset;
}

function bind(call: DataCall, first: boolean) {
  const signature = signatureOf(call, first);
  if ("call" in signature) throw new DataError(call, signature.message, signature.help);
  const bound = bindDataCall(call, signature);
  if (isDataProblem(bound)) throw new DataError(call, bound.message, bound.help);
  return bound;
}

export interface TrainingData {
  readonly data: Dataset;
  readonly test?: Dataset;
}

/** Reads data files; see `dataFiles` in ../node/data-files.ts. */
export interface LoadOptions extends DataFiles {
  /** At most this many rows of the training data. */
  readonly limit?: number;
  /** Classes from an earlier run, for evaluation. */
  readonly classes?: Dataset["classes"];
}

/**
 * The data of a plan, fitted to the types of the graphs' inputs, by name.
 * Throws a DataError or a FormatError; both are complete messages.
 */
export async function loadTrainingData(
  plan: TrainingPlan,
  types: Readonly<Record<string, TensorType>>,
  options: LoadOptions,
): Promise<TrainingData> {
  const { classes = {}, limit, ...files } = options;
  const scales: DataContext["scales"] = new Map();
  const load = async (pipeline: DataPipeline, role: "data" | "test", known: Dataset["classes"]) => {
    const table = await loadDataset(pipeline, { ...files, seed: plan.seed, role, scales });
    return conformDataset(alignClasses(table, known, pipeline), types, pipeline);
  };
  const whole = await load(plan.data, "data", classes);
  const data = limit === undefined ? whole : takeRows(whole, limit);
  if (!plan.test) return { data };
  return { data, test: await load(plan.test, "test", { ...whole.classes, ...classes }) };
}
