// Walks and rebuilds kernels: the one place that knows which statements and expressions lie inside which.

import { childrenOf } from "./query.ts";
import type { Expr, Stmt } from "./types.ts";

/** The bodies inside the statement, none for a simple one. */
export function bodiesOf(s: Stmt): readonly (readonly Stmt[])[] {
  switch (s.kind) {
    case "for":
    case "block":
      return [s.body];
    case "if":
      return [s.then, s.otherwise];
    case "let":
    case "var":
    case "assign":
    case "store":
    case "alloc":
    case "barrier":
      return [];
  }
}

/** The expressions of the statement itself, not those of the statements in it. */
export function expressionsOf(s: Stmt): readonly Expr[] {
  switch (s.kind) {
    case "for":
      return [s.from, s.to];
    case "if":
      return [s.condition];
    case "let":
    case "var":
    case "assign":
      return [s.value];
    case "store":
      return [s.index, s.value];
    case "block":
    case "alloc":
    case "barrier":
      return [];
  }
}

/** The statement with its own expressions changed by `change`, and the bodies in it by `inside`. */
export function rebuild(
  s: Stmt,
  change: (expr: Expr) => Expr,
  inside: (body: readonly Stmt[]) => readonly Stmt[],
): Stmt {
  switch (s.kind) {
    case "for":
      return { ...s, from: change(s.from), to: change(s.to), body: inside(s.body) };
    case "if":
      return { ...s, condition: change(s.condition), then: inside(s.then), otherwise: inside(s.otherwise) };
    case "block":
      return { ...s, body: inside(s.body) };
    case "let":
    case "var":
    case "assign":
      return { ...s, value: change(s.value) };
    case "store":
      return { ...s, index: change(s.index), value: change(s.value) };
    case "alloc":
    case "barrier":
      return s;
  }
}

/** The statement with every expression of it and of the statements in it changed. */
export function mapExpressions(s: Stmt, change: (expr: Expr) => Expr): Stmt {
  return rebuild(s, change, (body) => body.map((inner) => mapExpressions(inner, change)));
}

/** Calls `visit` for every statement, however deep, in the order in which they stand. */
export function eachStatement(body: readonly Stmt[], visit: (s: Stmt) => void): void {
  for (const s of body) {
    visit(s);
    for (const inner of bodiesOf(s)) eachStatement(inner, visit);
  }
}

/** Calls `visit` for the expression and every part of it, outermost first. */
export function eachPart(expr: Expr, visit: (part: Expr) => void): void {
  visit(expr);
  for (const child of childrenOf(expr)) eachPart(child, visit);
}

/** Calls `visit` for every part of every expression in the statements. */
export function eachPartIn(body: readonly Stmt[], visit: (part: Expr) => void): void {
  eachStatement(body, (s) => {
    for (const expr of expressionsOf(s)) eachPart(expr, visit);
  });
}

/** Names that get their values in the statements (loop variables, lets, vars, scratch arrays, what is assigned); once for each place. */
export function definedIn(body: readonly Stmt[]): string[] {
  const names: string[] = [];
  eachStatement(body, (s) => {
    if (s.kind === "for") names.push(s.variable);
    else if (s.kind === "let" || s.kind === "var" || s.kind === "assign" || s.kind === "alloc") names.push(s.name);
  });
  return names;
}

/** Whether there is a loop among the statements, however deep. */
export const containsLoop = (body: readonly Stmt[]): boolean =>
  body.some((s) => s.kind === "for" || bodiesOf(s).some(containsLoop));

/** The scratch arrays of a body, however deep. */
export function scratchIn(body: readonly Stmt[]): (Stmt & { readonly kind: "alloc" })[] {
  const found: (Stmt & { readonly kind: "alloc" })[] = [];
  eachStatement(body, (s) => {
    if (s.kind === "alloc") found.push(s);
  });
  return found;
}

/**
 * The expression with `change` applied to every part of it, innermost first. Parts that stay the same stay the same objects,
 * so that what is known of them (their normal forms) is kept; indices are not brought to their normal form again.
 */
export function mapParts(expr: Expr, change: (part: Expr) => Expr): Expr {
  const inner = (x: Expr): Expr => mapParts(x, change);
  switch (expr.kind) {
    case "constant":
    case "variable":
      return change(expr);
    case "load": {
      const index = inner(expr.index);
      return change(index === expr.index ? expr : { ...expr, index });
    }
    case "unary":
    case "convert":
    case "splat":
    case "lane":
    case "reduce_lanes": {
      const x = inner(expr.x);
      return change(x === expr.x ? expr : { ...expr, x });
    }
    case "binary":
    case "compare": {
      const [a, b] = [inner(expr.a), inner(expr.b)];
      return change(a === expr.a && b === expr.b ? expr : { ...expr, a, b });
    }
    case "select": {
      const [condition, a, b] = [inner(expr.condition), inner(expr.a), inner(expr.b)];
      const same = condition === expr.condition && a === expr.a && b === expr.b;
      return change(same ? expr : { ...expr, condition, a, b });
    }
    case "fma": {
      const [a, b, c] = [inner(expr.a), inner(expr.b), inner(expr.c)];
      return change(a === expr.a && b === expr.b && c === expr.c ? expr : { ...expr, a, b, c });
    }
    case "vector": {
      const [a, b, c, d] = expr.lanes;
      return change({ ...expr, lanes: [inner(a), inner(b), inner(c), inner(d)] });
    }
    case "threefry": {
      const [key, counter] = [expr.key, expr.counter];
      return change({ ...expr, key: [inner(key[0]), inner(key[1])], counter: [inner(counter[0]), inner(counter[1])] });
    }
  }
}
