// Chooses the loops whose bodies become functions of their own. V8 replaces a function that runs long while it runs, and what
// it makes then is a quarter slower than what it makes of a small function that is called often.

import type { Expr, Stmt } from "../../ir/kernel/types.ts";
import { bodiesOf, containsLoop, eachPart, eachStatement, expressionsOf } from "../../ir/kernel/visit.ts";

type Loop = Stmt & { readonly kind: "for" };

/**
 * Of each nest the loops around the accumulators, or else the last but one: their bodies are what is called often. They must not
 * assign to registers outside.
 */
export function findTiles(body: readonly Stmt[]): ReadonlySet<Stmt> {
  const tiles = new Set<Stmt>();
  const visit = (loop: Loop): void => {
    const inner = loopsOf(loop.body);
    const deeper = inner.filter((other) => containsLoop(other.body) && other.role !== "k" && other.role !== "window");
    deeper.forEach(visit);
    // A var of type index is a pointer, not an accumulator.
    const accumulates = statementsOf(loop.body).some((s) => s.kind === "var" && s.value.type !== "index");
    const last = accumulates || deeper.length === 0;
    if (last && inner.length > 0 && !assignsOutside(loop.body)) tiles.add(loop);
  };
  for (const loop of loopsOf(body)) visit(loop);
  return tiles;
}

/** The statements of a body and of the blocks and branches in it, but not of its loops. */
function statementsOf(body: readonly Stmt[]): Stmt[] {
  return body.flatMap((s): Stmt[] => {
    if (s.kind === "block") return statementsOf(s.body);
    if (s.kind === "if") return [s, ...statementsOf(s.then), ...statementsOf(s.otherwise)];
    return [s];
  });
}

const loopsOf = (body: readonly Stmt[]): Loop[] => statementsOf(body).filter((s) => s.kind === "for");

function assignsOutside(body: readonly Stmt[]): boolean {
  const own = new Set<string>();
  let outside = false;
  eachStatement(body, (s) => {
    if (s.kind === "var") own.add(s.name);
    if (s.kind === "assign" && !own.has(s.name)) outside = true;
  });
  return outside;
}

/** Names that the statements use but do not define, in order of appearance. */
export function freeVariables(body: readonly Stmt[]): string[] {
  const free = new Set<string>();
  const visit = (list: readonly Stmt[], outer: ReadonlySet<string>): void => {
    const defined = new Set(outer);
    const use = (expr: Expr): void => {
      eachPart(expr, (x) => {
        if (x.kind === "variable" && !defined.has(x.name)) free.add(x.name);
      });
    };
    for (const s of list) {
      expressionsOf(s).forEach(use);
      if (s.kind === "let" || s.kind === "var") defined.add(s.name);
      if (s.kind === "assign" && !defined.has(s.name)) free.add(s.name);
      if (s.kind === "for") visit(s.body, new Set([...defined, s.variable]));
      else for (const inner of bodiesOf(s)) visit(inner, defined);
    }
  };
  visit(body, new Set());
  return [...free];
}
