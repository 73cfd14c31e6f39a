// Tiles whose results are functions of their sums: the sums go to scratch memory, and a loop takes them from there, row by row.
// Written out for all rows of a tile, functions take more registers than there are, and fill kernels that engines compile slowly.

import type { ResultValue } from "../../ir/graph.ts";
import { k } from "../../ir/kernel/build.ts";
import type { Expr, Stmt } from "../../ir/kernel/types.ts";
import { isFunction } from "../graph/fuse-roles.ts";
import type { Iteration } from "../graph/iteration.ts";
import type { OuterPlan } from "../schedule/reduction.ts";
import type { Draft } from "./draft.ts";

type Positions = readonly (readonly Expr[])[];
type Points = readonly (readonly Expr[])[];

export interface Waiting {
  /** Moves the sums of a tile to scratch memory, and stores what comes of them; undefined where a tile has a single row. */
  store(tile: WaitingTile): readonly Stmt[] | undefined;
  /** The scratch memory, once all tiles are made. */
  alloc(): readonly Stmt[];
}

export interface WaitingTile {
  readonly plan: readonly OuterPlan[];
  readonly positions: Positions;
  readonly pointsAt: (positions: Positions) => Points;
  /** The elements of a point, and which of them is meant. */
  readonly width: number;
  readonly lane: Expr;
}

/** Whether functions such as erf are computed of sums, not of what is summed. */
export const endsInFunctions = ({ nodes }: Draft, { access }: Iteration): boolean =>
  nodes.some((node) => isFunction(node) && node.results.some((result) => access.get(result) !== "inner"));

/** `result` is what a sum is an element of; `storeAt` stores the outputs at points. */
export function createWaiting(
  draft: Draft,
  result: ResultValue,
  storeAt: (points: Points) => readonly Stmt[],
): Waiting {
  const { dtype } = result.type;
  const sums = draft.fresh("waiting");
  let length = 0;
  return {
    store({ plan, positions, pointsAt, width, lane }) {
      const points = pointsAt(positions);
      const place = (i: Expr): Expr => k.add(k.multiply(i, width), lane);
      const waiting = points.map((point, i) => k.store(sums, place(k.index(i)), draft.elements.element(result, point)));
      const loop = rowLoop(draft, plan, positions, (row, number) => {
        const along = pointsAt(row);
        along.forEach((point, i) => {
          const sum = place(k.add(k.multiply(number, along.length), i));
          draft.elements.define(result, point, k.load(sums, sum, dtype));
        });
        return storeAt(along);
      });
      if (loop && length === 0) draft.note("sums wait in scratch memory for a loop over the rows of a tile");
      if (loop) length = Math.max(length, points.length * width);
      return loop && [...waiting, ...loop];
    },
    alloc: () => (length === 0 ? [] : [k.alloc(sums, dtype, length)]),
  };
}

/** A loop over the rows of a tile, numbered from 0; undefined where there is one, or where they are not equally far apart. */
function rowLoop(
  draft: Draft,
  plan: readonly OuterPlan[],
  positions: Positions,
  body: (row: Positions, number: Expr) => readonly Stmt[],
): readonly Stmt[] | undefined {
  const [axis, ...more] = plan.flatMap(({ role }, i) => (role !== "n" && positions[i]!.length > 1 ? [i] : []));
  if (axis === undefined || more.length > 0) return undefined;
  const rows = positions[axis]!;
  const step = stepOf(rows);
  if (step === undefined) return undefined;
  const inside = (number: Expr): readonly Stmt[] =>
    body(positions.with(axis, [k.add(rows[0]!, k.multiply(number, step))]), number);
  return [k.loop(draft.fresh("row"), rows.length, inside, { role: plan[axis]!.role })];
}

/** How far apart neighbours are; undefined if not equally far. */
function stepOf(list: readonly Expr[]): number | undefined {
  const [first, ...others] = list.slice(1).map((at, i) => k.subtract(at, list[i]!));
  if (first?.kind !== "constant") return undefined;
  return others.every((step) => step.kind === "constant" && step.value === first.value) ? first.value : undefined;
}
