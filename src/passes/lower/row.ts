// Softmax, normalisation and their like: one pass of the outer loop per row, and inside it a phase for each reduction that needs
// the one before, then the elements of the row.

import type { Dim } from "../../ir/dim.ts";
import { productOf } from "../../ir/dim.ts";
import type { Node, ResultValue, Value } from "../../ir/graph.ts";
import { k } from "../../ir/kernel/build.ts";
import type { Expr, Stmt } from "../../ir/kernel/types.ts";
import { isCheap, roleOf } from "../graph/fuse-roles.ts";
import type { Iteration } from "../graph/iteration.ts";
import { accumulate } from "./accumulate.ts";
import { accumulateLanes } from "./accumulate-lanes.ts";
import { bind } from "./bind.ts";
import { type Draft, type LoopAxis, nest, nestLanes } from "./draft.ts";
import { linearIndex } from "./elements.ts";
import { indexBy, storeAll, withLanes } from "./loop.ts";
import { partialOf, reductionOf } from "./registers.ts";
import { stridesOf } from "./strides.ts";

/** What is done together: values kept in scratch memory first, then reductions that do not need each other. */
interface Phase {
  readonly kept: readonly ResultValue[];
  readonly reductions: readonly Node[];
}

export function lowerRow(draft: Draft, iteration: Iteration): readonly Stmt[] {
  const { shape, reduced, outer } = iteration;
  const isWhole = (output: ResultValue): boolean => runsAlong(iteration, output, reduced);
  const whole = draft.outputs.filter(isWhole);
  const single = draft.outputs.filter((output) => !isWhole(output));
  const phases = phasesOf(draft, iteration, whole);
  const rowShape = reduced.map((axis) => shape[axis]!);
  const scratch = new Map<ResultValue, string>();
  for (const value of phases.flatMap((phase) => phase.kept)) scratch.set(value, draft.fresh("row"));

  const outerIndex = (point: readonly Expr[], inner: readonly Expr[]): Expr[] => {
    const index: Expr[] = [];
    outer.forEach((axis, i) => {
      index[axis] = point[i]!;
    });
    reduced.forEach((axis, i) => {
      index[axis] = inner[i]!;
    });
    return index;
  };
  const inRow = (inner: readonly Expr[]): Expr => linearIndex(inner, rowShape);
  const keep = (value: ResultValue): void => {
    const name = scratch.get(value)!;
    draft.elements.redirect(value, (index) =>
      k.load(name, inRow(reduced.map((axis) => index[axis]!)), value.type.dtype),
    );
  };

  const loops = nest(rowAxes(outer, shape), draft.fresh, (positions) => {
    const point = positions.map((list) => list[0]!);
    const overRow = (body: (index: readonly Expr[], inner: readonly Expr[]) => readonly Stmt[]): readonly Stmt[] =>
      nestLanes(withLanes(innerAxes(rowShape), draft.tiles), draft.fresh, (lists) => {
        const inner = lists.map((list) => list[0]!);
        return body(outerIndex(point, inner), inner);
      });
    const statements: Stmt[] = [];
    for (const { kept, reductions } of phases) {
      if (kept.length > 0) {
        statements.push(
          ...overRow((index, inner) => {
            const bound = bind(
              kept.map((value) => draft.elements.element(value, index)),
              draft.fresh,
            );
            const stores = kept.map((value, i) => k.store(scratch.get(value)!, inRow(inner), bound.values[i]!));
            return [...bound.statements, ...stores];
          }),
        );
        kept.forEach(keep);
      }
      if (reductions.length === 0) continue;
      const group = reductions.map((node) => reductionOf(draft, node));
      const { inner } = stridesOf(group, draft.tiles, point);
      const sums = inner ? accumulateLanes(draft, group, [point], "k") : undefined;
      statements.push(...(sums ?? accumulate(draft, group, [point], "k", partialOf(draft, group))));
      for (const node of reductions) {
        const result = node.results[0]!;
        const ended = draft.elements.element(result, point);
        const name = draft.fresh(node.op === "argmax" ? "position" : "total");
        statements.push(k.let(name, ended));
        draft.elements.define(result, point, k.variable(name, ended.type));
      }
    }
    const at = (output: ResultValue, index: readonly Expr[]) => indexBy(iteration.access.get(output)!, index);
    if (whole.length > 0) {
      statements.push(...overRow((index) => storeAll(draft, whole, (output) => at(output, index))));
    }
    const first = outerIndex(
      point,
      reduced.map(() => k.index(0)),
    );
    return [...statements, ...storeAll(draft, single, (output) => at(output, first))];
  });
  const length = Number(productOf(rowShape));
  return [...[...scratch].map(([value, name]) => k.alloc(name, value.type.dtype, length)), ...loops];
}

