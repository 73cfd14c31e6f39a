// The dispatches of one run, in order: loops of a graph are written out once its free sizes are known, for each round has stretches of
// memory of its own.

import type { Sizes } from "../../../ir/dim.ts";
import { evaluate } from "../../runtime/layout.ts";
import type { GpuDispatch, GpuStep } from "./plan.ts";

export interface PlacedDispatch {
  readonly dispatch: GpuDispatch;
  /** Those of the graph, and the positions of the loops around. */
  readonly sizes: Sizes;
  /** How many groups run; never 0, for then nothing is dispatched. */
  readonly groups: number;
}

export function dispatchesOf(steps: readonly GpuStep[], sizes: Sizes): readonly PlacedDispatch[] {
  return steps.flatMap((step): readonly PlacedDispatch[] => {
    if (step.kind === "dispatch") {
      const groups = evaluate(step.groups, sizes);
      return groups > 0 ? [{ dispatch: step, sizes, groups }] : [];
    }
    const extent = evaluate(step.extent, sizes);
    const rounds = Array.from({ length: extent }, (_, i) => (step.reversed ? extent - 1 - i : i));
    return rounds.flatMap((round) => dispatchesOf(step.steps, { ...sizes, [step.index]: round }));
  });
}
