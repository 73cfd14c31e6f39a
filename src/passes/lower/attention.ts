// Attention block by block: for a few queries at a time, the scores of a block of keys go to scratch memory, become weights there and
// are used up before the next block comes. The softmax is kept running: what was summed up before is scaled down whenever a greater
// score is found (Milakov and Gimelshein, 2018; Dao and others, 2022).

import { type Dim, floorDivideDim, multiplyDims, subtractDims } from "../../ir/dim.ts";
import type { Node } from "../../ir/graph.ts";
import { k } from "../../ir/kernel/build.ts";
import type { Expr, Stmt } from "../../ir/kernel/types.ts";
import { type Attention, attentionOf } from "../graph/attention.ts";
import { numbers } from "../graph/fuse-roles.ts";
import { accumulate } from "./accumulate.ts";
import { accumulateLanes } from "./accumulate-lanes.ts";
import { bind } from "./bind.ts";
import { type Draft, inLanes, type LoopAxis, nest, nestLanes } from "./draft.ts";
import { storePoints } from "./loop.ts";
import { type Reduction, reductionOf } from "./registers.ts";
import { stridesOf } from "./strides.ts";

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
  readonly features: number;
  /** Scores, then weights, of a block: a row for each query. */
  readonly block: string;
  /** Σ weight · value so far, the greatest score, and Σ weight, for each query. */
  readonly mixed: string;
  readonly top: string;
  readonly total: string;
}

export function lowerAttention(draft: Draft, attention: Attention): readonly Stmt[] {
  const { mixed, query, feature, weights } = attention;
  const { shape } = mixed.results[0]!.type;
  const tile = draft.tiles.attention;
  const features = Number(shape[feature]);
  const work: Work = {
    draft,
    attention,
    features,
    block: draft.fresh("weights"),
    mixed: draft.fresh("mixed"),
    top: draft.fresh("top"),
    total: draft.fresh("total"),
  };
  const axes = shape.flatMap((size, axis): (LoopAxis & { axis: number })[] => {
    if (axis === feature) return [];
    const inTiles = axis === query;
    const width = inTiles ? tile.queries : 1;
    return [{ axis, stem: `i${axis}`, size, width, role: inTiles ? "m" : "batch", mode: "parallel" }];
  });
  axes.sort((a, b) => Number(a.axis === query) - Number(b.axis === query));
  const loops = nest(axes, draft.fresh, (positions) => {
    const queries = positions.at(-1)!.map((_, row) => {
      const point: Expr[] = shape.map(() => k.index(0));
      positions.forEach((list, i) => {
        point[axes[i]!.axis] = list[i === axes.length - 1 ? row : 0]!;
      });
      return point;
    });
    return [
      ...begin(work, queries.length),
      ...overBlocks(work, queries, weights.type.shape.at(-1)!),
      ...end(work, queries),
    ];
  });
  const alloc = (name: string, columns: number): Stmt => k.alloc(name, "f32", tile.queries * columns);
  return [
    alloc(work.block, tile.block),
    alloc(work.mixed, features),
    alloc(work.top, 1),
    alloc(work.total, 1),
    ...loops,
  ];
}

const f32 = (value: number): Expr => k.constant(value, "f32");

function begin({ draft, mixed, top, total, features }: Work, queries: number): readonly Stmt[] {
  const clear = nestLanes([elements(draft, queries * features)], draft.fresh, ([at]) => [
    k.store(mixed, at![0]!, f32(0)),
  ]);
  const rows = Array.from({ length: queries }, (_, row) => [
    k.store(top, k.index(row), f32(lowest)),
    k.store(total, k.index(row), f32(0)),
  ]);
  return [...rows.flat(), ...clear];
}

const elements = (draft: Draft, size: Dim): LoopAxis => ({
  stem: "j",
  size,
  width: 1,
  role: "element",
  mode: "serial",
  ...(draft.tiles.lanes > 1 && (typeof size !== "number" || size >= 4) ? { lanes: 4 as const } : {}),
});

