// What the transforms of data pipelines do: from table to table. The mapped type over the signatures makes sure that each
// declared transform is implemented.

import type { BoundData } from "../../dsl/data-arguments.ts";
import type { DataTransform } from "../../dsl/data-signatures.ts";
import type { DataCall } from "../../dsl/training-plan.ts";
import { permutation, randomFor } from "../random.ts";
import { type Augmentation, augmented } from "./augment.ts";
import { columnNamed, floatsNamed, withColumn } from "./columns.ts";
import { DataError, listNames } from "./data-error.ts";
import {
  type Column,
  convertColumn,
  type Dataset,
  datasetOf,
  isComputed,
  mapColumns,
  mapNumbers,
  rowLength,
  selectRows,
  sliceRows,
  takeRows,
} from "./dataset.ts";
import { labelTransforms } from "./label-transforms.ts";
import { mixed } from "./mixup.ts";
import type { DataContext } from "./sources.ts";
import { cached, scaleOf } from "./statistics.ts";
import { windowsOf } from "./windows.ts";

export type TransformOf = (dataset: Dataset, call: DataCall, bound: BoundData, context: DataContext) => Dataset;

const ownSeed = ({ values }: BoundData): number | undefined =>
  values.seed === undefined ? undefined : Number(values.seed);

export const transforms: { readonly [name in DataTransform]: TransformOf } = {
  ...labelTransforms,

  // The same order for data and test, so that a split after it parts them alike.
  shuffle: (dataset, _call, bound, context) =>
    selectRows(dataset, permutation(dataset.rows, randomFor("shuffle", ownSeed(bound) ?? context.seed, "data"))),

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

  repeat: (dataset, _call, { values }) => {
    const visits = dataset.visits ?? new Int32Array(dataset.rows).fill(1);
    return { ...dataset, visits: visits.map((times) => times * Number(values.count)) };
  },

  standardize: (dataset, call, { values }, { role, scales }) => {
    const name = String(values.column ?? "features");
    const column = convertColumn(columnNamed(dataset, name, call), "f32");
    const known = role === "test" ? scales.get(name) : undefined;
    const { mean, deviation } = known ?? scaleOf(column);
    if (role === "data") scales.set(name, { mean, deviation });
    const scaled = mapNumbers(column, "f32", (value, at) => {
      const place = at % mean.length;
      return (value - mean[place]!) / deviation[place]!;
    });
    return withColumn(dataset, name, scaled);
  },

  cache: (dataset, call) => {
    const varied = Object.entries(dataset.columns).find(([, column]) => isComputed(column) && column.varied);
    if (varied) {
      const what = `${varied[0]} is new in each epoch, and cache would keep the first version`;
      throw new DataError(call, what, "put cache before augment and mixup");
    }
    return mapColumns(dataset, (column) => (isComputed(column) ? cached(column) : column));
  },

  augment: (dataset, call, bound) => {
    const { column: _, seed: __, ...how } = bound.values;
    const name = String(bound.values.column ?? "image");
    if (Object.keys(how).length === 0) {
      throw new DataError(call, "augment changes nothing", "say what it should do: augment(shift: 2)");
    }
    const column = floatsNamed(dataset, name, call, "N, H, W, C");
    return withColumn(dataset, name, augmented(column, augmentationOf(how), ownSeed(bound)));
  },

  mixup: (dataset, call, bound) => {
    const alpha = Number(bound.values.alpha);
    if (alpha === 0) throw new DataError(call, "mixup with an alpha of 0 mixes nothing", "for example mixup(0.2)");
    for (const name of Object.keys(dataset.columns)) floatsNamed(dataset, name, call, undefined);
    return mapColumns(dataset, (column) => mixed(column, alpha, ownSeed(bound)));
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
    return { ...datasetOf(call, Object.fromEntries(cut)), overlap: total - 1 };
  },
};

/** The settings of augment, which its signature has checked. */
function augmentationOf({ flip, ...amounts }: BoundData["values"]): Augmentation {
  const numbers = Object.fromEntries(Object.entries(amounts).map(([name, value]) => [name, Number(value)]));
  return flip === "horizontal" || flip === "vertical" || flip === "both" ? { ...numbers, flip } : numbers;
}

function notEmpty(dataset: Dataset, call: DataCall, before: number): Dataset {
  if (dataset.rows > 0) return dataset;
  throw new DataError(call, `none of the ${before} rows is left`, "keep at least one");
}
