// Mini-batches of a table: in the order of the file, or in an order that follows from the seed and the epoch alone, so
// that a resumed run meets the same rows.

import { allocate, type Tensor, type TypedArray } from "../ir/dtype.ts";
import { type Dataset, gatherColumn, rowLength, sliceColumn } from "./data/dataset.ts";
import { permutation, randomFor } from "./random.ts";

export interface Batches {
  readonly count: number;
  /** The columns of one batch; valid until the next call. The last batch may be smaller. */
  batch(index: number): Readonly<Record<string, Tensor>>;
}

/** Batches in the order of the rows. */
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

/** Shuffles a table again for each epoch; the buffers of batches are made once. */
export function shuffledBatches(dataset: Dataset, size: number, seed: number): (epoch: number) => Batches {
  const largest = Math.min(size, dataset.rows);
  const buffers: Readonly<Record<string, TypedArray>> = Object.fromEntries(
    Object.entries(dataset.columns).map(([name, column]) => [
      name,
      allocate(column.dtype, largest * rowLength(column)),
    ]),
  );
  return (epoch) => {
    const order = permutation(dataset.rows, randomFor("epoch", seed, epoch));
    return {
      count: Math.ceil(dataset.rows / size),
      batch: (index) => {
        const rows = order.subarray(index * size, (index + 1) * size);
        const columns = Object.entries(dataset.columns).map(([name, column]) => {
          const into = buffers[name]!.subarray(0, rows.length * rowLength(column));
          return [name, gatherColumn(column, rows, into, { seed, epoch, first: index * size })] as const;
        });
        return Object.fromEntries(columns);
      },
    };
  };
}
