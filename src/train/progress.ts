// How far a training run has come, besides its tensors: everything a checkpoint must hold to go on to the same bits.
// Orders of rows and random numbers follow from seeds and counters, and so need no place here.

import type { Metrics } from "./events.ts";
import type { Predictions } from "./predictions.ts";

export interface EpochRecord {
  /** Counted from 1; absent without cross-validation. */
  readonly fold?: number;
  readonly epoch: number;
  readonly metrics: Metrics;
}

export interface FoldRecord {
  readonly fold: number;
  readonly epochs: number;
  /** The epoch whose weights were kept. */
  readonly bestEpoch?: number;
  /** Of the held-back part, with the weights that were kept. */
  readonly metrics: Metrics;
  /** How many held-back rows of each class were taken for each, where the model tells classes apart. */
  readonly confusion?: Predictions["confusion"];
}

export interface Progress {
  /** Counted from 0. */
  fold: number;
  /** Epochs completed in this fold. */
  epoch: number;
  /** Batches done of the epoch under way. */
  batch: number;
  /** Training steps done in this fold. */
  step: number;
  history: EpochRecord[];
  folds: FoldRecord[];
  /** The best value of what is watched (monitor.ts), in this fold; its weights lie in the checkpoint as `best/…`. */
  best?: { readonly value: number; readonly epoch: number };
  /** The fold with the best result; its weights lie in the checkpoint as `fold/…`. */
  bestFold?: { readonly value: number; readonly fold: number };
}

export const freshProgress = (): Progress => ({ fold: 0, epoch: 0, batch: 0, step: 0, history: [], folds: [] });

/** Which values of a metric are best. */
export type Best = "least" | "greatest";

/** What is usual by the name of a metric: the least of losses and errors, the greatest of accuracies and the like. */
export const usualBest = (name: string): Best =>
  /loss|error|divergence|distance|perplexity|entropy|huber|hinge|l1|l2/.test(name) ? "least" : "greatest";

/** Whether `value` is better than `other`; what is not a number never is. */
export function isBetter(best: Best, value: number, other: number | undefined): boolean {
  if (Number.isNaN(value)) return false;
  if (other === undefined || Number.isNaN(other)) return true;
  return best === "least" ? value < other : value > other;
}

/** Mean and standard deviation (of a sample, n - 1) over the folds, of each metric that is one number. */
export function overFolds(folds: readonly FoldRecord[]): { readonly mean: Metrics; readonly deviation: Metrics } {
  const mean: Record<string, number> = {};
  const deviation: Record<string, number> = {};
  for (const name of Object.keys(folds[0]?.metrics ?? {})) {
    const values = folds.map(({ metrics }) => metrics[name]);
    const numbers = values.filter((value) => typeof value === "number");
    if (numbers.length < values.length || numbers.length < 2) continue;
    const average = numbers.reduce((sum, value) => sum + value, 0) / numbers.length;
    const squares = numbers.reduce((sum, value) => sum + (value - average) ** 2, 0);
    mean[name] = average;
    deviation[name] = Math.sqrt(squares / (numbers.length - 1));
  }
  return { mean, deviation };
}
