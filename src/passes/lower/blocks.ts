// Products with a matrix that is never held: for a few of its rows at a time, a block of its elements goes to scratch memory and is
// used up before the next block comes. Attention and its gradients are lowered by these steps.

import { type Dim, floorDivideDim, multiplyDims, subtractDims } from "../../ir/dim.ts";
import type { Value } from "../../ir/graph.ts";
import { k } from "../../ir/kernel/build.ts";
import type { Expr, Stmt } from "../../ir/kernel/types.ts";
import { type Mixture, productsIn } from "../graph/attention.ts";
import { numbers } from "../graph/fuse-roles.ts";
import { accumulate } from "./accumulate.ts";
import { accumulateLanes } from "./accumulate-lanes.ts";
import { bind } from "./bind.ts";
import { type Draft, inLanes, type LoopAxis, nest, nestLanes } from "./draft.ts";
import { storePoints } from "./loop.ts";
import { type Reduction, reductionOf } from "./registers.ts";
import { stridesOf } from "./strides.ts";

/** A mixture in the making, and the names of its scratch arrays. */
export interface Mixing {
  readonly mixture: Mixture;
  readonly features: number;
  /** Elements of the matrix: a row of a block for each row of the tile. */
  readonly block: string;
  /** The sums so far: a row for each row of the tile. */
  readonly mixed: string;
}

/** An index of the matrix whose position along the summed axis is left open. */
export type Row = readonly Expr[];

export const f32 = (value: number): Expr => k.constant(value, "f32");

export function mixingOf(draft: Draft, mixture: Mixture): Mixing {
  const features = Number(mixture.node.results[0]!.type.shape[mixture.feature]);
  return { mixture, features, block: draft.fresh("weights"), mixed: draft.fresh("mixed") };
}

export function scratchOf({ tiles: { attention } }: Draft, { block, mixed, features }: Mixing): readonly Stmt[] {
  return [
    k.alloc(block, "f32", attention.queries * attention.block),
    k.alloc(mixed, "f32", attention.queries * features),
  ];
}

/** Loops over all axes of the matrix but the summed one, a few rows at a time. */
export function overRows(
  { tiles, fresh }: Draft,
  { matrix, summed, row }: Mixture,
  body: (rows: readonly Row[]) => readonly Stmt[],
): readonly Stmt[] {
  const { shape } = matrix.type;
  const others = shape.flatMap((_, axis) => (axis === summed || axis === row ? [] : [axis]));
  const order = [...others, row];
  const axes = order.map((axis): LoopAxis => {
    const inTiles = axis === row;
    const width = inTiles ? tiles.attention.queries : 1;
    return { stem: `i${axis}`, size: shape[axis]!, width, role: inTiles ? "m" : "batch", mode: "parallel" };
  });
  return nest(axes, fresh, (positions) =>
    body(
      positions.at(-1)!.map((_, i) => {
        const index: Expr[] = shape.map(() => k.index(0));
        positions.forEach((list, axis) => {
          index[order[axis]!] = list[axis === order.length - 1 ? i : 0]!;
        });
        return index;
      }),
    ),
  );
}

export const elementsAxis = (draft: Draft, size: Dim): LoopAxis => ({
  stem: "j",
  size,
  width: 1,
  role: "element",
  mode: "serial",
  ...(draft.tiles.lanes > 1 && (typeof size !== "number" || size >= 4) ? { lanes: 4 as const } : {}),
});

/** Sets the sums of so many rows to 0. */
export function clearSums(draft: Draft, { mixed, features }: Mixing, rows: number): readonly Stmt[] {
  return nestLanes([elementsAxis(draft, rows * features)], draft.fresh, ([at]) => [k.store(mixed, at![0]!, f32(0))]);
}

/** A stretch of the summed axis. */
export interface Stretch {
  readonly from: Expr;
  readonly size: Dim;
}

/** Whole blocks of the summed axis, then what is left. */
export function overBlocks(
  { tiles, fresh }: Draft,
  { matrix, summed }: Mixture,
  body: (stretch: Stretch) => readonly Stmt[],
): readonly Stmt[] {
  const { block } = tiles.attention;
  const length = matrix.type.shape[summed]!;
  const whole = multiplyDims(floorDivideDim(length, block), block);
  const rest = subtractDims(length, whole);
  const inside = (from: Expr) => body({ from, size: block });
  const loop = whole === 0 ? [] : [k.loop(fresh("s"), k.fromDim(whole), inside, { step: block, role: "k" })];
  return [...loop, ...(rest === 0 ? [] : body({ from: k.fromDim(whole), size: rest }))];
}

