// Large products of matrices: the plain nest of loops, and the transformations that make blocks, panels and tiles of it.

import type { Dim } from "../../ir/dim.ts";
import { mentions, strideOf } from "../../ir/kernel/affine.ts";
import { k } from "../../ir/kernel/build.ts";
import { childrenOf } from "../../ir/kernel/query.ts";
import type { Expr, LoopRole, Stmt } from "../../ir/kernel/types.ts";
import type { Block, BlockedPlan } from "../schedule/blocks.ts";
import { sizeAt } from "../schedule/reduction.ts";
import { planSlices, type Slices } from "../schedule/slices.ts";
import type { TileTable } from "../schedule/tiles.ts";
import { asLoop, distribute, type Loop, nestOf, reorder, scalarize, split, within } from "../transform/loops.ts";
import { pack } from "../transform/pack.ts";
import { registerTile, shareLoads, unroll, vectorize, vectorTile } from "../transform/tile.ts";
import type { Draft } from "./draft.ts";
import type { Bounds } from "./narrow.ts";
import type { Reduction } from "./registers.ts";
import { inSlices, type StoreAt } from "./slices.ts";

/** What a sum of products is made of. */
interface Product {
  readonly depth: Dim;
  /** The factors of a term: what depends on its row, and what on its column. */
  readonly row: Expr;
  readonly column: Expr;
  /** Where rows are packed, too: their panel. Rows whose terms lie side by side are read as they are. */
  readonly rowPanel: string | undefined;
  readonly block: Block;
}

/** Names of loops and scratch arrays. */
type Names = Readonly<
  Record<"m" | "n" | "k" | "mBlock" | "nBlock" | "kBlock" | "nTile" | "mTile" | "sums" | "panel", string>
>;

/** The statements; undefined where the sum is not one of products with a factor for the row and one for the column, or does not gain. */
export function lowerBlocked(
  draft: Draft,
  reduction: Reduction,
  plan: BlockedPlan,
  shape: readonly Dim[],
  storeAt: StoreAt,
): readonly Stmt[] | undefined {
  const { fresh } = draft;
  const names: Names = {
    m: fresh("m"),
    n: fresh("n"),
    k: fresh("k"),
    mBlock: fresh("m_block"),
    nBlock: fresh("n_block"),
    kBlock: fresh("k_block"),
    nTile: fresh("n_tile"),
    mTile: fresh("m_tile"),
    sums: fresh("sums"),
    panel: fresh("panel"),
  };
  const batch = plan.batch.map((axis) => loop(fresh(`i${axis}`), shape[axis]!, "batch"));
  const point = shape.map((_, axis): Expr => {
    if (axis === plan.m) return at(names.m);
    if (axis === plan.n) return at(names.n);
    const around = batch[plan.batch.indexOf(axis)];
    return around ? at(around.variable) : k.index(0);
  });
  const product = productOf(draft, reduction, plan, names, point);
  if (!product) return undefined;
  for (const line of notesOf(plan, product)) draft.note(line);
  const { block, depth } = product;
  const sum = { results: [reduction.node.results[0]!], shape, steps: depth };
  const slices = block.k === undefined ? undefined : slicesOf(plan, block, depth, shape, draft.tiles);
  return inSlices(draft, sum, slices, storeAt, (store, slice) => {
    const nest = plainNest(draft, reduction, product, plan, shape, names, point, store, slice);
    const rows = split(nest, block.m, names.mBlock);
    const columns = asLoop(within(rows, names.n, (inner) => [split(inner, block.n, names.nBlock)])[0]);
    const blocks = reorder(columns, [names.nBlock, names.mBlock, names.n, names.m]);
    const terms = block.k ?? Number(depth);
    const scheduled = within(blocks, names.n, (inner) =>
      scheduleBlock(draft, inner, product, plan, [shape[plan.m]!, shape[plan.n]!], names),
    );
    return [
      k.alloc(names.panel, "f32", block.n * terms),
      ...(product.rowPanel === undefined ? [] : [k.alloc(product.rowPanel, "f32", block.m * terms)]),
      k.alloc(names.sums, "f32", block.m * block.n),
      ...(batch.length === 0 ? scheduled : [nestOf(batch, scheduled)]),
    ];
  });
}

