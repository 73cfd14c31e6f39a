// Renders expressions of the kernel IR as JavaScript: floats in float64, integers wrapped to their width, booleans as 0 and 1.
// No branch depends on data where it can be helped, and nothing is rounded before it is stored (design notes on V8's speed).

import { printExpr } from "../../ir/kernel/print.ts";
import { type BinaryOp, type CompareOp, type Expr, isVector, type ValueType } from "../../ir/kernel/types.ts";
import type { HelperName } from "./helpers.ts";

export interface ExpressionContext {
  /** The identifier of a variable. */
  name(variable: string): string;
  /** The element of a buffer, as stored. */
  element(buffer: string, index: Expr): string;
  /** Whether the buffer holds halves as bits. */
  holdsHalves(buffer: string): boolean;
  /** Whether an index is known to be 0 or more. */
  isNatural(expr: Expr): boolean;
  use(helper: HelperName): HelperName;
}

/** Text and how tightly its outermost operator binds, as JavaScript has it. */
interface Rendered {
  readonly text: string;
  readonly precedence: number;
}

const level = { conditional: 2, or: 4, and: 5, bitOr: 6, bitXor: 7, bitAnd: 8, equality: 9, relation: 10 } as const;
const shift = 11;
const additive = 12;
const multiplicative = 13;
const prefix = 15;
const atom = 18;

const isFloat = (type: ValueType): boolean => type === "f32" || type === "f16";
const make = (text: string, precedence: number = atom): Rendered => ({ text, precedence });
const wrapIn = (x: Rendered, minimum: number): string => (x.precedence < minimum ? `(${x.text})` : x.text);
const join = (a: Rendered, symbol: string, b: Rendered, precedence: number): Rendered =>
  make(`${wrapIn(a, precedence)} ${symbol} ${wrapIn(b, precedence + 1)}`, precedence);
const call = (name: string, ...args: readonly Rendered[]): Rendered =>
  make(`${name}(${args.map((x) => x.text).join(", ")})`);
const apply = (operator: string, x: Rendered): Rendered => {
  const operand = wrapIn(x, prefix);
  return make(operand.startsWith(operator) ? `${operator}(${operand})` : `${operator}${operand}`, prefix);
};

/** The value of an expression: a number. */
export const renderValue = (expr: Expr, context: ExpressionContext): string => value(expr, context).text;

/** A boolean expression where only its truth counts: after `if`, before `?`. */
export const renderCondition = (expr: Expr, context: ExpressionContext): string => condition(expr, context).text;

function value(expr: Expr, c: ExpressionContext): Rendered {
  if (isVector(expr.type)) throw new TypeError(`plain JavaScript has no vectors: ${printExpr(expr)}`);
  switch (expr.kind) {
    case "constant":
      return constant(expr.value);
    case "variable":
      return make(c.name(expr.name));
    case "load": {
      const element = make(c.element(expr.buffer, expr.index));
      return c.holdsHalves(expr.buffer) ? call(c.use("from_half"), element) : element;
    }
    case "unary":
      return unary(expr, c);
    case "binary":
      return binary(expr, c);
    case "compare":
      return apply("+", condition(expr, c));
    case "select":
      return select(expr, c);
    case "convert":
      return convert(expr.x, expr.type, c);
    case "threefry":
      return call(c.use("threefry"), ...[...expr.key, ...expr.counter].map((x) => value(x, c)));
    case "fma":
      return join(join(value(expr.a, c), "*", value(expr.b, c), multiplicative), "+", value(expr.c, c), additive);
    case "splat":
    case "vector":
    case "lane":
    case "reduce_lanes":
      throw new TypeError(`plain JavaScript has no vectors: ${printExpr(expr)}`);
  }
}

function constant(number: number): Rendered {
  if (Object.is(number, -0)) return make("-0", prefix);
  return make(String(number), number < 0 ? prefix : atom);
}

const comparisons: Readonly<Record<CompareOp, readonly [symbol: string, precedence: number]>> = {
  eq: ["===", level.equality],
  ne: ["!==", level.equality],
  lt: ["<", level.relation],
  le: ["<=", level.relation],
  gt: [">", level.relation],
  ge: [">=", level.relation],
};

