// A scalar that only ever meets vectors becomes a vector where it is defined: one load that fills all lanes instead of a load and a
// splat for each use.

import { k } from "../../ir/kernel/build.ts";
import { childrenOf } from "../../ir/kernel/query.ts";
import { type Expr, isVector, type Kernel, type Stmt, vectorOf } from "../../ir/kernel/types.ts";
import { mapChildren, mapExpressions } from "./rewrite.ts";

/** The kernel with such names holding vectors. */
export function splatOnce(kernel: Kernel): Kernel {
  const other = new Set<string>();
  const splat = new Set<string>();
  const visit = (expr: Expr): void => {
    if (expr.kind === "splat" && expr.x.kind === "variable") splat.add(expr.x.name);
    else if (expr.kind === "variable") other.add(expr.name);
    else childrenOf(expr).forEach(visit);
  };
  for (const s of kernel.body) {
    mapExpressions(s, (expr) => {
      visit(expr);
      return expr;
    });
  }
  for (const name of changedIn(kernel.body)) other.add(name);
  const names = new Set([...splat].filter((name) => !other.has(name)));
  return names.size === 0 ? kernel : { ...kernel, body: widenIn(kernel.body, names) };
}

/** Names of registers that change: they stay as they are. */
function changedIn(body: readonly Stmt[]): string[] {
  return body.flatMap((s): string[] => {
    switch (s.kind) {
      case "for":
      case "block":
        return changedIn(s.body);
      case "if":
        return [...changedIn(s.then), ...changedIn(s.otherwise)];
      case "var":
        return [s.name];
      default:
        return [];
    }
  });
}

function widenIn(body: readonly Stmt[], names: ReadonlySet<string>): readonly Stmt[] {
  const widen = (expr: Expr): Expr =>
    expr.kind === "splat" && expr.x.kind === "variable" && names.has(expr.x.name)
      ? k.variable(expr.x.name, expr.type)
      : mapChildren(expr, widen);
  return body.map((s): Stmt => {
    switch (s.kind) {
      case "for":
      case "block":
        return { ...s, body: widenIn(s.body, names) };
      case "if":
        return { ...s, then: widenIn(s.then, names), otherwise: widenIn(s.otherwise, names) };
      case "let": {
        const value = widen(s.value);
        const scalar = names.has(s.name) && !isVector(value.type) && vectorOf(value.type) !== undefined;
        return { ...s, value: scalar ? k.splat(value) : value };
      }
      default:
        return mapExpressions(s, widen);
    }
  });
}
