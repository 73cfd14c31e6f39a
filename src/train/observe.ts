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
  /** Told of each observation as soon as it is complete. */
  readonly seen?: (observation: EpochObservation) => void;
}

/** A reporter that collects an observation for each epoch that ends. */
export function createObserver({ session, seed, gradients, memory, seen }: ObserverOptions): {
  readonly observe: (event: TrainingEvent) => void;
  /** What has been observed so far. */
  readonly observations: () => Promise<EpochObservation[]>;
} {
  const observations: Promise<EpochObservation>[] = [];
  const parameters = session.globals.filter(({ role }) => role === "parameter").map(({ name }) => name);
  const spread = (tensors: readonly (Tensor | undefined)[]): Record<string, Histogram> =>
    Object.fromEntries(
      tensors.flatMap((tensor, i) => (tensor ? [[parameters[i]!, histogramOf(tensor.data)] as const] : [])),
    );
  const spreads = async (): Promise<Pick<EpochObservation, "weights" | "gradients">> => {
    // All is asked for before anything is awaited: the training goes on meanwhile.
    const running = gradients && runGraph(session, gradients.graph, gradients.columns, { seed, step: 0 });
    const weights = await Promise.all(parameters.map((name) => session.executable.read(name)));
    const given = await running;
    return {
      weights: spread(weights),
      ...(given ? { gradients: spread(parameters.map((name) => given[name])) } : {}),
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
    const basic: EpochObservation = {
      ...(event.fold === undefined ? {} : { fold: event.fold }),
      epoch: event.epoch,
      seconds,
      steps: losses.length,
      losses: meansOf(losses, mostLosses),
      ...(learningRate === undefined ? {} : { learningRate }),
      ...(memory ? { memory: memory() } : {}),
    };
    const complete = async (): Promise<EpochObservation> => {
      const observation = due ? { ...basic, ...(await spreads()) } : basic;
      seen?.(observation);
      return observation;
    };
    observations.push(complete());
    losses = [];
    began = performance.now();
    if (due) spreadAt = began;
  };
  return { observe, observations: () => Promise.all(observations) };
}

/** At most `most` means of neighbours. */
export function meansOf(values: readonly number[], most: number): number[] {
  const count = Math.min(most, values.length);
  return Array.from({ length: count }, (_, i) => {
    const part = values.slice(Math.floor((i * values.length) / count), Math.floor(((i + 1) * values.length) / count));
    return part.reduce((sum, value) => sum + value, 0) / part.length;
  });
}
