// Parallel loops of which each holds nothing but the next, as one loop over the tiles of all of them: threads share these, where the
// outermost loop alone has few.

import { k } from "../../../ir/kernel/build.ts";
import type { Expr, Stmt } from "../../../ir/kernel/types.ts";
import { containsLoop } from "../../../ir/kernel/visit.ts";

export type Loop = Stmt & { readonly kind: "for" };

/** Joins loops while there are fewer than `enough` tiles; `fresh` gives names that nothing has. Limits must be known numbers. */
export function coalesce(loop: Loop, enough: number, fresh: (stem: string) => string): Loop {
  const [inner, ...more] = loop.body;
  if (inner?.kind !== "for" || inner.mode !== "parallel" || more.length > 0 || !containsLoop(inner.body)) return loop;
  const [outside, inside] = [countOf(loop), countOf(inner)];
  if (outside === undefined || inside === undefined || outside >= enough) return loop;
  const name = fresh("tile");
  const tile = k.variable(name, "index");
  const positionIn = ({ from, step }: Loop, number: Expr): Expr => k.add(from, k.multiply(number, step));
  const joined: Loop = {
    ...loop,
    variable: name,
    from: k.index(0),
    to: k.index(outside * inside),
    step: 1,
    body: inner.body,
  };
  const names = [
    k.let(loop.variable, positionIn(loop, k.floordiv(tile, inside))),
    k.let(inner.variable, positionIn(inner, k.remainder(tile, inside))),
  ];
  const whole = coalesce(joined, enough, fresh);
  return whole === joined ? { ...joined, body: [...names, ...joined.body] } : withNames(whole, name, names);
}

/** A loop that `joined` became a part of: what names were made of its tile follows the name of that. */
function withNames(whole: Loop, tile: string, names: readonly Stmt[]): Loop {
  const at = whole.body.findIndex((s) => s.kind === "let" && s.name === tile);
  return { ...whole, body: [...whole.body.slice(0, at + 1), ...names, ...whole.body.slice(at + 1)] };
}

function countOf({ from, to, step }: Loop): number | undefined {
  const length = k.subtract(to, from);
  return length.kind === "constant" ? Math.max(0, Math.ceil(length.value / step)) : undefined;
}
