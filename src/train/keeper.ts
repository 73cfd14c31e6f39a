// Keeps a training run: finds a checkpoint to continue, writes new ones when they are due, and the results at the end.
// Without a store it keeps nothing.

import type { Tensors } from "../backends/backend.ts";
import type { TrainingPlan } from "../dsl/training-plan.ts";
import { writeSafetensors } from "../formats/safetensors.ts";
import { UserError } from "../util/user-error.ts";
import { type Checkpoint, decodeCheckpoint, encodeCheckpoint, type Identity } from "./checkpoint.ts";
import type { Metrics, Reporter } from "./events.ts";
import { historyText } from "./history.ts";
import type { Progress } from "./progress.ts";
import {
  bestFile,
  checkpointFile,
  historyFile,
  observationsFile,
  reportFile,
  type Store,
  weightsFile,
} from "./store.ts";

const runFiles = [weightsFile, bestFile, historyFile, checkpointFile, observationsFile, reportFile];

/** How often checkpoints are written. An epoch that ends sooner than `epochSeconds` after the last one waits. */
export interface Pace {
  readonly epochSeconds: number;
  readonly stepSeconds: number;
  /** Every so many steps, besides. */
  readonly steps?: number;
}

export const usualPace: Pace = { epochSeconds: 1, stepSeconds: 10 };

/** A file that goes with each checkpoint, such as what was observed up to it. */
export interface Companion {
  readonly name: string;
  readonly bytes: Uint8Array;
}

export interface Keeper {
  /** How messages call the checkpoint; undefined before one was written. */
  checkpoint(): string | undefined;
  /** Whether a checkpoint should be written now. */
  due(at: "step" | "epoch", step: number): boolean;
  /**
   * Writes a checkpoint. Where that fails, as on a full disk, the last one stays; it is told, and the training goes on, unless this is
   * the `last` one for now.
   */
  save(checkpoint: Checkpoint, last: boolean): Promise<void>;
  finish(result: Result): Promise<void>;
}

/** What a training leaves when it is done. */
export interface Result {
  readonly weights: Tensors;
  /** The best weights, where they are not those that are kept. */
  readonly best?: Tensors;
  readonly metadata: Readonly<Record<string, string>>;
  readonly progress: Progress;
  readonly test?: Metrics;
}

const nothing: Keeper = {
  checkpoint: () => undefined,
  due: () => false,
  save: async () => {},
  finish: async () => {},
};

/**
 * Opens a store for a run and, where `resume` asks for it, reads its checkpoint. Results of earlier runs get other names.
 * Throws a UserError where the checkpoint is of another run, a FormatError where it is damaged.
 */
export async function openKeeper(
  store: Store | undefined,
  {
    plan,
    identity,
    resume,
    pace,
    report,
    companion,
  }: {
    readonly plan: TrainingPlan;
    /** Asked for only where there is a store: it reads all data. */
    readonly identity: () => Identity;
    readonly resume: boolean;
    readonly pace: Pace;
    readonly report: Reporter;
    readonly companion?: () => Promise<Companion>;
  },
): Promise<{ readonly keeper: Keeper; readonly from?: Checkpoint }> {
  if (!store) return { keeper: nothing };
  const self = identity();
  const place = `${store.place}/${checkpointFile}`;
  const bytes = resume ? await store.read(checkpointFile) : undefined;
  const from = bytes && decodeCheckpoint(bytes, place, self);
  if (resume && !from) {
    report({ event: "note", text: `there is no checkpoint in ${store.place} yet: starting from the beginning` });
  }
  if (!from) {
    const moved = await store.setAside(runFiles);
    const names = moved.map(([before, after]) => `${before} is now ${after}`);
    if (names.length > 0) {
      report({ event: "note", text: `earlier results in ${store.place} are kept: ${names.join(", ")}` });
    }
  }
  const goingOn = (): string =>
    `the training goes on and tries again later; ${written ? "the last checkpoint that was written is kept" : "there is no checkpoint yet"}`;
  let failing = false;
  let written = from !== undefined;
  let savedAt = performance.now();
  const write = (name: string, text: string) => store.write(name, new TextEncoder().encode(text));
  const keeper: Keeper = {
    checkpoint: () => (written ? place : undefined),
    due: (at, step) => {
      const seconds = (performance.now() - savedAt) / 1000;
      if (pace.steps !== undefined && step % pace.steps === 0) return true;
      return seconds >= (at === "epoch" ? pace.epochSeconds : pace.stepSeconds);
    },
    save: async (checkpoint, last) => {
      try {
        const beside = await companion?.();
        if (beside) await store.write(beside.name, beside.bytes);
        await store.write(checkpointFile, encodeCheckpoint(checkpoint, self));
        await write(historyFile, historyText(plan, checkpoint.progress));
        written = true;
        failing = false;
      } catch (error) {
        if (last || !(error instanceof UserError)) throw error;
        if (!failing) report({ event: "note", text: `${error.message}\n  ${goingOn()}` });
        failing = true;
      }
      savedAt = performance.now();
    },
    finish: async ({ weights, best, metadata, progress, test }) => {
      await store.write(weightsFile, writeSafetensors(weights, metadata));
      if (best) await store.write(bestFile, writeSafetensors(best, metadata));
      await write(historyFile, historyText(plan, progress, test));
    },
  };
  return { keeper, ...(from ? { from } : {}) };
}
