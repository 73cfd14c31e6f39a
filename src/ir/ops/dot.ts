// Generalised matrix product.

import { attribute } from "../attributes.ts";
import { multiplyDims, productOf } from "../dim.ts";
import { isFloat } from "../dtype.ts";
import type { Emit } from "../emit.ts";
import type { TensorType, Value } from "../graph.ts";
import { k } from "../kernel/build.ts";
import type { Expr } from "../kernel/types.ts";
import { defineOp, InferenceError, type Sample } from "../op.ts";
import { eachIndex, linearOf, makeTensor, wrap } from "../reference.ts";
import { formatType, requireAxes, requireEqual, requireKind, requireSameDType } from "./checks.ts";
import { isDifferentiable } from "./factory.ts";
import { integers, normal } from "./samples.ts";

interface DotAttributes {
  readonly batch: readonly (readonly number[])[];
  readonly contract: readonly (readonly number[])[];
}

/** The axes of each operand by their parts. */
interface DotAxes {
  readonly batch: readonly [readonly number[], readonly number[]];
  readonly contract: readonly [readonly number[], readonly number[]];
  /** Neither batch nor contracted: they appear in the result. */
  readonly free: readonly [readonly number[], readonly number[]];
}

function axesOf({ batch, contract }: DotAttributes, ranks: readonly [number, number]): DotAxes {
  const free = (side: 0 | 1): number[] =>
    Array.from({ length: ranks[side] }, (_, axis) => axis).filter(
      (axis) => !batch[side]!.includes(axis) && !contract[side]!.includes(axis),
    );
  return {
    batch: [batch[0]!, batch[1]!],
    contract: [contract[0]!, contract[1]!],
    free: [free(0), free(1)],
  };
}

const ranksOf = ([lhs, rhs]: readonly { readonly shape: readonly unknown[] }[]): readonly [number, number] => [
  lhs!.shape.length,
  rhs!.shape.length,
];

/** The index into operand `side` of the factor that `point` of the contraction adds to `index` of the result. */
function operandIndex<T>(side: 0 | 1, axes: DotAxes, index: readonly T[], point: readonly T[]): T[] {
  const result: T[] = [];
  const { batch, contract, free } = axes;
  const skip = batch[0].length + (side === 0 ? 0 : free[0].length);
  batch[side].forEach((axis, i) => {
    result[axis] = index[i]!;
  });
  free[side].forEach((axis, i) => {
    result[axis] = index[skip + i]!;
  });
  contract[side].forEach((axis, i) => {
    result[axis] = point[i]!;
  });
  return result;
}

function infer([lhs, rhs]: readonly TensorType[], attributes: DotAttributes): readonly TensorType[] {
  for (const [name, lists] of Object.entries({ batch: attributes.batch, contract: attributes.contract })) {
    if (lists.length !== 2 || lists[0]!.length !== lists[1]!.length)
      throw new InferenceError(`dot: ${name} must hold two lists of axes of one length, for the two operands`);
  }
  requireKind("dot", lhs!, "number", 0);
  requireSameDType("dot", lhs!, rhs!, 1);
  const axes = axesOf(attributes, ranksOf([lhs!, rhs!]));
  [lhs!, rhs!].forEach((type, side) => {
    requireAxes("dot", type, [...attributes.batch[side]!, ...attributes.contract[side]!], side);
  });
  for (const part of ["batch", "contract"] as const) {
    axes[part][0].forEach((axis, i) => {
      const other = axes[part][1][i]!;
      const what = `axis ${axis} of ${formatType(lhs!)} and axis ${other} of ${formatType(rhs!)}`;
      requireEqual("dot", what, lhs!.shape[axis]!, rhs!.shape[other]!, 1);
    });
  }
  const shape = [
    ...axes.batch[0].map((axis) => lhs!.shape[axis]!),
    ...axes.free[0].map((axis) => lhs!.shape[axis]!),
    ...axes.free[1].map((axis) => rhs!.shape[axis]!),
  ];
  return [{ dtype: lhs!.dtype, shape }];
}

/**
 * The gradient with respect to one operand: another dot, of the result's gradient and the other operand over the other's free
 * axes. Of the two orders of its operands the one is taken that yields the axes in the order wanted, if either does.
 */
function operandGradient(e: Emit, side: 0 | 1, axes: DotAxes, other: Value, d: Value): Value {
  const across = side === 0 ? 1 : 0;
  const batches = axes.batch[0].length;
  const dFree = (of: 0 | 1): number[] =>
    axes.free[of].map((_, i) => batches + (of === 0 ? 0 : axes.free[0].length) + i);
  const batch = axes.batch[0].map((_, i) => i);
  // Axes of `other` that are left over come in ascending order; each belongs to a contracted axis of this operand.
  const contracted = [...axes.contract[across]].sort((a, b) => a - b);
  const mine = contracted.map((axis) => axes.contract[side][axes.contract[across].indexOf(axis)]!);
  const dFirst = [...axes.batch[side], ...axes.free[side], ...mine];
  const otherFirst = [...axes.batch[side], ...mine, ...axes.free[side]];
  const sorted = (order: readonly number[]): boolean => order.every((axis, i) => axis === i);
  const swap = sorted(otherFirst) && !sorted(dFirst);
  const pairs = [
    [batch, axes.batch[across]],
    [dFree(across), axes.free[across]],
  ].map((pair) => (swap ? pair.toReversed() : pair));
  const product = e.value("dot", swap ? [other, d] : [d, other], { batch: pairs[0]!, contract: pairs[1]! });
  const order = swap ? otherFirst : dFirst;
  return sorted(order)
    ? product
    : e.transpose(
        product,
        order.map((_, axis) => order.indexOf(axis)),
      );
}

