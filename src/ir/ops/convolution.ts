// Convolution over one to three spatial axes, with any order of axes.

import { attribute } from "../attributes.ts";
import { type Dim, divideExactly, multiplyDims, productOf } from "../dim.ts";
import { isFloat } from "../dtype.ts";
import type { TensorType } from "../graph.ts";
import { k } from "../kernel/build.ts";
import type { Expr } from "../kernel/types.ts";
import { defineOp, InferenceError, type LoweringContext } from "../op.ts";
import { eachIndex, linearOf, makeTensor, stridesOf, wrap } from "../reference.ts";
import { formatType, requireEqual, requireKind, requireSameDType } from "./checks.ts";
import { kernelGradient, lhsGradient } from "./convolution-gradient.ts";
import { type ConvolutionAttributes, type Layout, parseLayout, spatialAxes } from "./convolution-layout.ts";
import { convolutionSamples } from "./convolution-samples.ts";
import { windowCount, windowPlace, windowPlaceExpr } from "./geometry.ts";

/** Entries of `list` put at the positions of their roles. */
function arrange<T>(
  roles: { outer: number; inner: number; spatial: readonly number[] },
  outer: T,
  inner: T,
  spatial: readonly T[],
): T[] {
  const result: T[] = [];
  result[roles.outer] = outer;
  result[roles.inner] = inner;
  roles.spatial.forEach((axis, i) => {
    result[axis] = spatial[i]!;
  });
  return result;
}

function requireSpatial(layout: Layout, attributes: ConvolutionAttributes): void {
  const count = layout.lhs.spatial.length;
  const { strides, padding, lhs_dilation, rhs_dilation, groups, batch_groups } = attributes;
  for (const [name, list] of Object.entries({ strides, padding, lhs_dilation, rhs_dilation })) {
    if (list.length !== count)
      throw new InferenceError(`convolution: ${name} has ${list.length} entries for ${count} spatial axes`);
  }
  if (padding.some((pair) => pair.length !== 2))
    throw new InferenceError("convolution: padding must hold the places before and after for each spatial axis");
  for (const [name, list] of Object.entries({
    strides,
    lhs_dilation,
    rhs_dilation,
    groups: [groups],
    batch_groups: [batch_groups],
  })) {
    if (list.some((value) => value < 1)) throw new InferenceError(`convolution: ${name} must be at least 1`);
  }
  if (groups > 1 && batch_groups > 1)
    throw new InferenceError("convolution: groups and batch_groups exclude each other");
}

function infer([lhs, kernel]: readonly TensorType[], attributes: ConvolutionAttributes): readonly TensorType[] {
  const layout = parseLayout(attributes.layout);
  requireKind("convolution", lhs!, "number", 0);
  requireSameDType("convolution", lhs!, kernel!, 1);
  const rank = layout.text.lhs.length;
  [lhs!, kernel!].forEach((type, i) => {
    if (type.shape.length !== rank)
      throw new InferenceError(`convolution: ${formatType(type)} does not fit the layout "${attributes.layout}"`, i);
  });
  requireSpatial(layout, attributes);
  const { groups, batch_groups } = attributes;
  const inputs = multiplyDims(groups, kernel!.shape[layout.kernel.inner]!);
  const features = `the features of ${formatType(lhs!)} and those that ${formatType(kernel!)} takes in ${groups} groups`;
  requireEqual("convolution", features, lhs!.shape[layout.lhs.inner]!, inputs, 1);
  const outputs = kernel!.shape[layout.kernel.outer]!;
  const batch = divideExactly(lhs!.shape[layout.lhs.outer]!, batch_groups);
  if (batch === undefined)
    throw new InferenceError(
      `convolution: the batch of ${formatType(lhs!)} does not divide by ${batch_groups} groups`,
      0,
    );
  if (divideExactly(outputs, groups * batch_groups) === undefined)
    throw new InferenceError(
      `convolution: the output features of ${formatType(kernel!)} do not divide by ${groups * batch_groups} groups`,
      1,
    );
  const spatial = spatialAxes(layout, attributes, lhs!.shape, kernel!.shape).map((axis) =>
    windowCount("convolution", axis),
  );
  return [{ dtype: lhs!.dtype, shape: arrange<Dim>(layout.result, batch, outputs, spatial) }];
}

/** Axes of the kernel that are summed over, in the kernel's own order, so that it is read as it lies in memory. */
const summedAxes = ({ kernel, text }: Layout): number[] =>
  [...text.kernel].map((_, axis) => axis).filter((axis) => axis !== kernel.outer);

