// The state of a training run in memory, shared by the loop over folds and that over epochs.

import type { Tensors } from "../backends/backend.ts";
import { averageOf, type TrainingPlan } from "../dsl/training-plan.ts";
import type { Tensor } from "../ir/dtype.ts";
import type { Reporter } from "./events.ts";
import type { Keeper } from "./keeper.ts";
import type { Progress } from "./progress.ts";
import type { Session } from "./session.ts";
import { readGlobals } from "./weights.ts";

export interface Run {
  readonly session: Session;
  readonly plan: TrainingPlan;
  readonly shuffle: boolean;
  readonly progress: Progress;
  readonly keeper: Keeper;
  readonly report: Reporter;
  /** Lets others work from time to time; true once the training is to end. */
  readonly pause: () => Promise<boolean>;
  /** The present fold, counted from 1, for events. */
  readonly foldNumber: () => { readonly fold?: number };
  /** Weights to start from instead of fresh ones. */
  readonly initial: Tensors | undefined;
  /** Weights of the best epoch of this fold, where early stopping watches. */
  best: Tensors | undefined;
  /** Weights of the best fold. */
  kept: Tensors | undefined;
}

/** Parameters and states, which a trained model consists of. */
export const weightsOf = ({ session }: Run): Promise<Tensors> =>
  readGlobals(session.executable, session.globals, "parameter", "state");

/** What would be kept if the training ended now: the running means of the parameters, where the plan has such, and the states. */
export async function keptWeights(run: Run): Promise<Tensors> {
  const weights = await weightsOf(run);
  const { session, plan } = run;
  if (!plan.averaged) return weights;
  const means = await readGlobals(session.executable, session.globals, "optimizer");
  const mean = (name: string): Tensor | undefined => means[averageOf(name)];
  return Object.fromEntries(Object.entries(weights).map(([name, tensor]) => [name, mean(name) ?? tensor]));
}

export function restore({ session }: Run, tensors: Tensors): void {
  for (const [name, tensor] of Object.entries(tensors)) session.executable.write(name, tensor);
}

/**
 * Steps are computed in one go, so signals and pages would wait for the end of the training. This lets them in every
 * 50 ms, and tells whether they asked for an end.
 */
export function pauses(signal: AbortSignal | undefined): () => Promise<boolean> {
  let last = performance.now();
  return async () => {
    if (performance.now() - last > 50) {
      await new Promise<void>((resolve) => {
        if (typeof setImmediate === "function") setImmediate(resolve);
        else setTimeout(resolve, 0);
      });
      last = performance.now();
    }
    return signal?.aborted ?? false;
  };
}
