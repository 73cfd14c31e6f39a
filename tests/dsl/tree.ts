// A tree without its places, for comparison, and in short for reading.

import type { Program } from "../../src/dsl/ast.ts";

const withoutPlaces = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(withoutPlaces);
  if (typeof value !== "object" || value === null) return value;
  const kept = Object.entries(value).filter(([key]) => !/^(span|operatorSpan|file)$/.test(key));
  return Object.fromEntries(kept.map(([key, inner]) => [key, withoutPlaces(inner)]));
};

/** Everything that a program says, without where it says so. */
export const meaningOf = (program: Program): unknown =>
  withoutPlaces({
    declarations: program.declarations.map((d) => ({ ...d, body: "body" in d ? bodyOf(d.body) : null })),
  });

// The body of `train` is only a place.
const bodyOf = (body: object): unknown => ("statements" in body ? body : null);

/** The texts of all comments, sorted: the formatter may move one past a token, never lose it. */
export const commentsOf = (program: Program): string[] => program.comments.map((c) => c.text);

const atoms = ["number", "string", "boolean", "name"];

/** A tree as one line of brackets: `(= y (|> x (dense 3)))`. */
export function brief(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(brief).join(" ")}]`;
  if (typeof value !== "object" || value === null) return String(value);
  const node: Record<string, unknown> = { ...value };
  if (typeof node.kind === "string" && atoms.includes(node.kind)) {
    return node.kind === "string" ? JSON.stringify(node.value) : String(node.kind === "name" ? node.name : node.value);
  }
  if (node.kind === undefined && typeof node.name === "string") return node.name;
  const hidden = /^(span|operatorSpan|kind|form|integer)$/;
  const parts = Object.entries(node).filter(([key]) => !hidden.test(key));
  return `(${[node.kind, ...parts.map(([key, inner]) => (/^(left|right|value)$/.test(key) ? brief(inner) : `${key}=${brief(inner)}`))].filter(Boolean).join(" ")})`;
}