/** Whole blocks of keys, then what is left. */
function overBlocks(work: Work, queries: readonly (readonly Expr[])[], keys: Dim): readonly Stmt[] {
  const { block: blockLength } = work.draft.tiles.attention;
  const whole = multiplyDims(floorDivideDim(keys, blockLength), blockLength);
  const rest = subtractDims(keys, whole);
  const step = (from: Expr, size: Dim): readonly Stmt[] => [
    k.block("scores", scoresOf(work, queries, from, size)),
    ...mixBlock(work, queries, from, size),
  ];
  const loop =
    whole === 0
      ? []
      : [
          k.loop(work.draft.fresh("s"), k.fromDim(whole), (from) => step(from, blockLength), {
            step: blockLength,
            role: "k",
          }),
        ];
  return [...loop, ...(rest === 0 ? [] : step(k.fromDim(whole), rest))];
}

/** The index of the weights for a query and a key. */
const weightAt = ({ attention }: Work, query: readonly Expr[], key: Expr): readonly Expr[] => [
  ...attention.axes.map((axis) => query[axis]!),
  key,
];

function scoresOf(work: Work, queries: readonly (readonly Expr[])[], from: Expr, size: Dim): readonly Stmt[] {
  const { draft, attention, block } = work;
  const product = reductionOf(draft, attention.scores);
  const { inner } = stridesOf([product], draft.tiles);
  const { keys: width, block: blockLength } = draft.tiles.attention;
  const axis: LoopAxis = { stem: "n", size, width, role: "n", mode: "serial" };
  return nest([axis], draft.fresh, ([columns]) => {
    const places = columns!.flatMap((column) =>
      queries.map((query, row) => ({ at: weightAt(work, query, k.add(from, column)), row, column })),
    );
    const points = places.map(({ at }) => at);
    const sums = inner ? accumulateLanes(draft, [product], points, "k") : undefined;
    const statements = sums ?? accumulate(draft, [product], points, "k");
    const bound = bind(
      points.map((point) => draft.elements.element(attention.logits, point)),
      draft.fresh,
    );
    const stores = places.map(({ row, column }, i) =>
      k.store(block, k.add(row * blockLength, column), bound.values[i]!),
    );
    return [...statements, ...bound.statements, ...stores];
  });
}

/** Turns the scores of a block into weights, and adds the values that they weigh. */
function mixBlock(work: Work, queries: readonly (readonly Expr[])[], from: Expr, size: Dim): readonly Stmt[] {
  const { draft, attention, block, top, total } = work;
  const { block: blockLength } = draft.tiles.attention;
  const scales: Expr[] = [];
  const softmax = queries.flatMap((query, row) => {
    const outer = weightAt(work, query, k.index(0)).slice(0, -1);
    const at = (column: Expr): Expr => k.add(row * blockLength, column);
    /** A reduction of the row of the block instead of the whole row. */
    const overRow = (node: Node, join: (a: Expr, b: Expr) => Expr): readonly [readonly Stmt[], Expr] => {
      const given = reductionOf(draft, node);
      const part: Reduction = {
        ...given,
        rule: {
          ...given.rule,
          domain: () => [size],
          step: (_, __, point, [sum]) => [join(sum!, k.load(block, at(point[0]!), "f32"))],
        },
      };
      const inVectors = draft.tiles.inner.length > 0 ? accumulateLanes(draft, [part], [outer], "k") : undefined;
      const statements = inVectors ?? accumulate(draft, [part], [outer], "k");
      return [statements, draft.elements.element(node.results[0]!, outer)];
    };
    const [before, next, scale] = ["before", "next", "scale"].map((stem) => k.variable(draft.fresh(stem), "f32"));
    scales.push(scale!);
    const [greatest, highest] = overRow(attention.max, k.maximum);
    const exponentials = nestLanes([elements(draft, size)], draft.fresh, ([column]) => {
      const place = at(column![0]!);
      return [k.store(block, place, k.unary("exp", k.subtract(k.load(block, place, "f32"), next!)))];
    });
    const [added, sum] = overRow(attention.sum, k.add);
    const index = k.index(row);
    return [
      ...greatest,
      k.let(nameOf(before!), k.load(top, index, "f32")),
      k.let(nameOf(next!), k.maximum(before!, highest)),
      k.let(nameOf(scale!), k.unary("exp", k.subtract(before!, next!))),
      k.store(top, index, next!),
      ...exponentials,
      ...added,
      k.store(total, index, k.add(k.multiply(k.load(total, index, "f32"), scale!), sum)),
    ];
  });
  const first = queries[0]![attention.query]!;
  draft.elements.redirect(attention.weights, (index) => {
    const row = k.subtract(index[attention.axes.indexOf(attention.query)]!, first);
    return k.load(block, k.add(k.multiply(row, blockLength), k.subtract(index.at(-1)!, from)), "f32");
  });
  const product = reductionOf(draft, attention.mixed);
  const part: Reduction = {
    ...product,
    rule: {
      ...product.rule,
      domain: () => [size],
      step: (context, index, point, sums) => product.rule.step(context, index, [k.add(from, point[0]!)], sums),
    },
  };
  const sums = overFeatures(work, queries, part, (points) => [
    ...accumulate(
      draft,
      [part],
      points.map(({ point }) => point),
      "k",
    ),
    ...points.map(({ point, row, at }) => {
      const before = k.multiply(k.load(work.mixed, at, "f32"), scales[row]!);
      return k.store(work.mixed, at, k.add(before, draft.elements.element(attention.mixed.results[0]!, point)));
    }),
  ]);
  return [...softmax, k.block("values", sums)];
}

