// What a model says of rows whose answer is known: the table of classes, and the rows where it is wrong and most sure. Which output
// answers which target, their shapes tell.

import { elementCount } from "../formats/elements.ts";
import type { Tensor } from "../ir/dtype.ts";
import { orderedBatches } from "./batches.ts";
import { type Dataset, takeRows } from "./data/dataset.ts";
import { runGraph, type Session } from "./session.ts";

export interface Predictions {
  readonly target: string;
  readonly output: string;
  /** The names of the classes, where the data have any. */
  readonly names?: readonly string[];
  /** How many answers were looked at; those whose label is no class (hidden ones, -1) are left out. */
  readonly rows: number;
  /** By label, then by what was said. */
  readonly confusion: readonly (readonly number[])[];
  /** The rows with the greatest score for a wrong class, beginning with it. Empty where a row has several answers. */
  readonly wrong: readonly WrongRow[];
  /** One row's shape, of the model's first input. */
  readonly shape: readonly number[];
}

export interface WrongRow {
  /** Its number in the table. */
  readonly row: number;
  /** Of the model's first input. */
  readonly values: readonly number[];
  readonly label: number;
  readonly said: number;
  readonly scores: readonly number[];
}

export interface PredictionOptions {
  readonly batch: number;
  readonly seed: number;
  readonly inputs: readonly string[];
  readonly targets: readonly string[];
  /** Awaited after each batch; a true answer ends the work, which then has no result. */
  readonly pause?: () => Promise<boolean>;
}

const mostRows = 20_000;
const mostClasses = 100;
const mostWrong = 24;

/**
 * Runs the graph `infer` over the table, or its first 20,000 rows. Undefined where the program has no such graph, or no output
 * that gives a number for each class of a target. States may change: restore them.
 */
export async function predictions(
  session: Session,
  data: Dataset,
  { batch, seed, inputs, targets, pause }: PredictionOptions,
): Promise<Predictions | undefined> {
  const [input] = inputs;
  if (!session.inputs.infer || input === undefined) return undefined;
  const batches = orderedBatches(takeRows(data, mostRows), batch);
  let found: { readonly target: string; readonly output: string } | undefined;
  const confusion: number[][] = [];
  let wrong: WrongRow[] = [];
  for (let i = 0; i < batches.count; i++) {
    const columns = batches.batch(i);
    const outputs = await runGraph(session, "infer", columns, { seed, step: i });
    found ??= answers(columns, outputs, targets);
    if (!found) return undefined;
    const scores = outputs[found.output]!;
    const classes = scores.shape.at(-1)!;
    while (confusion.length < classes) confusion.push(new Array<number>(classes).fill(0));
    const labels = labelsOf(columns[found.target]!, classes);
    const single = labels.length === scores.shape[0];
    for (const [row, label] of labels.entries()) {
      if (label < 0 || label >= classes) continue;
      const of = Array.from(scores.data.subarray(row * classes, (row + 1) * classes), Number);
      const said = greatest(of);
      confusion[label]![said]!++;
      if (said === label || !single) continue;
      wrong.push({ row: i * batch + row, values: rowOf(columns[input]!, row), label, said, scores: of });
    }
    wrong = wrong.sort((a, b) => b.scores[b.said]! - a.scores[a.said]! || a.row - b.row).slice(0, mostWrong);
    if (await pause?.()) return undefined;
  }
  if (!found) return undefined;
  const names = data.classes[found.target];
  const rows = confusion.flat().reduce((sum, count) => sum + count, 0);
  const shape = data.columns[input]!.shape.slice(1);
  return { ...found, ...(names ? { names } : {}), rows, confusion, wrong, shape };
}

/** A target and the output that has one more axis, of classes; or that has one number for each class of a one-hot target. */
function answers(
  columns: Readonly<Record<string, Tensor>>,
  outputs: Readonly<Record<string, Tensor>>,
  targets: readonly string[],
): { readonly target: string; readonly output: string } | undefined {
  for (const target of targets) {
    const column = columns[target];
    if (!column) continue;
    for (const [output, { dtype, shape }] of Object.entries(outputs)) {
      const classes = shape.at(-1) ?? 0;
      if (dtype !== "f32" || shape.length < 2 || classes < 2 || classes > mostClasses) continue;
      const wanted = column.dtype === "i32" ? shape.slice(0, -1) : shape;
      const fits = wanted.length === column.shape.length && wanted.every((size, i) => size === column.shape[i]);
      if (fits && (column.dtype === "i32" || isOneHot(column))) return { target, output };
    }
  }
  return undefined;
}

/** Whether each row has a single 1 among zeros. */
function isOneHot({ dtype, shape, data }: Tensor): boolean {
  let ones = 0;
  for (const value of data) if (value === 1) ones++;
  return dtype === "f32" && ones * shape.at(-1)! === data.length && data.every((value) => value === 0 || value === 1);
}

function labelsOf(target: Tensor, classes: number): number[] {
  if (target.dtype === "i32") return Array.from(target.data);
  const rows = target.data.length / classes;
  return Array.from({ length: rows }, (_, i) => greatest(target.data.subarray(i * classes, (i + 1) * classes)));
}

function greatest(row: ArrayLike<number>): number {
  let best = 0;
  for (let k = 1; k < row.length; k++) if (row[k]! > row[best]!) best = k;
  return best;
}

function rowOf({ shape, data }: Tensor, row: number): number[] {
  const width = elementCount(shape.slice(1));
  return Array.from(data.subarray(row * width, (row + 1) * width), Number);
}

export interface ClassScore {
  /** Of the rows said to be of the class, the share that is. */
  readonly precision: number;
  /** Of the rows of the class, the share that is found. */
  readonly recall: number;
  readonly f1: number;
  readonly rows: number;
}

/** Precision, recall and F1 of each class of a table; 0 where there is nothing to divide by. */
export function classScores(confusion: Predictions["confusion"]): ClassScore[] {
  return confusion.map((row, k) => {
    const rows = row.reduce((sum, count) => sum + count, 0);
    const said = confusion.reduce((sum, other) => sum + other[k]!, 0);
    const share = (of: number): number => (of === 0 ? 0 : row[k]! / of);
    return { precision: share(said), recall: share(rows), f1: share((said + rows) / 2), rows };
  });
}
