// Products with matrices that are computed block by block, from products of vectors: the gradients of attention. All of a kernel run
// along the same rows and share what their matrices follow from.

import type { Node } from "../../ir/graph.ts";
import { k } from "../../ir/kernel/build.ts";
import type { Stmt } from "../../ir/kernel/types.ts";
import { type Mixture, mixtureOf, productsIn } from "../graph/attention.ts";
import { clearSums, fillBlocks, mixBlock, mixingOf, overBlocks, overRows, scratchOf, storeSums } from "./blocks.ts";
import type { Draft } from "./draft.ts";

/** The mixtures that a body consists of: products, of which one operand follows from others of the body. */
export function mixturesIn(nodes: readonly Node[]): readonly Mixture[] {
  return nodes.flatMap((node) => {
    const found = ([0, 1] as const).map((side) => mixtureOf(node, side));
    return found.find((mixture) => mixture && productsIn(mixture.matrix, new Set()).length > 0) ?? [];
  });
}

export function lowerMixtures(draft: Draft, mixtures: readonly Mixture[]): readonly Stmt[] {
  const [first] = mixtures;
  if (!first) throw new TypeError("the body is no mixture");
  const all = mixtures.map((mixture) => mixingOf(draft, mixture));
  const targets = all.map(({ mixture: { matrix }, block }) => ({ matrix, block }));
  return [
    ...all.flatMap((mixing) => scratchOf(draft, mixing)),
    ...overRows(draft, first, (rows) => [
      ...all.flatMap((mixing) => clearSums(draft, mixing, rows.length)),
      ...overBlocks(draft, first, (stretch) => [
        k.block("weights", fillBlocks(draft, targets, first.summed, rows, stretch)),
        ...all.flatMap((mixing) => mixBlock(draft, mixing, rows, stretch)),
      ]),
      ...all.flatMap((mixing) => storeSums(draft, mixing, rows)),
    ]),
  ];
}
