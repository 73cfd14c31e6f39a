// Conditions on sizes that are free until run time, as the graph can carry them: clauses that must all hold, each a list of dimensions
// of which one must be 0 or more. Sizes are whole numbers, so that every comparison and its opposite has this form.

import { type Dim, multiplyDims, subtractDims } from "../ir/dim.ts";

/** One of these dimensions, at least, is 0 or more. */
export type Clause = readonly Dim[];
/** All of the clauses hold. */
export type Clauses = readonly Clause[];

/** More clauses than this are no condition that a person has in mind; `||` and `!` multiply them. */
export const mostClauses = 64;

/** a ≤ b. */
export const atMost = (a: Dim, b: Dim): Clauses => [[subtractDims(b, a)]];
/** a < b. */
export const below = (a: Dim, b: Dim): Clauses => [[subtractDims(subtractDims(b, a), 1)]];
export const equal = (a: Dim, b: Dim): Clauses => [...atMost(a, b), ...atMost(b, a)];
export const different = (a: Dim, b: Dim): Clauses => [[...below(a, b), ...below(b, a)].flat()];
export const both = (a: Clauses, b: Clauses): Clauses => [...a, ...b];

/** Undefined where there would be too many clauses. */
export function either(a: Clauses, b: Clauses): Clauses | undefined {
  if (a.length * b.length > mostClauses) return undefined;
  return a.flatMap((one) => b.map((other) => [...one, ...other]));
}

/** The opposite: of some clause, no dimension is 0 or more. Undefined where there would be too many clauses. */
export function opposite(clauses: Clauses): Clauses | undefined {
  const [first, ...others] = clauses.map((clause): Clauses => clause.map((dim) => [negative(dim)]));
  return others.reduce<Clauses | undefined>((sum, next) => sum && either(sum, next), first);
}

/** Whether `dim` < 0, as one that is 0 or more: -dim - 1. */
const negative = (dim: Dim): Dim => subtractDims(multiplyDims(-1, dim), 1);
