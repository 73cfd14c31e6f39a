// Windows of a series: rows that overlap share the values they are cut from, so a long text or measurement is held once.

import { type Column, type ComputedColumn, gatherColumn, isComputed, rowLength } from "./dataset.ts";

export interface Windows {
  readonly rows: number;
  /** Values of a window. */
  readonly length: number;
  /** Where the first window begins in the series. */
  readonly start: number;
  /** From the beginning of a window to that of the next. */
  readonly stride: number;
}

/** From a series [values, ...S] a column [rows, length, ...S]. */
export function windowsOf(series: Column, { rows, length, start, stride }: Windows): ComputedColumn {
  const width = rowLength(series);
  const fill: ComputedColumn["fill"] = (wanted, into, draw) => {
    for (let i = 0; i < wanted.length; i++) {
      const from = start + wanted[i]! * stride;
      const part = into.subarray(i * length * width, (i + 1) * length * width);
      if (isComputed(series)) {
        const places = Int32Array.from({ length }, (_, j) => from + j);
        gatherColumn(series, places, part, draw);
      } else part.set(series.data.subarray(from * width, (from + length) * width));
    }
  };
  return { dtype: series.dtype, shape: [rows, length, ...series.shape.slice(1)], fill };
}
