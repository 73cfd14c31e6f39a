// Checks that a kernel means something: names are defined before use, types agree, what is only read is not written.
// Run after lowering and after each pass over kernels, so that a mistake is found where it was made.

import { symbolsOf } from "../dim.ts";
import type { DType } from "../dtype.ts";
import { printExpr } from "./print.ts";
import { type Expr, isVector, type Kernel, type Stmt, scalarOf, type ValueType } from "./types.ts";

/** A kernel that a pass or a lowering made wrongly; lists everything that is wrong with it. */
export class KernelError extends Error {
  override readonly name = "KernelError";
}

/** Throws a KernelError if the kernel is not well formed. */
export function verifyKernel(kernel: Kernel): void {
  const problems = findProblems(kernel);
  if (problems.length > 0) throw new KernelError(`kernel ${kernel.name}: ${problems.join("; ")}`);
}

type Binding =
  | { readonly kind: "buffer"; readonly dtype: DType; readonly readable: boolean; readonly writable: boolean }
  | { readonly kind: "value"; readonly type: ValueType; readonly assignable: boolean };
type Scope = Map<string, Binding>;

/** What is wrong with a kernel, in its own names; empty if nothing is. */
export function findProblems(kernel: Kernel): string[] {
  const problems: string[] = [];
  const scope: Scope = new Map();
  const define = (name: string, binding: Binding, into: Scope): void => {
    if (into.has(name)) problems.push(`${name} is defined twice`);
    into.set(name, binding);
  };
  for (const name of kernel.sizes) define(name, { kind: "value", type: "index", assignable: false }, scope);
  for (const { name, dtype, access, length } of kernel.buffers) {
    define(name, { kind: "buffer", dtype, readable: access !== "write", writable: access !== "read" }, scope);
    for (const size of symbolsOf(length)) {
      if (!kernel.sizes.includes(size)) problems.push(`the length of ${name} needs the size ${size}`);
    }
  }

  const check = (expr: Expr, type: ValueType, here: Scope, what: string): void => {
    checkExpr(expr, here, problems);
    if (expr.type !== type) problems.push(`${what} is ${printExpr(expr)} of type ${expr.type}, not ${type}`);
  };
  /** `together` says that all threads of a group come to each statement of the body. */
  const checkBody = (
    body: readonly Stmt[],
    outer: Scope,
    loop?: Extract<Stmt, { kind: "for" }>,
    together = loop?.mode === "thread",
  ): void => {
    const here: Scope = new Map(outer);
    if (loop) define(loop.variable, { kind: "value", type: "index", assignable: false }, here);
    for (const statement of body) {
      if (statement.kind !== "barrier") checkStatement(statement, here, together);
      else if (!together) problems.push("a barrier is not directly in a thread loop");
    }
  };
  const checkStatement = (s: Stmt, here: Scope, together: boolean): void => {
    switch (s.kind) {
      case "for":
        check(s.from, "index", here, `the start of ${s.variable}`);
        check(s.to, "index", here, `the end of ${s.variable}`);
        if (!Number.isInteger(s.step) || s.step < 1) problems.push(`the step of ${s.variable} is ${s.step}`);
        if (s.lanes !== undefined && s.step % s.lanes !== 0) {
          problems.push(`${s.variable} has ${s.lanes} lanes, and the step ${s.step}`);
        }
        checkBody(s.body, here, s, s.mode === "thread" || (together && s.mode === "serial"));
        return;
      case "let":
      case "var":
        checkExpr(s.value, here, problems);
        define(s.name, { kind: "value", type: s.value.type, assignable: s.kind === "var" }, here);
        return;
      case "assign": {
        const target = here.get(s.name);
        if (target?.kind !== "value") problems.push(`${s.name} is assigned to, but not defined`);
        else if (!target.assignable) problems.push(`${s.name} is assigned to, but is not a var`);
        else check(s.value, target.type, here, `the new value of ${s.name}`);
        return;
      }
      case "store": {
        check(s.index, "index", here, `the index into ${s.buffer}`);
        const target = here.get(s.buffer);
        if (target?.kind !== "buffer") problems.push(`${s.buffer} is stored to, but is no buffer`);
        else {
          if (!target.writable) problems.push(`${s.buffer} is stored to, but only read`);
          checkExpr(s.value, here, problems);
          if (scalarOf(s.value.type) !== target.dtype) {
            problems.push(
              `what is stored to ${s.buffer} is ${printExpr(s.value)} of type ${s.value.type}, not ${target.dtype}`,
            );
          }
        }
        return;
      }
      case "if":
        check(s.condition, "bool", here, "a condition");
        checkBody(s.then, here);
        checkBody(s.otherwise, here);
        return;
      case "alloc":
        if (!Number.isInteger(s.length) || s.length < 0) problems.push(`${s.name} has ${s.length} elements`);
        define(s.name, { kind: "buffer", dtype: s.dtype, readable: true, writable: true }, here);
        return;
      case "barrier":
        return;
      case "block": {
        checkBody(s.body, here);
        return;
      }
    }
  };
  checkBody(kernel.body, scope);
  return problems;
}

