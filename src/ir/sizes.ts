// Working out the free sizes (`N`, `T`) from the shapes that tensors have at run time, and putting them into types and
// attributes. The interpreter starts here; a runtime does the same with a program that is already compiled.

import type { Attribute, Attributes } from "./attributes.ts";
import { type Dim, evaluateDim, formatDim, type Polynomial, type Sizes, symbolsOf } from "./dim.ts";

/** A tensor that does not fit its declaration. */
export class SizeError extends Error {
  override readonly name = "SizeError";
}

/** A declared shape and the shape that was given for it. */
export interface ShapePair {
  readonly name: string;
  readonly declared: readonly Dim[];
  readonly given: readonly number[];
}

/**
 * The free sizes that make every declared shape the given one, starting from `known`. Dimensions with one unknown size
 * of degree one are solved for it, the others are checked afterwards. Throws a SizeError that names the tensor.
 */
export function solveSizes(pairs: readonly ShapePair[], known: Sizes = {}): Sizes {
  const sizes: Record<string, number> = { ...known };
  const open: { name: string; axis: number; dim: Polynomial; given: number }[] = [];
  for (const { name, declared, given } of pairs) {
    if (declared.length !== given.length) throw new SizeError(shapeMessage(name, declared, given));
    declared.forEach((dim, axis) => {
      const size = given[axis]!;
      if (typeof dim !== "number") open.push({ name, axis, dim, given: size });
      else if (dim !== size) throw new SizeError(shapeMessage(name, declared, given));
    });
  }
  for (let progress = true; progress; ) {
    progress = false;
    for (const { dim, given } of open) {
      const unknown = symbolsOf(dim).filter((symbol) => sizes[symbol] === undefined);
      const [only] = unknown;
      if (only === undefined || unknown.length > 1) continue;
      const value = solveLinear(dim, only, given, sizes);
      if (value === undefined) continue;
      sizes[only] = value;
      progress = true;
    }
  }
  for (const { name, axis, dim, given } of open) {
    if (symbolsOf(dim).some((symbol) => sizes[symbol] === undefined)) continue;
    const wanted = evaluateDim(dim, sizes);
    if (wanted !== given)
      throw new SizeError(`axis ${axis} of ${name} is ${given}, and should be ${formatDim(dim)} = ${wanted}`);
  }
  return sizes;
}

/**
 * The value of `name` for which `dim` is `given`; undefined where it is not linear in it or nothing whole solves it.
 */
function solveLinear(dim: Polynomial, name: string, given: number, sizes: Sizes): number | undefined {
  const at = (x: number): number => evaluateDim(dim, { ...sizes, [name]: x });
  const [zero, one, two] = [at(0), at(1), at(2)];
  const slope = one - zero;
  if (slope === 0 || two - one !== slope || dim.terms.some((t) => t.factors.some((f) => typeof f !== "string")))
    return undefined;
  const value = (given - zero) / slope;
  return Number.isInteger(value) && value >= 0 ? value : undefined;
}

const shapeMessage = (name: string, declared: readonly Dim[], given: readonly number[]): string =>
  `${name} has the shape [${given.join(", ")}], and should have [${declared.map(formatDim).join(", ")}]`;

export const evaluateShape = (shape: readonly Dim[], sizes: Sizes): number[] =>
  shape.map((dim) => evaluateDim(dim, sizes));

/** The attributes with every dimension a number. */
export function evaluateAttributes(attributes: Attributes, sizes: Sizes): Attributes {
  const result: Record<string, Attribute> = {};
  for (const [key, value] of Object.entries(attributes)) result[key] = evaluateAttribute(value, sizes);
  return result;
}

function evaluateAttribute(value: Attribute, sizes: Sizes): Attribute {
  if (typeof value !== "object") return value;
  if ("terms" in value) return evaluateDim(value, sizes);
  return value.map((item) => evaluateAttribute(item, sizes));
}
