// Attention block by block. The softmax is kept running: what was summed up before is scaled down whenever a greater score is found
// (Milakov and Gimelshein, 2018; Dao and others, 2022).

import type { Node } from "../../ir/graph.ts";
import { k } from "../../ir/kernel/build.ts";
import type { Expr, Stmt } from "../../ir/kernel/types.ts";
import { type Attention, attentionOf } from "../graph/attention.ts";
import { accumulate } from "./accumulate.ts";
import { accumulateLanes } from "./accumulate-lanes.ts";
import {
  clearSums,
  elementsAxis,
  f32,
  fillBlocks,
  type Mixing,
  mixBlock,
  mixingOf,
  overBlocks,
  overRows,
  type Row,
  type Stretch,
  scratchOf,
  storeSums,
} from "./blocks.ts";
import { type Draft, nestLanes } from "./draft.ts";
import { type Reduction, reductionOf } from "./registers.ts";

/** Less than any score, but finite: scores of -∞ have no weight beside it. */
const lowest = -3.4028234663852886e38;

/** The attention that a body consists of. */
export function attentionIn(nodes: readonly Node[]): Attention {
  for (const node of nodes.toReversed()) {
    const found = attentionOf(node);
    if (found) return found;
  }
  throw new TypeError("the body is no attention");
}

/** Names of scratch arrays, and what is the same in all of a kernel. */
interface Work {
  readonly draft: Draft;
  readonly attention: Attention;
  readonly mixing: Mixing;
  /** The greatest score so far, and Σ weight, for each query. */
  readonly top: string;
  readonly total: string;
}

export function lowerAttention(draft: Draft, attention: Attention): readonly Stmt[] {
  const { mixture } = attention;
  const mixing = mixingOf(draft, mixture);
  const work: Work = { draft, attention, mixing, top: draft.fresh("top"), total: draft.fresh("total") };
  const { queries } = draft.tiles.attention;
  return [
    ...scratchOf(draft, mixing),
    k.alloc(work.top, "f32", queries),
    k.alloc(work.total, "f32", queries),
    ...overRows(draft, mixture, (rows) => [
      ...rows.flatMap((_, row) => [
        k.store(work.top, k.index(row), f32(lowest)),
        k.store(work.total, k.index(row), f32(0)),
      ]),
      ...clearSums(draft, mixing, rows.length),
      ...overBlocks(draft, mixture, (stretch) => overBlock(work, rows, stretch)),
      ...end(work, rows),
    ]),
  ];
}

/** Computes a block of scores, turns them into weights, and adds the values that they weigh. */
function overBlock(work: Work, rows: readonly Row[], stretch: Stretch): readonly Stmt[] {
  const { draft, attention, mixing } = work;
  const target = { matrix: attention.logits, block: mixing.block };
  const softmax = rows.map((row, i) => weigh(work, row, i, stretch));
  return [
    k.block("scores", fillBlocks(draft, [target], attention.mixture.summed, rows, stretch)),
    ...softmax.flatMap(({ statements }) => statements),
    ...mixBlock(
      draft,
      mixing,
      rows,
      stretch,
      softmax.map(({ scale }) => scale),
    ),
  ];
}

/** Turns the scores of a row of a block into weights; `scale` is what sums before it are multiplied with. */
function weigh(
  { draft, attention, mixing, top, total }: Work,
  index: Row,
  row: number,
  { size }: Stretch,
): { readonly statements: readonly Stmt[]; readonly scale: Expr } {
  const outer = index.slice(0, -1);
  const at = (column: Expr): Expr => k.add(row * draft.tiles.attention.block, column);
  /** A reduction of the row of the block instead of the whole row. */
  const overRow = (node: Node, join: (a: Expr, b: Expr) => Expr): readonly [readonly Stmt[], Expr] => {
    const given = reductionOf(draft, node);
    const part: Reduction = {
      ...given,
      rule: {
        ...given.rule,
        domain: () => [size],
        step: (_, __, point, [sum]) => [join(sum!, k.load(mixing.block, at(point[0]!), "f32"))],
      },
    };
    const inVectors = draft.tiles.inner.length > 0 ? accumulateLanes(draft, [part], [outer], "k") : undefined;
    const statements = inVectors ?? accumulate(draft, [part], [outer], "k");
    return [statements, draft.elements.element(node.results[0]!, outer)];
  };
  const [before, next, scale] = ["before", "next", "scale"].map((stem) => k.variable(draft.fresh(stem), "f32"));
  const [greatest, highest] = overRow(attention.max, k.maximum);
  const exponentials = nestLanes([elementsAxis(draft, size)], draft.fresh, ([column]) => {
    const place = at(column![0]!);
    return [k.store(mixing.block, place, k.unary("exp", k.subtract(k.load(mixing.block, place, "f32"), next!)))];
  });
  const [added, sum] = overRow(attention.sum, k.add);
  const place = k.index(row);
  const statements = [
    ...greatest,
    k.let(nameOf(before!), k.load(top, place, "f32")),
    k.let(nameOf(next!), k.maximum(before!, highest)),
    k.let(nameOf(scale!), k.unary("exp", k.subtract(before!, next!))),
    k.store(top, place, next!),
    ...exponentials,
    ...added,
    k.store(total, place, k.add(k.multiply(k.load(total, place, "f32"), scale!), sum)),
  ];
  return { statements, scale: scale! };
}

/** Stores the means and, where gradients ask for them, what the softmax found in each row. */
function end({ draft, attention, mixing, top, total }: Work, rows: readonly Row[]): readonly Stmt[] {
  const keys = attention.mixture.matrix.type.shape.at(-1)!;
  const means = storeSums(draft, mixing, rows, (sum, row) => {
    const mean = k.divide(sum, k.load(total, k.index(row), "f32"));
    // Over no keys at all the sum is 0.
    return typeof keys === "number" ? mean : k.select(k.gt(k.fromDim(keys), 0), mean, sum);
  });
  const found = [
    { output: draft.outputs.indexOf(attention.max.results[0]!), name: top },
    { output: draft.outputs.indexOf(attention.sum.results[0]!), name: total },
  ].filter(({ output }) => output >= 0);
  const stores = found.flatMap(({ output, name }) =>
    rows.map((index, row) => draft.store(output, index.slice(0, -1), k.load(name, k.index(row), "f32"))),
  );
  return [...means, ...stores];
}

const nameOf = (variable: Expr): string => (variable.kind === "variable" ? variable.name : "");
