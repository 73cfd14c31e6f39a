// What a data pipeline may say: the sources and transforms of `data:` and `test:`, with their parameters. Pure data, from
// which come the checks of a program, the documentation, and the names that src/train/data must implement.

/** What a parameter takes. A share is a number from 0 to 1, such as 10%; a column is named as in the program, without quotes. */
export type DataKind = "text" | "column" | "count" | "size" | "seed" | "share" | "lists" | "shift";

export interface DataParameter {
  readonly name: string;
  readonly kind: DataKind;
  readonly doc: string;
  readonly optional?: true;
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
  characters: {
    doc:
      "Windows of a text, which do not overlap: `text: i32[N, window]`, each character the number of its class. The classes " +
      "are all characters of the file, by their code points. `next: shifted(1)` gives the windows that begin one character later.",
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
    parameters: [
      { name: "share", kind: "share", doc: "of the rows" },
      {
        name: "column",
        kind: "column",
        doc: "the column of labels, `label` unless said otherwise",
        optional: true,
        named: true,
      },
      seed,
    ],
  },
  windows: {
    doc:
      "Cuts a series, one column, into overlapping windows: `windows(series: 28, actual: 1)` gives rows of 28 values " +
      "and the one after them.",
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
