// How much work statements are, for a choice between ways to share it: each counts one, as often as loops run it.

import type { Expr, Stmt } from "../../../ir/kernel/types.ts";
import { evaluateIndex, type Sizes } from "./sizes.ts";

/** How often a loop runs whose limits are not known. */
const usualCount = 32;

/**
 * About how many statements are run. Limits that depend on loops around are taken as they are in the first round of these; what
 * `sizes` does not tell is taken to be usual.
 */
export function workIn(body: readonly Stmt[], sizes: Sizes): number {
  const known = { ...sizes };
  let work = 0;
  for (const s of body) {
    if (s.kind === "for") {
      const [from, to] = [indexAt(s.from, known), indexAt(s.to, known)];
      const count = from === undefined || to === undefined ? usualCount / s.step : Math.max(0, (to - from) / s.step);
      work += Math.ceil(count) * workIn(s.body, from === undefined ? known : { ...known, [s.variable]: from });
    } else if (s.kind === "if") work += Math.max(workIn(s.then, known), workIn(s.otherwise, known));
    else if (s.kind === "block") work += workIn(s.body, known);
    else work++;
    if (s.kind === "let" && s.value.type === "index") {
      const value = indexAt(s.value, known);
      if (value !== undefined) known[s.name] = value;
    }
  }
  return work;
}

function indexAt(expr: Expr, sizes: Sizes): number | undefined {
  const value = evaluateIndex(expr, sizes);
  return Number.isNaN(value) ? undefined : value;
}
