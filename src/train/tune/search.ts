// The order of a search: which trials run for how many epochs, which of them go on, and what came out.

import { type Best, isBetter } from "../progress.ts";
import { randomFor } from "../random.ts";
import { drawValue, type Varied } from "./space.ts";

export type SearchKind = "random" | "halving";

/** A part of the search: so many trials run, or go on, to so many epochs. */
export interface Rung {
  readonly epochs: number;
  readonly trials: number;
}

/** Of the trials of a rung, one in so many goes on. */
const factor = 3;

/**
 * The rungs of a search. With halving, all trials begin with few epochs, and the best third of each rung goes on to three times as many
 * (Jamieson and Talwalkar, "Non-stochastic best arm identification and hyperparameter optimization", 2016).
 */
export function rungsOf(kind: SearchKind, trials: number, epochs: number): Rung[] {
  const rungs: Rung[] = [{ epochs, trials }];
  if (kind === "random") return rungs;
  const levels = Math.min(depth(trials), depth(epochs));
  return Array.from({ length: levels + 1 }, (_, i) => ({
    epochs: i === levels ? epochs : Math.max(1, Math.floor(epochs / factor ** (levels - i))),
    trials: Math.max(1, Math.floor(trials / factor ** i)),
  }));
}

/** How often a number can be divided by the factor. */
const depth = (count: number): number => Math.floor(Math.log(count) / Math.log(factor) + 1e-9);

export interface TrialResult {
  /** Counted from 1. */
  readonly trial: number;
  readonly epochs: number;
  /** The metric; absent where the trial failed. */
  readonly value?: number;
  /** What went wrong. */
  readonly failure?: string;
  readonly seconds: number;
}

/** The values of a trial: the same for a seed and a number, whatever else was tried. */
export function valuesOf(space: readonly Varied[], seed: number, trial: number): Record<string, string> {
  return Object.fromEntries(
    space.map((varied) => [varied.name, drawValue(varied, randomFor("tune", seed, trial, varied.name))]),
  );
}

/** Results, the best first: those of more epochs before those that were given up, failures last. */
export function ranked(results: readonly TrialResult[], best: Best): TrialResult[] {
  const latest = new Map<number, TrialResult>();
  for (const result of results) {
    const known = latest.get(result.trial);
    if (!known || result.epochs >= known.epochs) latest.set(result.trial, result);
  }
  return [...latest.values()].sort((a, b) => {
    const [one, other] = [a.value ?? Number.NaN, b.value ?? Number.NaN];
    if (Number.isNaN(one) !== Number.isNaN(other)) return Number.isNaN(one) ? 1 : -1;
    if (a.epochs !== b.epochs && !Number.isNaN(one)) return b.epochs - a.epochs;
    if (isBetter(best, one, other) && one !== other) return -1;
    return isBetter(best, other, one) && one !== other ? 1 : a.trial - b.trial;
  });
}

/** The trials of each rung in turn: all of them first, then the best of the rung before. */
export function trialsOf(rungs: readonly Rung[], index: number, results: readonly TrialResult[], best: Best): number[] {
  const { trials } = rungs[index]!;
  if (index === 0) return Array.from({ length: trials }, (_, i) => i + 1);
  const { epochs } = rungs[index - 1]!;
  const before = results.filter((result) => result.epochs === epochs && result.value !== undefined);
  return ranked(before, best)
    .slice(0, trials)
    .map(({ trial }) => trial)
    .sort((a, b) => a - b);
}
