// What a trained classifier says of rows that it was not trained on: the confusion matrix, and the rows where it is wrong and most sure.

import { elementCount } from "../formats/elements.ts";
import type { Tensor } from "../ir/dtype.ts";
import { orderedBatches } from "./batches.ts";
import type { Dataset } from "./data/dataset.ts";
import { runGraph, type Session } from "./session.ts";

export interface WrongRow {
  readonly row: number;
  readonly values: readonly number[];
  readonly label: number;
  readonly said: number;
  readonly scores: readonly number[];
}

export interface Predictions {
  readonly rows: number;
  /** By label, then by what was said. */
  readonly confusion: readonly (readonly number[])[];
  /** Those with the greatest score for a wrong class first. */
  readonly wrong: readonly WrongRow[];
  /** One row's shape. */
  readonly shape: readonly number[];
}

export interface PredictionOptions {
  readonly session: Session;
  readonly graph: string;
  /** The input that examples show, the column of labels (i32), and the output f32[N, K] with the scores. */
  readonly input: string;
  readonly target: string;
  readonly output: string;
  readonly batch: number;
  readonly seed: number;
  /** At most so many wrong rows are kept. */
  readonly most: number;
}

/** Rows whose label is no class (hidden ones, -1) are left out. */
export function predictionsOn(data: Dataset, options: PredictionOptions): Predictions {
  const { session, graph, input, target, output, batch, seed, most } = options;
  const confusion: number[][] = [];
  let wrong: WrongRow[] = [];
  let rows = 0;
  const batches = orderedBatches(data, batch);
  for (let i = 0; i < batches.count; i++) {
    const columns = batches.batch(i);
    const scores = runGraph(session, graph, columns, { seed, step: i })[output]!;
    const classes = scores.shape[1]!;
    while (confusion.length < classes) confusion.push(new Array<number>(classes).fill(0));
    const labels = columns[target]!.data;
    for (let row = 0; row < scores.shape[0]!; row++) {
      const label = Number(labels[row]);
      if (label < 0 || label >= classes) continue;
      const of = rowOf(scores, row);
      const said = of.indexOf(Math.max(...of));
      if (said < 0) continue;
      confusion[label]![said]!++;
      rows++;
      if (said !== label)
        wrong.push({ row: i * batch + row, values: rowOf(columns[input]!, row), label, said, scores: of });
    }
    wrong = wrong.sort((a, b) => b.scores[b.said]! - a.scores[a.said]!).slice(0, most);
  }
  return { rows, confusion, wrong, shape: data.columns[input]!.shape.slice(1) };
}

function rowOf({ shape, data }: Tensor, row: number): number[] {
  const width = elementCount(shape.slice(1));
  return Array.from(data.subarray(row * width, (row + 1) * width), Number);
}
