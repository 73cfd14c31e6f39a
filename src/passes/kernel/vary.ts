// What differs from lane to lane in the body of a loop that is to be lifted, and whether lifting is possible at all.

import { childrenOf } from "../../ir/kernel/query.ts";
import { type Expr, isVector, type Stmt, vectorOf } from "../../ir/kernel/types.ts";
import { eachStatement } from "../../ir/kernel/visit.ts";

/** Tells whether an expression depends on `variable` or on one of `names`. */
export function createDependence(variable: string | undefined, names: ReadonlySet<string>): (expr: Expr) => boolean {
  const known = new WeakMap<Expr, boolean>();
  const depends = (expr: Expr): boolean => {
    if (expr.kind === "variable") return expr.name === variable || names.has(expr.name);
    const before = known.get(expr);
    if (before !== undefined) return before;
    const result = childrenOf(expr).some(depends);
    known.set(expr, result);
    return result;
  };
  return depends;
}

export const hasLoad = (expr: Expr): boolean => expr.kind === "load" || childrenOf(expr).some(hasLoad);

const hasVector = (expr: Expr): boolean => isVector(expr.type) || childrenOf(expr).some(hasVector);

/**
 * The names that hold something else in each lane, `vectors` among them; undefined where the body cannot be lifted: where a loop or
 * a condition depends on the lane, lanes store to one place, or what varies has no vector type.
 */
export function findVarying(
  body: readonly Stmt[],
  variable: string,
  vectors: ReadonlySet<string>,
): ReadonlySet<string> | undefined {
  const varying = new Set(vectors);
  for (let before = -1; before !== varying.size; ) {
    before = varying.size;
    spread(body, createDependence(variable, varying), varying);
  }
  const depends = createDependence(variable, varying);
  const own = new Set([...vectors, ...declaredIn(body)]);
  return body.every((s) => canLift(s, depends, varying, own)) ? varying : undefined;
}

function spread(body: readonly Stmt[], depends: (expr: Expr) => boolean, varying: Set<string>): void {
  eachStatement(body, (s) => {
    if ((s.kind === "let" || s.kind === "var" || s.kind === "assign") && depends(s.value)) varying.add(s.name);
  });
}

/** Names of values that statements define, once for each place. */
export function declaredIn(body: readonly Stmt[]): string[] {
  const names: string[] = [];
  eachStatement(body, (s) => {
    if (s.kind === "let" || s.kind === "var") names.push(s.name);
  });
  return names;
}

function canLift(
  s: Stmt,
  depends: (expr: Expr) => boolean,
  varying: ReadonlySet<string>,
  own: ReadonlySet<string>,
): boolean {
  const all = (body: readonly Stmt[]): boolean => body.every((inner) => canLift(inner, depends, varying, own));
  switch (s.kind) {
    case "for":
      return s.lanes === undefined && !depends(s.from) && !depends(s.to) && all(s.body);
    case "if":
      return !depends(s.condition) && all(s.then) && all(s.otherwise);
    case "block":
      return all(s.body);
    case "alloc":
    case "barrier":
      return false;
    case "let":
    case "var":
    case "assign": {
      if (hasVector(s.value)) return false;
      if (!varying.has(s.name)) return true;
      if (!own.has(s.name)) return false;
      // The name of an index is replaced by its meaning, which must not change in between.
      if (s.value.type === "index") return s.kind === "let" && !hasLoad(s.value);
      return vectorOf(s.value.type) !== undefined;
    }
    case "store":
      return !hasVector(s.value) && depends(s.index);
  }
}
