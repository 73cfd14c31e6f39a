// Where the elements of a reshaped tensor come from. Shapes are matched group by group, so that splitting or merging axes
// keeps indices affine, and only what truly crosses axes needs quotients and remainders.

import { type Dim, divideExactly, equalDims, multiplyDims } from "../dim.ts";
import { k } from "../kernel/build.ts";
import type { Expr } from "../kernel/types.ts";

/** Axes `[from, to)` of both shapes that hold the same number of elements. */
interface Group {
  readonly source: readonly [number, number];
  readonly target: readonly [number, number];
}

/** Splits two shapes of equal size into the smallest groups of neighbouring axes of equal size. */
export function matchAxes(source: readonly Dim[], target: readonly Dim[]): Group[] {
  const groups: Group[] = [];
  let [s, t] = [0, 0];
  while (s < source.length && t < target.length) {
    const start = [s, t] as const;
    let a: Dim = source[s++]!;
    let b: Dim = target[t++]!;
    while (!equalDims(a, b)) {
      const grow = smaller(a, b);
      if (grow === "source" && s < source.length) a = multiplyDims(a, source[s++]!);
      else if (grow === "target" && t < target.length) b = multiplyDims(b, target[t++]!);
      else {
        // Nothing is known of the order of these sizes: the rest is one group.
        s = source.length;
        t = target.length;
        break;
      }
    }
    groups.push({ source: [start[0], s], target: [start[1], t] });
  }
  // What is left has size 1 (or the tensor is empty), and may stand alone.
  if (s < source.length || t < target.length) groups.push({ source: [s, source.length], target: [t, target.length] });
  return groups;
}

function smaller(a: Dim, b: Dim): "source" | "target" | undefined {
  if (typeof a === "number" && typeof b === "number") return a < b ? "source" : "target";
  if (divideExactly(a, b) !== undefined) return "target";
  if (divideExactly(b, a) !== undefined) return "source";
  return undefined;
}

/** The index into a tensor of shape `source` of the element that lies at `index` of the same elements in shape `target`. */
export function reshapeIndex(source: readonly Dim[], target: readonly Dim[], index: readonly Expr[]): Expr[] {
  const result = source.map((): Expr => k.index(0));
  for (const group of matchAxes(source, target)) {
    let linear: Expr = k.index(0);
    for (let axis = group.target[0]; axis < group.target[1]; axis++) {
      if (target[axis] !== 1) linear = k.add(k.multiply(linear, k.fromDim(target[axis]!)), index[axis]!);
    }
    const axes = source.map((_, axis) => axis).slice(...group.source);
    const wide = axes.filter((axis) => source[axis] !== 1);
    wide.toReversed().forEach((axis, i) => {
      const size = k.fromDim(source[axis]!);
      const first = i === wide.length - 1;
      result[axis] = first ? linear : k.remainder(linear, size);
      if (!first) linear = k.floordiv(linear, size);
    });
  }
  return result;
}
