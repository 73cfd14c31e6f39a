// Fits the columns of a table to what the graphs take: by name, element type and shape. What cannot be fitted without
// guessing is an error that proposes the mend.

import type { DataPipeline } from "../../dsl/training-plan.ts";
import { ConversionError, describeTensor } from "../../formats/elements.ts";
import { type Dim, evaluateDim, formatDim, symbolsOf } from "../../ir/dim.ts";
import type { TensorType } from "../../ir/graph.ts";
import { closest } from "../../util/text.ts";
import { DataError, listNames } from "./data-error.ts";
import { type Column, convertColumn, type Dataset, mapNumbers } from "./dataset.ts";

const describeType = ({ dtype, shape }: TensorType): string => `${dtype}[${shape.map(formatDim).join(", ")}]`;

/**
 * The columns named in `wanted`, as their types say. Element types are converted where no value changes, and axes of size
 * 1 come and go. Throws a DataError at the source of the pipeline.
 */
export function conformDataset(
  dataset: Dataset,
  wanted: Readonly<Record<string, TensorType>>,
  pipeline: DataPipeline,
): Dataset {
  const [source] = pipeline;
  if (!source) throw new RangeError("a data pipeline without a source");
  const sizes: Record<string, number> = {};
  const columns: Record<string, Column> = {};
  // A column that is missing may be why another has too many numbers.
  for (const [name, type] of Object.entries(wanted)) {
    if (Object.hasOwn(dataset.columns, name)) continue;
    const { what, help } = missing(name, type, dataset, wanted);
    throw new DataError(source, what, help);
  }
  for (const [name, type] of Object.entries(wanted)) {
    const column = dataset.columns[name]!;
    const shape = fitShape(column.shape, type.shape, sizes);
    if (!shape) {
      const what = `the data give ${name}: ${describeTensor(column)}, but the model takes ${describeType(type)}`;
      throw new DataError(source, what, shapeHelp(name, column.shape, type.shape));
    }
    try {
      columns[name] = { ...convertColumn(column, type.dtype), shape };
    } catch (error) {
      if (!(error instanceof ConversionError)) throw error;
      const what = `the data give ${name}: ${describeTensor(column)}, but the model takes ${describeType(type)}: ${error.message}`;
      throw new DataError(source, what, `declare ${name} as ${describeType({ ...type, dtype: "f32" })}`);
    }
  }
  return { ...dataset, columns };
}

function missing(name: string, type: TensorType, dataset: Dataset, wanted: Readonly<Record<string, TensorType>>) {
  const names = Object.keys(dataset.columns);
  const free = names.filter((other) => !Object.hasOwn(wanted, other));
  const near = closest(name, free) ?? (free.length === 1 ? free[0] : undefined);
  const all = names.map((other) => `${other}: ${describeTensor(dataset.columns[other]!)}`);
  return {
    what: `the model takes ${name}: ${describeType(type)}, but the data have no such column, only ${listNames(all)}`,
    help: near === undefined ? `add ${name} to the data` : `add \`|> rename(${name}: ${near})\` to the data`,
  };
}

/** The wanted shape with the sizes of the data, or undefined. `sizes` learns the free sizes. */
function fitShape(found: readonly number[], wanted: readonly Dim[], sizes: Record<string, number>) {
  const direct = matchShape(found, wanted, sizes);
  if (direct) return direct;
  // Without the axes of size 1, behind the leading axis, the order of elements is the same.
  const rest = found.slice(1).filter((size) => size !== 1);
  const spread: number[] = [];
  for (const [i, dim] of wanted.entries()) {
    const size = i === 0 ? found[0] : dim === 1 ? 1 : rest.shift();
    if (size === undefined) return undefined;
    spread.push(size);
  }
  return rest.length === 0 ? matchShape(spread, wanted, sizes) : undefined;
}

function matchShape(found: readonly number[], wanted: readonly Dim[], sizes: Record<string, number>) {
  if (found.length !== wanted.length) return undefined;
  const learnt: Record<string, number> = { ...sizes };
  for (const [i, dim] of wanted.entries()) {
    const symbols = symbolsOf(dim);
    const unknown = symbols.filter((symbol) => learnt[symbol] === undefined);
    if (unknown.length === 1 && formatDim(dim) === unknown[0]) learnt[unknown[0]] = found[i]!;
    else if (unknown.length === 0 && i > 0 && evaluateDim(dim, learnt) !== found[i]) return undefined;
  }
  Object.assign(sizes, learnt);
  return found;
}

function shapeHelp(name: string, found: readonly number[], wanted: readonly Dim[]): string {
  const length = found.slice(1).reduce((a, b) => a * b, 1);
  if (found.length > 2 && wanted.length === 2 && wanted[1] === length) return "add `|> flatten` to the data";
  const shape = ["N", ...found.slice(1)].join(", ");
  return `declare ${name} with the shape [${shape}], or change the data`;
}

/**
 * Numbers classes as `known` does: those of the test data, or of an evaluation, as in the training.
 * Throws a DataError for a class that is not among the known ones.
 */
export function alignClasses(dataset: Dataset, known: Dataset["classes"], pipeline: DataPipeline): Dataset {
  const classes = { ...dataset.classes };
  const columns = { ...dataset.columns };
  for (const [name, texts] of Object.entries(dataset.classes)) {
    const names = known[name];
    const column = columns[name];
    if (!names || !column) continue;
    const numbers = texts.map((text) => names.indexOf(text));
    const unknown = texts[numbers.indexOf(-1)];
    if (unknown !== undefined && pipeline[0]) {
      const help = `the training data have the classes ${listNames(names)}`;
      throw new DataError(pipeline[0], `${name} has the class ${unknown}, which was not trained`, help);
    }
    classes[name] = names;
    // Hidden labels are -1 and stay so.
    columns[name] = mapNumbers(column, "i32", (number) => numbers[number] ?? number);
  }
  return { ...dataset, columns, classes };
}