/** Threads share blocks; where there are few, the sum is cut. */
function slicesOf(
  { m, n, batch }: BlockedPlan,
  block: Block,
  depth: Dim,
  shape: readonly Dim[],
  tiles: TileTable,
): Slices | undefined {
  const count = (axis: number, by: number): number => Math.ceil(sizeAt(shape[axis]!, tiles.freeSize) / by);
  const blocks = batch.reduce((product, axis) => product * count(axis, 1), count(m, block.m) * count(n, block.n));
  return planSlices({ shape, steps: depth, terms: depth, tiles: blocks, unit: block.k ?? 1 }, tiles);
}

/** The transformations below, for readers. */
function notesOf({ tile, onlyFar }: BlockedPlan, { block, depth, rowPanel }: Product): readonly string[] {
  const [byTerms, termBlock, term] = block.k === undefined ? ["", "", ""] : [`, k by ${block.k}`, ", k_block", ", k"];
  const length = typeof depth === "number" ? `${depth} terms` : "a free number of terms";
  return [
    onlyFar
      ? "in blocks, because the terms of a row lie far apart, and rows are too many for the fastest cache"
      : `in blocks, because columns of ${length} are too long for a panel`,
    `split m by ${block.m}, n by ${block.n}${byTerms}`,
    `reorder to n_block, m_block${termBlock}, n, m${term}; distribute ${block.k ? "clearing, " : ""}sums and results`,
    "scalarize sums",
    `pack columns in panels of ${tile.n}${rowPanel === undefined ? "" : `, rows in panels of ${tile.m}`}`,
    `register-tile m by ${tile.m}; vectorize and unroll n by ${tile.n}`,
  ];
}

const at = (variable: string): Expr => k.variable(variable, "index");

const loop = (variable: string, size: Dim, role: LoopRole, body: readonly Stmt[] = []): Loop =>
  asLoop(k.loop(variable, k.fromDim(size), body, { role, mode: role === "k" ? "serial" : "parallel" }));

/** Where all axes of the sum but one have a single step: its place along that one. */
const termAt = ({ rule, context }: Reduction, name: string): readonly Expr[] =>
  rule.domain(context).map((size) => (size === 1 ? k.index(0) : at(name)));

/** Undefined where the sum is not one of products, or blocks do not gain. */
function productOf(
  draft: Draft,
  reduction: Reduction,
  plan: BlockedPlan,
  names: Names,
  point: readonly Expr[],
): Product | undefined {
  const { rule, context } = reduction;
  const [depth = 1, ...others] = rule.domain(context).filter((size) => size !== 1);
  const [zero, ...more] = rule.accumulators(context);
  if (zero?.type !== "f32" || more.length > 0 || rule.finish || others.length > 0) return undefined;
  const step = rule.step(context, point, termAt(reduction, names.k), [k.variable("?sum", "f32")])[0]!;
  const factors = factorsOf(step, names);
  if (!factors) return undefined;
  const readsRuns = isRun(factors.row, names.k);
  if (readsRuns && plan.onlyFar) return undefined;
  const block = readsRuns ? plan.runs : plan.packed;
  return { depth, ...factors, rowPanel: readsRuns ? undefined : draft.fresh("rows"), block };
}

/** The plain nest: sums are in memory from the start, at their places in a block. */
function plainNest(
  draft: Draft,
  reduction: Reduction,
  { depth, block }: Product,
  plan: BlockedPlan,
  shape: readonly Dim[],
  names: Names,
  point: readonly Expr[],
  storeAt: StoreAt,
  slice: Bounds | undefined,
): Loop {
  const { node, rule, context } = reduction;
  const [row, column] = [k.subtract(at(names.m), at(names.mBlock)), k.subtract(at(names.n), at(names.nBlock))];
  const place = k.add(k.multiply(row, block.n), column);
  const sum = k.load(names.sums, place, "f32");
  draft.elements.define(node.results[0]!, point, sum);
  const terms = loop(names.k, depth, "k", [
    k.store(names.sums, place, rule.step(context, point, termAt(reduction, names.k), [sum])[0]!),
  ]);
  const body = [
    k.store(names.sums, place, rule.accumulators(context)[0]!),
    slice ? { ...terms, from: slice.from, to: slice.to } : terms,
    ...storeAt([point]),
  ];
  return nestOf([loop(names.m, shape[plan.m]!, "m"), loop(names.n, shape[plan.n]!, "n")], body);
}

