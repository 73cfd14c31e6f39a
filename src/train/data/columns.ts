// Finding columns for transforms, with errors that say which there are and what is wanted instead.

import type { DataCall } from "../../dsl/training-plan.ts";
import { describeTensor } from "../../formats/elements.ts";
import { closest } from "../../util/text.ts";
import { DataError, listNames } from "./data-error.ts";
import type { Column, Dataset } from "./dataset.ts";

/** The column of a name. Throws a DataError where there is none. */
export function columnNamed(dataset: Dataset, name: string, call: DataCall): Column {
  const column = Object.hasOwn(dataset.columns, name) ? dataset.columns[name] : undefined;
  if (column) return column;
  const names = Object.keys(dataset.columns);
  const near = closest(name, names);
  const help = `${near ? `did you mean ${near}? ` : ""}the columns are ${listNames(names)}`;
  throw new DataError(call, `there is no column ${name}`, help);
}

/** A column of class numbers, i32[N]. Throws a DataError where it is no such. */
export function labelsNamed(dataset: Dataset, name: string, call: DataCall): Column {
  const column = columnNamed(dataset, name, call);
  if (column.dtype === "i32" && column.shape.length === 1) return column;
  const what = `${name} is ${describeTensor(column)}, but labels are i32[N]`;
  throw new DataError(call, what, `name the column of labels: ${call.name}(…, column: label)`);
}

/** A column of floats with as many axes as wanted, the rows' axis counted. Throws a DataError where it is no such. */
export function floatsNamed(dataset: Dataset, name: string, call: DataCall, shape?: string): Column {
  const column = columnNamed(dataset, name, call);
  const axes = shape?.split(",").length ?? column.shape.length;
  if (column.dtype === "f32" && column.shape.length === axes) return column;
  const what = `${name} is ${describeTensor(column)}, but ${call.name} works on ${shape ? `f32[${shape}]` : "f32"}`;
  const help = shape ? `put ${call.name} before what changes the shape` : `leave ${name} as it is`;
  throw new DataError(call, what, help);
}

export const withColumn = (dataset: Dataset, name: string, column: Column): Dataset => ({
  ...dataset,
  columns: { ...dataset.columns, [name]: column },
});
