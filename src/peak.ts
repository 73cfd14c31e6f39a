// How much memory a plan takes, and the least that any plan could: what `inspect` prints.

import { align, evaluate, place } from "./backends/runtime/layout.ts";
import type { Sizes } from "./ir/dim.ts";
import type { PlannedBuffer } from "./ir/memory-plan.ts";

/** Bytes for one choice of the free sizes: what the plan takes, and the largest sum of what lives at one time, below which none can go. */
export function peakOf(
  buffers: readonly PlannedBuffer[],
  sizes: Sizes,
): { readonly peak: number; readonly lowerBound: number } {
  const bytes = buffers.map((buffer) => align(evaluate(buffer.bytes, sizes)));
  const offsets = place(bytes, buffers, 0);
  const ends = Math.max(0, ...buffers.map((buffer) => buffer.last));
  // What comes alive at each position, less what died before it.
  const changes = new Float64Array(ends + 2);
  buffers.forEach(({ first, last }, i) => {
    changes[first] = changes[first]! + bytes[i]!;
    changes[last + 1] = changes[last + 1]! - bytes[i]!;
  });
  let living = 0;
  let lowerBound = 0;
  for (const change of changes) {
    living += change;
    lowerBound = Math.max(lowerBound, living);
  }
  return { peak: Math.max(0, ...offsets.map((offset, i) => offset + bytes[i]!)), lowerBound };
}
