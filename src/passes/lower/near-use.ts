// Names of values just before their first use: what is loaded holds a register no longer than that.

import { mentions } from "../../ir/kernel/affine.ts";
import { childrenOf } from "../../ir/kernel/query.ts";
import type { Expr, Stmt } from "../../ir/kernel/types.ts";

/** The assignments in their order, with each name defined as late as it can be; all names first where an assignment changes one. */
export function nearUse(definitions: readonly Stmt[], assignments: readonly Stmt[]): readonly Stmt[] {
  const changed = assignments.flatMap((s) => (s.kind === "assign" ? [s.name] : []));
  const isFixed = (s: Stmt): boolean => s.kind === "let" && !changed.some((name) => mentions(s.value, name));
  if (!definitions.every(isFixed)) return [...definitions, ...assignments];
  const left = new Map(definitions.flatMap((s) => (s.kind === "let" ? [[s.name, s] as const] : [])));
  const ordered: Stmt[] = [];
  const define = (expr: Expr): void => {
    const found = expr.kind === "variable" ? left.get(expr.name) : undefined;
    if (!found) {
      childrenOf(expr).forEach(define);
      return;
    }
    left.delete(found.name);
    define(found.value);
    ordered.push(found);
  };
  for (const s of assignments) {
    if (s.kind === "assign") define(s.value);
    ordered.push(s);
  }
  return ordered;
}
