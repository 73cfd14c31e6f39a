// The entries of a `train` block: which there are, and those that are the plan that the training loop follows. What becomes of the
// loss, the metrics and the optimizer is in train-metrics.ts and train-update.ts.

import type { Expression, Span, TrainDeclaration, TrainEntry } from "./ast.ts";
import { type Context, mistake, report, rootFrame } from "./context.ts";
import { dataPipeline, type Fault } from "./data-pipeline.ts";
import { type Environment, evaluate } from "./evaluate.ts";
import { helpFor } from "./other-names.ts";
import type { FileScope } from "./resolve.ts";
import { openScope } from "./scope.ts";
import type { DataPipeline, TrainingPlan, ValidationSplit } from "./training-plan.ts";
import { type CompileValue, kindOf } from "./values.ts";

export const entryNames = [
  "data",
  "test",
  "validation",
  "folds",
  "loss",
  "optimizer",
  "metrics",
  "clip",
  "ema",
  "early_stop",
  "epochs",
  "batch",
  "seed",
] as const;
type EntryName = (typeof entryNames)[number];

/** Entries that may hold several values, and those that have options. */
const several: readonly string[] = ["metrics"];
const options: Readonly<Record<string, readonly string[]>> = { early_stop: ["patience", "best"] };

export const entryOf = (train: TrainDeclaration, name: EntryName): TrainEntry | undefined =>
  train.entries.find((entry) => entry.name.name === name);

/** Reports unknown entries, repeated ones, and ones of the wrong form. */
export function checkEntries(c: Context, train: TrainDeclaration): void {
  const seen = new Set<string>();
  if (!entryOf(train, "data")) {
    const place = { file: c.frame.file, span: train.name.span };
    const help = 'data: csv("table.csv", label: "class")';
    report(c, mistake(c, "train", "a train block needs data", { place, help }).diagnostic);
  }
  for (const { name, values, options: given } of train.entries) {
    const fault = (span: Span, message: string, help?: string): void =>
      report(c, mistake(c, "train", message, { place: { file: c.frame.file, span }, help }).diagnostic);
    if (!entryNames.some((known) => known === name.name)) {
      const all = `the entries are target, ${entryNames.join(", ")}`;
      fault(name.span, `train has no entry ${name.name}`, helpFor(name.name, entryNames, all));
      continue;
    }
    if (seen.has(name.name)) fault(name.span, `${name.name} is given twice`);
    seen.add(name.name);
    if (values.length > 1 && !several.includes(name.name))
      fault(values[1]!.span, `${name.name} takes one value, not ${values.length}`);
    const known = options[name.name] ?? [];
    for (const option of given)
      if (!known.includes(option.name.name))
        fault(
          option.name.span,
          `${name.name} has no option ${option.name.name}`,
          known.length > 0 ? `it has ${known.join(", ")}` : undefined,
        );
  }
}

/** What an epoch gives besides the loss, and what of it is not one number. */
export interface EpochNames {
  readonly metrics: readonly string[];
  readonly several: readonly string[];
}

/** The plan of a `train` block. Mistakes are reported; what is missing gets its usual value. */
export function trainingPlan(
  c: Context,
  file: FileScope,
  train: TrainDeclaration,
  inputs: readonly string[],
  { metrics, several }: EpochNames,
): TrainingPlan {
  const env: Environment = { scope: openScope(), file };
  c.frame = { ...rootFrame(file.file), span: train.name.span };
  const fault = (span: Span, message: string, help?: string): undefined => {
    report(c, mistake(c, "train", message, { place: { file: file.file, span }, help }).diagnostic);
  };
  const count = (name: EntryName, usual: number, least: number): number => {
    const entry = entryOf(train, name);
    const [written] = entry?.values ?? [];
    if (!entry) return usual;
    const value = written && constant(c, env, written);
    if (value?.kind === "int" && typeof value.value === "number" && value.value >= least) return value.value;
    fault(
      written?.span ?? entry.span,
      `${name} should be a whole number from ${least} on, and is ${value ? kindOf(value) : "missing"}`,
    );
    return usual;
  };
  const pipeline = (name: "data" | "test"): DataPipeline | undefined => {
    const [written] = entryOf(train, name)?.values ?? [];
    return written && dataPipeline(c, env, written, fault);
  };
  const data = pipeline("data");
  const test = pipeline("test");
  const validation = validationOf(c, env, train, fault);
  const folds = entryOf(train, "folds") ? count("folds", 5, 2) : undefined;
  if (validation && folds !== undefined)
    fault(entryOf(train, "folds")!.span, "folds and validation exclude each other", "leave one of them out");
  const earlyStop = earlyStopOf(c, env, train, { metrics, several }, fault);
  return {
    model: train.name.name,
    inputs,
    targets: train.targets.map((target) => target.name.name),
    data: data ?? [],
    ...(test ? { test } : {}),
    ...(validation ? { validation } : {}),
    ...(folds === undefined ? {} : { folds }),
    metrics,
    ...(earlyStop ? { earlyStop } : {}),
    ...(entryOf(train, "ema") ? { averaged: true } : {}),
    epochs: count("epochs", 10, 1),
    batch: count("batch", 32, 1),
    seed: count("seed", 0, 0),
  };
}

