// Loops over all elements of results of one shape, and operations that write their results by statements of their own.

import type { Dim } from "../../ir/dim.ts";
import { equalShapes, productOf } from "../../ir/dim.ts";
import type { Node, ResultValue } from "../../ir/graph.ts";
import { k } from "../../ir/kernel/build.ts";
import type { Expr, Stmt } from "../../ir/kernel/types.ts";
import { operation } from "../../ir/ops/index.ts";
import { isElementwise } from "../graph/fuse-roles.ts";
import type { Access, Iteration } from "../graph/iteration.ts";
import { substitute } from "../kernel/rewrite.ts";
import type { Interval } from "../schedule/reduction.ts";
import type { TileTable } from "../schedule/tiles.ts";
import { combinationsOf } from "./advance.ts";
import { bind } from "./bind.ts";
import { type Draft, type LoopAxis, nestLanes } from "./draft.ts";
import { conditionsOn, intervalOf } from "./interior.ts";
import { assume } from "./narrow.ts";

/** Element loops: every output at every index. */
export function lowerLoop(draft: Draft, iteration: Iteration): readonly Stmt[] {
  const { shape } = iteration;
  if (draft.flat) {
    const axes = withLanes([elementAxis("i", productOf(shape))], draft.tiles);
    return nestLanes(axes, draft.fresh, ([at]) => storeAll(draft, draft.outputs, () => [at![0]!]));
  }
  const at = (index: readonly Expr[]): readonly Expr[] =>
    draft.outputs.map((output) => draft.elements.element(output, indexBy(iteration.access.get(output)!, index)));
  const values = at(shape.map((_, axis) => k.variable(`?${axis}`, "index")));
  const plain = shape.map((size, axis) => elementAxis(`i${axis}`, size));
  const axes = draft.tiles.cutsLoops
    ? withInteriors(withLanes(writtenOut(plain, values), draft.tiles), values)
    : withLanes(plain, draft.tiles);
  return nestLanes(axes, draft.fresh, (positions, { inside }) => {
    const places = combinationsOf(positions);
    const points = places.flatMap((index) =>
      draft.outputs.map((output) => ({ output, index: indexBy(iteration.access.get(output)!, index) })),
    );
    const known = inside.length > 0 ? places.flatMap((index) => between(inside, index, at)) : undefined;
    return storePoints(draft, points, known);
  });
}

/** The longest axis whose positions are written out where conditions depend on them, as in results that are laid side by side. */
const longestWritten = 4;

const writtenOut = (axes: readonly LoopAxis[], values: readonly Expr[]): readonly LoopAxis[] =>
  axes.map((axis, i) => {
    const { size } = axis;
    const isShort = typeof size === "number" && size > 1 && size <= longestWritten;
    if (!isShort || conditionsOn(`?${i}`, values).length === 0) return axis;
    return { ...axis, written: Array.from({ length: size }, (_, at) => k.index(at)) };
  });

/** Borders may be this part of an axis, at most: else there is no telling which side is the usual one. */
const mostBorder = 1 / 4;

/**
 * Where conditions bound the axis of vectors, as those of padding do, there are no vectors at borders, and no conditions between them.
 * The same goes for the axis before it.
 */
function withInteriors(axes: readonly LoopAxis[], values: readonly Expr[]): readonly LoopAxis[] {
  const last = axes.findIndex(({ lanes }) => lanes);
  const interior = interiorIn(axes, last, values);
  if (!interior) return axes;
  const before = axes.findLastIndex((_, axis) => axis < last && interiorIn(axes, axis, values) !== undefined);
  const at = before < 0 ? undefined : interiorIn(axes, before, values);
  return axes.map((axis, i) =>
    i === last ? { ...axis, interior } : i === before && at ? { ...axis, interior: at } : axis,
  );
}

function interiorIn(axes: readonly LoopAxis[], axis: number, values: readonly Expr[]): Interval | undefined {
  const size = axes[axis]?.size;
  const interior = typeof size === "number" ? intervalOf(values, `?${axis}`, size, new Map()) : undefined;
  if (!interior || typeof size !== "number") return undefined;
  const border = size - (interior[1] - interior[0]);
  return border > 0 && border <= mostBorder * size ? interior : undefined;
}

/** The values at a point between the borders of some axes, where all conditions on these hold. */
function between(
  axes: readonly number[],
  index: readonly Expr[],
  at: (index: readonly Expr[]) => readonly Expr[],
): readonly Expr[] {
  const names = axes.map((axis) => `?${axis}`);
  const general = at(index.map((place, axis) => (axes.includes(axis) ? k.variable(`?${axis}`, "index") : place)));
  const position = new Map(axes.map((axis, i) => [names[i]!, index[axis]!]));
  return general.map((value) =>
    substitute(
      assume(
        value,
        names.flatMap((name) => conditionsOn(name, [value])),
      ),
      position,
    ),
  );
}

const elementAxis = (stem: string, size: Dim): LoopAxis => ({
  stem,
  size,
  width: 1,
  role: "element",
  mode: "parallel",
});

/** The last axis, but for those of size 1 or written out, in vectors, where the target has them and they fit. */
export function withLanes(axes: readonly LoopAxis[], tiles: TileTable): readonly LoopAxis[] {
  const { lanes } = tiles;
  const last = axes.findLastIndex(({ size, written }) => size !== 1 && !written);
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
  values: readonly Expr[] = points.map(({ output, index }) => draft.elements.element(output, index)),
): readonly Stmt[] {
  const bound = bind(values, draft.fresh);
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
