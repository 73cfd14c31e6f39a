// What passes over kernels share: names that are taken, and putting expressions in the place of variables.

import { childrenOf } from "../../ir/kernel/query.ts";
import type { Expr, Kernel, Stmt } from "../../ir/kernel/types.ts";
import { definedIn, mapExpressions, mapParts, rebuild, scratchIn } from "../../ir/kernel/visit.ts";
import { withChildren } from "../lower/bind.ts";

/** Makes names that nothing in the kernel has yet. */
export function freshNames(kernel: Kernel): (stem: string) => string {
  const taken = new Set([...kernel.sizes, ...kernel.buffers.map((buffer) => buffer.name), ...definedIn(kernel.body)]);
  return (stem) => unused(stem, taken);
}

/** The expression with variables replaced; indices are brought to their normal form again. */
export function substitute(expr: Expr, names: ReadonlyMap<string, Expr>): Expr {
  if (names.size === 0) return expr;
  if (expr.kind === "variable") return names.get(expr.name) ?? expr;
  return mapChildren(expr, (child) => substitute(child, names));
}

/** The expression over changed operands; itself if none changed. */
export function mapChildren(expr: Expr, change: (child: Expr) => Expr): Expr {
  const children = childrenOf(expr);
  const parts = children.map(change);
  return parts.every((part, i) => part === children[i]) ? expr : withChildren(expr, parts);
}

/** The body with variables replaced in all its expressions. */
export const substituteIn = (body: readonly Stmt[], names: ReadonlyMap<string, Expr>): readonly Stmt[] =>
  body.map((s) => mapExpressions(s, (expr) => substitute(expr, names)));

/** The kernel, a part of a larger one, with the numbers at the ends of its names counted anew. */
export function renumber(kernel: Kernel): Kernel {
  const scratch = new Set(scratchIn(kernel.body).map(({ name }) => name));
  const taken = new Set([...kernel.sizes, ...kernel.buffers.map(({ name }) => name), ...scratch]);
  const names = new Map<string, string>();
  for (const name of definedIn(kernel.body)) {
    if (!scratch.has(name) && !names.has(name)) names.set(name, unused(name.replace(/_\d+$/, ""), taken));
  }
  const renamed = (name: string): string => names.get(name) ?? name;
  const inExpr = (expr: Expr): Expr =>
    mapParts(expr, (part) => (part.kind === "variable" ? { ...part, name: renamed(part.name) } : part));
  const inBody = (body: readonly Stmt[]): readonly Stmt[] =>
    body.map((s) => {
      const changed = rebuild(s, inExpr, inBody);
      if (changed.kind === "for") return { ...changed, variable: renamed(changed.variable) };
      const named = changed.kind === "let" || changed.kind === "var" || changed.kind === "assign";
      return named ? { ...changed, name: renamed(changed.name) } : changed;
    });
  return { ...kernel, body: inBody(kernel.body) };
}

/** The stem, or the stem with a number, that is not taken yet; it is from now on. */
function unused(stem: string, taken: Set<string>): string {
  let name = stem;
  for (let i = 1; taken.has(name); i++) name = `${stem}_${i}`;
  taken.add(name);
  return name;
}
