// Data pipelines as tests write them.

import type { DataCall, Setting } from "../../../src/dsl/training-plan.ts";
import { type Dataset, materialised } from "../../../src/train/data/dataset.ts";

export const call = (
  name: string,
  positional: readonly Setting[] = [],
  named: Readonly<Record<string, Setting>> = {},
): DataCall => ({ name, positional, named, place: { file: "m.dlm", line: 4, column: 9 } });

/** A table with all its rows in memory. */
export const inMemory = (dataset: Dataset) => ({
  ...dataset,
  columns: Object.fromEntries(Object.entries(dataset.columns).map(([name, column]) => [name, materialised(column)])),
});
