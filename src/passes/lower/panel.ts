// Panels: the few columns of the second operand that a run over all rows reads again and again are copied to scratch memory
// first, side by side in the order in which they are read.

import type { Dim } from "../../ir/dim.ts";
import { productOf } from "../../ir/dim.ts";
import { exprKey, mentions } from "../../ir/kernel/affine.ts";
import { k } from "../../ir/kernel/build.ts";
import { childrenOf } from "../../ir/kernel/query.ts";
import type { Expr, LoopRole, Stmt } from "../../ir/kernel/types.ts";
import { substitute } from "../kernel/rewrite.ts";
import { withChildren } from "./bind.ts";
import { type Draft, inLanes, nest } from "./draft.ts";
import { linearIndex } from "./elements.ts";
import type { Reduction } from "./registers.ts";

export interface Panel {
  /** Fills the panel: to be done for each tile of columns. */
  readonly fill: readonly Stmt[];
  /** The variables of the loops over the domain, which its address is made of. */
  readonly variables: readonly Expr[];
  /** The buffers that it is filled from. */
  readonly reads: ReadonlySet<string>;
  /** An expression of the step that reads the panel instead. */
  redirect(expr: Expr): Expr;
}

type Load = Extract<Expr, { kind: "load" }>;

/** How many elements of the second operand a tile of `columns` reads; undefined where that depends on free sizes. */
export function panelLength(reduction: Reduction, columns: number): number | undefined {
  const length = productOf(reduction.rule.domain(reduction.context));
  return typeof length === "number" ? length * columns : undefined;
}

export interface PanelOptions {
  /** Of the scratch array. */
  readonly name: string;
  /** Where points are vectors: the variable that they have for their lane. */
  readonly lane: { readonly name: string; readonly role: LoopRole } | undefined;
  /** Points of one row of results. */
  readonly points: readonly (readonly Expr[])[];
  /** Variables that run over the other rows. */
  readonly rows: readonly string[];
  /** Where a vector of columns is not full: how many there are. The others are 0. */
  readonly columns?: number;
  /** Where there are panels side by side: how far the first column of this one is from that of the first. */
  readonly distance?: Expr;
  /** The loop over those that are filled together. */
  readonly each?: (body: readonly Stmt[]) => readonly Stmt[];
}

/** The panel of what the step loads by the loop variables of the domain and the position of the columns alone. */
export function makePanel(draft: Draft, { rule, context }: Reduction, options: PanelOptions): Panel | undefined {
  const { name, lane, points, rows } = options;
  const lanes = lane ? draft.tiles.lanes : 1;
  const domain = rule.domain(context);
  const variables = domain.map((size) => (size === 1 ? k.index(0) : k.variable(draft.fresh("k"), "index")));
  const names = rule.accumulators(context).map((value, i) => k.variable(`?${i}`, value.type));
  const loads = new Map<string, Load>();
  for (const point of points) {
    for (const value of rule.step(context, point, variables, names)) {
      for (const load of loadsIn(value)) {
        const isOfRow = rows.some((row) => mentions(load, row));
        if (!isOfRow) loads.set(exprKey(load), load);
        // Columns that do not exist must not be read of either operand.
        if (isOfRow && options.columns !== undefined && lane && mentions(load, lane.name)) return undefined;
      }
    }
  }
  // Each of several columns has an element of its own; anything else (a table behind a gather) is left alone.
  if (loads.size !== points.length) return undefined;
  const list = [...loads];
  const position = lane ? k.variable(lane.name, "index") : k.index(0);
  const before = options.distance ? k.multiply(options.distance, k.fromDim(productOf(domain))) : k.index(0);
  const address = (column: number): Expr =>
    [k.multiply(linearIndex(variables, domain), points.length * lanes), k.index(column * lanes), position].reduce(
      k.add,
      before,
    );
  const slots = new Map(list.map(([key, load], column) => [key, k.load(name, address(column), load.type)] as const));
  const axes = domain.map((size: Dim, i) => {
    const variable = variables[i]!;
    const bounds = { from: k.index(0), to: k.fromDim(size), step: 1 };
    const narrowed = variable.kind === "variable" ? { narrowed: { name: variable.name, bounds } } : {};
    return { stem: "k", size, width: 1, role: "k" as const, mode: "serial" as const, ...narrowed };
  });
  const { columns } = options;
  const fillAll = (): readonly Stmt[] => {
    const stores = list.map(([, load], column) => k.store(name, address(column), load));
    const fill = inLanes(lane?.name ?? "", lane !== undefined, lane?.role ?? "n", () => stores);
    return options.each ? options.each(fill) : fill;
  };
  const fillSome = (count: number): readonly Stmt[] =>
    Array.from({ length: lanes }, (_, i) => {
      const at = new Map([[lane?.name ?? "", k.index(i)]]);
      const [, load] = list[0]!;
      return k.store(name, substitute(address(0), at), i < count ? substitute(load, at) : k.constant(0, load.type));
    });
  return {
    fill: [
      k.block(
        "columns side by side",
        nest(axes, draft.fresh, () => (columns === undefined ? fillAll() : fillSome(columns))),
      ),
    ],
    variables,
    reads: new Set(list.map(([, { buffer }]) => buffer)),
    redirect: (expr) => replace(expr, slots),
  };
}

function loadsIn(expr: Expr): Load[] {
  const found: Load[] = expr.kind === "load" ? [expr] : [];
  return [...found, ...childrenOf(expr).flatMap(loadsIn)];
}

function replace(expr: Expr, slots: ReadonlyMap<string, Expr>): Expr {
  if (expr.kind === "load") return slots.get(exprKey(expr)) ?? expr;
  const children = childrenOf(expr);
  const parts = children.map((child) => replace(child, slots));
  return parts.every((part, i) => part === children[i]) ? expr : withChildren(expr, parts);
}
