// The order of axes in a convolution, in StableHLO's notation: "b01f,01io->b01f". Letters: b batch, f feature, i and o the
// input and output features of the kernel, digits the spatial axes.

import type { Dim } from "../dim.ts";
import { InferenceError } from "../op.ts";
import type { WindowAxis } from "./geometry.ts";

/** Positions of the axes by their role. `inner` is f of an operand and i of the kernel; `outer` is b, and o. */
interface Roles {
  readonly outer: number;
  readonly inner: number;
  readonly spatial: readonly number[];
}

export interface Layout {
  /** The letters of each operand and of the result. */
  readonly text: { readonly lhs: string; readonly kernel: string; readonly result: string };
  readonly lhs: Roles;
  readonly kernel: Roles;
  readonly result: Roles;
}

export interface ConvolutionAttributes {
  readonly layout: string;
  readonly strides: readonly number[];
  readonly padding: readonly (readonly Dim[])[];
  readonly lhs_dilation: readonly number[];
  readonly rhs_dilation: readonly number[];
  readonly groups: number;
  readonly batch_groups: number;
}

/** What was read before: lowering asks for each element that it writes out. There are few layouts. */
const layouts = new Map<string, Layout>();

/** Reads a layout; throws an InferenceError that says what is wrong with it. */
export function parseLayout(text: string): Layout {
  const known = layouts.get(text) ?? readLayout(text);
  layouts.set(text, known);
  return known;
}

function readLayout(text: string): Layout {
  const [, lhs, kernel, result] = /^([bf0-9]+),([io0-9]+)->([bf0-9]+)$/.exec(text) ?? [];
  if (!lhs || !kernel || !result)
    throw new InferenceError(`convolution: the layout "${text}" is not of the form "b01f,01io->b01f"`);
  const roles = (letters: string, outer: string, inner: string): Roles => {
    const expected = [outer, inner, ...Array.from({ length: lhs.length - 2 }, (_, i) => String(i))];
    if ([...letters].sort().join() !== [...expected].sort().join())
      throw new InferenceError(
        `convolution: "${letters}" in the layout "${text}" must name ${expected.join(", ")} once each`,
      );
    const [o, i, ...spatial] = expected.map((letter) => letters.indexOf(letter));
    return { outer: o!, inner: i!, spatial };
  };
  if (lhs.length < 3 || lhs.length > 5)
    throw new InferenceError(`convolution: the layout "${text}" must have one to three spatial axes`);
  return {
    text: { lhs, kernel, result },
    lhs: roles(lhs, "b", "f"),
    kernel: roles(kernel, "o", "i"),
    result: roles(result, "b", "f"),
  };
}

/** How the kernel slides along each spatial axis. */
export function spatialAxes(
  layout: Layout,
  attributes: ConvolutionAttributes,
  lhs: readonly Dim[],
  kernel: readonly Dim[],
): WindowAxis[] {
  return layout.lhs.spatial.map((axis, i) => ({
    size: lhs[axis]!,
    window: kernel[layout.kernel.spatial[i]!]!,
    stride: attributes.strides[i]!,
    low: attributes.padding[i]![0]!,
    high: attributes.padding[i]![1]!,
    dilation: attributes.lhs_dilation[i]!,
    windowDilation: attributes.rhs_dilation[i]!,
  }));
}

/** The letters with some replaced by others, all at once. */
export const renameLetters = (letters: string, names: Readonly<Record<string, string>>): string =>
  [...letters].map((letter) => names[letter] ?? letter).join("");