const sample = (
  lhs: readonly number[],
  rhs: readonly number[],
  batch: readonly [readonly number[], readonly number[]],
  contract: readonly [readonly number[], readonly number[]],
): Sample<DotAttributes> => ({ inputs: [normal(...lhs), normal(...rhs)], attributes: { batch, contract } });

const dot = defineOp({
  name: "dot",
  doc:
    "Sums of products over the pairs of axes in `contract`, for each index of the pairs in `batch`. The result's axes are those of " +
    "batch, the other axes of lhs, and the other axes of rhs, each in order.",
  inputs: ["lhs", "rhs"],
  attributes: { batch: attribute.intLists, contract: attribute.intLists },
  infer,
  evaluate: ([lhs, rhs], attributes, [type]) => {
    const axes = axesOf(attributes, ranksOf([lhs!, rhs!]));
    const domain = axes.contract[0].map((axis) => lhs!.shape[axis]!);
    const { dtype, shape } = type!;
    // Where an operand's element lies is the sum of what the result's index and the point of the domain contribute.
    const at = (side: 0 | 1, index: readonly number[], point: readonly number[]): number =>
      linearOf(side === 0 ? lhs!.shape : rhs!.shape, operandIndex(side, axes, index, point));
    const origin = shape.map(() => 0);
    const offsets: (readonly [number, number])[] = [];
    eachIndex(domain, (point) => offsets.push([at(0, origin, point), at(1, origin, point)]));
    const start = domain.map(() => 0);
    return [
      makeTensor(dtype, shape, (index) => {
        const [a, b] = [at(0, index, start), at(1, index, start)];
        let sum = 0;
        for (const [i, j] of offsets) {
          const x = lhs!.data[a + i]!;
          const y = rhs!.data[b + j]!;
          sum = isFloat(dtype) ? sum + x * y : (sum + Math.imul(x, y)) | 0;
        }
        return wrap(dtype, sum);
      }),
    ];
  },
  differentiate: ({ inputs: [lhs, rhs], cotangents: [d], attributes, emit }) => {
    if (!d || !isDifferentiable(lhs!.type)) return [undefined, undefined];
    const axes = axesOf(attributes, ranksOf([lhs!.type, rhs!.type]));
    return [operandGradient(emit, 0, axes, rhs!, d), operandGradient(emit, 1, axes, lhs!, d)];
  },
  lower: {
    kind: "reduction",
    domain: ({ attributes, inputTypes }) => attributes.contract[0]!.map((axis) => inputTypes[0]!.shape[axis]!),
    accumulators: ({ resultTypes }) => [k.constant(0, resultTypes[0]!.dtype)],
    step: (context, index, point, [sum]): readonly Expr[] => {
      const axes = axesOf(context.attributes, ranksOf(context.inputTypes));
      const a = context.input(0, operandIndex(0, axes, index, point));
      const b = context.input(1, operandIndex(1, axes, index, point));
      return [k.add(sum!, k.multiply(a, b))];
    },
    contraction: ({ attributes, inputTypes }) => {
      const { batch, free } = axesOf(attributes, ranksOf(inputTypes));
      const m = free[0].map((_, i) => batch[0].length + i);
      return { m, n: free[1].map((_, i) => batch[0].length + m.length + i) };
    },
  },
  flops: ([lhs], [result], { contract }) =>
    multiplyDims(2, multiplyDims(productOf(result!.shape), productOf(contract[0]!.map((axis) => lhs!.shape[axis]!)))),
  samples: [
    sample([3, 5], [5, 4], [[], []], [[1], [0]]),
    sample([3, 5], [4, 5], [[], []], [[1], [1]]),
    sample([5, 3], [5, 4], [[], []], [[0], [0]]),
    sample([5], [5], [[], []], [[0], [0]]),
    sample([3], [4], [[], []], [[], []]),
    sample([2, 3, 4], [4], [[], []], [[2], [0]]),
    sample([2, 3, 4], [2, 4, 5], [[0], [0]], [[2], [1]]),
    sample(
      [3, 2, 4, 2],
      [4, 2, 3],
      [
        [1, 0],
        [1, 2],
      ],
      [[2], [0]],
    ),
    sample(
      [2, 3, 4],
      [4, 3, 5],
      [[], []],
      [
        [1, 2],
        [1, 0],
      ],
    ),
    sample([0, 3], [3, 2], [[], []], [[1], [0]]),
    sample([2, 0], [0, 3], [[], []], [[1], [0]]),
    sample([1, 1], [1, 7], [[], []], [[1], [0]]),
    {
      inputs: [integers(-99, 99, [2, 3]), integers(-99, 99, [3, 2])],
      attributes: { batch: [[], []], contract: [[1], [0]] },
    },
  ],
});

export const dotOperations = [dot];
