// What a reduction adds up in: registers for each point of a tile, how they begin, and how partial results become one.

import type { Attributes } from "../../ir/attributes.ts";
import type { Node } from "../../ir/graph.ts";
import { k } from "../../ir/kernel/build.ts";
import type { Expr, Stmt } from "../../ir/kernel/types.ts";
import type { LoweringContext, ReductionLowering } from "../../ir/op.ts";
import { operation } from "../../ir/ops/index.ts";
import type { Draft } from "./draft.ts";
import type { Bounds } from "./narrow.ts";

export interface Reduction {
  readonly node: Node;
  readonly rule: ReductionLowering<Attributes>;
  readonly context: LoweringContext<Attributes>;
  /** A part of the first axis of its domain, where not all of it is meant. */
  readonly slice?: Bounds;
}

/** From where to where each axis of the domain runs. */
export const limitsOf = ({ rule, context, slice }: Reduction): readonly Bounds[] =>
  rule
    .domain(context)
    .map((size, i) => (i === 0 && slice ? slice : { from: k.index(0), to: k.fromDim(size), step: 1 }));

export function reductionOf(draft: Draft, node: Node): Reduction {
  const rule = operation(node.op)?.lower;
  if (rule?.kind !== "reduction") throw new TypeError(`${node.op} is no reduction`);
  return { node, rule, context: draft.elements.context(node) };
}

export interface Accumulators {
  readonly reduction: Reduction;
  readonly point: readonly Expr[];
  readonly names: readonly Expr[];
}

/** Registers for each reduction at each point. */
export const registersOf = (
  draft: Draft,
  reductions: readonly Reduction[],
  points: readonly (readonly Expr[])[],
): Accumulators[] =>
  reductions.flatMap((reduction) =>
    points.map((point) => {
      const initial = reduction.rule.accumulators(reduction.context);
      return { reduction, point, names: initial.map(({ type }) => k.variable(draft.fresh(nameOf(reduction)), type)) };
    }),
  );

/** Sets them to what nothing has been added to. */
export const clear = ({ reduction, names }: Accumulators): readonly Stmt[] =>
  reduction.rule
    .accumulators(reduction.context)
    .flatMap((value, i) => (names[i]!.kind === "variable" ? [k.var(names[i]!.name, value)] : []));

export const nameOf = ({ node }: Reduction): string => {
  const { kind } = node.attributes;
  return typeof kind === "string" ? kind : node.op === "argmax" ? "best" : "sum";
};

const combinations = { sum: k.add, product: k.multiply, max: k.maximum, min: k.minimum } as const;

/** How two partial results make one; undefined where the operation does not tell. */
export function combination({ node, rule }: Reduction): ((a: Expr, b: Expr) => Expr) | undefined {
  const { kind } = node.attributes;
  if (rule.contraction) return combinations.sum;
  if (node.op !== "reduce" || rule.finish) return undefined;
  return kind === "sum" || kind === "product" || kind === "max" || kind === "min" ? combinations[kind] : undefined;
}

export function combine(into: readonly Accumulators[], from: readonly Accumulators[]): Stmt[] {
  return into.flatMap(({ reduction, names }, i) => {
    const join = combination(reduction);
    const [a, b] = [names[0]!, from[i]!.names[0]!];
    return join && a.kind === "variable" ? [k.assign(a.name, join(a, b))] : [];
  });
}

/** How many partial accumulators are worth it: none where the loop is short, or where partial results cannot be combined. */
export function partialOf(draft: Draft, reductions: readonly Reduction[]): number {
  const { partial } = draft.tiles;
  const [first] = reductions;
  const innermost = first?.rule.domain(first.context).at(-1);
  const long = innermost !== undefined && (typeof innermost !== "number" || innermost >= 4 * partial);
  return long && reductions.every((reduction) => combination(reduction)) ? partial : 1;
}

/** Whether a reduction adds up float32 numbers in one register. */
export function isSum(reduction: Reduction): boolean {
  const [sum, ...more] = reduction.rule.accumulators(reduction.context);
  return combination(reduction) === combinations.sum && more.length === 0 && sum?.type === "f32";
}
