// Rebuilds kernels with some of their parts replaced.

import type { Expr, Stmt } from "../../ir/kernel/types.ts";

/** The expression with `change` applied to every part of it, innermost first. */
export function mapExpressions(expr: Expr, change: (expr: Expr) => Expr): Expr {
  const visit = (x: Expr): Expr => mapExpressions(x, change);
  switch (expr.kind) {
    case "constant":
    case "variable":
      return change(expr);
    case "load":
      return change({ ...expr, index: visit(expr.index) });
    case "unary":
    case "convert":
      return change({ ...expr, x: visit(expr.x) });
    case "binary":
    case "compare":
      return change({ ...expr, a: visit(expr.a), b: visit(expr.b) });
    case "select":
      return change({ ...expr, condition: visit(expr.condition), a: visit(expr.a), b: visit(expr.b) });
    case "threefry":
      return change({
        ...expr,
        key: [visit(expr.key[0]), visit(expr.key[1])],
        counter: [visit(expr.counter[0]), visit(expr.counter[1])],
      });
  }
}

/** The statement with the index of every load and store in it replaced, innermost first. */
export function mapAccesses(statement: Stmt, address: (buffer: string, index: Expr) => Expr): Stmt {
  const inExpr = (expr: Expr): Expr =>
    mapExpressions(expr, (x) => (x.kind === "load" ? { ...x, index: address(x.buffer, x.index) } : x));
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
      return;
  }
}
