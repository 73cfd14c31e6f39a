// What a data pipeline may say: the sources and transforms of `data:` and `test:`, with their parameters. Pure data, from
// which come the checks of a program, the documentation, and the names that src/train/data must implement.

/** What a parameter takes. A share is a number from 0 to 1, such as 10%; a column is named as in the program, without quotes. */
export type DataKind = "text" | "column" | "count" | "size" | "sizes" | "seed" | "share" | "number" | "lists" | "shift";

export interface DataParameter {
  readonly name: string;
  readonly kind: DataKind;
  readonly doc: string;
  readonly optional?: true;
  /** The texts that are allowed; any where this is absent. */
  readonly choices?: readonly string[];
  /** May only be given by name. */
  readonly named?: true;
}

export interface DataSignature {
  readonly doc: string;
  readonly parameters: readonly DataParameter[];
  /** Further named arguments, `column: value`, whose names are those of columns. */
  readonly columns?: { readonly kind: DataKind; readonly doc: string };
}

const seed = {
  name: "seed",
  kind: "seed",
  doc: "instead of the seed of the training",
  optional: true,
  named: true,
} as const satisfies DataParameter;

const labels = {
  name: "column",
  kind: "column",
  doc: "the column of labels, `label` unless said otherwise",
  optional: true,
  named: true,
} as const satisfies DataParameter;

/** Sources begin a pipeline. */
export const dataSources = {
  rows: {
    doc: "Rows written in the program: nested lists, a list for each column.",
    parameters: [],
    columns: { kind: "lists", doc: "the rows of the column" },
  },
  csv: {
    doc:
      "A table with a header line. Arguments take single columns out under their own names; texts become the numbers " +
      "of classes, in alphabetical order. The remaining columns of numbers are together `features: f32[N, K]`.",
    parameters: [
      { name: "file", kind: "text", doc: "path of the file" },
      { name: "column", kind: "text", doc: "read this column alone, under its own name", optional: true, named: true },
    ],
    columns: { kind: "text", doc: "the name of the column in the file" },
  },
  idx: {
    doc:
      "Files of the MNIST kind, gzipped or not. Gives `image: f32[N, H, W, 1]`, bytes scaled to 0 … 1, and, where a " +
      "second file is named, `label: i32[N]`.",
    parameters: [
      { name: "images", kind: "text", doc: "path of the file of images" },
      { name: "labels", kind: "text", doc: "path of the file of labels", optional: true },
    ],
  },
  npy: {
    doc: 'Arrays of NumPy, a file a column: `npy(image: "images.npy", label: "labels.npy")`.',
    parameters: [],
    columns: { kind: "text", doc: "path of the file" },
  },
  npz: {
    doc: 'The arrays of a NumPy archive, all of them, or those that are named: `npz("mnist.npz", image: "x_train")`.',
    parameters: [{ name: "file", kind: "text", doc: "path of the file" }],
    columns: { kind: "text", doc: "the name of the array in the file" },
  },
  images: {
    doc:
      "PNG and JPEG files in a folder: `image: f32[N, H, W, channels]` from 0 to 1. Folders in it are classes, in alphabetical " +
      "order: `label: i32[N]`. Files are decoded when a batch asks for them; `cache` keeps them.",
    parameters: [
      { name: "folder", kind: "text", doc: "path of the folder" },
      {
        name: "size",
        kind: "sizes",
        doc: "height and width, to which all are brought; else all must be alike",
        optional: true,
        named: true,
      },
      { name: "channels", kind: "size", doc: "1 for grey, 3 for colours, which is usual", optional: true, named: true },
    ],
  },
  characters: {
    doc:
      "Windows of a text, which do not overlap: `text: i32[N, window]`, each character the number of its class. The classes " +
      "are all characters of the file, by their code points. `next: shifted(1)` gives the windows that begin one character later. " +
      "`validation: 5%` holds back the last of them.",
    parameters: [
      { name: "file", kind: "text", doc: "path of the file, in UTF-8" },
      { name: "window", kind: "size", doc: "characters of a window" },
    ],
    columns: { kind: "shift", doc: "how many characters later it begins" },
  },
  digits: {
    doc:
      "Synthetic digits, drawn by a program: `image: f32[N, 28, 28, 1]` and `label: i32[N]`. Training and test data get " +
      "different ones.",
    parameters: [{ name: "count", kind: "count", doc: "how many" }, seed],
  },
} as const satisfies Readonly<Record<string, DataSignature>>;

