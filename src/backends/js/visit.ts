// Rebuilds kernels with some of their parts replaced.

import type { Expr, Stmt } from "../../ir/kernel/types.ts";

/**
 * The expression with `change` applied to every part of it, innermost first. Parts that stay the same stay the same objects,
 * so that what is known of them (their normal forms) is kept.
 */
export function mapExpressions(expr: Expr, change: (expr: Expr) => Expr): Expr {
  switch (expr.kind) {
    case "constant":
    case "variable":
      return change(expr);
    case "load": {
      const index = mapExpressions(expr.index, change);
      return change(index === expr.index ? expr : { ...expr, index });
    }
    case "unary":
    case "convert":
    case "splat":
    case "lane":
    case "reduce_lanes": {
      const x = mapExpressions(expr.x, change);
      return change(x === expr.x ? expr : { ...expr, x });
    }
    case "binary":
    case "compare": {
      const [a, b] = [mapExpressions(expr.a, change), mapExpressions(expr.b, change)];
      return change(a === expr.a && b === expr.b ? expr : { ...expr, a, b });
    }
    case "select": {
      const condition = mapExpressions(expr.condition, change);
      const [a, b] = [mapExpressions(expr.a, change), mapExpressions(expr.b, change)];
      const same = condition === expr.condition && a === expr.a && b === expr.b;
      return change(same ? expr : { ...expr, condition, a, b });
    }
    case "fma": {
      const [a, b, c] = [expr.a, expr.b, expr.c].map((x) => mapExpressions(x, change));
      return change(a === expr.a && b === expr.b && c === expr.c ? expr : { ...expr, a: a!, b: b!, c: c! });
    }
    case "vector": {
      const [a, b, c, d] = expr.lanes.map((x) => mapExpressions(x, change));
      return change({ ...expr, lanes: [a!, b!, c!, d!] });
    }
    case "threefry": {
      const visit = (x: Expr): Expr => mapExpressions(x, change);
      return change({
        ...expr,
        key: [visit(expr.key[0]), visit(expr.key[1])],
        counter: [visit(expr.counter[0]), visit(expr.counter[1])],
      });
    }
  }
}

/** The statement with the index of every load and store in it replaced, innermost first. */
export function mapAccesses(statement: Stmt, address: (buffer: string, index: Expr) => Expr): Stmt {
  const inExpr = (expr: Expr): Expr =>
    mapExpressions(expr, (x) => {
      if (x.kind !== "load") return x;
      const index = address(x.buffer, x.index);
      return index === x.index ? x : { ...x, index };
    });
  const inBody = (body: readonly Stmt[]): readonly Stmt[] => body.map((s) => mapAccesses(s, address));
  switch (statement.kind) {
    case "for":
      return { ...statement, from: inExpr(statement.from), to: inExpr(statement.to), body: inBody(statement.body) };
    case "let":
    case "var":
    case "assign":
      return { ...statement, value: inExpr(statement.value) };
    case "store":
      return {
        ...statement,
        index: address(statement.buffer, inExpr(statement.index)),
        value: inExpr(statement.value),
      };
    case "if":
      return {
        ...statement,
        condition: inExpr(statement.condition),
        then: inBody(statement.then),
        otherwise: inBody(statement.otherwise),
      };
    case "block":
      return { ...statement, body: inBody(statement.body) };
    case "alloc":
    case "barrier":
      return statement;
  }
}

/** Calls `visit` for the expressions of the statement itself, not for those of the statements in it. */
export function eachExpression(statement: Stmt, visit: (expr: Expr) => void): void {
  switch (statement.kind) {
    case "for":
      visit(statement.from);
      visit(statement.to);
      return;
    case "let":
    case "var":
    case "assign":
      visit(statement.value);
      return;
    case "store":
      visit(statement.index);
      visit(statement.value);
      return;
    case "if":
      visit(statement.condition);
      return;
    case "block":
    case "alloc":
    case "barrier":
      return;
  }
}
