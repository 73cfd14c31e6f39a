// Sums in slices: each is a tile of its own, and leaves its sums in scratch memory; a second nest adds them up, always in the same order,
// and stores what comes of them.

import type { Dim } from "../../ir/dim.ts";
import { productOf } from "../../ir/dim.ts";
import type { ResultValue } from "../../ir/graph.ts";
import { k } from "../../ir/kernel/build.ts";
import type { Expr, Stmt } from "../../ir/kernel/types.ts";
import { noteOf, type Slices } from "../schedule/slices.ts";
import { type Draft, type LoopAxis, nestLanes } from "./draft.ts";
import { linearIndex } from "./elements.ts";
import { withLanes } from "./loop.ts";
import type { Bounds } from "./narrow.ts";

/** Stores what is computed at points. */
export type StoreAt = (points: readonly (readonly Expr[])[]) => readonly Stmt[];

export interface SlicedSum {
  /** What sums are elements of. */
  readonly results: readonly ResultValue[];
  readonly shape: readonly Dim[];
  /** Steps of the loop that is cut. */
  readonly steps: Dim;
}

/** `lower` makes the loops of one slice, which end in its store; without slices, those of the whole sum. */
export function inSlices(
  draft: Draft,
  { results, shape, steps }: SlicedSum,
  slices: Slices | undefined,
  storeAt: StoreAt,
  lower: (storeAt: StoreAt, slice?: Bounds) => readonly Stmt[],
): readonly Stmt[] {
  if (!slices) return lower(storeAt);
  const { count, unit } = slices;
  const size = Number(productOf(shape));
  const slice = draft.fresh("slice");
  const even = k.multiply(k.floordiv(k.add(k.fromDim(steps), count * unit - 1), count * unit), unit);
  const name = even.kind === "constant" ? undefined : draft.fresh("length");
  const length = name === undefined ? even : k.variable(name, "index");
  const sums = results.map(() => draft.fresh("slices"));
  const place = (number: Expr | number, point: readonly Expr[]): Expr =>
    k.add(k.multiply(number, size), linearIndex(point, shape));
  const from = k.multiply(k.variable(slice, "index"), length);
  const to = k.minimum(k.add(from, length), k.fromDim(steps));
  const body = lower(
    (points) =>
      points.flatMap((point) =>
        results.map((result, i) =>
          k.store(sums[i]!, place(k.variable(slice, "index"), point), draft.elements.element(result, point)),
        ),
      ),
    { from, to, step: 1 },
  );
  const axes = shape.map(
    (dim, axis): LoopAxis => ({ stem: `i${axis}`, size: dim, width: 1, role: "element", mode: "parallel" }),
  );
  const ends = nestLanes(withLanes(axes, draft.tiles), draft.fresh, (positions) => {
    const point = positions.map((list) => list[0]!);
    results.forEach((result, i) => {
      const parts = Array.from({ length: count }, (_, number) => k.load(sums[i]!, place(number, point), "f32"));
      draft.elements.define(result, point, parts.reduce(k.add));
    });
    return storeAt([point]);
  });
  draft.note(noteOf(slices));
  const isScratch = (s: Stmt): boolean => s.kind === "alloc";
  return [
    ...sums.map((name) => k.alloc(name, "f32", count * size)),
    ...body.filter(isScratch),
    ...(name === undefined ? [] : [k.let(name, even)]),
    k.loop(
      slice,
      count,
      body.filter((s) => !isScratch(s)),
      { mode: "parallel", role: "batch" },
    ),
    ...ends,
  ];
}
