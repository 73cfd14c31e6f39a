// The form of a broken program: its text with the place of the mistake between « and », and what is to be said of it.

import type { DiagnosticCode } from "../../src/dsl/diagnostics.ts";

export interface BrokenProgram {
  readonly name: string;
  /** The text of main.dlm. « and » stand around what should be underlined; they are taken out before compiling. */
  readonly program: string;
  readonly code: DiagnosticCode;
  /** Part of the message that says what is wrong. */
  readonly says: string;
  /** Part of the label or the help that says how to mend it. */
  readonly mend?: string;
  /** Further files, by their paths beside main.dlm. The marks may stand in one of them instead. */
  readonly files?: Readonly<Record<string, string>>;
}

export interface Marked {
  readonly text: string;
  readonly start?: number;
  readonly end?: number;
}

/** The text without its marks, and where they stood. */
export function unmarked(marked: string): Marked {
  const start = marked.indexOf("«");
  if (start < 0) return { text: marked };
  const end = marked.indexOf("»") - 1;
  return { text: marked.replace("«", "").replace("»", ""), start, end };
}

/** A model of one input of two axes around the lines of a body that is to bind `y`. */
export const body = (...lines: string[]): string =>
  ["model Net(x: f32[N, 4]) -> (y: f32[N, 3]) {", ...lines.map((line) => `  ${line}`), "}", ""].join("\n");

/** A whole program for XOR whose `train` block has the given entries. */
export const training = (...entries: string[]): string =>
  [
    "model Xor(x: f32[N, 2]) -> (y: f32[N, 1]) {",
    "  logits = x |> dense(8) |> tanh |> dense(1)",
    "  y = sigmoid(logits)",
    "}",
    "",
    "train Xor {",
    ...entries.map((entry) => `  ${entry}`),
    "}",
    "",
  ].join("\n");

export const usual = {
  target: "target label: f32[N, 1]",
  data: "data: rows(x: [[0, 0], [0, 1], [1, 0], [1, 1]], label: [[0], [1], [1], [0]])",
  loss: "loss: binary_cross_entropy(logits, label)",
  optimizer: "optimizer: adam(lr: 0.05)",
} as const;
