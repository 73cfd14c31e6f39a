// Back-ends approximate some functions, each in its own way: kernels without them can be compared to the bit.

import type { BinaryOp, Stmt, UnaryOp } from "../../src/ir/kernel/types.ts";
import { mapExpressions, mapParts } from "../../src/ir/kernel/visit.ts";

/** The same statement with operations in the stead of approximate ones that every engine rounds alike. */
export function withoutApproximations(statement: Stmt, approximate: ReadonlySet<UnaryOp | BinaryOp>): Stmt {
  return mapExpressions(statement, (expr) =>
    mapParts(expr, (x) => {
      if (x.kind === "unary" && approximate.has(x.op)) return { ...x, op: "sqrt" };
      if (x.kind === "binary" && approximate.has(x.op) && x.type !== "i32" && x.type !== "u8" && x.type !== "i8") {
        return { ...x, op: "subtract" };
      }
      return x;
    }),
  );
}