/** The factors for one point of the domain: indices into both operands, and whether the one of lhs is there at all. */
function factors(context: LoweringContext<ConvolutionAttributes>, index: readonly Expr[], point: readonly Expr[]) {
  const { attributes, inputTypes } = context;
  const layout = parseLayout(attributes.layout);
  const [lhs, kernel] = inputTypes;
  const tap: Expr[] = [];
  summedAxes(layout).forEach((axis, i) => {
    tap[axis] = point[i]!;
  });
  const output = index[layout.result.inner]!;
  tap[layout.kernel.outer] = output;
  const outputs = kernel!.shape[layout.kernel.outer]!;
  const part = (groups: number): Expr =>
    groups === 1 ? k.index(0) : k.floordiv(output, k.fromDim(divideExactly(outputs, groups) ?? 1));
  const inputs = k.fromDim(kernel!.shape[layout.kernel.inner]!);
  const feature = k.add(k.multiply(part(attributes.groups), inputs), tap[layout.kernel.inner]!);
  const rows = k.fromDim(divideExactly(lhs!.shape[layout.lhs.outer]!, attributes.batch_groups) ?? 1);
  const batch = k.add(k.multiply(part(attributes.batch_groups), rows), index[layout.result.outer]!);
  const places = spatialAxes(layout, attributes, lhs!.shape, kernel!.shape).map((axis, i) =>
    windowPlaceExpr(axis, index[layout.result.spatial[i]!]!, tap[layout.kernel.spatial[i]!]!),
  );
  return {
    lhs: arrange(
      layout.lhs,
      batch,
      feature,
      places.map((place) => place.index),
    ),
    kernel: tap,
    inside: places.map((place) => place.inside).reduce(k.and, k.bool(true)),
  };
}

const convolution = defineOp({
  name: "convolution",
  doc:
    "result[b, o, p] = Σ lhs[b, i, p·stride + t·rhs_dilation - low] · kernel[t, i, o] over the taps t and input features i, without " +
    "reversal (cross-correlation). lhs_dilation puts zeros between the elements of lhs, padding zeros around (negative padding crops). " +
    "With groups, output feature o of group g reads the input features g·(inputs / groups) + i; with batch_groups it reads the " +
    "batches g·(batch / batch_groups) + b. `layout` gives the order of axes as StableHLO does.",
  inputs: ["lhs", "kernel"],
  attributes: {
    layout: attribute.text,
    strides: attribute.ints,
    padding: attribute.dimLists,
    lhs_dilation: attribute.ints,
    rhs_dilation: attribute.ints,
    groups: attribute.int,
    batch_groups: attribute.int,
  },
  infer,
  evaluate: ([lhs, kernel], attributes, [type]) => {
    const layout = parseLayout(attributes.layout);
    const { dtype, shape } = type!;
    const axes = spatialAxes(layout, attributes, lhs!.shape, kernel!.shape);
    const [inputs, outputs] = [kernel!.shape[layout.kernel.inner]!, kernel!.shape[layout.kernel.outer]!];
    const rows = lhs!.shape[layout.lhs.outer]! / attributes.batch_groups;
    const taps = layout.kernel.spatial.map((axis) => kernel!.shape[axis]!);
    const lhsStep = stridesOf(lhs!.shape)[layout.lhs.inner]!;
    const kernelStep = stridesOf(kernel!.shape)[layout.kernel.inner]!;
    return [
      makeTensor(dtype, shape, (index) => {
        const output = index[layout.result.inner]!;
        const part = (groups: number): number => Math.floor(output / (outputs / groups));
        const batch = part(attributes.batch_groups) * rows + index[layout.result.outer]!;
        let sum = 0;
        eachIndex(taps, (tap) => {
          const places = axes.map((axis, i) => windowPlace(axis, index[layout.result.spatial[i]!]!, tap[i]!));
          const inside = places.flatMap((place) => place ?? []);
          if (inside.length < places.length) return;
          const feature = part(attributes.groups) * inputs;
          // The input features lie at a fixed distance in both operands.
          let a = linearOf(lhs!.shape, arrange(layout.lhs, batch, feature, inside));
          let b = linearOf(kernel!.shape, arrange(layout.kernel, output, 0, tap));
          for (let i = 0; i < inputs; i++, a += lhsStep, b += kernelStep) {
            const x = lhs!.data[a]!;
            const w = kernel!.data[b]!;
            sum = isFloat(dtype) ? sum + x * w : (sum + Math.imul(x, w)) | 0;
          }
        });
        return wrap(dtype, sum);
      }),
    ];
  },
  differentiate: ({ inputs: [lhs, kernel], cotangents: [d], attributes, emit }) => {
    if (!d || !isFloat(lhs!.type.dtype)) return [undefined, undefined];
    const node = { lhs: lhs!, kernel: kernel!, attributes };
    return [lhsGradient(emit, node, d), kernelGradient(emit, node, d)];
  },
  lower: {
    kind: "reduction",
    domain: ({ attributes, inputTypes }) =>
      summedAxes(parseLayout(attributes.layout)).map((axis) => inputTypes[1]!.shape[axis]!),
    accumulators: ({ resultTypes }) => [k.constant(0, resultTypes[0]!.dtype)],
    step: (context, index, point, [sum]) => {
      const at = factors(context, index, point);
      const a = k.select(at.inside, context.input(0, at.lhs), 0);
      return [k.add(sum!, k.multiply(a, context.input(1, at.kernel)))];
    },
    contraction: ({ attributes }) => {
      const { result } = parseLayout(attributes.layout);
      const m = [result.outer, ...result.spatial].sort((a, b) => a - b);
      // In groups the output feature also decides what is read of lhs.
      return { m, n: attributes.groups * attributes.batch_groups === 1 ? [result.inner] : [] };
    },
  },
  flops: ([, kernel], [result], { layout }) => {
    const taps = productOf(kernel!.shape.with(parseLayout(layout).kernel.outer, 1));
    return multiplyDims(2, multiplyDims(productOf(result!.shape), taps));
  },
  samples: convolutionSamples,
});

export const convolutionOperations = [convolution];
