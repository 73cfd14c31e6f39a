// Back-ends approximate some functions, each in its own way: kernels without them can be compared to the bit.

import { mapExpressions } from "../../src/backends/js/visit.ts";
import type { BinaryOp, Expr, Stmt, UnaryOp } from "../../src/ir/kernel/types.ts";
/** The same statement with operations in the stead of approximate ones that every engine rounds alike. */
export function withoutApproximations(statement: Stmt, approximate: ReadonlySet<UnaryOp | BinaryOp>): Stmt {
  const inBody = (body: readonly Stmt[]): readonly Stmt[] => body.map((s) => withoutApproximations(s, approximate));
  const inExpr = (expr: Expr): Expr =>
    mapExpressions(expr, (x) => {
      if (x.kind === "unary" && approximate.has(x.op)) return { ...x, op: "sqrt" };
      if (x.kind === "binary" && approximate.has(x.op) && x.type !== "i32" && x.type !== "u8" && x.type !== "i8") {
        return { ...x, op: "subtract" };
      }
      return x;
    });
  switch (statement.kind) {
    case "for":
      return { ...statement, body: inBody(statement.body) };
    case "let":
    case "var":
    case "assign":
    case "store":
      return { ...statement, value: inExpr(statement.value) };
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
