// A scalar that only ever meets vectors becomes a vector where it is defined: one load that fills all lanes instead of a load and a
// splat for each use.

import { k } from "../../ir/kernel/build.ts";
import { childrenOf } from "../../ir/kernel/query.ts";
import { type Expr, isVector, type Kernel, type Stmt, vectorOf } from "../../ir/kernel/types.ts";
import { eachStatement, expressionsOf, rebuild } from "../../ir/kernel/visit.ts";
import { mapChildren } from "./rewrite.ts";

/** The kernel with such names holding vectors. */
export function splatOnce(kernel: Kernel): Kernel {
  const other = new Set<string>();
  const splat = new Set<string>();
  const visit = (expr: Expr): void => {
    if (expr.kind === "splat" && expr.x.kind === "variable") splat.add(expr.x.name);
    else if (expr.kind === "variable") other.add(expr.name);
    else childrenOf(expr).forEach(visit);
  };
  eachStatement(kernel.body, (s) => expressionsOf(s).forEach(visit));
  // Registers that change stay as they are.
  eachStatement(kernel.body, (s) => {
    if (s.kind === "var") other.add(s.name);
  });
  const names = new Set([...splat].filter((name) => !other.has(name)));
  return names.size === 0 ? kernel : { ...kernel, body: widenIn(kernel.body, names) };
}

function widenIn(body: readonly Stmt[], names: ReadonlySet<string>): readonly Stmt[] {
  const widen = (expr: Expr): Expr =>
    expr.kind === "splat" && expr.x.kind === "variable" && names.has(expr.x.name)
      ? k.variable(expr.x.name, expr.type)
      : mapChildren(expr, widen);
  return body.map((s): Stmt => {
    const wide = rebuild(s, widen, (inner) => widenIn(inner, names));
    if (wide.kind !== "let" || !names.has(wide.name)) return wide;
    const scalar = !isVector(wide.value.type) && vectorOf(wide.value.type) !== undefined;
    return scalar ? { ...wide, value: k.splat(wide.value) } : wide;
  });
}