const rowAxes = (outer: readonly number[], shape: readonly Dim[]): LoopAxis[] =>
  outer.map((axis, i) => ({ stem: `i${i}`, size: shape[axis]!, width: 1, role: "row", mode: "parallel" }));

const innerAxes = (shape: readonly Dim[]): LoopAxis[] =>
  shape.map((size, i) => ({ stem: `j${i}`, size, width: 1, role: "element", mode: "serial" }));

function runsAlong(iteration: Iteration, value: Value, axes: readonly number[]): boolean {
  const access = iteration.access.get(value);
  return access !== undefined && typeof access !== "string" && axes.some((axis) => access.includes(axis));
}

/** Reductions by how many others they wait for, each with the values that are worth keeping from then on; the row itself comes last. */
function phasesOf(draft: Draft, iteration: Iteration, whole: readonly ResultValue[]): Phase[] {
  const depths = new Map<Node, number>();
  for (const node of draft.nodes) {
    const before = node.inputs.map((v) => (v.kind === "result" ? depths.get(v.node)! : 0));
    depths.set(node, Math.max(0, ...before) + (iteration.reductions.includes(node) ? 1 : 0));
  }
  const last = Math.max(...iteration.reductions.map((node) => depths.get(node)!));
  const groups = Array.from({ length: last }, (_, i) => iteration.reductions.filter((n) => depths.get(n) === i + 1));
  const roots: (readonly Value[])[] = [...groups.map((group) => group.flatMap((node) => node.inputs)), whole];
  const kept = keptValues(draft, iteration, roots);
  const taken = new Set<Value>();
  return [...groups, []].map((reductions, i) => {
    const reached = reach(roots[i]!, iteration, new Set(kept));
    const fresh = kept.filter((value) => reached.has(value) && !taken.has(value));
    for (const value of fresh) taken.add(value);
    return { kept: fresh, reductions };
  });
}

/** Values of a whole row that are dear to compute and needed in several phases. */
function keptValues(draft: Draft, iteration: Iteration, roots: readonly (readonly Value[])[]): ResultValue[] {
  const { shape, reduced } = iteration;
  const length = productOf(reduced.map((axis) => shape[axis]!));
  if (typeof length !== "number" || length > draft.tiles.scratch) return [];
  const repeated = (stops: ReadonlySet<Value>): Map<Value, number> => {
    const counts = new Map<Value, number>();
    for (const list of roots) {
      for (const value of reach(list, iteration, stops)) counts.set(value, (counts.get(value) ?? 0) + 1);
    }
    return counts;
  };
  const counts = repeated(new Set());
  const dear = draft.nodes
    .filter((node) => roleOf(node) === "element" && !isCheap(node))
    .map((node) => node.results[0]!)
    .filter((value) => (counts.get(value) ?? 0) > 1 && value.type.shape.length === shape.length)
    .filter((value) => reduced.every((axis) => shape[axis] === 1 || runsAlong(iteration, value, [axis])));
  // What is only needed to compute another kept value need not be kept itself.
  const direct = repeated(new Set(dear));
  return dear.filter((value) => direct.has(value));
}

/** Values that computing `roots` evaluates, up to reductions and the values in `stops`. */
function reach(roots: readonly Value[], iteration: Iteration, stops: ReadonlySet<Value>): Set<Value> {
  const seen = new Set<Value>();
  const visit = (value: Value): void => {
    if (value.kind !== "result" || seen.has(value) || iteration.reductions.includes(value.node)) return;
    seen.add(value);
    if (!stops.has(value)) value.node.inputs.forEach(visit);
  };
  roots.forEach(visit);
  return seen;
}
