// Sums with a product become fused multiply-adds, on targets that have the instruction for vectors. Runs last: what is moved out of
// loops must be parted from what stays before.

import { k } from "../../ir/kernel/build.ts";
import type { Expr, Kernel } from "../../ir/kernel/types.ts";
import { mapExpressions } from "../../ir/kernel/visit.ts";
import { mapChildren } from "./rewrite.ts";

/** The kernel with a · b + c of float vectors as `fma(a, b, c)`. */
export function fuseMultiplyAdd(kernel: Kernel): Kernel {
  return { ...kernel, body: kernel.body.map((s) => mapExpressions(s, fuse)) };
}

function fuse(expr: Expr): Expr {
  if (expr.type === "index") return expr;
  const inside = mapChildren(expr, fuse);
  if (inside.kind !== "binary" || inside.op !== "add" || inside.type !== "f32x4") return inside;
  const { a, b } = inside;
  if (isProduct(b)) return k.fma(b.a, b.b, a);
  return isProduct(a) ? k.fma(a.a, a.b, b) : inside;
}

const isProduct = (expr: Expr): expr is Extract<Expr, { kind: "binary" }> =>
  expr.kind === "binary" && expr.op === "multiply";
