// Windows that slide over all axes of a tensor: their attributes, how often they fit, and which elements lie under them.

import { type AttributesOf, attribute } from "../attributes.ts";
import { type Dim, multiplyDims, productOf } from "../dim.ts";
import type { TensorType } from "../graph.ts";
import { k } from "../kernel/build.ts";
import type { Expr } from "../kernel/types.ts";
import { InferenceError } from "../op.ts";
import { eachIndex } from "../reference.ts";
import { requireKind, requirePerAxis } from "./checks.ts";
import { type WindowAxis, windowCount, windowPlace, windowPlaceExpr } from "./geometry.ts";

/** What a window looks like; each list has one entry for each axis. */
export const geometry = {
  window: attribute.ints,
  strides: attribute.ints,
  padding: attribute.dimLists,
  dilation: attribute.ints,
};
export type WindowAttributes = AttributesOf<typeof geometry>;

export function windowAxes(
  shape: readonly Dim[],
  { window, strides, padding, dilation }: WindowAttributes,
): WindowAxis[] {
  return shape.map((size, axis) => ({
    size,
    window: window[axis]!,
    stride: strides[axis]!,
    low: padding[axis]![0]!,
    high: padding[axis]![1]!,
    dilation: 1,
    windowDilation: dilation[axis]!,
  }));
}

export function windowedShape(op: string, x: TensorType, attributes: WindowAttributes): Dim[] {
  const { window, strides, padding, dilation } = attributes;
  requireKind(op, x, "number", 0);
  for (const [name, list] of Object.entries({ window, strides, padding, dilation })) requirePerAxis(op, x, name, list);
  for (const [name, list] of Object.entries({ window, strides, dilation })) {
    if (list.some((value) => value < 1))
      throw new InferenceError(`${op}: ${name} must be at least 1: [${list.join(", ")}]`);
  }
  if (padding.some((pair) => pair.length !== 2))
    throw new InferenceError(`${op}: padding must hold the places before and after for each axis`);
  return windowAxes(x.shape, attributes).map((axis) => windowCount(op, axis));
}

/** Calls `visit` with the index of each element of x under the window at `position`, in row-major order. */
export function eachPlace(
  axes: readonly WindowAxis[],
  window: readonly number[],
  position: readonly number[],
  visit: (place: readonly number[]) => void,
): void {
  eachIndex(window, (tap) => {
    const place: number[] = [];
    axes.forEach((axis, i) => {
      const at = windowPlace(axis, position[i]!, tap[i]!);
      if (at !== undefined) place.push(at);
    });
    if (place.length === axes.length) visit(place);
  });
}

/** Where element `tap` of a window lies in x. Axes whose window is 1 have no tap. */
export function placeExpr(
  shape: readonly Dim[],
  attributes: WindowAttributes,
  position: readonly Expr[],
  tap: readonly Expr[],
) {
  const places = windowAxes(shape, attributes).map((axis, i) => windowPlaceExpr(axis, position[i]!, tap[i]!));
  return {
    index: places.map((place) => place.index),
    inside: places.map((place) => place.inside).reduce(k.and, k.bool(true)),
  };
}

export const windowFlops = (
  [x]: readonly TensorType[],
  results: readonly TensorType[],
  { window }: WindowAttributes,
): Dim => multiplyDims(productOf(window), productOf((results[0] ?? x)!.shape));

/** A window, alone in its place and undilated unless said otherwise. */
export const windowOf = (
  window: readonly number[],
  strides: readonly number[] = window.map(() => 1),
  padding: readonly (readonly number[])[] = window.map(() => [0, 0]),
  dilation: readonly number[] = window.map(() => 1),
): WindowAttributes => ({ window, strides, padding, dilation });

/** Shapes of operands with windows over them. */
export const geometries: readonly (readonly [readonly number[], WindowAttributes])[] = [
  [[7], windowOf([3])],
  [[7], windowOf([2], [2])],
  [[8], windowOf([3], [2], [[1, 2]])],
  [[9], windowOf([3], [1], [[2, 0]], [2])],
  [[9], windowOf([2], [3], [[-1, 1]])],
  [[2, 5, 5, 3], windowOf([1, 2, 2, 1], [1, 2, 2, 1])],
  [
    [2, 5, 4, 2],
    windowOf(
      [1, 3, 2, 1],
      [1, 2, 1, 1],
      [
        [0, 0],
        [1, 1],
        [0, 1],
        [0, 0],
      ],
    ),
  ],
  [[0, 3], windowOf([1, 2])],
];
