// One more term of sums: what several points need is loaded once, just before it is used.

import { exprKey } from "../../ir/kernel/affine.ts";
import { k } from "../../ir/kernel/build.ts";
import { childrenOf } from "../../ir/kernel/query.ts";
import type { Expr, Stmt } from "../../ir/kernel/types.ts";
import { bind } from "./bind.ts";
import type { Draft } from "./draft.ts";
import { nearUse } from "./near-use.ts";
import type { Accumulators } from "./registers.ts";

/** Every combination of positions along the axes of the domain, the last axis fastest. */
export const combinationsOf = (positions: readonly (readonly Expr[])[]): (readonly Expr[])[] =>
  positions.reduce<(readonly Expr[])[]>(
    (points, list) => points.flatMap((point) => list.map((at) => [...point, at])),
    [[]],
  );

/**
 * One more point of the domain; with several lanes one for each. Of loops that are written out, point after point: an engine that
 * loaded everything first would run out of registers. Points that read the same elements, as neighbouring places of a window do,
 * go together as far as registers hold what they read.
 */
export function step(
  draft: Draft,
  lanes: readonly (readonly Accumulators[])[],
  positions: readonly (readonly Expr[])[],
  simplify: (expr: Expr) => Expr,
): readonly Stmt[] {
  const places = combinationsOf(positions);
  const only = lanes[0]!;
  if (lanes.length === 1) {
    if (places.length === 1) return advance(draft, [{ accumulators: only, places }], simplify);
    return sharing(draft, only, places, simplify).flatMap((group) => advance(draft, [group], simplify));
  }
  // What is left over after whole rounds is narrower than the number of lanes.
  const each = places.map((place, lane) => ({ accumulators: lanes[lane]!, places: [place] }));
  return advance(draft, each, simplify);
}

export interface Advance {
  readonly accumulators: readonly Accumulators[];
  /** One behind the other. */
  readonly places: readonly (readonly Expr[])[];
  /** What becomes of the accumulators, where that is known. */
  readonly values?: readonly (readonly Expr[])[];
}

/** Places in their order, in groups of neighbours that share what they load. */
function sharing(
  draft: Draft,
  accumulators: readonly Accumulators[],
  places: readonly (readonly Expr[])[],
  simplify: (expr: Expr) => Expr,
): readonly Advance[] {
  const most = draft.tiles.registers - accumulators.reduce((sum, { names }) => sum + names.length, 0);
  const groups: Advance[] = [];
  let loaded = new Set<string>();
  for (const place of places) {
    const values = accumulators.map(({ reduction: { rule, context }, point, names }) =>
      rule.step(context, point, place, names).map(simplify),
    );
    const own = loadsOf(values.flat());
    const all = new Set([...loaded, ...own]);
    const last = groups.at(-1);
    if (last && all.size < loaded.size + own.size && all.size <= most) {
      groups[groups.length - 1] = { accumulators, places: [...last.places, place] };
      loaded = all;
    } else {
      groups.push({ accumulators, places: [place], values });
      loaded = own;
    }
  }
  return groups;
}

/** Keys of what expressions load. */
function loadsOf(values: readonly Expr[]): Set<string> {
  const keys = new Set<string>();
  const visit = (expr: Expr): void => {
    if (expr.kind === "load") keys.add(exprKey(expr));
    else childrenOf(expr).forEach(visit);
  };
  values.forEach(visit);
  return keys;
}

/** More points for each of several sets of accumulators. */
export function advance(draft: Draft, work: readonly Advance[], simplify: (expr: Expr) => Expr): readonly Stmt[] {
  const targets: { readonly to: Expr; readonly alone: boolean }[] = [];
  const roots: Expr[] = [];
  for (const { accumulators, places, values: known } of work) {
    for (const [at, { reduction, point, names }] of accumulators.entries()) {
      const { rule, context } = reduction;
      const values =
        known?.[at] ?? places.reduce((before, place) => rule.step(context, point, place, before), names).map(simplify);
      values.forEach((value, i) => {
        targets.push({ to: names[i]!, alone: values.length === 1 });
        roots.push(value);
      });
    }
  }
  const bound = bind(roots, draft.fresh);
  const early: Stmt[] = [...bound.statements];
  const late: Stmt[] = [];
  for (const [i, { to, alone }] of targets.entries()) {
    if (to.kind !== "variable") continue;
    const value = bound.values[i]!;
    if (value.kind === "variable" && value.name === to.name) continue;
    if (alone || value.kind === "constant") {
      late.push(k.assign(to.name, value));
      continue;
    }
    // Several accumulators of one reduction see each other's old values.
    const name = draft.fresh("next");
    early.push(k.let(name, value));
    late.push(k.assign(to.name, k.variable(name, value.type)));
  }
  return nearUse(early, late);
}
