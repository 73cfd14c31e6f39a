// Watches a training run for its report: losses by step, the spread of weights and gradients at the end of each epoch, time
// and memory. It only reads, so that an observed run has the same bits as any other.

import type { Tensor } from "../ir/dtype.ts";
import type { TrainingEvent } from "./events.ts";
import { type Histogram, histogramOf } from "./histogram.ts";
import { runGraph, type Session } from "./session.ts";

export interface EpochObservation {
  readonly fold?: number;
  readonly epoch: number;
  readonly seconds: number;
  readonly steps: number;
  /** Means of the losses of equally many steps each, in order; at most `mostLosses`. */
  readonly losses: readonly number[];
  /** Of the last step, where a schedule changes it. */
  readonly learningRate?: number;
  /** Of the process, in bytes, at the end of the epoch. */
  readonly memory?: number;
  /** By parameter. */
  readonly weights?: Readonly<Record<string, Histogram>>;
  /** By parameter, of the loss of the first rows, before clipping. */
  readonly gradients?: Readonly<Record<string, Histogram>>;
}

const mostLosses = 200;

/** The spread of weights and gradients is looked at so often at most: short epochs would spend their time on it. */
const spreadSeconds = 0.2;

export interface ObserverOptions {
  readonly session: Session;
  readonly seed: number;
  /** The graph that gives gradients by parameter, and the columns that it is run on; left out where there are none. */
  readonly gradients?: { readonly graph: string; readonly columns: Readonly<Record<string, Tensor>> };
  /** How much memory the process holds, in bytes. */
  readonly memory?: () => number;
}

/** A reporter that collects an observation for each epoch that ends. */
export function createObserver({ session, seed, gradients, memory }: ObserverOptions): {
  readonly observe: (event: TrainingEvent) => void;
  readonly observations: EpochObservation[];
} {
  const observations: EpochObservation[] = [];
  const parameters = session.globals.filter(({ role }) => role === "parameter").map(({ name }) => name);
  const spread = (read: (name: string) => Tensor | undefined): Record<string, Histogram> =>
    Object.fromEntries(
      parameters.flatMap((name) => {
        const tensor = read(name);
        return tensor ? [[name, histogramOf(tensor.data)] as const] : [];
      }),
    );
  const spreads = (): Pick<EpochObservation, "weights" | "gradients"> => {
    const given = gradients && runGraph(session, gradients.graph, gradients.columns, { seed, step: 0 });
    return {
      weights: spread((name) => session.executable.read(name)),
      ...(given ? { gradients: spread((name) => given[name]) } : {}),
    };
  };
  let losses: number[] = [];
  let learningRate: number | undefined;
  let began = performance.now();
  let spreadAt = Number.NEGATIVE_INFINITY;
  const observe = (event: TrainingEvent): void => {
    if (event.event === "step") {
      losses.push(event.loss);
      learningRate = event.learningRate;
    }
    if (event.event !== "epoch") return;
    const seconds = (performance.now() - began) / 1000;
    const due = began - spreadAt + 1000 * seconds >= 1000 * spreadSeconds;
    observations.push({
      ...(event.fold === undefined ? {} : { fold: event.fold }),
      epoch: event.epoch,
      seconds,
      steps: losses.length,
      losses: meansOf(losses, mostLosses),
      ...(learningRate === undefined ? {} : { learningRate }),
      ...(memory ? { memory: memory() } : {}),
      ...(due ? spreads() : {}),
    });
    losses = [];
    began = performance.now();
    if (due) spreadAt = began;
  };
  return { observe, observations };
}

/** At most `most` means of neighbours. */
export function meansOf(values: readonly number[], most: number): number[] {
  const count = Math.min(most, values.length);
  return Array.from({ length: count }, (_, i) => {
    const part = values.slice(Math.floor((i * values.length) / count), Math.floor(((i + 1) * values.length) / count));
    return part.reduce((sum, value) => sum + value, 0) / part.length;
  });
}