/** Of sum + row · column the factors; conditions in them would have to be asked for each term. */
function factorsOf(step: Expr, { m, n }: Names): { readonly row: Expr; readonly column: Expr } | undefined {
  if (step.kind !== "binary" || step.op !== "add" || hasCondition(step)) return undefined;
  const product = step.a.kind === "binary" ? step.a : step.b;
  if (product.kind !== "binary" || product.op !== "multiply") return undefined;
  const factors = [product.a, product.b];
  const [column, ...columns] = factors.filter((factor) => mentions(factor, n));
  const [row, ...rows] = factors.filter((factor) => mentions(factor, m));
  if (!row || !column || row === column || rows.length + columns.length > 0) return undefined;
  return { row, column };
}

/** Whether the terms of a row are elements side by side. */
function isRun(row: Expr, term: string): boolean {
  const stride = row.kind === "load" ? strideOf(row.index, term)?.coefficient : undefined;
  return stride?.kind === "constant" && stride.value === 1;
}

const hasCondition = (expr: Expr): boolean =>
  expr.kind === "select" || expr.kind === "compare" || childrenOf(expr).some(hasCondition);

/** The loops within a block of rows and columns. */
function scheduleBlock(
  draft: Draft,
  nest: Loop,
  { row, column, depth, rowPanel, block }: Product,
  plan: BlockedPlan,
  [height, width]: readonly [Dim, Dim],
  names: Names,
): readonly Stmt[] {
  const { fresh } = draft;
  const { tile } = plan;
  const inVectors = (part: Loop): readonly Stmt[] =>
    within(reorder(part, [names.m, names.n]), names.n, (columns) => vectorize(columns, plan.wholeVectors, fresh));
  const inTiles = (part: Loop): readonly Stmt[] => {
    const terms = { name: names.k, room: block.k ?? Number(depth) };
    const inRegisters = within(part, names.m, (rows) => [
      { ...rows, body: scalarize(rows.body, fresh("sum"), k.constant(0, "f32")) },
    ]);
    const columns = pack(split(asLoop(inRegisters[0]), tile.n, names.nTile, true), {
      value: column,
      panel: names.panel,
      loops: [{ name: names.nTile, room: block.n / tile.n }, terms, { name: names.n, room: tile.n }],
      ...(plan.wholeTiles ? {} : { end: k.fromDim(width) }),
    });
    const fill = [k.block("columns side by side", columns.fill)];
    let rows: readonly Stmt[];
    if (rowPanel === undefined) {
      rows = within(columns.nest, names.m, (nest) => registerTile(nest, tile.m, plan.restRows, fresh));
    } else {
      const tiles = within(columns.nest, names.m, (nest) => [split(nest, tile.m, names.mTile, true)]);
      const packed = pack(asLoop(tiles[0]), {
        value: row,
        panel: rowPanel,
        loops: [{ name: names.mTile, room: block.m / tile.m }, terms, { name: names.m, room: tile.m }],
        ...(plan.restRows === 0 ? {} : { end: k.fromDim(height) }),
      });
      fill.push(k.block("rows side by side", packed.fill));
      rows = within(packed.nest, names.m, (nest) => unroll(nest, fresh));
    }
    const vectors = within(asLoop(rows[0]), names.n, (nest) => [vectorTile(nest, fresh)]);
    return [...fill, ...shareLoads(vectors, fresh)];
  };
  const cut = block.k;
  if (cut === undefined) {
    const [sums, stores] = distribute(nest, names.m, ([clear, add, ...rest]) => [[clear!, add!], rest]);
    return [...inTiles(sums!), ...inVectors(stores!)];
  }
  const [clear, sums, stores] = distribute(nest, names.m, ([clear, add, ...rest]) => [[clear!], [add!], rest]);
  const blocks = within(sums!, names.k, (terms) => [split(terms, cut, names.kBlock)])[0];
  const inner = reorder(asLoop(blocks), [names.kBlock, names.n, names.m, names.k]);
  return [...inVectors(clear!), ...within(inner, names.n, inTiles), ...inVectors(stores!)];
}
