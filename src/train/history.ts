// history.json: the course of a training run, for people and plots. The same run gives the same bytes.

import type { TrainingPlan } from "../dsl/training-plan.ts";
import type { Metrics } from "./events.ts";
import { overFolds, type Progress } from "./progress.ts";

/** The text of history.json; `test` is there once the training is over. */
export function historyText(plan: TrainingPlan, progress: Progress, test?: Metrics): string {
  const epochs = progress.history.map(({ fold, epoch, metrics }) => ({
    ...(fold === undefined ? {} : { fold }),
    epoch,
    ...metrics,
  }));
  const lines = epochs.map((epoch) => `    ${JSON.stringify(epoch)}`).join(",\n");
  const members = [
    `"model": ${JSON.stringify(plan.model)}`,
    `"seed": ${plan.seed}`,
    `"batch": ${plan.batch}`,
    `"epochs": [\n${lines}\n  ]`,
  ];
  if (progress.folds.length > 0) {
    const { mean, deviation } = overFolds(progress.folds);
    const folds = progress.folds.map(({ metrics, ...rest }) => `    ${JSON.stringify({ ...rest, ...metrics })}`);
    members.push(`"folds": [\n${folds.join(",\n")}\n  ]`);
    members.push(`"mean": ${JSON.stringify(mean)}`, `"standard_deviation": ${JSON.stringify(deviation)}`);
  }
  if (progress.best) members.push(`"best_epoch": ${progress.best.epoch}`);
  if (test) members.push(`"test": ${JSON.stringify(test)}`);
  return `{\n  ${members.join(",\n  ")}\n}\n`;
}