/** Transforms follow after `|>`. */
export const dataTransforms = {
  split: {
    doc:
      "Parts the rows: in `test` this share of them, chosen at random, in `data` the others. To be written in both, after the " +
      "same source. The choice does not depend on the seed of the training. Of windows of a sequence `test` gets the last, and " +
      "`data` those that share no value with them; `seed` asks for a random choice nevertheless.",
    parameters: [
      { name: "share", kind: "share", doc: "of the rows, for the test" },
      { name: "by", kind: "column", doc: "labels, of each of which the share is taken", optional: true, named: true },
      { name: "seed", kind: "seed", doc: "of another choice", optional: true, named: true },
    ],
  },
  standardize: {
    doc:
      "Brings the numbers of a column to mean 0 and deviation 1, each place of the last axis by itself. The test data are changed " +
      "by the same amounts as the training data.",
    parameters: [{ name: "column", kind: "column", doc: "`features` unless said otherwise", optional: true }],
  },
  one_hot: {
    doc: "Writes classes as ones among zeros: `one_hot(label: 10)` makes i32[N] to f32[N, 10].",
    parameters: [],
    columns: { kind: "size", doc: "the number of classes" },
  },
  balance: {
    doc: "An epoch meets all classes equally often, rows of rare ones several times. Rows held back stay as they are.",
    parameters: [labels],
  },
  repeat: {
    doc: "An epoch meets each row so many times. Rows held back stay as they are.",
    parameters: [{ name: "count", kind: "size", doc: "how many times" }],
  },
  class_weights: {
    doc:
      "Adds the column `weight: f32[N]`, by which all classes together weigh the same, 1 in the mean. Rows without a label (-1) " +
      "weigh 0.",
    parameters: [labels],
  },
  cache: { doc: "Keeps in memory what sources and transforms before it made, such as decoded images.", parameters: [] },
  augment: {
    doc:
      "Changes the images of the training anew in each epoch; the same seed gives the same changes. Evaluation sees the images " +
      "as they are.",
    parameters: [
      { name: "shift", kind: "count", doc: "points, at most, along each axis", optional: true, named: true },
      {
        name: "flip",
        kind: "text",
        doc: "mirrors every second image",
        choices: ["horizontal", "vertical", "both"],
        optional: true,
        named: true,
      },
      { name: "rotate", kind: "number", doc: "degrees, at most, either way", optional: true, named: true },
      {
        name: "crop",
        kind: "share",
        doc: "the least share of height and width that is kept, and stretched",
        optional: true,
        named: true,
      },
      { name: "noise", kind: "number", doc: "the standard deviation of normal noise", optional: true, named: true },
      { name: "cutout", kind: "count", doc: "the side of a square that becomes 0", optional: true, named: true },
      { name: "column", kind: "column", doc: "`image` unless said otherwise", optional: true, named: true },
      seed,
    ],
  },
  mixup: {
    doc:
      "In the training each row becomes a mean of itself and another of its batch, with weights drawn from Beta(alpha, alpha); so do " +
      "labels, which must be written as one_hot before.",
    parameters: [{ name: "alpha", kind: "number", doc: "how far rows are mixed, such as 0.2" }, seed],
  },
  shuffle: { doc: "Puts the rows in a random order, once.", parameters: [seed] },
  flatten: {
    doc: "Makes each row of each column with several axes one axis: f32[N, 28, 28, 1] to f32[N, 784].",
    parameters: [],
  },
  rename: {
    doc: "Renames columns: `rename(pixels: image)` calls `pixels` what was `image`.",
    parameters: [],
    columns: { kind: "column", doc: "the present name" },
  },
  take: { doc: "Keeps the first rows.", parameters: [{ name: "count", kind: "count", doc: "how many" }] },
  skip: { doc: "Leaves out the first rows.", parameters: [{ name: "count", kind: "count", doc: "how many" }] },
  hide_labels: {
    doc: "Sets a share of the labels, chosen at random, to -1.",
    parameters: [{ name: "share", kind: "share", doc: "of the rows" }, labels, seed],
  },
  windows: {
    doc:
      "Cuts a series, one column, into overlapping windows: `windows(series: 28, actual: 1)` gives rows of 28 values " +
      "and the one after them. What is held back of them, `validation: 20%`, is the last part of the series, and folds are pieces of it; " +
      "windows that share a value with it are left out of the training.",
    parameters: [],
    columns: { kind: "count", doc: "its number of values" },
  },
} as const satisfies Readonly<Record<string, DataSignature>>;

export type DataSource = keyof typeof dataSources;
export type DataTransform = keyof typeof dataTransforms;

export const isDataSource = (name: string): name is DataSource => Object.hasOwn(dataSources, name);
export const isDataTransform = (name: string): name is DataTransform => Object.hasOwn(dataTransforms, name);

/** `take(count)`, as help texts write a signature. */
export function formatDataSignature(name: string, signature: DataSignature): string {
  const parameters = signature.parameters.map((p) => {
    const text = "named" in p ? `${p.name}: ${p.kind}` : p.name;
    return p.optional ? `[${text}]` : text;
  });
  if (signature.columns) parameters.push(`NAME: ${signature.columns.kind}, …`);
  return parameters.length === 0 ? name : `${name}(${parameters.join(", ")})`;
}
