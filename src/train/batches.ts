// Mini-batches of a table: in the order of the file, or in an order that follows from the seed and the epoch alone, so
// that a resumed run meets the same rows.

import { allocate, type Tensor, type TypedArray } from "../ir/dtype.ts";
import { type Dataset, gatherColumn, range, rowLength, sliceColumn } from "./data/dataset.ts";
import { permutation, randomFor } from "./random.ts";

export interface Batches {
  readonly count: number;
  /** The columns of one batch; valid until the next call. The last batch may be smaller. */
  batch(index: number): Readonly<Record<string, Tensor>>;
}

/** Batches in the order of the rows, for evaluation. */
export function orderedBatches(dataset: Dataset, size: number): Batches {
  return {
    count: Math.ceil(dataset.rows / size),
    batch: (index) => {
      const end = Math.min(dataset.rows, (index + 1) * size);
      const columns = Object.entries(dataset.columns).map(
        ([name, column]) => [name, sliceColumn(column, index * size, end)] as const,
      );
      return Object.fromEntries(columns);
    },
  };
}

/**
 * The batches of each epoch of a training: rows as often as the table says, in an order that is new in each epoch where
 * `shuffle` asks for it. The buffers of batches are made once.
 */
export function trainingBatches(
  dataset: Dataset,
  { size, seed, shuffle }: { readonly size: number; readonly seed: number; readonly shuffle: boolean },
): (epoch: number) => Batches {
  const visited = visitedRows(dataset);
  const count = Math.ceil(visited.length / size);
  const largest = Math.min(size, visited.length);
  const buffers: Readonly<Record<string, TypedArray>> = Object.fromEntries(
    Object.entries(dataset.columns).map(([name, column]) => [
      name,
      allocate(column.dtype, largest * rowLength(column)),
    ]),
  );
  return (epoch) => {
    const order = shuffle ? permutation(visited.length, randomFor("epoch", seed, epoch)) : undefined;
    return {
      count,
      batch: (index) => {
        const first = index * size;
        const rows = order
          ? order.slice(first, first + size).map((place) => visited[place]!)
          : visited.subarray(first, first + size);
        const columns = Object.entries(dataset.columns).map(([name, column]) => {
          const into = buffers[name]!.subarray(0, rows.length * rowLength(column));
          return [name, gatherColumn(column, rows, into, { seed, epoch, first })] as const;
        });
        return Object.fromEntries(columns);
      },
    };
  };
}

/** The numbers of the rows that an epoch meets. */
function visitedRows({ rows, visits }: Dataset): Int32Array {
  if (!visits) return range(0, rows);
  const visited = new Int32Array(visits.reduce((sum, times) => sum + times, 0));
  let at = 0;
  visits.forEach((times, row) => {
    visited.fill(row, at, at + times);
    at += times;
  });
  return visited;
}
