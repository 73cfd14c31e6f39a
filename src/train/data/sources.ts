// What the sources of data pipelines do: their bytes or lists become tables. The mapped type over the signatures makes
// sure that each declared source is implemented.

import type { BoundData } from "../../dsl/data-arguments.ts";
import type { DataSource } from "../../dsl/data-signatures.ts";
import type { DataCall } from "../../dsl/training-plan.ts";
import { decodeUtf8 } from "../../formats/format-error.ts";
import { readIdx } from "../../formats/idx.ts";
import { tensorFromLists } from "../../formats/json.ts";
import { readNpy } from "../../formats/npy.ts";
import type { Tensor } from "../../ir/dtype.ts";
import { closest } from "../../util/text.ts";
import { digits } from "../digits.ts";
import { readTable } from "./csv-source.ts";
import { streamTable } from "./csv-stream.ts";
import { DataError, formatPlace, listNames } from "./data-error.ts";
import { type Column, type Dataset, datasetOf } from "./dataset.ts";
import type { DataFiles } from "./files.ts";
import { readPictures, scaledImages } from "./idx-source.ts";
import { streamArray } from "./npy-stream.ts";
import type { Scale } from "./statistics.ts";
import { openText, readCharacters } from "./text-source.ts";

/** What sources and transforms may ask of those who load data. */
export interface DataContext extends DataFiles {
  /** The seed of the training. */
  readonly seed: number;
  /** Which data these are; drawn data differ between the two. */
  readonly role: "data" | "test";
  /** What standardize learnt from the training data, by column, for the test data. */
  readonly scales: Map<string, Scale>;
}

export type SourceOf = (call: DataCall, bound: BoundData, context: DataContext) => Dataset | Promise<Dataset>;

export const sources: { readonly [name in DataSource]: SourceOf } = {
  rows: (call, { columns }) => {
    const tensors = Object.entries(columns).map(([name, lists]): [string, Tensor] => [
      name,
      tensorFromLists(lists, formatPlace(call), name),
    ]);
    return datasetOf(call, Object.fromEntries(tensors));
  },

  csv: async (call, { values, columns }, context) => {
    const open = context.open?.(String(values.file));
    if (open) return streamTable(call, open, values.column, columns);
    const { path, bytes } = await context.read(String(values.file));
    return readTable(call, decodeUtf8(bytes, path), path, values.column, columns);
  },

  idx: async (call, { values }, context) => {
    const image = scaledImages(await readPictures(String(values.images), context));
    if (values.labels === undefined) return datasetOf(call, { image });
    const labels = await context.read(String(values.labels));
    const label = await readIdx(labels.bytes, labels.path);
    if (label.shape.length !== 1) {
      const what = `${labels.path} has ${label.shape.length} axes, but labels have one`;
      throw new DataError(call, what, "name the file of images first, then that of labels");
    }
    return datasetOf(call, { image, label: { dtype: "i32", shape: label.shape, data: Int32Array.from(label.data) } });
  },

  npy: async (call, { columns }, context) => {
    const arrays = Object.entries(columns).map(async ([name, file]): Promise<readonly [string, Column]> => {
      const open = context.open?.(String(file));
      if (open) return [name, streamArray(open)];
      const { path, bytes } = await context.read(String(file));
      return [name, readNpy(bytes, path)];
    });
    return datasetOf(call, Object.fromEntries(await Promise.all(arrays)));
  },

  npz: async (call, { values, columns }, context) => {
    const { readNpz } = await import("../../formats/npz.ts");
    const { path, bytes } = await context.read(String(values.file));
    const arrays = readNpz(bytes, path);
    const find = (name: string): Tensor => {
      const array = Object.hasOwn(arrays, name) ? arrays[name] : undefined;
      if (array) return array;
      const near = closest(name, Object.keys(arrays));
      const help = `${near ? `did you mean ${near}? ` : ""}its arrays are ${listNames(Object.keys(arrays))}`;
      throw new DataError(call, `${path} has no array ${name}`, help);
    };
    const wanted = Object.entries(columns).map(([name, array]) => [name, find(String(array))] as const);
    return datasetOf(call, wanted.length === 0 ? arrays : Object.fromEntries(wanted));
  },

  images: async (call, { values }, context) => {
    const { readImages } = await import("./image-source.ts");
    return readImages(call, values, context);
  },

  characters: async (call, { values, columns }, context) => {
    const text = await openText(String(values.file), context);
    return readCharacters(call, text, Number(values.window), columns);
  },

  digits: (call, { values }, { seed, role }) => {
    const count = Number(values.count);
    if (count > 1_000_000) throw new DataError(call, `${count} digits are too many`, "draw at most 1,000,000");
    // Two numbers of one seed, so that training and test data are never the same drawings.
    const own = values.seed === undefined ? 2 * seed + (role === "test" ? 1 : 0) : Number(values.seed);
    const { image, label } = digits(count, own);
    return datasetOf(call, { image, label });
  },
};
