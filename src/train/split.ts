// Which rows train and which are held back: a validation split, or the parts of a cross-validation.

import type { TrainingPlan } from "../dsl/training-plan.ts";
import { UserError } from "../util/user-error.ts";
import { type Column, type Dataset, materialised, range, rowLength, selectRows, sliceRows } from "./data/dataset.ts";
import { permutation, randomFor } from "./random.ts";

export interface Split {
  readonly train: Dataset;
  readonly validation?: Dataset;
}

/**
 * The split of `plan.validation`, the whole data where there is none. Unless the plan says which, the rows are chosen at random, where the
 * plan has a target of classes the share of each class (stratified); of the windows of a sequence they are the last. Rows keep their
 * order. Throws a UserError.
 */
export function validationSplit(data: Dataset, plan: TrainingPlan): Split {
  const { validation } = plan;
  if (!validation) return { train: data };
  const held = Math.round(validation.share * data.rows);
  const from = validation.from ?? (data.overlap === undefined ? "random" : "last");
  const left = data.rows - held - (from === "last" ? (data.overlap ?? 0) : 0);
  if (held < 1 || left < 1) {
    const what = `a validation share of ${100 * validation.share}% of ${data.rows} rows leaves ${held} for validation`;
    throw new UserError(`${what} and ${Math.max(0, left)} for training`, "change the share, or use more rows");
  }
  if (from === "last") return { train: sliceRows(data, 0, left), validation: sliceRows(data, data.rows - held) };
  // Of rows that stand class by class, those at even distances are the same share of every class.
  const isHeld = (at: number): boolean =>
    Math.floor(((at + 1) * held) / data.rows) > Math.floor((at * held) / data.rows);
  return partition(data, orderByClass(data, plan, "validation"), isHeld);
}

/** The rows at the places of an order that are held back, and the others; both in the order of the table. */
const partition = (data: Dataset, order: Int32Array, isHeld: (at: number) => boolean): Required<Split> => ({
  train: selectRows(data, order.filter((_row, at) => !isHeld(at)).sort()),
  validation: selectRows(data, order.filter((_row, at) => isHeld(at)).sort()),
});

/** All rows in a random order; where the plan has a target of classes, class by class, each in random order. */
function orderByClass(data: Dataset, plan: TrainingPlan, purpose: string): Int32Array {
  const order = permutation(data.rows, randomFor(purpose, plan.seed));
  const [classes] = plan.targets.flatMap((name) => classesOf(data.columns[name]) ?? []);
  return classes ? order.sort((a, b) => classes[a]! - classes[b]!) : order;
}

/**
 * One of the splits of a cross-validation; each row is held back in one of them. Where the plan has a target of
 * classes, each part gets about the same number of every class (stratified). Windows of a sequence are held back piece by
 * piece instead.
 * @param fold counted from 0
 */
export function foldSplit(data: Dataset, plan: TrainingPlan, folds: number, fold: number): Split {
  if (folds < 2 || folds > data.rows) {
    throw new UserError(`${data.rows} rows cannot be split into ${folds} folds`, `choose from 2 to ${data.rows} folds`);
  }
  if (data.overlap !== undefined) return pieceSplit(data, data.overlap, folds, fold);
  // Dealing rows out in turn that stand class by class spreads each class evenly.
  return partition(data, orderByClass(data, plan, "folds"), (at) => at % folds === fold);
}

/** Of rows with more values than this, ones are no classes. */
const mostClasses = 100;

/** A number for the class of each row, of a column of class numbers, i32[N], of zeros and ones, f32[N], or of one_hot. */
function classesOf(column: Column | undefined): Int32Array | undefined {
  if (!column || rowLength(column) > mostClasses) return undefined;
  const { dtype, shape, data } = materialised(column);
  if (dtype === "i32" && shape.length === 1) return Int32Array.from(data);
  if (dtype !== "f32" || !data.every((value) => value === 0 || value === 1)) return undefined;
  const width = rowLength(column);
  return Int32Array.from({ length: shape[0]! }, (_, row) => data.subarray(row * width, (row + 1) * width).indexOf(1));
}

/** A piece of the sequence is held back; the windows around it that reach into it are left out. */
function pieceSplit(data: Dataset, overlap: number, folds: number, fold: number): Split {
  const [start, end] = [fold, fold + 1].map((at) => Math.floor((at * data.rows) / folds));
  const train = range(0, data.rows).filter((row) => row < start! - overlap || row >= end! + overlap);
  if (train.length > 0) return { train: selectRows(data, train), validation: sliceRows(data, start!, end) };
  const what = `${data.rows} windows cannot be split into ${folds} folds: each shares values with ${overlap} after it`;
  throw new UserError(what, "make fewer folds, or use a longer sequence");
}
