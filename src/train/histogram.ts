// How numbers are spread, in few numbers: for histograms of weights and gradients.

export interface Histogram {
  /** The least and the greatest number; both 0 where there are none. */
  readonly low: number;
  readonly high: number;
  readonly mean: number;
  /** The square root of the mean squared distance from the mean. */
  readonly deviation: number;
  /** How many numbers lie in each of equally wide pieces from `low` to `high`. */
  readonly counts: readonly number[];
}

/** Counts numbers in `pieces`; those that are not finite are left out. */
export function histogramOf(values: ArrayLike<number>, pieces = 32): Histogram {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  let [sum, squares, count] = [0, 0, 0];
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (!Number.isFinite(value)) continue;
    if (value < low) low = value;
    if (value > high) high = value;
    sum += value;
    squares += value * value;
    count++;
  }
  const counts = new Array<number>(pieces).fill(0);
  if (count === 0) return { low: 0, high: 0, mean: 0, deviation: 0, counts };
  const scale = high > low ? pieces / (high - low) : 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (Number.isFinite(value)) counts[Math.min(pieces - 1, Math.floor((value - low) * scale))]!++;
  }
  const mean = sum / count;
  return { low, high, mean, deviation: Math.sqrt(Math.max(0, squares / count - mean * mean)), counts };
}
