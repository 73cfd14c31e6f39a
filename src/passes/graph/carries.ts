// Where loops keep what they carry from step to step, and how the places of a step follow from its number.

import { attribute } from "../../ir/attributes.ts";
import { addDims, type Dim, multiplyDims, productOf, symbol } from "../../ir/dim.ts";
import { bytesOf } from "../../ir/dtype.ts";
import type { Node, TensorType } from "../../ir/graph.ts";
import { partsOfScan } from "../../ir/ops/scan.ts";
import { ridesOn } from "./settle-loops.ts";

/** Where a carry lies: in one place, or, where it is also yielded, in a stack with one slot more than there are steps. */
export interface Slots {
  readonly bytes: Dim;
  /** Offsets in elements: of the first value, of what a step reads and writes, and of the last value. */
  readonly start: Dim;
  readonly now: Dim;
  readonly next: Dim;
  readonly end: Dim;
  /** The yields that lie in the stack: the values after the steps, and those before; -1 for none. With the offsets of their first slots. */
  readonly after: number;
  readonly before: number;
  readonly stackAfter: Dim;
  readonly stackBefore: Dim;
}

/** The number of the step, as a size. */
export const stepOf = ({ attributes: { index } }: Node): Dim => symbol(String(index));

/** For each value that the loop carries, in order. */
export function carriesOf(node: Node): readonly Slots[] {
  const { body, first } = partsOfScan(node);
  const { extent, reversed } = node.attributes;
  if (extent === undefined || !attribute.dim.is(extent))
    throw new TypeError("only loops have places: run open-scans before plan-memory");
  return first.map((value, i): Slots => {
    const { after, before } = ridesOn(body, first.length, i);
    const bytes = bytesOfType(value.type);
    if (after < 0 && before < 0)
      return { bytes, start: 0, now: 0, next: 0, end: 0, after, before, stackAfter: 0, stackBefore: 0 };
    const size = productOf(value.type.shape);
    const [lower, upper] = [stepOf(node), addDims(stepOf(node), 1)].map((slot) => multiplyDims(slot, size));
    const last = multiplyDims(extent, size);
    const whole = multiplyDims(addDims(extent, 1), bytes);
    return reversed
      ? {
          bytes: whole,
          start: last,
          now: upper!,
          next: lower!,
          end: 0,
          after,
          before,
          stackAfter: 0,
          stackBefore: size,
        }
      : {
          bytes: whole,
          start: 0,
          now: lower!,
          next: upper!,
          end: last,
          after,
          before,
          stackAfter: size,
          stackBefore: 0,
        };
  });
}

export const bytesOfType = (type: TensorType): Dim => multiplyDims(bytesOf[type.dtype], productOf(type.shape));
