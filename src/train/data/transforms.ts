// What the transforms of data pipelines do: from table to table. The mapped type over the signatures makes sure that each
// declared transform is implemented.

import type { BoundData } from "../../dsl/data-arguments.ts";
import type { DataTransform } from "../../dsl/data-signatures.ts";
import type { DataCall } from "../../dsl/training-plan.ts";
import { closest } from "../../util/text.ts";
import { permutation, randomFor } from "../random.ts";
import { DataError, listNames } from "./data-error.ts";
import {
  type Column,
  convertColumn,
  type Dataset,
  datasetOf,
  mapColumns,
  materialised,
  rowLength,
  selectRows,
  sliceRows,
  takeRows,
} from "./dataset.ts";
import type { DataContext } from "./sources.ts";
import { windowsOf } from "./windows.ts";

export type TransformOf = (dataset: Dataset, call: DataCall, bound: BoundData, context: DataContext) => Dataset;

/** The stream of random numbers of a transform: its own seed, or that of the training. */
const randomOf = (purpose: string, { values }: BoundData, { seed, role }: DataContext) =>
  randomFor(purpose, Number(values.seed ?? seed), role);

function columnNamed(dataset: Dataset, name: string, call: DataCall): Column {
  const column = Object.hasOwn(dataset.columns, name) ? dataset.columns[name] : undefined;
  if (column) return column;
  const names = Object.keys(dataset.columns);
  const near = closest(name, names);
  const help = `${near ? `did you mean ${near}? ` : ""}the columns are ${listNames(names)}`;
  throw new DataError(call, `there is no column ${name}`, help);
}

export const transforms: { readonly [name in DataTransform]: TransformOf } = {
  shuffle: (dataset, _call, bound, context) =>
    selectRows(dataset, permutation(dataset.rows, randomOf("shuffle", bound, context))),

  flatten: (dataset) =>
    mapColumns(dataset, (column) =>
      column.shape.length <= 2 ? column : { ...column, shape: [dataset.rows, rowLength(column)] },
    ),

  rename: (dataset, call, { columns }) => {
    const renames = Object.entries(columns).map(([to, from]) => [String(from), to] as const);
    for (const [from] of renames) columnNamed(dataset, from, call);
    const newName = new Map(renames);
    const renamed = Object.keys(dataset.columns).map((name) => newName.get(name) ?? name);
    const twice = renamed.find((name, i) => renamed.indexOf(name) !== i);
    if (twice !== undefined) {
      throw new DataError(call, `two columns would be named ${twice}`, "rename the other one, too");
    }
    const rename = <T>(record: Readonly<Record<string, T>>): Record<string, T> =>
      Object.fromEntries(Object.entries(record).map(([name, value]) => [newName.get(name) ?? name, value]));
    return { ...dataset, columns: rename(dataset.columns), classes: rename(dataset.classes) };
  },

  take: (dataset, call, { values }) => notEmpty(takeRows(dataset, Number(values.count)), call, dataset.rows),

  skip: (dataset, call, { values }) => notEmpty(sliceRows(dataset, Number(values.count)), call, dataset.rows),

  hide_labels: (dataset, call, bound, context) => {
    const name = String(bound.values.column ?? "label");
    const column = columnNamed(dataset, name, call);
    if (column.dtype !== "i32" || column.shape.length !== 1) {
      const what = `${name} is ${column.dtype}[${column.shape.join(", ")}], but labels are i32[N]`;
      throw new DataError(call, what, "name the column of labels: hide_labels(99%, column: label)");
    }
    const data = Int32Array.from(materialised(column).data);
    const hidden = Math.round(Number(bound.values.share) * dataset.rows);
    const order = permutation(dataset.rows, randomOf("hide_labels", bound, context));
    for (const row of order.subarray(0, hidden)) data[row] = -1;
    return { ...dataset, columns: { ...dataset.columns, [name]: { dtype: "i32", shape: column.shape, data } } };
  },

  windows: (dataset, call, { columns }) => {
    const [only, ...more] = Object.entries(dataset.columns);
    if (!only || more.length > 0) {
      const what = `windows are cut from one column, not from ${listNames(Object.keys(dataset.columns))}`;
      throw new DataError(call, what, 'choose the column in the source: csv("file.csv", column: "Temp")');
    }
    const [name, series] = only;
    const parts = Object.entries(columns).map(([part, length]) => ({ part, length: Number(length) }));
    const total = parts.reduce((sum, { length }) => sum + length, 0);
    const rows = dataset.rows - total + 1;
    if (rows < 1) {
      const what = `${name} has ${dataset.rows} values, fewer than the ${total} of one window`;
      throw new DataError(call, what, "make the windows shorter");
    }
    const values = { ...convertColumn(series, "f32"), shape: [dataset.rows, rowLength(series)] };
    let start = 0;
    const cut = parts.map(({ part, length }): [string, Column] => {
      const column = windowsOf(values, { rows, length, start, stride: 1 });
      start += length;
      return [part, column];
    });
    return datasetOf(call, Object.fromEntries(cut));
  },
};

function notEmpty(dataset: Dataset, call: DataCall, before: number): Dataset {
  if (dataset.rows > 0) return dataset;
  throw new DataError(call, `none of the ${before} rows is left`, "keep at least one");
}