/** Computes matrices, from the products that they follow from, at some rows of a stretch, and stores them to their blocks. */
export function fillBlocks(
  draft: Draft,
  targets: readonly { readonly matrix: Value; readonly block: string }[],
  summed: number,
  rows: readonly Row[],
  { from, size }: Stretch,
): readonly Stmt[] {
  const products = new Set(targets.flatMap(({ matrix }) => productsIn(matrix, new Set())));
  const { keys: width, block: blockLength } = draft.tiles.attention;
  const axis: LoopAxis = { stem: "n", size, width, role: "n", mode: "serial" };
  return nest([axis], draft.fresh, ([columns]) => {
    const places = columns!.flatMap((column) =>
      rows.map((row, i) => ({ point: row.with(summed, k.add(from, column)), at: k.add(i * blockLength, column) })),
    );
    const points = places.map(({ point }) => point);
    const sums = [...products].flatMap((node) => {
      const product = reductionOf(draft, node);
      const { inner } = stridesOf([product], draft.tiles);
      return (
        (inner ? accumulateLanes(draft, [product], points, "k") : undefined) ??
        accumulate(draft, [product], points, "k")
      );
    });
    const stores = targets.flatMap(({ matrix, block }) =>
      places.map(({ point, at }) => ({ matrix, block, point, at })),
    );
    const bound = bind(
      stores.map(({ matrix, point }) => draft.elements.element(matrix, point)),
      draft.fresh,
    );
    return [...sums, ...bound.statements, ...stores.map(({ block, at }, i) => k.store(block, at, bound.values[i]!))];
  });
}

/** Adds the values that a block mixes to the sums, which are scaled by `scales` (one for each row) before. */
export function mixBlock(
  draft: Draft,
  mixing: Mixing,
  rows: readonly Row[],
  { from, size }: Stretch,
  scales?: readonly Expr[],
): readonly Stmt[] {
  const { mixture, mixed } = mixing;
  const product = productOf(draft, mixing, rows, from);
  const part: Reduction = {
    ...product,
    rule: {
      ...product.rule,
      domain: () => [size],
      step: (context, index, point, sums) => product.rule.step(context, index, [k.add(from, point[0]!)], sums),
    },
  };
  const sums = overFeatures(draft, mixing, part, rows, (places) => [
    ...accumulate(
      draft,
      [part],
      places.map(({ index }) => index),
      "k",
    ),
    ...places.map(({ index, row, at }) => {
      const before = k.load(mixed, at, "f32");
      const scaled = scales ? k.multiply(before, scales[row]!) : before;
      return k.store(mixed, at, k.add(scaled, draft.elements.element(mixture.node.results[0]!, index)));
    }),
  ]);
  return [k.block("values", sums)];
}

/** The product of a mixture, with elements of the matrix read from the block that begins at `from`. */
function productOf(draft: Draft, { mixture, block }: Mixing, rows: readonly Row[], from: Expr): Reduction {
  const { node, side, row, summed } = mixture;
  const product = reductionOf(draft, node);
  const { context } = product;
  return {
    ...product,
    context: {
      ...context,
      input: (operand, index) => {
        if (operand !== side) return context.input(operand, index);
        const line = k.multiply(k.subtract(index[row]!, rows[0]![row]!), draft.tiles.attention.block);
        return k.load(block, k.add(line, k.subtract(index[summed]!, from)), "f32");
      },
    },
  };
}

interface Place {
  /** In the result of the mixture. */
  readonly index: readonly Expr[];
  readonly row: number;
  /** Where its sum waits. */
  readonly at: Expr;
}

/** All features of some rows, in vectors where the values lie so. */
function overFeatures(
  draft: Draft,
  { mixture, features }: Mixing,
  product: Reduction,
  rows: readonly Row[],
  body: (places: readonly Place[]) => readonly Stmt[],
): readonly Stmt[] {
  const { lanes, attention: tile } = draft.tiles;
  const vectors = lanes > 1 && features >= lanes && stridesOf([product], draft.tiles).contiguous.has(mixture.feature);
  const width = vectors ? Math.min(features - (features % lanes), tile.features) : 2;
  const axis: LoopAxis = {
    stem: "n",
    size: features,
    width,
    role: "n",
    mode: "serial",
    ...(vectors ? { lanes: 4 } : {}),
  };
  return nest([axis], draft.fresh, ([columns], { vector }) =>
    inLanes(vector ? draft.fresh("lane") : "", vector, "n", (lane) =>
      body(
        columns!.flatMap((first) =>
          rows.map((position, row): Place => {
            const feature = k.add(first, lane);
            const index: Expr[] = mixture.axes.map(() => feature);
            mixture.axes.forEach((axis, i) => {
              if (axis >= 0) index[axis] = position[i]!;
            });
            index[mixture.feature] = feature;
            return { index, row, at: k.add(row * features, feature) };
          }),
        ),
      ),
    ),
  );
}

/** Stores the sums, each as `finish` makes of it, to the output that the mixture is, or is the transpose of. */
export function storeSums(
  draft: Draft,
  mixing: Mixing,
  rows: readonly Row[],
  finish: (sum: Expr, row: number) => Expr = (sum) => sum,
): readonly Stmt[] {
  const { mixture, mixed } = mixing;
  const result = mixture.node.results[0]!;
  const output = draft.outputs.find(({ node }) => node === mixture.node || node.inputs[0] === result)!;
  const permutation = output.node === mixture.node ? undefined : numbers(output.node.attributes.permutation);
  return overFeatures(draft, mixing, productOf(draft, mixing, rows, k.index(0)), rows, (places) =>
    storePoints(
      draft,
      places.map(({ index, row, at }) => {
        draft.elements.define(result, index, finish(k.load(mixed, at, "f32"), row));
        return { output, index: permutation ? permutation.map((axis) => index[axis]!) : index };
      }),
    ),
  );
}
