// Reads expressions of the kernel IR from their text: operators by precedence, names by the types of their definitions.

import { type DType, isDType } from "../dtype.ts";
import { type Cursor, find } from "./lex.ts";
import { infix } from "./print.ts";
import {
  type BinaryOp,
  binaryOps,
  compareOps,
  type Expr,
  isVector,
  laneReductions,
  type ScalarType,
  scalarOf,
  type UnaryOp,
  unaryOps,
  type ValueType,
  vectorOf,
  vectorTypes,
} from "./types.ts";

/** What names stand for. */
export interface Scope {
  readonly values: ReadonlyMap<string, ValueType>;
  readonly buffers: ReadonlyMap<string, DType>;
}

const operators = new Map(Object.entries(infix).map(([op, [text, precedence]]) => [text, { op, precedence }] as const));
/** An expression of operators that bind at least as tightly as `minimum`. */
export function parseExpr(cursor: Cursor, scope: Scope, minimum = 0): Expr {
  let a = operand(cursor, scope);
  for (;;) {
    const operator = operators.get(cursor.peek());
    if (!operator || operator.precedence < minimum) return a;
    cursor.next();
    const b = parseExpr(cursor, scope, operator.precedence + 1);
    const comparison = find(compareOps, operator.op);
    if (comparison) a = { kind: "compare", type: truthOf(a), op: comparison, a, b };
    else a = binary(cursor, operator.op, a, b);
  }
}

/** The type of a comparison of such values. */
const truthOf = (x: Expr): "bool" | "boolx4" => (isVector(x.type) ? "boolx4" : "bool");

function binary(cursor: Cursor, name: string, a: Expr, b: Expr): Expr {
  const op: BinaryOp | undefined = find(binaryOps, name);
  if (!op) cursor.fail(`unknown operation ${name}`);
  return { kind: "binary", type: a.type, op, a, b };
}

function operand(cursor: Cursor, scope: Scope): Expr {
  if (cursor.accept("(")) {
    const inner = parseExpr(cursor, scope);
    cursor.expect(")");
    return inner;
  }
  if (cursor.peek() === "-") {
    cursor.next();
    const number = constant(cursor, scope, -1);
    if (number) return number;
    const x = operand(cursor, scope);
    return { kind: "unary", type: x.type, op: "negate", x };
  }
  const number = constant(cursor, scope, 1);
  if (number) return number;
  if (cursor.peek(1) === "(") return call(cursor, scope);
  const name = cursor.name();
  if (cursor.accept("[")) {
    const type = scope.buffers.get(name);
    if (!type) cursor.fail(`no buffer is called ${name}`);
    const index = parseExpr(cursor, scope);
    cursor.expect("]");
    return { kind: "load", type, buffer: name, index };
  }
  const type = scope.values.get(name);
  if (!type) {
    cursor.back();
    cursor.fail(`${name} is not defined`);
  }
  return { kind: "variable", type, name };
}

function constant(cursor: Cursor, scope: Scope, sign: number): Expr | undefined {
  const text = cursor.peek();
  const make = (type: ScalarType, value: number): Expr => {
    cursor.next();
    return { kind: "constant", type, value };
  };
  if (sign > 0 && (text === "true" || text === "false")) return make("bool", text === "true" ? 1 : 0);
  const special = /^(nan|infinity)(f16)?$/.exec(text);
  if (special && !scope.values.has(text)) {
    return make(special[2] ? "f16" : "f32", special[1] === "nan" ? Number.NaN : sign * Number.POSITIVE_INFINITY);
  }
  const number = /^(\d+(?:\.\d+)?(?:e[+-]?\d+)?)(f16|i32|u8|i8)?$/.exec(text);
  if (!number) return undefined;
  const suffix = number[2];
  const type = suffix && isDType(suffix) ? suffix : /[.e]/.test(text) ? "f32" : "index";
  return make(type, sign * Number(number[1]));
}

function call(cursor: Cursor, scope: Scope): Expr {
  const name = cursor.name();
  cursor.expect("(");
  const args = [parseExpr(cursor, scope)];
  while (cursor.accept(",")) args.push(parseExpr(cursor, scope));
  cursor.expect(")");
  const [x, y, z, w] = args;
  const unary: UnaryOp | undefined = find(unaryOps, name);
  if (x && !y) {
    if (unary) return { kind: "unary", type: unary === "is_finite" ? truthOf(x) : x.type, op: unary, x };
    const type = find(vectorTypes, name) ?? (name === "index" || isDType(name) ? name : undefined);
    if (type) return { kind: "convert", type, x };
    const vector = vectorOf(x.type);
    if (name === "splat" && vector) return { kind: "splat", type: vector, x };
    if (name === "load4" && vector && x.kind === "load") return { ...x, type: vector };
    const op = laneReductions.find((reduction) => name === `reduce_${reduction}`);
    if (op) return { kind: "reduce_lanes", type: scalarOf(x.type), op, x };
  }
  if (x && y?.kind === "constant" && !z && name === "lane") {
    return { kind: "lane", type: scalarOf(x.type), x, lane: y.value };
  }
  if (x && y && z && !w && name === "select") return { kind: "select", type: y.type, condition: x, a: y, b: z };
  if (x && y && z && !w && name === "fma") return { kind: "fma", type: x.type, a: x, b: y, c: z };
  if (x && y && z && w && name === "threefry") {
    return { kind: "threefry", type: isVector(x.type) ? "i32x4" : "i32", key: [x, y], counter: [z, w] };
  }
  if (x && y && z && w && name === "vector") {
    const vector = vectorOf(x.type);
    if (vector) return { kind: "vector", type: vector, lanes: [x, y, z, w] };
  }
  if (x && y && !z) return binary(cursor, name, x, y);
  cursor.fail(`unknown operation ${name} of ${args.length} operands`);
}
