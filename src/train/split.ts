// Which rows train and which are held back: a validation split, or the parts of a cross-validation.

import type { TrainingPlan } from "../dsl/training-plan.ts";
import { UserError } from "../util/user-error.ts";
import { type Dataset, materialised, selectRows, sliceRows } from "./data/dataset.ts";
import { permutation, randomFor } from "./random.ts";

export interface Split {
  readonly train: Dataset;
  readonly validation?: Dataset;
}

/** The split of `plan.validation`, the whole data where there is none. Rows keep their order. Throws a UserError. */
export function validationSplit(data: Dataset, { validation, seed }: TrainingPlan): Split {
  if (!validation) return { train: data };
  const held = Math.round(validation.share * data.rows);
  if (held < 1 || held >= data.rows) {
    const what = `a validation share of ${100 * validation.share}% of ${data.rows} rows leaves ${held} for validation`;
    throw new UserError(`${what} and ${data.rows - held} for training`, "change the share, or use more rows");
  }
  if (validation.from === "last") {
    return { train: sliceRows(data, 0, data.rows - held), validation: sliceRows(data, data.rows - held) };
  }
  const order = permutation(data.rows, randomFor("validation", seed));
  return {
    train: selectRows(data, order.slice(held).sort()),
    validation: selectRows(data, order.slice(0, held).sort()),
  };
}

/**
 * One of the splits of a cross-validation; each row is held back in one of them. Where the plan has a target of class
 * numbers, i32[N], each part gets about the same number of every class (stratified).
 * @param fold counted from 0
 */
export function foldSplit(data: Dataset, plan: TrainingPlan, folds: number, fold: number): Split {
  if (folds < 2 || folds > data.rows) {
    throw new UserError(`${data.rows} rows cannot be split into ${folds} folds`, `choose from 2 to ${data.rows} folds`);
  }
  const order = permutation(data.rows, randomFor("folds", plan.seed));
  const labels = plan.targets
    .map((name) => data.columns[name])
    .find((column) => column?.dtype === "i32" && column.shape.length === 1);
  const classes = labels && materialised(labels);
  // Equal classes stand side by side, each in random order; dealing them out in turn spreads each class evenly.
  if (classes) order.sort((a, b) => classes.data[a]! - classes.data[b]!);
  return {
    train: selectRows(data, order.filter((_row, i) => i % folds !== fold).sort()),
    validation: selectRows(data, order.filter((_row, i) => i % folds === fold).sort()),
  };
}