function condition(expr: Expr, c: ExpressionContext): Rendered {
  switch (expr.kind) {
    case "constant":
      return make(expr.value === 0 ? "false" : "true");
    case "compare": {
      const [symbol, precedence] = comparisons[expr.op];
      return join(value(expr.a, c), symbol, value(expr.b, c), precedence);
    }
    case "unary":
      if (expr.op === "not") return apply("!", condition(expr.x, c));
      if (expr.op === "is_finite") {
        return isFloat(expr.x.type) ? call("Number.isFinite", value(expr.x, c)) : make("true");
      }
      break;
    case "binary":
      if (isConjunction(expr.op)) return join(condition(expr.a, c), "&&", condition(expr.b, c), level.and);
      if (isDisjunction(expr.op)) return join(condition(expr.a, c), "||", condition(expr.b, c), level.or);
      break;
    case "convert":
      return join(value(expr.x, c), "!==", make("0"), level.equality);
  }
  return value(expr, c);
}

const isConjunction = (op: BinaryOp): boolean => op === "and" || op === "multiply" || op === "minimum";
const isDisjunction = (op: BinaryOp): boolean => op === "or" || op === "add" || op === "maximum";

/** Wraps an integer that may have left the range of its type. */
function wrapped(x: Rendered, type: ValueType): Rendered {
  switch (type) {
    case "u8":
      return join(x, "&", make("255"), level.bitAnd);
    case "i8":
      return join(join(x, "<<", make("24"), shift), ">>", make("24"), shift);
    case "i32":
      return join(x, "|", make("0"), level.bitOr);
    default:
      return x;
  }
}

function unary(expr: Expr & { readonly kind: "unary" }, c: ExpressionContext): Rendered {
  const type = expr.x.type;
  if (expr.op === "is_finite") return apply("+", condition(expr, c));
  if (expr.op === "not" && type === "bool") return join(value(expr.x, c), "^", make("1"), level.bitXor);
  const x = value(expr.x, c);
  switch (expr.op) {
    case "negate":
      return wrapped(apply("-", x), type);
    case "not":
      return type === "u8" ? wrapped(apply("~", x), type) : apply("~", x);
    case "abs":
      return wrapped(call("Math.abs", x), type);
    case "sign":
      return call("Math.sign", x);
    case "floor":
    case "ceil":
      return isFloat(type) ? call(`Math.${expr.op}`, x) : x;
    case "round":
      return isFloat(type) ? call(c.use("round_nearest_even"), x) : x;
    case "rsqrt":
      return join(make("1"), "/", call("Math.sqrt", x), multiplicative);
    case "exp":
    case "tanh":
    case "erf":
    case "logistic":
      return call(c.use(expr.op), x);
    default:
      return call(`Math.${expr.op}`, x);
  }
}

function binary(expr: Expr & { readonly kind: "binary" }, c: ExpressionContext): Rendered {
  const { op, type } = expr;
  if (isFloat(type) && (op === "maximum" || op === "minimum")) return extremum(expr, c);
  const [a, b] = [value(expr.a, c), value(expr.b, c)];
  if (type === "bool") {
    if (isConjunction(op)) return join(a, "&", b, level.bitAnd);
    if (isDisjunction(op)) return join(a, "|", b, level.bitOr);
    return join(a, "^", b, level.bitXor);
  }
  switch (op) {
    case "add":
      return wrapped(join(a, "+", b, additive), type);
    case "subtract":
      return wrapped(join(a, "-", b, additive), type);
    case "multiply":
      return type === "i32" ? call("Math.imul", a, b) : wrapped(join(a, "*", b, multiplicative), type);
    case "divide":
      if (isFloat(type)) return join(a, "/", b, multiplicative);
      // `| 0` makes it an integer division, and gives 0 for a division by zero.
      return type === "i8" ? wrapped(truncated(a, "/", b), type) : truncated(a, "/", b);
    case "remainder":
      if (isFloat(type) || (type === "index" && c.isNatural(expr.a))) return join(a, "%", b, multiplicative);
      return truncated(a, "%", b);
    case "floordiv":
      return c.isNatural(expr.a) ? truncated(a, "/", b) : call("Math.floor", join(a, "/", b, multiplicative));
    case "power":
      return isFloat(type) ? call("Math.pow", a, b) : wrapped(call(c.use("integer_power"), a, b), type);
    case "minimum":
      return call("Math.min", a, b);
    case "maximum":
      return call("Math.max", a, b);
    case "atan2":
      return call("Math.atan2", a, b);
    case "and":
      return join(a, "&", b, level.bitAnd);
    case "or":
      return join(a, "|", b, level.bitOr);
    case "xor":
      return join(a, "^", b, level.bitXor);
    case "shift_left":
      return type === "u8" || type === "i8" ? wrapped(join(a, "<<", b, shift), type) : join(a, "<<", b, shift);
    case "shift_right_logical": {
      const bits = type === "i8" ? join(a, "&", make("255"), level.bitAnd) : a;
      return wrapped(join(bits, ">>>", b, shift), type === "index" ? "i32" : type);
    }
  }
}

