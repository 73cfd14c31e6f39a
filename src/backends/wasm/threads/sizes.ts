// What limits of loops are once the free sizes are known: index arithmetic over them, with the names before a loop resolved.

import { applyCompare } from "../../../ir/kernel/arithmetic.ts";
import type { BinaryOp, Expr, Kernel, Stmt } from "../../../ir/kernel/types.ts";
import { mapParts } from "../../../ir/kernel/visit.ts";

export type Sizes = Readonly<Record<string, number>>;

/** The expression with the names before it replaced by their values; undefined unless free sizes alone decide it. */
export function resolve(expr: Expr, kernel: Kernel, before: readonly Stmt[]): Expr | undefined {
  let isKnown = true;
  const inserted = mapParts(expr, (part) => {
    const at = part.kind === "variable" ? before.findLastIndex((s) => s.kind === "let" && s.name === part.name) : -1;
    const definition = before[at];
    const value = definition?.kind === "let" ? resolve(definition.value, kernel, before.slice(0, at)) : part;
    if (!value || !isIndexArithmetic(value, kernel.sizes)) isKnown = false;
    return value ?? part;
  });
  return isKnown ? inserted : undefined;
}

const arithmetic = ["add", "subtract", "multiply", "floordiv", "remainder", "minimum", "maximum"];

function isIndexArithmetic(expr: Expr, sizes: readonly string[]): boolean {
  switch (expr.kind) {
    case "constant":
      return true;
    case "variable":
      return sizes.includes(expr.name);
    case "binary":
      return expr.type === "index" && arithmetic.includes(expr.op);
    case "compare":
      return expr.a.type === "index";
    default:
      return false;
  }
}

/** The value of what `resolve` gives; truth is 1. NaN where more than the sizes decides it. */
export function evaluateIndex(expr: Expr, sizes: Sizes): number {
  switch (expr.kind) {
    case "constant":
      return expr.value;
    case "variable":
      return sizes[expr.name] ?? Number.NaN;
    case "compare":
      return applyCompare(expr.op, evaluateIndex(expr.a, sizes), evaluateIndex(expr.b, sizes)) ? 1 : 0;
    case "binary":
      return calculate(expr.op, evaluateIndex(expr.a, sizes), evaluateIndex(expr.b, sizes));
    default:
      return Number.NaN;
  }
}

function calculate(name: BinaryOp, a: number, b: number): number {
  switch (name) {
    case "add":
      return a + b;
    case "subtract":
      return a - b;
    case "multiply":
      return a * b;
    case "floordiv":
      return Math.floor(a / b);
    case "remainder":
      return a % b;
    case "minimum":
      return Math.min(a, b);
    case "maximum":
      return Math.max(a, b);
    default:
      return Number.NaN;
  }
}
