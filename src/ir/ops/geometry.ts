// How a window slides along an axis, for convolutions and for reductions over windows.

import { addDims, type Dim, equalDims, floorDivideDim, formatDim, subtractDims } from "../dim.ts";
import { k } from "../kernel/build.ts";
import type { Expr } from "../kernel/types.ts";
import { InferenceError } from "../op.ts";
import { numberOf } from "../reference.ts";
import { dilatedSize, reaches, unpad } from "./slice.ts";

export interface WindowAxis {
  /** Elements of the operand along the axis. */
  readonly size: Dim;
  readonly window: Dim;
  readonly stride: number;
  /** Places added before and after, once the operand is dilated; negative ones crop. */
  readonly low: Dim;
  readonly high: Dim;
  /** Distance between neighbouring elements of the operand: 1 for none put in between. */
  readonly dilation: number;
  /** Distance between neighbouring elements of the window. */
  readonly windowDilation: number;
}

export const dilatedWindow = ({ window, windowDilation }: WindowAxis): Dim => dilatedSize(window, windowDilation - 1);
export const dilatedOperand = ({ size, dilation }: WindowAxis): Dim => dilatedSize(size, dilation - 1);

/** How many times the window fits: ⌊(low + dilated size + high - dilated window) / stride⌋ + 1; not at all in an empty axis. */
export function windowCount(op: string, axis: WindowAxis): Dim {
  const room = addDims(addDims(dilatedOperand(axis), axis.low), axis.high);
  const slack = subtractDims(room, dilatedWindow(axis));
  if (axis.size === 0 && typeof slack === "number" && slack < 0) return 0;
  if (typeof slack === "number" && slack < 0)
    throw new InferenceError(
      `${op}: a window of ${formatDim(dilatedWindow(axis))} does not fit into an axis of ${formatDim(axis.size)}` +
        (equalDims(room, axis.size) ? "" : `, which is ${formatDim(room)} with its padding`),
      0,
    );
  return addDims(floorDivideDim(slack, axis.stride), 1);
}

/** The operand's index under element `tap` of the window at `position`; undefined where there is padding. */
export function windowPlace(axis: WindowAxis, position: number, tap: number): number | undefined {
  const place = (position * axis.stride + tap * axis.windowDilation - numberOf(axis.low)) / axis.dilation;
  return Number.isInteger(place) && place >= 0 && place < numberOf(axis.size) ? place : undefined;
}

/** The same in the kernel IR; `inside` is the constant true where nothing can fall outside. */
export function windowPlaceExpr(axis: WindowAxis, position: Expr, tap: Expr): { index: Expr; inside: Expr } {
  const place = k.add(k.multiply(position, axis.stride), k.multiply(tap, axis.windowDilation));
  return unpad(place, axis.low, axis.dilation - 1, axis.size, { below: reaches(axis.low), above: reaches(axis.high) });
}
