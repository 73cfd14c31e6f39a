// Which storage bindings hold vectors of four instead of single elements: those that a kernel reads and writes by whole vectors alone,
// at multiples of four. One access then takes the place of four, each with a check of its bounds.

import type { Dim } from "../../ir/dim.ts";
import type { DType } from "../../ir/dtype.ts";
import { type Expr, isVector, type Stmt } from "../../ir/kernel/types.ts";
import { eachPart, eachStatement, expressionsOf } from "../../ir/kernel/visit.ts";
import type { Bindings } from "./bindings.ts";

const lanes = 4;

/** Types whose elements lie in memory as registers hold them. */
const isPlain = (dtype: DType): boolean => dtype !== "bool" && dtype !== "f16";

/** The roots of such bindings. `dtypeOf` says what a buffer of the kernel holds. */
export function vectorBindings(
  body: readonly Stmt[],
  bindings: Bindings,
  dtypeOf: ReadonlyMap<string, DType>,
): ReadonlySet<string> {
  const divisors = divisorsIn(body);
  const roots = new Set(bindings.storage.map(({ root }) => root));
  const exclude = (buffer: string): void => {
    const bound = bindings.buffers.get(buffer);
    if (bound) roots.delete(bound.root);
  };
  const access = (buffer: string, index: Expr, isWhole: boolean): void => {
    if (!isWhole || divisorOf(index, divisors) < lanes) exclude(buffer);
  };
  for (const [buffer, { root, from }] of bindings.buffers) {
    const dtype = dtypeOf.get(buffer);
    const binding = bindings.storage.find((storage) => storage.root === root);
    if (!dtype || !isPlain(dtype) || (dtype === "f32") !== (binding?.dtype === "f32")) exclude(buffer);
    const number = typeof from === "number" ? { dim: from } : bindings.starts.get(from);
    if (!number || !("dim" in number) || divisorOfDim(number.dim) < lanes) exclude(buffer);
  }
  eachStatement(body, (s) => {
    if (s.kind === "store") access(s.buffer, s.index, isVector(s.value.type));
    for (const expr of expressionsOf(s))
      eachPart(expr, (part) => {
        if (part.kind === "load") access(part.buffer, part.index, isVector(part.type));
      });
  });
  return roots;
}

/** The greatest divisor of a number that counts here: 4, 2 or 1. */
const divisorOfNumber = (value: number): number => (value % 4 === 0 ? 4 : value % 2 === 0 ? 2 : 1);

function divisorOfDim(dim: Dim): number {
  if (typeof dim === "number") return divisorOfNumber(dim);
  return Math.min(...dim.terms.map(({ coefficient }) => divisorOfNumber(coefficient)));
}

/** Of each index that the body defines, a divisor of all values that it takes. */
function divisorsIn(body: readonly Stmt[]): ReadonlyMap<string, number> {
  const values = new Map<string, { readonly expr: Expr; readonly step: number }[]>();
  const define = (name: string, expr: Expr, step = 0): void => {
    if (expr.type === "index") values.set(name, [...(values.get(name) ?? []), { expr, step }]);
  };
  eachStatement(body, (s) => {
    if (s.kind === "for") define(s.variable, s.from, s.step);
    else if (s.kind === "let" || s.kind === "var" || s.kind === "assign") define(s.name, s.value);
  });
  // Values may depend on each other in circles, as pointers do that loops move on: from the best guess down to what holds.
  const divisors = new Map([...values.keys()].map((name) => [name, lanes]));
  for (let isSettled = false; !isSettled; ) {
    isSettled = true;
    for (const [name, all] of values) {
      const divisor = Math.min(
        ...all.map(({ expr, step }) => Math.min(divisorOf(expr, divisors), divisorOfNumber(step))),
      );
      if (divisor === divisors.get(name)) continue;
      divisors.set(name, divisor);
      isSettled = false;
    }
  }
  return divisors;
}

/** 4, 2 or 1: the greatest of them that divides the index whatever its variables are. */
function divisorOf(expr: Expr, divisors: ReadonlyMap<string, number>): number {
  switch (expr.kind) {
    case "constant":
      return divisorOfNumber(expr.value);
    case "variable":
      return divisors.get(expr.name) ?? 1;
    case "select":
      return Math.min(divisorOf(expr.a, divisors), divisorOf(expr.b, divisors));
    case "binary": {
      const [a, b] = [divisorOf(expr.a, divisors), divisorOf(expr.b, divisors)];
      switch (expr.op) {
        case "add":
        case "subtract":
        case "minimum":
        case "maximum":
        case "remainder":
          return Math.min(a, b);
        case "multiply":
          return Math.min(lanes, a * b);
        default:
          return 1;
      }
    }
    default:
      return 1;
  }
}
