// From a table of texts to columns of tensors: the named ones by themselves, the remaining numbers as `features`.

import type { DataCall, Setting } from "../../dsl/training-plan.ts";
import { type Csv, isNumericColumn, numericColumn, parseCsv, textColumn } from "../../formats/csv.ts";
import type { Tensor } from "../../ir/dtype.ts";
import { closest } from "../../util/text.ts";
import { DataError, listNames } from "./data-error.ts";
import { type Dataset, datasetOf } from "./dataset.ts";

/**
 * @param only the one column to read, under its own name
 * @param named columns of the file by the names they get
 */
export function readTable(
  call: DataCall,
  text: string,
  path: string,
  only: Setting | undefined,
  named: Readonly<Record<string, Setting>>,
): Dataset {
  const csv = parseCsv(text, path);
  const find = columnFinder(call, csv.header, path);
  const wanted = only === undefined ? named : { ...named, [String(only)]: only };
  const columns: Record<string, Tensor> = {};
  const classes: Record<string, readonly string[]> = {};
  const taken = new Set<number>();
  for (const [name, source] of Object.entries(wanted)) {
    const at = find(String(source));
    taken.add(at);
    if (isNumericColumn(csv, at)) columns[name] = column(numericColumn(csv, at));
    else {
      const texts = textColumn(csv, at);
      const names = [...new Set(texts)].sort();
      const numbers = new Map(names.map((text, i) => [text, i]));
      classes[name] = names;
      columns[name] = {
        dtype: "i32",
        shape: [csv.rows.length],
        data: Int32Array.from(texts, (text) => numbers.get(text)!),
      };
    }
  }
  const rest = csv.header.map((_, i) => i).filter((i) => !taken.has(i) && isNumericColumn(csv, i));
  if (only === undefined && rest.length > 0 && !Object.hasOwn(columns, "features")) {
    columns.features = features(csv, rest);
  }
  return datasetOf(call, columns, classes);
}

/** Finds a column by its name. Throws a DataError where there is none. */
export const columnFinder =
  (call: DataCall, header: readonly string[], path: string) =>
  (name: string): number => {
    const at = header.indexOf(name);
    if (at >= 0) return at;
    const near = closest(name, header);
    const help = `${near ? `did you mean ${near}? ` : ""}its columns are ${listNames(header)}`;
    throw new DataError(call, `${path} has no column ${name}`, help);
  };

/** Whole numbers stay exact as i32; all else is f32. */
function column(values: Float64Array): Tensor {
  const shape = [values.length];
  if (values.every((value) => (value | 0) === value)) return { dtype: "i32", shape, data: Int32Array.from(values) };
  return { dtype: "f32", shape, data: Float32Array.from(values) };
}

function features(csv: Csv, indices: readonly number[]): Tensor {
  const width = indices.length;
  const data = new Float32Array(csv.rows.length * width);
  indices.forEach((at, j) => {
    numericColumn(csv, at).forEach((value, i) => {
      data[i * width + j] = value;
    });
  });
  return { dtype: "f32", shape: [csv.rows.length, width], data };
}