/** Operations that a type has, beside comparison, select and conversion. */
const unaryOfIntegers = new Set(["negate", "not", "abs", "sign", "is_finite", "floor", "ceil", "round"]);
const binaryOfFloats = new Set([
  "add",
  "subtract",
  "multiply",
  "divide",
  "remainder",
  "power",
  "minimum",
  "maximum",
  "atan2",
]);
const binaryOfBooleans = new Set(["and", "or", "xor", "minimum", "maximum", "add", "multiply"]);

/** The type of a comparison of such values. */
const truthOf = (type: ValueType): ValueType => (isVector(type) ? "boolx4" : "bool");

function takesUnary(op: string, value: ValueType): boolean {
  const type = scalarOf(value);
  if (type === "f32" || type === "f16") return op !== "not";
  if (type === "bool") return op === "not";
  return unaryOfIntegers.has(op);
}

function takesBinary(op: string, value: ValueType): boolean {
  const type = scalarOf(value);
  if (type === "f32" || type === "f16") return binaryOfFloats.has(op);
  if (type === "bool") return binaryOfBooleans.has(op);
  return op === "floordiv" ? type === "index" : op !== "atan2";
}

function checkExpr(expr: Expr, scope: Scope, problems: string[]): void {
  const wrong = (why: string): void => {
    problems.push(`${why} in ${printExpr(expr)}`);
  };
  const checkOperands = (operands: readonly Expr[], type: ValueType): void => {
    for (const x of operands) {
      if (x.type !== type) wrong(`an operand of type ${x.type}`);
      checkExpr(x, scope, problems);
    }
  };
  switch (expr.kind) {
    case "constant":
      if (expr.type !== "f32" && expr.type !== "f16" && !Number.isInteger(expr.value))
        wrong(`not of type ${expr.type}`);
      return;
    case "variable": {
      const found = scope.get(expr.name);
      if (found?.kind !== "value") problems.push(`${expr.name} is used, but not defined`);
      else if (found.type !== expr.type) wrong(`type ${expr.type} instead of ${found.type}`);
      return;
    }
    case "load": {
      const found = scope.get(expr.buffer);
      if (found?.kind !== "buffer") problems.push(`${expr.buffer} is read, but is no buffer`);
      else {
        if (!found.readable) problems.push(`${expr.buffer} is read, but only written`);
        if (found.dtype !== scalarOf(expr.type)) wrong(`type ${expr.type} instead of ${found.dtype}`);
      }
      if (expr.index.type !== "index") wrong(`an index of type ${expr.index.type}`);
      checkExpr(expr.index, scope, problems);
      return;
    }
    case "unary": {
      const result = expr.op === "is_finite" ? truthOf(expr.x.type) : expr.x.type;
      if (expr.type !== result) wrong(`type ${expr.type} instead of ${result}`);
      if (!takesUnary(expr.op, expr.x.type)) wrong(`${expr.op} of type ${expr.x.type}`);
      checkExpr(expr.x, scope, problems);
      return;
    }
    case "binary":
    case "compare":
      if (expr.a.type !== expr.b.type) wrong(`${expr.a.type} and ${expr.b.type} meet`);
      if (expr.kind === "compare" && expr.type !== truthOf(expr.a.type)) wrong(`type ${expr.type}`);
      if (expr.kind === "binary" && expr.type !== expr.a.type) wrong(`type ${expr.type} instead of ${expr.a.type}`);
      if (expr.kind === "binary" && !takesBinary(expr.op, expr.a.type)) wrong(`${expr.op} of type ${expr.a.type}`);
      checkExpr(expr.a, scope, problems);
      checkExpr(expr.b, scope, problems);
      return;
    case "select":
      if (expr.condition.type !== truthOf(expr.type)) wrong(`a condition of type ${expr.condition.type}`);
      if (expr.a.type !== expr.type || expr.b.type !== expr.type) wrong(`${expr.a.type} and ${expr.b.type} meet`);
      for (const x of [expr.condition, expr.a, expr.b]) checkExpr(x, scope, problems);
      return;
    case "convert":
      if (isVector(expr.type) !== isVector(expr.x.type)) wrong(`${expr.x.type} converted to ${expr.type}`);
      checkExpr(expr.x, scope, problems);
      return;
    case "fma":
      if (scalarOf(expr.type) !== "f32") wrong(`fma of type ${expr.type}`);
      checkOperands([expr.a, expr.b, expr.c], expr.type);
      return;
    case "threefry":
      checkOperands([...expr.key, ...expr.counter], expr.type);
      return;
    case "splat":
      checkOperands([expr.x], scalarOf(expr.type));
      return;
    case "vector":
      checkOperands(expr.lanes, scalarOf(expr.type));
      return;
    case "lane":
    case "reduce_lanes":
      if (!isVector(expr.x.type) || scalarOf(expr.x.type) !== expr.type) wrong(`an operand of type ${expr.x.type}`);
      if (expr.kind === "lane" && ![0, 1, 2, 3].includes(expr.lane)) wrong(`lane ${expr.lane}`);
      if (expr.kind === "reduce_lanes" && !takesBinary(expr.op, expr.type)) wrong(`${expr.op} of type ${expr.type}`);
      checkExpr(expr.x, scope, problems);
      return;
  }
}
