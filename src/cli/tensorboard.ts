// --tensorboard: an event file in the folder of results that grows with the training. Metrics as scalars, weights and gradients as
// histograms, by the number of steps.

import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { systemError } from "../formats/node/files.ts";
import { type EventHistogram, type EventValue, encodeEvent, encodeFileVersion } from "../formats/tensorboard.ts";
import type { Metrics, TrainingEvent } from "../train/events.ts";
import type { Histogram } from "../train/histogram.ts";
import type { EpochObservation } from "../train/observe.ts";

export interface TensorboardFile {
  readonly report: (event: TrainingEvent) => void;
  readonly observe: (observation: EpochObservation) => void;
}

/** @param notice told once if the file cannot be written; the training goes on */
export function tensorboardFile(folder: string, notice: (text: string) => void): TensorboardFile {
  const now = (): number => Date.now() / 1000;
  // The name by which TensorBoard finds such files; a resumed run begins another.
  const path = join(folder, `events.out.tfevents.${Math.floor(now())}.dlm.${process.pid}`);
  let failed = false;
  const append = (bytes: Uint8Array): void => {
    if (failed) return;
    try {
      appendFileSync(path, bytes);
    } catch (error) {
      failed = true;
      notice(systemError(path, error, "written").message);
    }
  };
  const write = (step: number, values: readonly EventValue[]): void => {
    if (values.length > 0) append(encodeEvent(now(), step, values));
  };
  append(encodeFileVersion(now()));
  let stepsOfEpoch = 1;
  const report = (event: TrainingEvent): void => {
    if (event.event === "step") stepsOfEpoch = event.steps;
    if (event.event === "epoch") write(event.epoch * stepsOfEpoch, scalarsOf(event.metrics, prefixOf(event)));
    if (event.event === "test") write(stepsOfEpoch, scalarsOf(event.metrics, "test/"));
  };
  const observe = (seen: EpochObservation): void => {
    const prefix = prefixOf(seen);
    const first = (seen.epoch - 1) * stepsOfEpoch;
    if (seen.losses.length > 1)
      for (const [i, loss] of seen.losses.entries()) {
        const step = first + Math.round(((i + 1) * seen.steps) / seen.losses.length);
        write(step, [{ tag: `${prefix}loss/steps`, value: loss }]);
      }
    const values: EventValue[] = [{ tag: `${prefix}seconds of an epoch`, value: seen.seconds }];
    if (seen.learningRate !== undefined) values.push({ tag: `${prefix}learning rate`, value: seen.learningRate });
    if (seen.memory !== undefined) values.push({ tag: `${prefix}memory in MB`, value: seen.memory / 1e6 });
    for (const kind of ["weights", "gradients"] as const)
      for (const [name, histogram] of Object.entries(seen[kind] ?? {}))
        values.push({ tag: `${prefix}${kind}/${name}`, value: eventHistogram(histogram) });
    write(seen.epoch * stepsOfEpoch, values);
  };
  return { report, observe };
}

const prefixOf = ({ fold }: { readonly fold?: number }): string => (fold === undefined ? "" : `fold ${fold}/`);

/** `loss/training` and `loss/validation` share a plot. */
function scalarsOf(metrics: Metrics, prefix: string): EventValue[] {
  return Object.entries(metrics).flatMap(([name, value]) => {
    if (typeof value !== "number") return [];
    const held = name.startsWith("val_");
    const tag = held ? `${name.slice("val_".length)}/validation` : `${name}/training`;
    return [{ tag: prefix === "test/" ? `${name}/test` : prefix + tag, value }];
  });
}

function eventHistogram({ low, high, mean, deviation, counts }: Histogram): EventHistogram {
  const count = counts.reduce((sum, part) => sum + part, 0);
  const width = (high - low) / counts.length;
  return {
    min: low,
    max: high,
    count,
    sum: mean * count,
    sumOfSquares: (deviation ** 2 + mean ** 2) * count,
    limits: counts.map((_, i) => low + (i + 1) * width),
    counts,
  };
}
