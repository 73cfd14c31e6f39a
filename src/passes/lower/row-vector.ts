// A single row of a contraction: a vector times a matrix. No tile of rows shares what is read, so that time goes into reading the
// second operand once, in the order in which it lies: several terms of many columns at a time, with the sums in scratch memory. The
// terms stay in registers, and sums do not wait for each other, as the few that registers could hold would.

import type { Dim } from "../../ir/dim.ts";
import { floorDivideDim, multiplyDims } from "../../ir/dim.ts";
import { k } from "../../ir/kernel/build.ts";
import type { Expr, Stmt } from "../../ir/kernel/types.ts";
import type { OuterPlan, ReductionPlan } from "../schedule/reduction.ts";
import { bind } from "./bind.ts";
import { type Draft, type LoopAxis, nest, nestLanes } from "./draft.ts";
import { withLanes } from "./loop.ts";
import { assign } from "./points.ts";
import type { Reduction } from "./registers.ts";

/** The axis of columns, where rows that no tile takes can be computed this way. */
export function rowVectorAxis(
  draft: Draft,
  { rule, context }: Reduction,
  { order, lanes }: ReductionPlan,
  shape: readonly Dim[],
): OuterPlan | undefined {
  const columns = order.find(({ axis, role }) => (draft.tiles.lanes > 1 ? axis === lanes : role === "n"));
  const size = columns && shape[columns.axis];
  const sums = rule.accumulators(context);
  if (!columns || columns.packed || typeof size !== "number" || draft.tiles.rowColumns === 0) return undefined;
  if (rule.domain(context).length !== 1 || sums.length !== 1 || sums[0]!.type !== "f32" || rule.finish)
    return undefined;
  return columns;
}

/** Names of scratch arrays: for the sums of a row and, where these are long, for those of a part of them. */
interface RowSums {
  readonly sums: string;
  readonly parts: string | undefined;
}

/** Some columns of a row, `size` of them at `pointAt(column)`, from 0 on. */
function accumulateRow(
  draft: Draft,
  { node, rule, context }: Reduction,
  { sums, parts }: RowSums,
  size: number,
  pointAt: (column: Expr) => readonly Expr[],
  store: (column: Expr) => readonly Stmt[],
): readonly Stmt[] {
  const { rowTerms, sumTerms = 0 } = draft.tiles;
  const axes = withLanes([{ stem: "n", size, width: 1, role: "n", mode: "serial" }], draft.tiles);
  const columns = (body: (column: Expr) => readonly Stmt[]): readonly Stmt[] =>
    nestLanes(axes, draft.fresh, ([at]) => body(at![0]!));
  const clear = (scratch: string): readonly Stmt[] =>
    columns((column) => [k.store(scratch, column, rule.accumulators(context)[0]!)]);
  const length = rule.domain(context)[0]!;
  const add = (scratch: string, terms: readonly Expr[]): readonly Stmt[] =>
    columns((column) => {
      const point = pointAt(column);
      // One term after the other: all that a single expression loads, registers would have to hold at once.
      const name = draft.fresh("sum");
      const sum = k.variable(name, "f32");
      const steps = terms.flatMap((term) => {
        const bound = bind(rule.step(context, point, [term], [sum]), draft.fresh);
        return [...bound.statements, k.assign(name, bound.values[0]!)];
      });
      return [k.var(name, k.load(scratch, column, "f32")), ...steps, k.store(scratch, column, sum)];
    });
  const whole = multiplyDims(floorDivideDim(length, rowTerms), rowTerms);
  const loop = (scratch: string, from: Expr, to: Expr, step: number): Stmt => {
    const body = (at: Expr): readonly Stmt[] =>
      add(
        scratch,
        Array.from({ length: step }, (_, i) => k.add(at, i)),
      );
    return k.loop(draft.fresh("k"), to, body, { from, step, role: "k" });
  };
  const [most, end] = [sumTerms - (sumTerms % rowTerms), k.fromDim(whole)];
  const all = (): Stmt =>
    parts === undefined
      ? loop(sums, k.index(0), end, rowTerms)
      : k.loop(
          draft.fresh("k"),
          end,
          (first) => [
            ...clear(parts),
            loop(parts, first, k.minimum(k.add(first, most), end), rowTerms),
            ...columns((column) => [
              k.store(sums, column, k.add(k.load(sums, column, "f32"), k.load(parts, column, "f32"))),
            ]),
          ],
          { step: most, role: "k" },
        );
  return [
    ...clear(sums),
    all(),
    ...(whole === length ? [] : [loop(sums, end, k.fromDim(length), 1)]),
    ...columns((column) => {
      draft.elements.define(node.results[0]!, pointAt(column), k.load(sums, column, "f32"));
      return store(column);
    }),
  ];
}

/** Rows one by one: those that whole tiles leave, or all. */
export function rowByRow(
  draft: Draft,
  reduction: Reduction,
  axes: readonly LoopAxis[],
  order: readonly OuterPlan[],
  columns: OuterPlan,
  size: number,
  storeAt: (points: readonly (readonly Expr[])[]) => readonly Stmt[],
): readonly Stmt[] {
  const others = order.filter((entry) => entry !== columns);
  const [length = 0] = reduction.rule.domain(reduction.context);
  const { sumTerms } = draft.tiles;
  const isLong = sumTerms !== undefined && (typeof length !== "number" || length > sumTerms);
  const names = { sums: draft.fresh("row"), parts: isLong ? draft.fresh("parts") : undefined };
  const rows = others.map((entry): LoopAxis => {
    const axis = axes[order.indexOf(entry)]!;
    return entry.role === "m" ? { ...axis, part: "rest" } : axis;
  });
  const width = Math.min(size, draft.tiles.rowColumns);
  const loops = nest(rows, draft.fresh, (positions) => {
    const part = (first: Expr, count: number): readonly Stmt[] => {
      const pointAt = (column: Expr): readonly Expr[] =>
        order.reduce<readonly Expr[]>((point, entry) => {
          const at = entry === columns ? k.add(first, column) : positions[others.indexOf(entry)]![0]!;
          return assign(point, entry.axis, at);
        }, []);
      return accumulateRow(draft, reduction, names, count, pointAt, (column) => storeAt([pointAt(column)]));
    };
    const whole = size - (size % width);
    const parts = (at: Expr): readonly Stmt[] => part(at, width);
    return [
      ...(whole === width
        ? parts(k.index(0))
        : [k.loop(draft.fresh("n"), whole, parts, { step: width, mode: "parallel", role: "n" })]),
      ...(whole === size ? [] : part(k.index(whole), size - whole)),
    ];
  });
  const scratch = [names.sums, ...(names.parts === undefined ? [] : [names.parts])];
  return [...scratch.map((name) => k.alloc(name, "f32", width)), ...loops];
}
