// What a training step needs of an attention's weights, and how it gets them without a matrix that is held: the gradients of queries,
// keys and values are products with matrices that follow, element by element, from products of vectors (queries · keys, the gradient
// of the result · values), the two numbers of each row that the softmax found, and masks. Each of these products is a kernel
// that computes its matrix anew, block by block (Dao and others, 2022).

import { equalShapes } from "../../ir/dim.ts";
import type { Node, Value } from "../../ir/graph.ts";
import { type Attention, type Mixture, mixtureOf, productsIn } from "./attention.ts";
import { isElementwise } from "./fuse-roles.ts";

/** Who reads what in a graph. */
export interface Uses {
  readersOf(node: Node): readonly Node[];
  /** Whether the node has a result that leaves the graph. */
  leaves(node: Node): boolean;
}

export interface AttentionGradient {
  /** Products with matrices that depend on the scores, but for the attention's own. */
  readonly mixtures: readonly Mixture[];
  /** Sums over the rows of such matrices, but for the softmax's own. */
  readonly rows: readonly Node[];
}

/** All that becomes of the matrices around an attention, where only products and sums of rows do; else undefined. */
export function gradientOf(attention: Attention, uses: Uses): AttentionGradient | undefined {
  const matrices = new Set<Node>([attention.scores]);
  const mixtures = new Map<Node, Mixture>();
  const rows = new Set<Node>();
  const { shape } = attention.mixture.matrix.type;
  const include = (value: Value): void => {
    const found = new Set<Node>();
    productsIn(value, found);
    for (const node of found) matrices.add(node);
  };
  // Sets are walked in the order in which elements are added, those that come meanwhile included.
  for (const matrix of matrices) {
    if (uses.leaves(matrix)) return undefined;
    for (const reader of uses.readersOf(matrix)) {
      if (reader === attention.max || reader === attention.sum || reader === attention.mixture.node) continue;
      if (isElementwise(reader) && equalShapes(reader.results[0]!.type.shape, shape)) {
        matrices.add(reader);
        for (const input of reader.inputs) include(input);
      } else if (reader.op === "reduce") {
        rows.add(reader);
      } else {
        const [left, right] = reader.inputs;
        const mixture = mixtureOf(reader, left === matrix.results[0] ? 0 : 1);
        if (!mixture || left === right) return undefined;
        mixtures.set(reader, mixture);
      }
    }
  }
  const valuesOf = ({ node, side }: Mixture): Value => node.inputs[side === 0 ? 1 : 0]!;
  const areMatrices = (value: Value): boolean => value.kind === "result" && matrices.has(value.node);
  if ([...mixtures.values()].some((mixture) => areMatrices(valuesOf(mixture)))) return undefined;
  return { mixtures: [...mixtures.values()], rows: [...rows] };
}

/** Mixtures of matrices along the same rows share a kernel, and what it computes anew. */
export function together(mixtures: readonly Mixture[]): readonly (readonly Mixture[])[] {
  const groups = new Map<string, Mixture[]>();
  for (const mixture of mixtures) {
    const key = `${mixture.summed} ${mixture.row}`;
    groups.set(key, [...(groups.get(key) ?? []), mixture]);
  }
  return [...groups.values()];
}
