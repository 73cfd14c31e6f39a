// What passes over kernels share: names that are taken, and putting expressions in the place of variables.

import { childrenOf } from "../../ir/kernel/query.ts";
import type { Expr, Kernel, Stmt } from "../../ir/kernel/types.ts";
import { definedIn, mapExpressions } from "../../ir/kernel/visit.ts";
import { withChildren } from "../lower/bind.ts";

/** Makes names that nothing in the kernel has yet. */
export function freshNames(kernel: Kernel): (stem: string) => string {
  const taken = new Set([...kernel.sizes, ...kernel.buffers.map((buffer) => buffer.name), ...definedIn(kernel.body)]);
  return (stem) => {
    let name = stem;
    for (let i = 1; taken.has(name); i++) name = `${stem}_${i}`;
    taken.add(name);
    return name;
  };
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
