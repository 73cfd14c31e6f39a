// What attention looks like in a graph: a product of queries and keys, a softmax over the keys, and a product with the values. The
// pass `fuse-attention` looks for it, and lowering asks again what is what in the body that it got.

import type { Dim } from "../../ir/dim.ts";
import { equalShapes } from "../../ir/dim.ts";
import type { Node, ResultValue, Value } from "../../ir/graph.ts";
import { isElementwise, numbers } from "./fuse-roles.ts";

export interface Attention {
  /** queries · keys */
  readonly scores: Node;
  /** What the softmax is taken of: the scores, scaled and masked. */
  readonly logits: Value;
  readonly max: Node;
  readonly sum: Node;
  readonly weights: ResultValue;
  /** weights · values, and which operand the weights are. */
  readonly mixed: Node;
  readonly side: 0 | 1;
  /** For each axis of the weights but the last: the axis of `mixed` that it becomes. */
  readonly axes: readonly number[];
  /** Axes of `mixed`: along the queries, and along the features of the values. */
  readonly query: number;
  readonly feature: number;
  /** All nodes from the scores to the mixture. */
  readonly members: ReadonlySet<Node>;
}

/** The attention that ends in the product `mixed`, if it does. */
export function attentionOf(mixed: Node): Attention | undefined {
  if (mixed.op !== "dot") return undefined;
  for (const side of [0, 1] as const) {
    const found = fromWeights(mixed, side);
    if (found) return found;
  }
  return undefined;
}

function fromWeights(mixed: Node, side: 0 | 1): Attention | undefined {
  const weights = mixed.inputs[side]!;
  const softmax = softmaxOf(weights);
  if (!softmax || weights.kind !== "result") return undefined;
  const { logits, max, sum } = softmax;
  const between = new Set<Node>();
  const scores = scoresIn(logits, logits.type.shape, between);
  if (!scores) return undefined;
  const places = axesOf(mixed, side);
  if (!places) return undefined;
  const members = new Set([...softmax.nodes, ...between, scores, mixed]);
  return { scores, logits, max, sum, weights, mixed, side, ...places, members };
}

/** Along which axes of the result the weights run; values must have the keys and features, and batches in common with the weights. */
function axesOf(mixed: Node, side: 0 | 1): Pick<Attention, "axes" | "query" | "feature"> | undefined {
  const pairs = (attribute: unknown): number[][] => (Array.isArray(attribute) ? attribute.map(numbers) : []);
  const batch = pairs(mixed.attributes.batch);
  const contract = pairs(mixed.attributes.contract);
  const other = side === 0 ? 1 : 0;
  const rank = mixed.inputs[side]!.type.shape.length;
  if (contract[side]?.join() !== String(rank - 1)) return undefined;
  const features = mixed.inputs[other]!.type.shape.length - batch[other]!.length - 1;
  const free = Array.from({ length: rank - 1 }, (_, axis) => axis).filter((axis) => !batch[side]!.includes(axis));
  if (features !== 1 || free.length === 0) return undefined;
  const first = batch[side]!.length + (side === 0 ? 0 : features);
  const axes = Array.from({ length: rank - 1 }, (_, axis) => {
    const shared = batch[side]!.indexOf(axis);
    return shared >= 0 ? shared : first + free.indexOf(axis);
  });
  const feature = batch[side]!.length + (side === 0 ? free.length : 0);
  return { axes, query: first + free.length - 1, feature };
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

/** The one product that `value` is computed from, element by element; the nodes on the way go to `between`. */
function scoresIn(value: Value, shape: readonly Dim[], between: Set<Node>): Node | undefined {
  if (value.kind !== "result" || !equalShapes(value.type.shape, shape)) return undefined;
  const { node } = value;
  if (node.op === "dot") return node;
  if (!isElementwise(node)) return undefined;
  const found = new Set(node.inputs.flatMap((input) => scoresIn(input, shape, between) ?? []));
  const [scores, more] = found;
  if (!scores || more) return undefined;
  between.add(node);
  return scores;
}
