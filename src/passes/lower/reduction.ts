// Reductions, contractions and windows, with what is fused before and behind them: loops over the result, a tile of it in
// registers, and the element operations on the results where they are stored.

import { formatDim, productOf } from "../../ir/dim.ts";
import { bytesOf } from "../../ir/dtype.ts";
import { k } from "../../ir/kernel/build.ts";
import type { Expr, Stmt } from "../../ir/kernel/types.ts";
import type { Iteration } from "../graph/iteration.ts";
import { planBlocks } from "../schedule/blocks.ts";
import { bytesAt, sizeAt, type Walk } from "../schedule/reduction.ts";
import { lowerBlocked } from "./blocked.ts";
import { choose, type ReductionWalk } from "./choice.ts";
import { collapse } from "./collapse.ts";
import type { Draft } from "./draft.ts";
import { indexBy, storePoints } from "./loop.ts";
import { type Reduction, reductionOf } from "./registers.ts";
import { inSlices, type StoreAt } from "./slices.ts";
import { stridesOf } from "./strides.ts";
import { lowerTiles } from "./tiles.ts";
import { endsInFunctions } from "./waiting.ts";

export function lowerReduction(draft: Draft, iteration: Iteration): readonly Stmt[] {
  const reductions = reductionsOf(draft, iteration);
  const walk = walkOf(draft, iteration, reductions);
  const storeAt = storing(draft, iteration);
  const blocks = walk.contraction && planBlocks(walk.contraction, draft.tiles);
  const blocked = blocks && lowerBlocked(draft, reductions[0]!, blocks, walk.shape, storeAt);
  if (!blocked) return lowerChosen(draft, iteration, reductions, walk, storeAt);
  if (blocks.least.length === 0) return blocked;
  // Whether free sizes are large enough for blocks is known when the kernel runs.
  draft.note(`where ${blocks.least.map(({ size, least }) => `${formatDim(size)} < ${least}`).join(" or ")} instead:`);
  const direct = lowerChosen(draft, iteration, reductions, walk, storeAt);
  const sizes = blocks.least.map(({ size, least }) => k.subtract(k.fromDim(size), least));
  const isLarge = k.ge(
    sizes.reduce((a, b) => k.minimum(a, b)),
    0,
  );
  const isScratch = (s: Stmt): boolean => s.kind === "alloc";
  const loops = (body: readonly Stmt[]): readonly Stmt[] => body.filter((s) => !isScratch(s));
  return [...[...blocked, ...direct].filter(isScratch), k.if(isLarge, loops(blocked), loops(direct))];
}

/** Tile by tile, and where these are few slice by slice. */
function lowerChosen(
  draft: Draft,
  iteration: Iteration,
  reductions: readonly Reduction[],
  walk: ReductionWalk,
  storeAt: StoreAt,
): readonly Stmt[] {
  const choice = choose(draft, iteration, reductions, walk);
  const { slices, steps } = choice;
  const results = reductions.map(({ node }) => node.results[0]!);
  const ends = endsInFunctions(draft, iteration) ? "functions" : "stores";
  return inSlices(draft, { results, shape: walk.shape, steps }, slices, storeAt, (store, slice) =>
    lowerTiles(draft, reductions, walk.shape, choice, slice ? { store, ends: "stores", slice } : { store, ends }),
  );
}

function reductionsOf(draft: Draft, iteration: Iteration): readonly Reduction[] {
  const given = iteration.reductions.map((node) => reductionOf(draft, node));
  // Several reductions share their loops, and would have to agree.
  return draft.tiles.lanes > 1 && given.length === 1 ? given.map(collapse) : given;
}

/** Computes and stores all outputs at points of the result. */
const storing =
  (draft: Draft, { shape, outer, access }: Iteration): StoreAt =>
  (points) =>
    storePoints(
      draft,
      points.flatMap((point) => {
        const index: Expr[] = shape.map(() => k.index(0));
        outer.forEach((axis, i) => {
          index[axis] = point[i]!;
        });
        return draft.outputs.map((output) => ({ output, index: indexBy(access.get(output)!, index) }));
      }),
    );

/** How the operands are walked through; for contractions with what their schedule asks for. */
function walkOf({ tiles }: Draft, { shape, outer }: Iteration, reductions: readonly Reduction[]): ReductionWalk {
  const first = reductions[0]!;
  const walk: Walk = { shape: outer.map((axis) => shape[axis]!), ...stridesOf(reductions, tiles) };
  const axes = first.rule.contraction?.(first.context);
  if (!axes) return walk;
  const second = first.context.inputTypes[1]!;
  const panelBytes = bytesAt(second.shape, bytesOf[second.dtype], tiles);
  const rows = sizeAt(productOf(first.context.inputTypes[0]!.shape), tiles.freeSize);
  const length = productOf(first.rule.domain(first.context));
  const depth = typeof length === "number" ? length : undefined;
  const last = first.rule.domain(first.context).at(-1);
  const run = typeof last === "number" ? last : undefined;
  const domain = first.rule.domain(first.context);
  return { ...walk, contraction: { ...walk, ...axes, domain, depth, run, rows, panelBytes } };
}
