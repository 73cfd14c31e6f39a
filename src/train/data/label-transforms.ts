// Transforms that go by the labels of rows: how they are written, which are hidden, how often and with which weight rows count.

import type { BoundData } from "../../dsl/data-arguments.ts";
import type { DataTransform } from "../../dsl/data-signatures.ts";
import { permutation, randomFor } from "../random.ts";
import { labelsNamed, withColumn } from "./columns.ts";
import { DataError } from "./data-error.ts";
import { type ComputedColumn, gatherColumn, selectRows, sliceRows } from "./dataset.ts";
import { classCounts } from "./statistics.ts";
import type { TransformOf } from "./transforms.ts";

type LabelTransform = Extract<DataTransform, "split" | "one_hot" | "hide_labels" | "balance" | "class_weights">;

const labelColumn = ({ values }: BoundData): string => String(values.column ?? "label");

export const labelTransforms: { readonly [name in LabelTransform]: TransformOf } = {
  // Not by the seed of the training: trainings with several seeds are compared on the same test data.
  split: (dataset, call, { values }, { role }) => {
    const share = Number(values.share);
    const none = `split leaves none of ${dataset.rows} rows for ${role}`;
    if (dataset.overlap !== undefined && values.by === undefined && values.seed === undefined) {
      const end = dataset.rows - Math.floor(dataset.rows * share);
      const part =
        role === "test" ? sliceRows(dataset, end) : sliceRows(dataset, 0, Math.max(0, end - dataset.overlap));
      if (part.rows > 0) return part;
      throw new DataError(call, none, "change the share");
    }
    const order = permutation(dataset.rows, randomFor("split", Number(values.seed ?? 0)));
    const labels = values.by === undefined ? undefined : labelsNamed(dataset, String(values.by), call);
    // Rows of one class stand side by side, in random order, so that equal steps through them take a share of each.
    if (labels) order.sort((a, b) => labels.data[a]! - labels.data[b]!);
    const isTest = (_row: number, i: number): boolean => Math.floor((i + 1) * share) > Math.floor(i * share);
    const wanted = order.filter((row, i) => isTest(row, i) === (role === "test")).sort();
    if (wanted.length > 0) return selectRows(dataset, wanted);
    throw new DataError(call, none, "change the share");
  },

  one_hot: (dataset, call, { columns }) => {
    let changed = dataset;
    for (const [name, size] of Object.entries(columns)) {
      const labels = labelsNamed(dataset, name, call);
      const classes = Number(size);
      const odd = labels.data.find((label) => label >= classes);
      if (odd !== undefined) {
        const what = `${name} has the class ${odd}, but there are ${classes}: 0 to ${classes - 1}`;
        throw new DataError(call, what, "count the classes from 0, and say how many there are");
      }
      const fill: ComputedColumn["fill"] = (rows, into) => {
        into.fill(0);
        gatherColumn(labels, rows).data.forEach((label, i) => {
          if (label >= 0) into[i * classes + label] = 1;
        });
      };
      changed = withColumn(changed, name, { dtype: "f32", shape: [dataset.rows, classes], fill });
    }
    return changed;
  },

  hide_labels: (dataset, call, bound, { seed, role }) => {
    const name = labelColumn(bound);
    const column = labelsNamed(dataset, name, call);
    const data = Int32Array.from(column.data);
    const hidden = Math.round(Number(bound.values.share) * dataset.rows);
    const order = permutation(dataset.rows, randomFor("hide_labels", Number(bound.values.seed ?? seed), role));
    for (const row of order.subarray(0, hidden)) data[row] = -1;
    return withColumn(dataset, name, { dtype: "i32", shape: column.shape, data });
  },

  balance: (dataset, call, bound, { seed }) => {
    const labels = labelsNamed(dataset, labelColumn(bound), call);
    const counts = classCounts(labels);
    const most = Math.max(...counts.values());
    const order = permutation(dataset.rows, randomFor("balance", seed));
    const visits = Int32Array.from(dataset.visits ?? new Int32Array(dataset.rows).fill(1));
    const met = new Map<number, number>();
    for (const row of order) {
      const label = labels.data[row]!;
      const count = counts.get(label);
      if (count === undefined) continue;
      // The rows of a class share the visits that the most frequent class gets; chance decides who gets one more.
      const before = met.get(label) ?? 0;
      met.set(label, before + 1);
      visits[row]! *= Math.floor(most / count) + (before < most % count ? 1 : 0);
    }
    return { ...dataset, visits };
  },

  class_weights: (dataset, call, bound) => {
    const labels = labelsNamed(dataset, labelColumn(bound), call);
    const counts = classCounts(labels);
    const labelled = [...counts.values()].reduce((sum, count) => sum + count, 0);
    const data = Float32Array.from(labels.data, (label) => labelled / counts.size / (counts.get(label) ?? Infinity));
    return withColumn(dataset, "weight", { dtype: "f32", shape: [dataset.rows], data });
  },
};