const truncated = (a: Rendered, symbol: string, b: Rendered): Rendered =>
  join(join(a, symbol, b, multiplicative), "|", make("0"), level.bitOr);

function extremum(expr: Expr & { readonly kind: "binary" }, c: ExpressionContext): Rendered {
  const isZero = (x: Expr): boolean => x.kind === "constant" && Object.is(x.value, 0);
  if (expr.op === "maximum" && isZero(expr.b)) return call(c.use("relu"), value(expr.a, c));
  if (expr.op === "maximum" && isZero(expr.a)) return call(c.use("relu"), value(expr.b, c));
  return call(expr.op === "maximum" ? "Math.max" : "Math.min", value(expr.a, c), value(expr.b, c));
}

function select(expr: Expr & { readonly kind: "select" }, c: ExpressionContext): Rendered {
  const [a, b] = [value(expr.a, c), value(expr.b, c)];
  if (isFloat(expr.type) && dependsOnData(expr.condition) && isCheap(expr.a) && isCheap(expr.b)) {
    return call(c.use("pick"), value(expr.condition, c), a, b);
  }
  const chosen = wrapIn(condition(expr.condition, c), level.conditional + 1);
  const arm = (x: Rendered): string => wrapIn(x, level.conditional);
  return make(`${chosen} ? ${arm(a)} : ${arm(b)}`, level.conditional);
}

/** Conditions on indices are predicted well, those on elements are not. */
function dependsOnData(expr: Expr): boolean {
  switch (expr.kind) {
    case "constant":
      return false;
    case "variable":
      return expr.type !== "index";
    case "load":
    case "threefry":
      return true;
    case "unary":
    case "convert":
      return dependsOnData(expr.x);
    case "binary":
    case "compare":
      return dependsOnData(expr.a) || dependsOnData(expr.b);
    case "select":
      return [expr.condition, expr.a, expr.b].some(dependsOnData);
    case "fma":
      return [expr.a, expr.b, expr.c].some(dependsOnData);
    case "splat":
    case "vector":
    case "lane":
    case "reduce_lanes":
      return true;
  }
}

/** Whether evaluating it for nothing costs less than a branch, and is safe: no access whose index is data, no guarded one. */
function isCheap(expr: Expr): boolean {
  switch (expr.kind) {
    case "constant":
    case "variable":
      return true;
    case "load":
      return !dependsOnData(expr.index);
    case "unary":
      return ["negate", "abs", "floor", "ceil", "sqrt"].includes(expr.op) && isCheap(expr.x);
    case "convert":
      return isFloat(expr.type) && isCheap(expr.x);
    case "binary":
      return !["power", "atan2", "remainder", "floordiv"].includes(expr.op) && isCheap(expr.a) && isCheap(expr.b);
    case "fma":
      return [expr.a, expr.b, expr.c].every(isCheap);
    default:
      return false;
  }
}

function convert(x: Expr, to: ValueType, c: ExpressionContext): Rendered {
  const from = x.type;
  if (to === "bool") return apply("+", join(value(x, c), "!==", make("0"), level.equality));
  const number = value(x, c);
  // An index may be -0 in JavaScript, which only a float would show.
  const text = from === "index" && !c.isNatural(x) ? wrapped(number, "i32") : number;
  if (to === from || to === "f32") return text;
  if (to === "f16") return call(c.use("from_half"), call(c.use("to_half"), text));
  if (isFloat(from)) {
    const [low, high] = to === "u8" ? [0, 255] : to === "i8" ? [-128, 127] : [-2147483648, 2147483647];
    return call(c.use("truncate"), text, constant(low), constant(high));
  }
  if (from === "bool" || to === "i32" || to === "index") return text;
  return wrapped(text, to);
}