interface Place {
  readonly point: readonly Expr[];
  readonly row: number;
  /** Where its sum waits. */
  readonly at: Expr;
}

/** All features of some queries, in vectors where the values lie so. */
function overFeatures(
  { draft, attention, features }: Work,
  queries: readonly (readonly Expr[])[],
  product: Reduction,
  body: (places: readonly Place[]) => readonly Stmt[],
): readonly Stmt[] {
  const { lanes, attention: tile } = draft.tiles;
  const vectors = lanes > 1 && features >= lanes && stridesOf([product], draft.tiles).contiguous.has(attention.feature);
  const width = vectors ? Math.min(features - (features % lanes), tile.features) : 2;
  const axis: LoopAxis = {
    stem: "n",
    size: features,
    width,
    role: "n",
    mode: "serial",
    ...(vectors ? { lanes: 4 } : {}),
  };
  return nest([axis], draft.fresh, ([columns], { vector }) =>
    inLanes(vector ? draft.fresh("lane") : "", vector, "n", (lane) =>
      body(
        columns!.flatMap((from) =>
          queries.map((query, row) => {
            const column = k.add(from, lane);
            return { point: query.with(attention.feature, column), row, at: k.add(row * features, column) };
          }),
        ),
      ),
    ),
  );
}

function end(work: Work, queries: readonly (readonly Expr[])[]): readonly Stmt[] {
  const { draft, attention, mixed, total } = work;
  const [output] = draft.outputs;
  const result = attention.mixed.results[0]!;
  const permutation = output!.node === attention.mixed ? undefined : numbers(output!.node.attributes.permutation);
  const keys = attention.weights.type.shape.at(-1)!;
  return overFeatures(work, queries, reductionOf(draft, attention.mixed), (places) => {
    const points = places.map(({ point, row, at }) => {
      const sum = k.load(mixed, at, "f32");
      const mean = k.divide(sum, k.load(total, k.index(row), "f32"));
      // Over no keys at all the sum is 0.
      const some = typeof keys === "number" ? mean : k.select(k.gt(k.fromDim(keys), 0), mean, sum);
      draft.elements.define(result, point, some);
      return { output: output!, index: permutation ? permutation.map((axis) => point[axis]!) : point };
    });
    return storePoints(draft, points);
  });
}

const nameOf = (variable: Expr): string => (variable.kind === "variable" ? variable.name : "");
