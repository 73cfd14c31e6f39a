// What transformations do to expressions: find parts and put others in their place.

import { exprKey } from "../../ir/kernel/affine.ts";
import type { Expr } from "../../ir/kernel/types.ts";
import { mapChildren } from "../kernel/rewrite.ts";

/** Whether an expression is the same as `one`. */
export function createEquals(one: Expr): (other: Expr) => boolean {
  const key = exprKey(one);
  return (other) => other.kind === one.kind && exprKey(other) === key;
}

/** The expression with the parts replaced that `other` gives something for; what it gives is left as it is. */
export function replace(expr: Expr, other: (part: Expr) => Expr | undefined): Expr {
  return other(expr) ?? mapChildren(expr, (child) => replace(child, other));
}
