// Tables: named columns whose leading axis is the row. What data pipelines make and the training loop consumes. A column
// lies in memory, or makes its rows when a batch asks for them, because it is too large or new in each epoch.

import type { DataCall } from "../../dsl/training-plan.ts";
import { convertTensor, elementCount } from "../../formats/elements.ts";
import { allocate, type DType, type Tensor, type TypedArray } from "../../ir/dtype.ts";
import { DataError } from "./data-error.ts";

/** Which batch of the training rows are fetched for. All that is drawn anew in each epoch follows from it. */
export interface Draw {
  readonly seed: number;
  /** Counted from 0. */
  readonly epoch: number;
  /** How many rows of the epoch came before this batch. */
  readonly first: number;
}

/** A column whose rows are made when they are needed. */
export interface ComputedColumn {
  readonly dtype: DType;
  /** The leading axis is the row. */
  readonly shape: readonly number[];
  /**
   * Writes the rows of the given numbers, one after another. Without a draw nothing is varied, as in evaluation. Throws a
   * FormatError where a file cannot be read any more.
   */
  readonly fill: (rows: ArrayLike<number>, into: TypedArray, draw?: Draw) => void;
  /** Whether the rows depend on the draw. */
  readonly varied?: true;
}

export type Column = Tensor | ComputedColumn;

export const isComputed = (column: Column): column is ComputedColumn => "fill" in column;

export interface Dataset {
  readonly rows: number;
  /** By name; the leading axis of each is the row. */
  readonly columns: Readonly<Record<string, Column>>;
  /** For columns of classes that were texts: the text of each number. */
  readonly classes: Readonly<Record<string, readonly string[]>>;
  /**
   * Set where the rows are windows of one sequence, in its order: of how many rows after it a row shares values. What is held back of
   * such a table is one piece, with so many rows between it and those that train.
   */
  readonly overlap?: number;
  /** How many times an epoch of the training meets each row, once where this is absent. */
  readonly visits?: Int32Array;
}

/** The number of elements in a row of a column. */
export const rowLength = (column: Column): number => elementCount(column.shape.slice(1));

/** Copies the given rows of a column, in that order, into `into` or a new array. */
export function gatherColumn(column: Column, rows: ArrayLike<number>, into?: TypedArray, draw?: Draw): Tensor {
  const width = rowLength(column);
  const data = into ?? allocate(column.dtype, rows.length * width);
  if (isComputed(column)) column.fill(rows, data, draw);
  else if (width === 1) for (let i = 0; i < rows.length; i++) data[i] = column.data[rows[i]!]!;
  else {
    for (let i = 0; i < rows.length; i++) {
      const from = rows[i]! * width;
      data.set(column.data.subarray(from, from + width), i * width);
    }
  }
  return { dtype: column.dtype, shape: [rows.length, ...column.shape.slice(1)], data };
}

/** The whole numbers from `start` to before `end`. */
export const range = (start: number, end: number): Int32Array =>
  Int32Array.from({ length: end - start }, (_, i) => start + i);

/** All rows in memory, as evaluation sees them. */
export const materialised = (column: Column): Tensor =>
  isComputed(column) ? gatherColumn(column, range(0, column.shape[0]!)) : column;

/** The rows of a column in blocks that fit into memory. */
export function* blocksOf(column: Column): Generator<Tensor> {
  const rows = column.shape[0]!;
  const size = Math.max(1, Math.floor(2 ** 20 / Math.max(1, rowLength(column))));
  for (let at = 0; at < rows; at += size) yield sliceColumn(column, at, Math.min(rows, at + size));
}

/** Rows from `start` to before `end`: a view where the column lies in memory. */
export function sliceColumn(column: Column, start: number, end: number): Tensor {
  if (isComputed(column)) return gatherColumn(column, range(start, end));
  const width = rowLength(column);
  const data = column.data.subarray(start * width, end * width);
  return { dtype: column.dtype, shape: [end - start, ...column.shape.slice(1)], data };
}

/** The same numbers in another element type. Throws a ConversionError, of computed columns when a batch has no such numbers. */
export function convertColumn(column: Column, dtype: DType): Column {
  if (column.dtype === dtype) return column;
  if (!isComputed(column)) return convertTensor(column, dtype);
  const fill: ComputedColumn["fill"] = (rows, into, draw) => {
    into.set(convertTensor(gatherColumn(column, rows, undefined, draw), dtype).data);
  };
  return { ...column, dtype, fill };
}

/** A column of the same shape whose numbers are changed one by one. */
export function mapNumbers(column: Column, dtype: DType, change: (value: number, at: number) => number): Column {
  const width = rowLength(column);
  const apply = (from: TypedArray, into: TypedArray): void => {
    for (let i = 0; i < from.length; i++) into[i] = change(from[i]!, i % width);
  };
  const { shape } = column;
  if (!isComputed(column)) {
    const data = allocate(dtype, column.data.length);
    apply(column.data, data);
    return { dtype, shape, data };
  }
  return {
    ...column,
    dtype,
    fill: (rows, into, draw) => apply(gatherColumn(column, rows, undefined, draw).data, into),
  };
}

/** The same table with each column changed. */
export function mapColumns(dataset: Dataset, change: (column: Column, name: string) => Column): Dataset {
  const columns = Object.entries(dataset.columns).map(([name, column]) => [name, change(column, name)] as const);
  return { ...dataset, columns: Object.fromEntries(columns) };
}

/** The given rows, in that order: no windows of a sequence any more. */
export function selectRows(dataset: Dataset, rows: Int32Array): Dataset {
  const selected = mapColumns(dataset, (column) => {
    if (!isComputed(column)) return gatherColumn(column, rows);
    const fill: ComputedColumn["fill"] = (wanted, into, draw) =>
      column.fill(
        Int32Array.from(wanted, (row) => rows[row]!),
        into,
        draw,
      );
    return { ...column, shape: [rows.length, ...column.shape.slice(1)], fill };
  });
  const { visits } = dataset;
  const { overlap: _, ...kept } = selected;
  return { ...kept, rows: rows.length, ...(visits ? { visits: rows.map((row) => visits[row]!) } : {}) };
}

/** Rows from `start` to before `end`, as views that share the data. */
export function sliceRows(dataset: Dataset, start: number, end = dataset.rows): Dataset {
  const from = Math.min(start, dataset.rows);
  const to = Math.max(from, Math.min(end, dataset.rows));
  if (from === 0 && to === dataset.rows) return dataset;
  const sliced = mapColumns(dataset, (column) => {
    if (!isComputed(column)) return sliceColumn(column, from, to);
    const fill: ComputedColumn["fill"] = (rows, into, draw) =>
      column.fill(
        Int32Array.from(rows, (row) => row + from),
        into,
        draw,
      );
    return { ...column, shape: [to - from, ...column.shape.slice(1)], fill };
  });
  const { visits } = dataset;
  return { ...sliced, rows: to - from, ...(visits ? { visits: visits.subarray(from, to) } : {}) };
}

/** The first `count` rows, as views. */
export const takeRows = (dataset: Dataset, count: number): Dataset => sliceRows(dataset, 0, count);

/** A table from columns, which must have equally many rows, at least one. */
export function datasetOf(
  call: DataCall,
  columns: Readonly<Record<string, Column>>,
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
