// What early stopping watches, checked before the first epoch instead of after it.

import type { TrainingPlan } from "../dsl/training-plan.ts";
import { closest } from "../util/text.ts";
import { UserError } from "../util/user-error.ts";
import type { Metrics } from "./events.ts";
import { type Best, usualBest } from "./progress.ts";

/** Throws a UserError where the plan's early stopping watches what no epoch will report. */
export function checkMonitor(plan: TrainingPlan): void {
  if (!plan.earlyStop) return;
  const { monitor } = plan.earlyStop;
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

/** The watched value of an epoch. Throws a UserError where it is not one number. */
export function watched({ monitor }: Watch, metrics: Metrics): number {
  const value = metrics[monitor];
  if (Array.isArray(value)) {
    throw new UserError(`early_stop watches ${monitor}, which is not one number`, "watch val_loss");
  }
  return Number(value);
}

/** The metric of the held-back rows by which folds are compared. */
export function watchOfFolds(plan: TrainingPlan): Watch {
  const watch = watchOf(plan) ?? { monitor: "loss", best: "least" };
  return { ...watch, monitor: watch.monitor.replace(/^val_/, "") };
}
