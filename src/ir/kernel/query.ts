// Questions about expressions of kernels that passes and back-ends both ask.

import { addDims, type Dim, floorDivideDim, multiplyDims, productOf, symbol } from "../dim.ts";
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

/** An index that depends on free sizes alone as a dimension; undefined for any other. `k.fromDim` is the way back. */
export function toDim(expr: Expr, sizes: readonly string[]): Dim | undefined {
  if (expr.kind === "variable") return sizes.includes(expr.name) ? symbol(expr.name) : undefined;
  let sum: Dim = 0;
  const form = toAffine(expr);
  for (const { coefficient, atoms } of form.terms) {
    const factors = atoms.map((atom) => (atom === expr ? atomDim(atom, sizes) : toDim(atom, sizes)));
    if (!factors.every((factor) => factor !== undefined)) return undefined;
    sum = addDims(sum, multiplyDims(coefficient, productOf(factors)));
  }
  return addDims(sum, form.constant);
}

/** A quotient: the only dimension that is neither a sum nor a product. */
function atomDim(atom: Expr, sizes: readonly string[]): Dim | undefined {
  if (atom.kind !== "binary" || atom.op !== "floordiv" || atom.b.kind !== "constant" || atom.b.value <= 0)
    return undefined;
  const numerator = toDim(atom.a, sizes);
  return numerator === undefined ? undefined : floorDivideDim(numerator, atom.b.value);
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
