// What attention looks like in a graph: a product of queries and keys, a softmax over the keys, and a product with the values. The
// pass `fuse-attention` looks for it, and lowering asks again what is what in the body that it got.

import type { Dim } from "../../ir/dim.ts";
import { equalShapes } from "../../ir/dim.ts";
import type { Node, ResultValue, Value } from "../../ir/graph.ts";
import { isElementwise, numbers } from "./fuse-roles.ts";

/** A product whose sum runs along one axis of a matrix: values, of one axis of features, are mixed as its rows or columns say. */
export interface Mixture {
  readonly node: Node;
  /** Which operand of the product the matrix is. */
  readonly side: 0 | 1;
  readonly matrix: ResultValue;
  /** The axis of the matrix that the sum runs along. */
  readonly summed: number;
  /** For each axis of the matrix the axis of the result that it becomes; -1 for the summed one. */
  readonly axes: readonly number[];
  /** The last axis of the matrix that is neither summed nor common to both operands: a few of its positions share what is loaded. */
  readonly row: number;
  /** The axis of the result along the features. */
  readonly feature: number;
}

export interface Attention {
  /** queries · keys */
  readonly scores: Node;
  /** What the softmax is taken of: the scores, scaled and masked. */
  readonly logits: Value;
  readonly max: Node;
  readonly sum: Node;
  /** weights · values, summed over the keys, which are the last axis of the weights. */
  readonly mixture: Mixture;
  /** All nodes from the scores to the mixture. */
  readonly members: ReadonlySet<Node>;
}

/** The attention that ends in the product `mixed`, if it does. */
export function attentionOf(mixed: Node): Attention | undefined {
  for (const side of [0, 1] as const) {
    const mixture = mixtureOf(mixed, side);
    if (!mixture || mixture.summed !== mixture.axes.length - 1) continue;
    const found = fromWeights(mixture);
    if (found) return found;
  }
  return undefined;
}

function fromWeights(mixture: Mixture): Attention | undefined {
  const softmax = softmaxOf(mixture.matrix);
  if (!softmax) return undefined;
  const { logits, max, sum } = softmax;
  const between = new Set<Node>();
  const [scores, ...more] = productsIn(logits, between);
  if (!scores || more.length > 0) return undefined;
  return { scores, logits, max, sum, mixture, members: new Set([...softmax.nodes, ...between, mixture.node]) };
}

/** The product as a mixture by its operand `side`; values must have one axis of features, and batches in common with the matrix. */
export function mixtureOf(node: Node, side: 0 | 1): Mixture | undefined {
  const matrix = node.inputs[side];
  if (node.op !== "dot" || matrix?.kind !== "result") return undefined;
  const pairs = (attribute: unknown): number[][] => (Array.isArray(attribute) ? attribute.map(numbers) : []);
  const batch = pairs(node.attributes.batch);
  const other = side === 0 ? 1 : 0;
  const rank = matrix.type.shape.length;
  const [summed, ...more] = pairs(node.attributes.contract)[side]!;
  if (summed === undefined || more.length > 0) return undefined;
  const features = node.inputs[other]!.type.shape.length - batch[other]!.length - 1;
  const all = Array.from({ length: rank }, (_, axis) => axis);
  const free = all.filter((axis) => axis !== summed && !batch[side]!.includes(axis));
  if (features !== 1 || free.length === 0) return undefined;
  const first = batch[side]!.length + (side === 0 ? 0 : features);
  const axes = all.map((axis) => {
    if (axis === summed) return -1;
    const shared = batch[side]!.indexOf(axis);
    return shared >= 0 ? shared : first + free.indexOf(axis);
  });
  const feature = batch[side]!.length + (side === 0 ? free.length : 0);
  return { node, side, matrix, summed, axes, row: free.at(-1)!, feature };
}

interface Softmax {
  readonly logits: Value;
  readonly max: Node;
  readonly sum: Node;
  readonly nodes: readonly Node[];
}

/** exp(x - max x) / Σ exp(x - max x) along the last axis. */
function softmaxOf(weights: Value): Softmax | undefined {
  const divide = made(weights, "divide");
  const exponential = made(divide?.inputs[0], "exponential");
  const below = made(divide?.inputs[1], "broadcast");
  const sum = reductionOf(below, "sum");
  const shifted = made(exponential?.inputs[0], "subtract");
  const top = made(shifted?.inputs[1], "broadcast");
  const max = reductionOf(top, "max");
  const logits = shifted?.inputs[0];
  if (!divide || !exponential || !below || !sum || !shifted || !top || !max || !logits) return undefined;
  if (sum.inputs[0] !== exponential.results[0] || max.inputs[0] !== logits) return undefined;
  return { logits, max, sum, nodes: [divide, exponential, below, sum, shifted, top, max] };
}

const made = (value: Value | undefined, op: string): Node | undefined =>
  value?.kind === "result" && value.node.op === op ? value.node : undefined;

/** A reduction of the last axis, spread along it again. */
function reductionOf(spread: Node | undefined, kind: "sum" | "max"): Node | undefined {
  const reduce = made(spread?.inputs[0], "reduce");
  if (!reduce || reduce.attributes.kind !== kind) return undefined;
  const last = reduce.inputs[0]!.type.shape.length - 1;
  const kept = numbers(spread?.attributes.axes);
  return numbers(reduce.attributes.axes).join() === String(last) && kept.every((axis, i) => axis === i)
    ? reduce
    : undefined;
}

/**
 * The products of its own shape that `value` is computed from, element by element. They, and the nodes on the way from them, go to
 * `between`.
 */
export function productsIn(value: Value, between: Set<Node>): readonly Node[] {
  const known = new Map<Node, readonly Node[]>();
  const visit = (from: Value, shape: readonly Dim[]): readonly Node[] => {
    if (from.kind !== "result" || !equalShapes(from.type.shape, shape)) return [];
    const { node } = from;
    const found =
      known.get(node) ??
      (node.op === "dot" ? [node] : isElementwise(node) ? node.inputs.flatMap((input) => visit(input, shape)) : []);
    known.set(node, found);
    if (found.length > 0) between.add(node);
    return found;
  };
  return [...new Set(visit(value, value.type.shape))];
}
