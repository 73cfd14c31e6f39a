// Tables of tensors: named columns whose leading axis is the row. What data pipelines make and the training loop consumes.

import type { DataCall } from "../../dsl/training-plan.ts";
import { allocate, type Tensor } from "../../ir/dtype.ts";
import { DataError } from "./data-error.ts";

export interface Dataset {
  readonly rows: number;
  /** By name; the leading axis of each is the row. */
  readonly columns: Readonly<Record<string, Tensor>>;
  /** For columns of classes that were texts: the text of each number. */
  readonly classes: Readonly<Record<string, readonly string[]>>;
}

/** The number of elements in a row of a column. */
export const rowLength = (column: Tensor): number => column.shape.slice(1).reduce((a, b) => a * b, 1);

/** Copies the given rows of a column, in that order, into `into` or a new array. */
export function gatherColumn(column: Tensor, rows: ArrayLike<number>, into?: Tensor["data"]): Tensor {
  const width = rowLength(column);
  const data = into ?? allocate(column.dtype, rows.length * width);
  for (let i = 0; i < rows.length; i++) {
    const from = rows[i]! * width;
    if (width === 1) data[i] = column.data[from]!;
    else data.set(column.data.subarray(from, from + width), i * width);
  }
  return { dtype: column.dtype, shape: [rows.length, ...column.shape.slice(1)], data };
}

/** The same table with each column changed. */
export function mapColumns(dataset: Dataset, change: (column: Tensor, name: string) => Tensor): Dataset {
  const columns = Object.entries(dataset.columns).map(([name, column]) => [name, change(column, name)] as const);
  return { ...dataset, columns: Object.fromEntries(columns) };
}

/** The given rows, in that order. */
export function selectRows(dataset: Dataset, rows: ArrayLike<number>): Dataset {
  return { ...mapColumns(dataset, (column) => gatherColumn(column, rows)), rows: rows.length };
}

/** Rows from `start` to before `end`, as views that share the data. */
export function sliceRows(dataset: Dataset, start: number, end = dataset.rows): Dataset {
  const from = Math.min(start, dataset.rows);
  const to = Math.max(from, Math.min(end, dataset.rows));
  const sliced = mapColumns(dataset, (column) => {
    const width = rowLength(column);
    const data = column.data.subarray(from * width, to * width);
    return { dtype: column.dtype, shape: [to - from, ...column.shape.slice(1)], data };
  });
  return { ...sliced, rows: to - from };
}

/** The first `count` rows, as views. */
export const takeRows = (dataset: Dataset, count: number): Dataset => sliceRows(dataset, 0, count);

/** A table from columns, which must have equally many rows, at least one. */
export function datasetOf(
  call: DataCall,
  columns: Readonly<Record<string, Tensor>>,
  classes: Dataset["classes"] = {},
): Dataset {
  const [first, ...others] = Object.entries(columns);
  const rows = first?.[1].shape[0];
  if (!first || rows === undefined) throw new DataError(call, "there are no rows", "give at least one row");
  for (const [name, column] of others) {
    if (column.shape[0] === rows) continue;
    const found = column.shape[0] === undefined ? "a single number" : `${column.shape[0]} rows`;
    const help = "each row needs a value in every column";
    throw new DataError(call, `${first[0]} has ${rows} rows, but ${name} has ${found}`, help);
  }
  if (rows === 0) throw new DataError(call, "there are no rows", "give at least one row");
  return { rows, columns, classes };
}
