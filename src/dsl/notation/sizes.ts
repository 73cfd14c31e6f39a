// The first reading of a statement in index notation: what stands before brackets is evaluated, and the brackets tell how far
// each index runs. Indices belong to the left side, or to the reduction that names them.

import { type Dim, equalDims, formatDim } from "../../ir/dim.ts";
import type { Value } from "../../ir/graph.ts";
import type { Expression, Identifier, IndexExpression, ReductionExpression, Span } from "../ast.ts";
import { childrenOf } from "../ast-walk.ts";
import { type Context, type Mistake, mistake } from "../context.ts";
import { type Environment, evaluate } from "../evaluate.ts";
import { formatType, kindOf } from "../values.ts";
import { type Index, textOf } from "./indexed.ts";

/** The indices that have a meaning at a place, by name. */
export type Indices = ReadonlyMap<string, Index>;

/** What the first reading found out. */
export interface Reading {
  readonly c: Context;
  readonly env: Environment;
  /** Tensors before brackets with indices in them. */
  readonly targets: Map<IndexExpression, Value>;
  /** What the indices mean in the body of each reduction. */
  readonly scopes: Map<ReductionExpression, Indices>;
  /** How many indices there are. */
  count: number;
}

export const createReading = (c: Context, env: Environment): Reading => ({
  c,
  env,
  targets: new Map(),
  scopes: new Map(),
  count: 0,
});

/** Adds indices to those of the surroundings; one that is there already keeps its meaning. */
export function openIndices(reading: Reading, names: readonly Identifier[], around: Indices): Indices {
  const indices = new Map(around);
  const seen = new Set<string>();
  for (const { name, span } of names) {
    if (seen.has(name)) {
      reading.c.frame.span = span;
      throw mistake(reading.c, "syntax", `the index ${name} is named twice`, {
        help: "give each axis an index of its own; on the right side x[i, i] is a diagonal",
      });
    }
    seen.add(name);
    if (!indices.has(name)) indices.set(name, { name, span, position: reading.count++ });
  }
  return indices;
}

/** Whether an expression has to do with these indices, or has indices of its own. */
export function mentions(expression: Expression, indices: Indices): boolean {
  if (expression.kind === "reduction") return true;
  if (expression.kind === "name" && indices.has(expression.name)) return true;
  return childrenOf(expression).some((child) => mentions(child, indices));
}

/** An index that stands by itself as an item of a bracket. */
export function plainIndex(expression: Expression, indices: Indices): Index | undefined {
  return expression.kind === "name" ? indices.get(expression.name) : undefined;
}

/** Reads an expression and all in it. */
export function readSizes(reading: Reading, expression: Expression, indices: Indices): void {
  if (expression.kind === "reduction") {
    const inner = openIndices(reading, expression.indices, indices);
    reading.scopes.set(expression, inner);
    readSizes(reading, expression.body, inner);
  } else if (expression.kind === "index" && expression.items.some((item) => itemMentions(item, indices)))
    readBracket(reading, expression, indices);
  else for (const child of childrenOf(expression)) readSizes(reading, child, indices);
}

const itemMentions = (item: IndexExpression["items"][number], indices: Indices): boolean =>
  item.kind === "at" && mentions(item.value, indices);

function readBracket(reading: Reading, bracket: IndexExpression, indices: Indices): void {
  const { c, env } = reading;
  const target = evaluate(c, env, bracket.target);
  c.frame.span = bracket.span;
  if (target.kind !== "tensor") {
    c.frame.span = bracket.target.span;
    throw mistake(c, "type", `index notation takes the elements of tensors, and this is ${kindOf(target)}`);
  }
  const { type } = target.value;
  const { length: rank } = type.shape;
  if (bracket.items.length !== rank) {
    const has = rank === 1 ? "1 axis" : `${rank} axes`;
    throw mistake(
      c,
      "shape",
      `${textOf(c, bracket.target)} has ${has}, and the bracket names ${bracket.items.length}`,
      {
        label: `${textOf(c, bracket.target)}: ${formatType(type)}`,
        help: "in index notation every axis has an index or a number",
      },
    );
  }
  reading.targets.set(bracket, target.value);
  bracket.items.forEach((item, axis) => {
    c.frame.span = item.span;
    if (item.kind !== "at")
      throw mistake(c, "syntax", "there are no slices in index notation", {
        help: `give the axis an index; a part of a tensor is sliced before: part = ${textOf(c, bracket.target)}[…]`,
      });
    const index = plainIndex(item.value, indices);
    if (index) matchSize(c, index, type.shape[axis]!, item.span, textOf(c, bracket));
    else if (mentions(item.value, indices)) {
      const bare = bareIndex(item.value, indices);
      if (bare) throw shifted(c, bare, item.span);
      readSizes(reading, item.value, indices);
    }
  });
}

/** An index outside of any bracket, as in `t - 1`. */
function bareIndex(expression: Expression, indices: Indices): Index | undefined {
  if (expression.kind === "index") return undefined;
  const index = plainIndex(expression, indices);
  if (index) return index;
  for (const child of childrenOf(expression)) {
    const found = bareIndex(child, indices);
    if (found) return found;
  }
  return undefined;
}

function shifted(c: Context, { name }: Index, span: Span): Mistake {
  return mistake(c, "syntax", `an index stands by itself: there is no arithmetic with ${name} in a bracket`, {
    label: `${textOf(c, { span })} would leave the axis at one of its ends`,
    help: "slice or pad the tensor first: before = x[:, :-1]",
  });
}

function matchSize(c: Context, index: Index, dim: Dim, span: Span, text: string): void {
  index.size ??= { dim, span, text };
  const { size } = index;
  if (equalDims(size.dim, dim)) return;
  throw mistake(c, "shape", `the index ${index.name} runs over two sizes`, {
    label: `${formatDim(dim)} in ${text}`,
    notes: [{ file: c.frame.file, span: size.span, label: `${formatDim(size.dim)} in ${size.text}` }],
  });
}
