// A kernel in the making: which values have buffers, names that are not taken yet, and the loops around a point.

import type { Dim } from "../../ir/dim.ts";
import { addDims, floorDivideDim, multiplyDims, subtractDims } from "../../ir/dim.ts";
import type { Node, ResultValue } from "../../ir/graph.ts";
import { k } from "../../ir/kernel/build.ts";
import type { Expr, LoopRole, Stmt } from "../../ir/kernel/types.ts";
import type { TileTable } from "../schedule/tiles.ts";
import type { Elements } from "./elements.ts";
import type { Bounds } from "./narrow.ts";

export interface Draft {
  /** The body: a single node, or those of a fusion. */
  readonly nodes: readonly Node[];
  readonly outputs: readonly ResultValue[];
  readonly elements: Elements;
  readonly tiles: TileTable;
  /** Whether buffers are addressed by one index over all axes. */
  readonly flat: boolean;
  /** A name that nothing else in the kernel has. */
  fresh(stem: string): string;
  /** Writes an element of output `output`. */
  store(output: number, index: readonly Expr[], value: Expr): Stmt;
  /** What was written there before. */
  stored(output: number, index: readonly Expr[]): Expr;
}

export interface LoopAxis {
  readonly stem: string;
  readonly size: Dim;
  /** Points along this axis that the body handles at once. */
  readonly width: number;
  readonly role: LoopRole;
  readonly mode: "serial" | "parallel";
  /** A loop whose variable has its name already, and that runs over a part of the axis only. */
  readonly narrowed?: { readonly name: string; readonly bounds: Bounds };
}

/**
 * Nested loops, the first axis outermost. The body gets for each axis the positions of its tile: `width` of them in the main
 * part, and what is left over in a part of its own, so that no iteration has to ask whether it is inside.
 */
export function nest(
  axes: readonly LoopAxis[],
  fresh: (stem: string) => string,
  body: (positions: readonly (readonly Expr[])[]) => readonly Stmt[],
): readonly Stmt[] {
  const around = (depth: number, positions: readonly (readonly Expr[])[]): readonly Stmt[] => {
    const axis = axes[depth];
    if (!axis) return body(positions);
    if (axis.narrowed) {
      const { name, bounds } = axis.narrowed;
      const { from, step } = bounds;
      const inside = (at: Expr) => around(depth + 1, [...positions, [at]]);
      return [k.loop(name, bounds.to, inside, { from, step, mode: axis.mode, role: axis.role })];
    }
    return parts(axis).flatMap((part) => {
      if (part.once !== undefined) return around(depth + 1, [...positions, run(part.once, part.width)]);
      const name = fresh(axis.stem);
      return [
        k.loop(name, k.fromDim(part.to), (at) => around(depth + 1, [...positions, run(at, part.width)]), {
          from: k.fromDim(part.from),
          step: part.width,
          mode: axis.mode,
          role: axis.role,
        }),
      ];
    });
  };
  return around(0, []);
}

const run = (from: Expr, width: number): readonly Expr[] => Array.from({ length: width }, (_, i) => k.add(from, i));

interface Part {
  readonly from: Dim;
  readonly to: Dim;
  readonly width: number;
  /** Where the part is a single iteration: its start. */
  readonly once?: Expr;
}

function parts({ size, width }: LoopAxis): Part[] {
  if (typeof size === "number") {
    const whole = size - (size % width);
    const found: Part[] = [];
    if (whole > 0) found.push({ from: 0, to: whole, width, ...(whole === width ? { once: k.index(0) } : {}) });
    if (whole < size) found.push({ from: whole, to: size, width: size - whole, once: k.index(whole) });
    return found;
  }
  if (width === 1) return [{ from: 0, to: size, width }];
  const whole = multiplyDims(floorDivideDim(size, width), width);
  const even = subtractDims(size, whole) === 0;
  const main = { from: 0, to: whole, width };
  return even ? [main] : [main, { from: whole, to: addDims(whole, subtractDims(size, whole)), width: 1 }];
}
