// The schedule of long sums with few results, such as gradients of weights and biases: threads would have few tiles to share, so that the
// sum is cut, and its slices are tiles too. Into how many depends on sizes alone, never on who computes them.

import { type Dim, productOf } from "../../ir/dim.ts";
import { sizeAt } from "./reduction.ts";
import type { TileTable } from "./tiles.ts";

export interface Slices {
  readonly count: number;
  /** Slices but the last are multiples of so many steps. */
  readonly unit: number;
}

/** What is to be cut. */
export interface LongSum {
  /** Of the results. */
  readonly shape: readonly Dim[];
  /** Steps of the loop that would be cut, and terms of a sum. */
  readonly steps: Dim;
  readonly terms: Dim;
  /** Tiles that threads could share without. */
  readonly tiles: number;
  readonly unit?: number;
  /** A register should take no more terms than this, where nothing else cuts what it takes. */
  readonly most?: number;
}

/** Undefined where a sum is better left whole. */
export function planSlices(
  { shape, steps, terms, tiles, unit = 1, most = Number.POSITIVE_INFINITY }: LongSum,
  { slices, freeSize }: TileTable,
): Slices | undefined {
  const results = productOf(shape);
  if (!slices || typeof results !== "number") return undefined;
  const length = sizeAt(terms, freeSize);
  if (results * length < slices.least) return undefined;
  const count = Math.min(
    Math.max(Math.ceil(slices.tiles / Math.max(1, tiles)), Math.ceil(length / most)),
    Math.floor(slices.sums / results),
    Math.floor(sizeAt(steps, freeSize) / unit / 2),
  );
  return count < 2 ? undefined : { count, unit };
}

/** For readers. */
export const noteOf = ({ count }: Slices): string =>
  `split the sum into ${count} slices, whose sums are added up in order: results alone are too few for threads to share`;
