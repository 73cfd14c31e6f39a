// Passes over kernels, after lowering and before rendering: the same results with less work in inner loops.

import type { Kernel } from "../../ir/kernel/types.ts";
import type { Target } from "../../ir/target.ts";
import { bindToGrid } from "./grid.ts";
import { hoist } from "./hoist.ts";
import { fuseMultiplyAdd } from "./multiply-add.ts";
import { splatOnce } from "./splat-once.ts";
import { vectorize } from "./vectorize.ts";

/**
 * All kernel passes, in order. On targets with groups of threads a kernel may become several, which run in this order; `freshKernel`
 * names them.
 */
export function optimizeKernel(
  kernel: Kernel,
  target: Target,
  freshKernel: (stem: string) => string,
): readonly Kernel[] {
  if (target.groups) return bindToGrid(vectorize(kernel), target.groups, freshKernel).map(hoist);
  if (target.lanes === 1) return [hoist(kernel)];
  const hoisted = hoist(splatOnce(vectorize(kernel)));
  return [target.fma ? fuseMultiplyAdd(hoisted) : hoisted];
}