function constant(c: Context, env: Environment, written: Expression): CompileValue {
  c.frame.span = written.span;
  return evaluate(c, env, written);
}

/** `10%` is a tenth, `random(10%)` one chosen at random, `last(20%)` the last fifth. */
function validationOf(
  c: Context,
  env: Environment,
  train: TrainDeclaration,
  fault: Fault,
): ValidationSplit | undefined {
  const [written] = entryOf(train, "validation")?.values ?? [];
  if (!written) return undefined;
  const called = written.kind === "call" && written.callee.kind === "name" ? written.callee.name : undefined;
  const from = called === "last" || called === "random" ? called : undefined;
  const [shareOf, ...more] = written.kind === "call" && from ? written.arguments.map(({ value }) => value) : [written];
  const value = shareOf && constant(c, env, shareOf);
  const share = value?.kind === "float" || value?.kind === "int" ? value.value : undefined;
  if (typeof share !== "number" || share <= 0 || share >= 1 || more.length > 0)
    return fault(written.span, "validation should be a share such as 10%, random(10%) or last(20%)");
  return { share, ...(from ? { from } : {}) };
}

function earlyStopOf(
  c: Context,
  env: Environment,
  train: TrainDeclaration,
  { metrics, several }: EpochNames,
  fault: Fault,
): TrainingPlan["earlyStop"] {
  const entry = entryOf(train, "early_stop");
  const [written] = entry?.values ?? [];
  if (!entry || !written) return undefined;
  const names = ["loss", ...metrics].flatMap((name) => [name, `val_${name}`]);
  if (written.kind !== "name" || !names.includes(written.name)) {
    const all = `early_stop can watch ${names.join(", ")}`;
    if (written.kind !== "name")
      return fault(written.span, "early_stop names a value to watch", `early_stop: loss, patience: 3; ${all}`);
    return fault(written.span, `an epoch gives no ${written.name}`, helpFor(written.name, names, all));
  }
  if (several.includes(written.name))
    return fault(
      written.span,
      `early_stop watches ${written.name}, which is not one number`,
      "watch a loss or another metric",
    );
  const held = train.entries.some(({ name }) => name.name === "validation" || name.name === "folds");
  if (written.name.startsWith("val_") && !held)
    return fault(written.span, `${written.name} needs rows that are held back`, "add validation: 10%");
  const option = entry.options.find(({ name }) => name.name === "patience");
  const value = option && constant(c, env, option.value);
  if (option && (value?.kind !== "int" || typeof value.value !== "number" || value.value < 0))
    return fault(option.span, "patience should be a whole number of epochs");
  const direction = entry.options.find(({ name }) => name.name === "best")?.value;
  const best = direction?.kind === "name" ? direction.name : undefined;
  if (direction && best !== "least" && best !== "greatest")
    return fault(direction.span, "best should be least or greatest", `for example ${written.name}, best: greatest`);
  return {
    ...(best === "least" || best === "greatest" ? { best } : {}),
    monitor: written.name,
    patience: value?.kind === "int" && typeof value.value === "number" ? value.value : 0,
  };
}
