// Moves out of a loop what is the same in each of its iterations: work on scalars, on the row, on the column. Index arithmetic is
// left to the back-ends, which know how buffers are addressed.

import { evaluateDim } from "../../ir/dim.ts";
import { exprKey } from "../../ir/kernel/affine.ts";
import { k } from "../../ir/kernel/build.ts";
import { childrenOf } from "../../ir/kernel/query.ts";
import { type Expr, isVector, type Kernel, type Stmt } from "../../ir/kernel/types.ts";
import { definedIn } from "../../ir/kernel/visit.ts";
import { freshNames, mapChildren, substitute, substituteIn } from "./rewrite.ts";

type Loop = Extract<Stmt, { kind: "for" }>;

interface Scope {
  readonly kernel: Kernel;
  readonly fresh: (stem: string) => string;
}

/** The kernel with everything that a loop leaves alone computed before that loop. */
export function hoist(kernel: Kernel): Kernel {
  return { ...kernel, body: hoistBody(kernel.body, { kernel, fresh: freshNames(kernel) }) };
}

/** Inner loops first: what leaves them is then looked at again in the loop around. */
function hoistBody(body: readonly Stmt[], scope: Scope): readonly Stmt[] {
  const known: Known = new Map();
  return body.flatMap((statement): readonly Stmt[] => {
    switch (statement.kind) {
      case "for":
        return hoistFrom({ ...statement, body: hoistBody(statement.body, scope) }, scope, known);
      case "if":
        return [
          {
            ...statement,
            then: hoistBody(statement.then, scope),
            otherwise: hoistBody(statement.otherwise, scope),
          },
        ];
      case "block":
        return [{ ...statement, body: hoistBody(statement.body, scope) }];
      default:
        return [statement];
    }
  });
}

/** Names of what has left a loop in the same body, by the text of its expression: loops side by side share it. */
type Known = Map<string, Expr>;

/** The loop, behind the statements that left it. */
function hoistFrom(loop: Loop, scope: Scope, shared: Known): readonly Stmt[] {
  const changing = new Set([loop.variable, ...definedIn(loop.body)]);
  const written = new Set(storedIn(loop.body));
  const runs = loop.from.kind === "constant" && loop.to.kind === "constant" && loop.from.value < loop.to.value;
  const fixed = memo((expr): boolean => {
    if (expr.kind === "variable") return !changing.has(expr.name);
    // A loop that may not run must not read: what it would read may not exist.
    if (expr.kind === "load" && (written.has(expr.buffer) || !(runs || isFirst(expr, scope.kernel)))) return false;
    return childrenOf(expr).every(fixed);
  });
  const before: Stmt[] = [];
  const renamed = new Map<string, Expr>();
  const take = (expr: Expr, name = scope.fresh("same")): Expr => {
    const value = substitute(expr, renamed);
    const key = exprKey(value);
    const known = shared.get(key);
    if (known) return known;
    before.push(k.let(name, value));
    const variable = k.variable(name, expr.type);
    if (!readsOwnResults(value, scope.kernel)) shared.set(key, variable);
    return variable;
  };
  const rewrite = (expr: Expr): Expr => {
    // A name that was dropped in favour of another one is replaced at the end.
    if (expr.type === "index" || expr.kind === "constant" || expr.kind === "variable") return expr;
    if (fixed(expr) && isWork(expr)) return take(expr);
    // What is read in an arm of a selection may exist only where its condition holds.
    if (expr.kind === "select") return { ...expr, condition: rewrite(expr.condition) };
    return mapChildren(expr, rewrite);
  };
  const body = loop.body.flatMap((statement): readonly Stmt[] => {
    switch (statement.kind) {
      case "let": {
        if (fixed(statement.value)) {
          changing.delete(statement.name);
          const variable = take(statement.value, statement.name);
          if (variable.kind === "variable" && variable.name !== statement.name) renamed.set(statement.name, variable);
          return [];
        }
        return [{ ...statement, value: rewrite(statement.value) }];
      }
      case "var":
      case "assign":
      case "store":
        return [{ ...statement, value: rewrite(statement.value) }];
      default:
        return [statement];
    }
  });
  return [...before, { ...loop, body: renamed.size === 0 ? body : substituteIn(body, renamed) }];
}

/** Whether it reads what the kernel writes: then it may differ from one place to another. */
function readsOwnResults(expr: Expr, kernel: Kernel): boolean {
  const isOperand = (name: string) => kernel.buffers.some((b) => b.name === name && b.access === "read");
  return (expr.kind === "load" && !isOperand(expr.buffer)) || childrenOf(expr).some((x) => readsOwnResults(x, kernel));
}

function memo(compute: (expr: Expr) => boolean): (expr: Expr) => boolean {
  const known = new Map<Expr, boolean>();
  return (expr) => {
    const before = known.get(expr);
    if (before !== undefined) return before;
    const result = compute(expr);
    // A name that has just left the loop makes others fixed: only what is fixed stays so.
    if (result) known.set(expr, result);
    return result;
  };
}

/** Constants, in all lanes as well, and names cost nothing; everything else is work. */
const isWork = (expr: Expr): boolean =>
  expr.kind !== "constant" && expr.kind !== "variable" && !(expr.kind === "splat" && expr.x.kind === "constant");

/** An element that exists for all sizes: one of a buffer of a known length. */
function isFirst({ buffer, index, type }: Extract<Expr, { kind: "load" }>, kernel: Kernel): boolean {
  const length = kernel.buffers.find((parameter) => parameter.name === buffer)?.length;
  const last = isVector(type) ? 3 : 0;
  return typeof length === "number" && index.kind === "constant" && index.value + last < evaluateDim(length, {});
}

function storedIn(body: readonly Stmt[]): string[] {
  return body.flatMap((s): string[] => {
    switch (s.kind) {
      case "for":
      case "block":
        return storedIn(s.body);
      case "if":
        return [...storedIn(s.then), ...storedIn(s.otherwise)];
      case "store":
        return [s.buffer];
      default:
        return [];
    }
  });
}
