// Gradients of convolutions, as convolutions with other layouts, so that they can be differentiated again.

import { type Dim, divideExactly, multiplyDims, subtractDims } from "../dim.ts";
import type { Emit } from "../emit.ts";
import type { Value } from "../graph.ts";
import {
  type ConvolutionAttributes,
  type Layout,
  parseLayout,
  renameLetters,
  spatialAxes,
} from "./convolution-layout.ts";
import { dilatedOperand, dilatedWindow, type WindowAxis } from "./geometry.ts";
import { dilatedSize } from "./slice.ts";

interface Convolution {
  readonly lhs: Value;
  readonly kernel: Value;
  readonly attributes: ConvolutionAttributes;
}

/** a - b - c … */
const minus = (a: Dim, ...rest: readonly Dim[]): Dim => rest.reduce<Dim>(subtractDims, a);
const spreadGradient = (axis: WindowAxis, d: Dim): Dim => dilatedSize(d, axis.stride - 1);

/**
 * With respect to lhs: the gradient, its elements as far apart as the strides, under the kernel reversed, from the kernel's outputs
 * to its inputs. Padding before is (dilated kernel - 1 - low); after, whatever gives the size of lhs.
 */
export function lhsGradient(e: Emit, { lhs, kernel, attributes }: Convolution, d: Value): Value {
  const layout = parseLayout(attributes.layout);
  const axes = spatialAxes(layout, attributes, lhs.type.shape, kernel.type.shape);
  const padding = axes.map((axis, i) => {
    const low = minus(dilatedWindow(axis), 1, axis.low);
    const spread = spreadGradient(axis, d.type.shape[layout.result.spatial[i]!]!);
    return [low, minus(dilatedOperand(axis), spread, low, minus(1, dilatedWindow(axis)))];
  });
  const parts = Math.max(attributes.groups, attributes.batch_groups);
  const swapped = swapFeatures(e, reverseSpatial(e, kernel, layout), layout, parts);
  const gradient = e.value("convolution", [d, swapped.kernel], {
    layout: `${layout.text.result},${swapped.letters}->${layout.text.lhs}`,
    strides: attributes.lhs_dilation,
    padding,
    lhs_dilation: attributes.strides,
    rhs_dilation: attributes.rhs_dilation,
    groups: parts,
    batch_groups: 1,
  });
  return attributes.batch_groups === 1 ? gradient : featuresToBatch(e, gradient, layout, parts, lhs);
}

function reverseSpatial(e: Emit, kernel: Value, layout: Layout): Value {
  const axes = layout.kernel.spatial.filter((axis) => kernel.type.shape[axis] !== 1);
  return axes.length === 0 ? kernel : e.value("reverse", [kernel], { axes });
}

/**
 * The kernel from outputs to inputs. In one group the letters i and o change places. In several, o = (group, m) and i = c must
 * become o = (group, c) and i = m; where c is 1, as in depthwise convolutions, no element moves.
 */
function swapFeatures(e: Emit, kernel: Value, layout: Layout, groups: number): { kernel: Value; letters: string } {
  const letters = layout.text.kernel;
  if (groups === 1) return { kernel, letters: renameLetters(letters, { i: "o", o: "i" }) };
  const { shape } = kernel.type;
  const outputs = shape[layout.kernel.outer]!;
  const perGroup = divideExactly(outputs, groups) ?? outputs;
  const inputs = shape[layout.kernel.inner]!;
  // Depthwise, with one output a channel: inputs and outputs are the groups.
  if (inputs === 1 && perGroup === 1) return { kernel, letters };
  // One letter an axis: g group, m outputs of a group, c inputs of a group.
  const split = [...letters].flatMap((letter) => (letter === "o" ? ["g", "m"] : letter === "i" ? ["c"] : [letter]));
  const sizes = [...letters].flatMap((letter, axis) => (letter === "o" ? [groups, perGroup] : [shape[axis]!]));
  if (inputs === 1) {
    const kept = split.map((_, axis) => axis).filter((axis) => split[axis] !== "c");
    const merged = kept.map((axis) => sizes[axis]!);
    const text = kept.map((axis) => split[axis]!).join("");
    return { kernel: e.reshape(kernel, merged), letters: renameLetters(text, { g: "o", m: "i" }) };
  }
  const digits = split.filter((letter) => /\d/.test(letter));
  const order = [...digits, "g", "c", "m"].map((letter) => split.indexOf(letter));
  const moved = e.transpose(e.reshape(kernel, sizes), order);
  const spatial = digits.map((letter) => sizes[split.indexOf(letter)]!);
  return {
    kernel: e.reshape(moved, [...spatial, multiplyDims(groups, inputs), perGroup]),
    letters: `${digits.join("")}oi`,
  };
}

/** With batch groups the features come out as (group, feature), and the groups belong before the batch. */
function featuresToBatch(e: Emit, gradient: Value, layout: Layout, groups: number, lhs: Value): Value {
  const letters = [...layout.text.lhs];
  const { shape } = gradient.type;
  const features = lhs.type.shape[layout.lhs.inner]!;
  const split = letters.flatMap((letter) => (letter === "f" ? ["g", "f"] : [letter]));
  const sizes = letters.flatMap((letter, axis) => (letter === "f" ? [groups, features] : [shape[axis]!]));
  const order = letters
    .flatMap((letter) => (letter === "b" ? ["g", "b"] : [letter]))
    .map((name) => split.indexOf(name));
  return e.reshape(e.transpose(e.reshape(gradient, sizes), order), lhs.type.shape);
}

/**
 * With respect to the kernel: lhs under the gradient, with the roles of batch and feature exchanged: the batch is what is summed
 * over. Strides and the kernel's dilation change places. Groups become batch groups, and the other way round.
 */
export function kernelGradient(e: Emit, { lhs, kernel, attributes }: Convolution, d: Value): Value {
  const layout = parseLayout(attributes.layout);
  const axes = spatialAxes(layout, attributes, lhs.type.shape, kernel.type.shape);
  const padding = axes.map((axis, i) => {
    const spread = spreadGradient(axis, d.type.shape[layout.result.spatial[i]!]!);
    return [axis.low, minus(spread, dilatedOperand(axis), axis.low, minus(1, dilatedWindow(axis)))];
  });
  const { text } = layout;
  const from = renameLetters(text.lhs, { b: "f", f: "b" });
  const by = renameLetters(text.result, { b: "i", f: "o" });
  const to = renameLetters(text.kernel, { i: "b", o: "f" });
  return e.value("convolution", [lhs, d], {
    layout: `${from},${by}->${to}`,
    strides: attributes.rhs_dilation,
    padding,
    lhs_dilation: attributes.lhs_dilation,
    rhs_dilation: attributes.strides,
    groups: attributes.batch_groups,
    batch_groups: attributes.groups,
  });
}
