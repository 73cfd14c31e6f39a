// What early stopping and the optimizer watch, checked before the first epoch instead of after it.

import type { TrainingPlan } from "../dsl/training-plan.ts";
import type { Module } from "../ir/graph.ts";
import { closest } from "../util/text.ts";
import { UserError } from "../util/user-error.ts";
import { type Best, usualBest } from "./progress.ts";

/** Throws a UserError where the plan's early stopping, or the optimizer, watches what no epoch will report as one number. */
export function checkMonitor(plan: TrainingPlan, { graphs }: Pick<Module, "graphs">): void {
  const outputs = graphs.get("metrics")?.outputs ?? [];
  const checkNumber = (watcher: string, name: string): void => {
    const found = outputs.find((output) => output.name === name.replace(/^val_/, ""));
    if (!found || found.value.type.shape.length === 0) return;
    throw new UserError(`${watcher} watches ${name}, which is not one number`, "watch a loss or another metric");
  };
  for (const { name } of graphs.get("train_step")?.inputs ?? [])
    if (name.startsWith("epoch.")) checkNumber("the optimizer", name.slice("epoch.".length));
  if (!plan.earlyStop) return;
  const { monitor } = plan.earlyStop;
  checkNumber("early_stop", monitor);
  const own = ["loss", ...plan.metrics];
  const validation = own.map((name) => `val_${name}`);
  const known = plan.validation || plan.folds ? [...own, ...validation] : own;
  if (known.includes(monitor)) return;
  if (validation.includes(monitor)) {
    throw new UserError(`early_stop watches ${monitor}, but there are no validation data`, "add `validation: 10%`");
  }
  const near = closest(monitor, known);
  const help = `${near ? `did you mean ${near}? ` : ""}an epoch gives ${known.join(", ")}`;
  throw new UserError(`early_stop watches ${monitor}, which is no metric of this training`, help);
}

export interface Watch {
  readonly monitor: string;
  readonly best: Best;
}

/** What tells the best epoch: what early stopping watches, or else the loss of the rows held back. */
export function watchOf({ earlyStop, validation }: TrainingPlan): Watch | undefined {
  const monitor = earlyStop?.monitor ?? (validation ? "val_loss" : undefined);
  return monitor === undefined ? undefined : { monitor, best: earlyStop?.best ?? usualBest(monitor) };
}

/** The metric of the held-back rows by which folds are compared. */
export function watchOfFolds(plan: TrainingPlan): Watch {
  const watch = watchOf(plan) ?? { monitor: "loss", best: "least" };
  return { ...watch, monitor: watch.monitor.replace(/^val_/, "") };
}
