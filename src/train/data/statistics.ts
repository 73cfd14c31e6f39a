// What transforms learn from all rows of a column: means and deviations, how often each class comes, and rows kept in memory.

import { allocate } from "../../ir/dtype.ts";
import { blocksOf, type Column, type ComputedColumn, gatherColumn, materialised, rowLength } from "./dataset.ts";

/** For each place of the last axis (for all, where rows are single numbers) what is subtracted and what divides. */
export interface Scale {
  readonly mean: Float64Array;
  readonly deviation: Float64Array;
}

export function scaleOf(column: Column): Scale {
  const places = column.shape.length < 2 ? 1 : column.shape.at(-1)!;
  const count = ((column.shape[0] ?? 0) * rowLength(column)) / places;
  const average = (of: (value: number, place: number) => number): Float64Array => {
    const sums = new Float64Array(places);
    for (const { data } of blocksOf(column)) {
      for (let i = 0; i < data.length; i++) sums[i % places]! += of(data[i]!, i % places);
    }
    return sums.map((sum) => sum / count);
  };
  const mean = average((value) => value);
  const variance = average((value, place) => (value - mean[place]!) ** 2);
  // What never varies is only moved to 0.
  return { mean, deviation: variance.map((value) => Math.sqrt(value) || 1) };
}

/** How often each class occurs in a column i32[N]; negative labels, which stand for none, are not counted. */
export function classCounts(labels: Column): Map<number, number> {
  const counts = new Map<number, number>();
  for (const label of materialised(labels).data) if (label >= 0) counts.set(label, (counts.get(label) ?? 0) + 1);
  return counts;
}

/** A computed column whose rows are kept in memory once they were made. */
export function cached(column: ComputedColumn): ComputedColumn {
  const rows = column.shape[0]!;
  const width = rowLength(column);
  const kept = { dtype: column.dtype, shape: column.shape, data: allocate(column.dtype, rows * width) };
  const known = new Uint8Array(rows);
  const fill: ComputedColumn["fill"] = (wanted, into) => {
    const missing = Int32Array.from(wanted).filter((row) => !known[row]);
    const { data } = gatherColumn(column, missing);
    for (const [i, row] of missing.entries()) {
      kept.data.set(data.subarray(i * width, (i + 1) * width), row * width);
      known[row] = 1;
    }
    gatherColumn(kept, wanted, into);
  };
  return { ...column, fill };
}
