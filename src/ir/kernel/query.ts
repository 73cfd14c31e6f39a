// Questions about expressions of kernels that passes and back-ends both ask.

import { toAffine } from "./affine.ts";
import type { Expr } from "./types.ts";

/** The operands of an expression, index expressions included. */
export function childrenOf(expr: Expr): readonly Expr[] {
  switch (expr.kind) {
    case "constant":
    case "variable":
      return [];
    case "load":
      return [expr.index];
    case "unary":
    case "convert":
      return [expr.x];
    case "binary":
    case "compare":
      return [expr.a, expr.b];
    case "select":
      return [expr.condition, expr.a, expr.b];
    case "threefry":
      return [...expr.key, ...expr.counter];
    case "fma":
      return [expr.a, expr.b, expr.c];
    case "splat":
    case "lane":
    case "reduce_lanes":
      return [expr.x];
    case "vector":
      return expr.lanes;
  }
}

/** Whether an index is surely 0 or more, from what is known of its variables. */
export function isNatural(expr: Expr, natural: ReadonlySet<string>): boolean {
  if (expr.type !== "index") return expr.type === "u8" || expr.type === "bool";
  switch (expr.kind) {
    case "constant":
      return expr.value >= 0;
    case "variable":
      return natural.has(expr.name);
    case "convert":
      return expr.x.type === "u8" || expr.x.type === "bool";
    case "select":
      return isNatural(expr.a, natural) && isNatural(expr.b, natural);
    case "binary":
      switch (expr.op) {
        case "add":
        case "subtract":
        case "multiply": {
          const form = toAffine(expr);
          const grows = form.terms.every(
            (term) => term.coefficient > 0 && term.atoms.every((atom) => atom !== expr && isNatural(atom, natural)),
          );
          return form.constant >= 0 && grows;
        }
        case "floordiv":
        case "minimum":
          return isNatural(expr.a, natural) && isNatural(expr.b, natural);
        case "remainder":
          return isNatural(expr.a, natural);
        case "maximum":
          return isNatural(expr.a, natural) || isNatural(expr.b, natural);
        default:
          return false;
      }
    default:
      return false;
  }
}
