// Finding columns for transforms, with errors that say which there are and what is wanted instead.

import type { DataCall } from "../../dsl/training-plan.ts";
import { convertTensor, describeTensor, readableAt } from "../../formats/elements.ts";
import type { Tensor } from "../../ir/dtype.ts";
import { closest } from "../../util/text.ts";
import { DataError, listNames } from "./data-error.ts";
import { type Column, type Dataset, materialised } from "./dataset.ts";

/** The column of a name. Throws a DataError where there is none. */
export function columnNamed(dataset: Dataset, name: string, call: DataCall): Column {
  const column = Object.hasOwn(dataset.columns, name) ? dataset.columns[name] : undefined;
  if (column) return column;
  const names = Object.keys(dataset.columns);
  const near = closest(name, names);
  const help = `${near ? `did you mean ${near}? ` : ""}the columns are ${listNames(names)}`;
  throw new DataError(call, `there is no column ${name}`, help);
}

/** A column of class numbers, i32[N], or floats that are whole numbers. Throws a DataError where it is no such. */
export function labelsNamed(dataset: Dataset, name: string, call: DataCall): Tensor {
  const column = materialised(columnNamed(dataset, name, call));
  const odd = column.data.findIndex((value) => (value | 0) !== value);
  if (column.shape.length === 1 && odd < 0) return convertTensor(column, "i32");
  const why = odd < 0 ? "" : `; row ${odd + 1} has ${readableAt(column, odd)}`;
  const what = `${name} is ${describeTensor(column)}, but labels are i32[N]${why}`;
  throw new DataError(call, what, `name the column of labels, or leave ${call.name} out`);
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
