// Loops over all elements of results of one shape, and operations that write their results by statements of their own.

import type { Dim } from "../../ir/dim.ts";
import { equalShapes, productOf } from "../../ir/dim.ts";
import type { Node, ResultValue } from "../../ir/graph.ts";
import { k } from "../../ir/kernel/build.ts";
import type { Expr, Stmt } from "../../ir/kernel/types.ts";
import { operation } from "../../ir/ops/index.ts";
import { isElementwise } from "../graph/fuse-roles.ts";
import type { Access, Iteration } from "../graph/iteration.ts";
import type { TileTable } from "../schedule/tiles.ts";
import { bind } from "./bind.ts";
import { type Draft, type LoopAxis, nestLanes } from "./draft.ts";

/** Element loops: every output at every index. */
export function lowerLoop(draft: Draft, iteration: Iteration): readonly Stmt[] {
  const { shape } = iteration;
  if (draft.flat) {
    const axes = withLanes([elementAxis("i", productOf(shape))], draft.tiles);
    return nestLanes(axes, draft.fresh, ([at]) => storeAll(draft, draft.outputs, () => [at![0]!]));
  }
  return nestLanes(
    withLanes(
      shape.map((size, axis) => elementAxis(`i${axis}`, size)),
      draft.tiles,
    ),
    draft.fresh,
    (positions) => {
      const index = positions.map((list) => list[0]!);
      return storeAll(draft, draft.outputs, (output) => indexBy(iteration.access.get(output)!, index));
    },
  );
}

const elementAxis = (stem: string, size: Dim): LoopAxis => ({
  stem,
  size,
  width: 1,
  role: "element",
  mode: "parallel",
});

/** The last axis, but for those of size 1, in vectors, where the target has them and they fit. */
export function withLanes(axes: readonly LoopAxis[], tiles: TileTable): readonly LoopAxis[] {
  const { lanes } = tiles;
  const last = axes.findLastIndex(({ size }) => size !== 1);
  const size = axes[last]?.size ?? 0;
  if (lanes === 1 || (typeof size === "number" && size < lanes)) return axes;
  return axes.map((axis, i) => (i === last ? { ...axis, lanes } : axis));
}

/** Whether all values are scalars or of the shape of the loop, and read where they are written: then one loop over memory will do. */
export function isFlatLoop(nodes: readonly Node[], { shape }: Iteration): boolean {
  if (shape.length < 2) return false;
  return nodes.every((node) => {
    const spreads = node.op === "broadcast" && node.inputs[0]!.type.shape.length === 0;
    if (!spreads && !isElementwise(node)) return false;
    return [...node.inputs, ...node.results].every(
      ({ type }) => type.shape.length === 0 || equalShapes(type.shape, shape),
    );
  });
}

/** The index of a value that is read or written along the axes of the iteration space `access`. */
export function indexBy(access: Access, index: readonly Expr[]): readonly Expr[] {
  if (typeof access === "string") throw new TypeError("outputs are written at the point that is computed");
  return access.map((axis) => (axis < 0 ? k.index(0) : index[axis]!));
}

/**
 * Computes all outputs of a point, then stores them: so a result may lie where an operand was, if that was read at this point only.
 */
export function storeAll(
  draft: Draft,
  outputs: readonly ResultValue[],
  index: (output: ResultValue) => readonly Expr[],
): readonly Stmt[] {
  return storePoints(
    draft,
    outputs.map((output) => ({ output, index: index(output) })),
  );
}

export function storePoints(
  draft: Draft,
  points: readonly { readonly output: ResultValue; readonly index: readonly Expr[] }[],
): readonly Stmt[] {
  const bound = bind(
    points.map(({ output, index }) => draft.elements.element(output, index)),
    draft.fresh,
  );
  const several = points.length > 1;
  const lets: Stmt[] = [];
  const stores = points.map(({ output, index }, i): Stmt => {
    let value = bound.values[i]!;
    if (several && value.kind !== "variable" && value.kind !== "constant") {
      const name = draft.fresh("y");
      lets.push(k.let(name, value));
      value = k.variable(name, value.type);
    }
    return draft.store(draft.outputs.indexOf(output), index, value);
  });
  return [...bound.statements, ...lets, ...stores];
}

/** The elements of operand 0 in their order: a reshape that could not be a view. */
export function lowerCopy(draft: Draft, node: Node): readonly Stmt[] {
  const [operand] = node.inputs;
  const [result] = node.results;
  if (!operand || !result) throw new TypeError(`${node.op} copies nothing`);
  return nestLanes(withLanes([elementAxis("i", productOf(result.type.shape))], draft.tiles), draft.fresh, ([at]) => [
    draft.store(0, at!, draft.elements.element(operand, at!)),
  ]);
}

/** An operation that writes its result itself. */
export function lowerStatements(draft: Draft): readonly Stmt[] {
  const [node] = draft.nodes;
  const rule = node && operation(node.op)?.lower;
  if (!node || rule?.kind !== "statements")
    throw new TypeError("only operations of kind statements write their results");
  return rule.statements({
    ...draft.elements.context(node),
    lanes: draft.tiles.lanes,
    fresh: draft.fresh,
    store: (index, value) => draft.store(0, index, value),
    stored: (index) => draft.stored(0, index),
  });
}
