// Renders expressions of the kernel IR as WGSL. Registers hold f32, i32 (all integers, wrapped to their width) or bool.

import { printExpr } from "../../ir/kernel/print.ts";
import {
  type BinaryOp,
  type CompareOp,
  type Expr,
  isVector,
  type UnaryOp,
  type ValueType,
} from "../../ir/kernel/types.ts";
import type { FunctionName } from "./functions.ts";

export interface ExpressionContext {
  /** The identifier of a variable. */
  name(variable: string): string;
  /** The element of a buffer, as a register holds it. */
  element(buffer: string, index: Expr): string;
  /** Whether an index is known to be 0 or more. */
  isNatural(expr: Expr): boolean;
  use(name: FunctionName): FunctionName;
}

/** Text and how tightly its outermost operator binds. */
interface Rendered {
  readonly text: string;
  readonly precedence: number;
}

// WGSL lets few operators stand beside each other without parentheses; bitwise ones and shifts always get them.
const level = { or: 1, and: 2, bits: 3, relation: 4, additive: 5, multiplicative: 6, prefix: 7, atom: 9 } as const;

const make = (text: string, precedence: number = level.atom): Rendered => ({ text, precedence });
const wrapIn = (x: Rendered, minimum: number): string => (x.precedence < minimum ? `(${x.text})` : x.text);
const join = (a: Rendered, symbol: string, b: Rendered, precedence: number): Rendered =>
  make(`${wrapIn(a, precedence)} ${symbol} ${wrapIn(b, precedence + 1)}`, precedence);
const bits = (a: Rendered, symbol: string, b: Rendered): Rendered =>
  make(`${wrapIn(a, level.prefix)} ${symbol} ${wrapIn(b, level.prefix)}`, level.bits);
const logic = (a: Rendered, symbol: "&&" | "||", b: Rendered): Rendered => {
  const precedence = symbol === "&&" ? level.and : level.or;
  const operand = (x: Rendered): string => (x.precedence === precedence ? x.text : wrapIn(x, level.relation));
  return make(`${operand(a)} ${symbol} ${operand(b)}`, precedence);
};
const call = (name: string, ...args: readonly Rendered[]): Rendered =>
  make(`${name}(${args.map((x) => x.text).join(", ")})`);
const apply = (operator: string, x: Rendered): Rendered => {
  const operand = wrapIn(x, level.prefix);
  return make(operand.startsWith(operator) ? `${operator}(${operand})` : `${operator}${operand}`, level.prefix);
};

const isFloat = (type: ValueType): boolean => type === "f32" || type === "f16";

/** The type of a register for such values. */
export const registerOf = (type: ValueType): "f32" | "i32" | "bool" =>
  isFloat(type) ? "f32" : type === "bool" ? "bool" : "i32";

/** The value of an expression. */
export const renderValue = (expr: Expr, context: ExpressionContext): string => value(expr, context).text;

function value(expr: Expr, c: ExpressionContext): Rendered {
  if (isVector(expr.type)) throw new TypeError(`kernels for WGSL have no vectors: ${printExpr(expr)}`);
  switch (expr.kind) {
    case "constant":
      return constant(expr.value, expr.type, c);
    case "variable":
      return make(c.name(expr.name));
    case "load":
      return make(c.element(expr.buffer, expr.index));
    case "unary":
      return unary(expr, c);
    case "binary":
      return binary(expr, c);
    case "compare":
      return compare(expr, c);
    case "select":
      return call("select", value(expr.b, c), value(expr.a, c), value(expr.condition, c));
    case "convert":
      return convert(expr.x, expr.type, c);
    case "threefry":
      return call(c.use("threefry"), ...[...expr.key, ...expr.counter].map((x) => value(x, c)));
    case "fma":
      return call("fma", value(expr.a, c), value(expr.b, c), value(expr.c, c));
    case "splat":
    case "vector":
    case "lane":
    case "reduce_lanes":
      throw new TypeError(`kernels for WGSL have no vectors: ${printExpr(expr)}`);
  }
}

function constant(number: number, type: ValueType, c: ExpressionContext): Rendered {
  switch (registerOf(type)) {
    case "bool":
      return make(number === 0 ? "false" : "true");
    case "i32":
      // The smallest integer is no literal: -x is the negation of x.
      return number === -2147483648
        ? make("(-2147483647 - 1)")
        : make(String(number), number < 0 ? level.prefix : level.atom);
    case "f32": {
      const rounded = Math.fround(number);
      if (!Number.isFinite(rounded)) {
        const pattern = Number.isNaN(rounded) ? "0x7fc00000u" : rounded > 0 ? "0x7f800000u" : "0xff800000u";
        return make(`${c.use("float_of")}(${pattern})`);
      }
      if (Object.is(rounded, -0)) return make("-0.0", level.prefix);
      const digits = shortest(rounded);
      return make(/[.e]/.test(digits) ? digits : `${digits}.0`, rounded < 0 ? level.prefix : level.atom);
    }
  }
}

/** The largest number of float32. What is larger is refused in a shader, even if it rounds to this. */
const largest = (2 - 2 ** -23) * 2 ** 127;

/** The fewest digits that round to the float32. */
function shortest(x: number): string {
  for (let digits = 1; digits < 10; digits++) {
    const near = Number(x.toPrecision(digits));
    if (Math.fround(near) === x && Math.abs(near) <= largest) return String(near);
  }
  return String(x);
}

/** An operand that the compiler of shaders does not fold: it refuses constant arithmetic that has no finite result. */
const opaque = (expr: Expr, c: ExpressionContext): Rendered => {
  if (expr.kind !== "constant" || registerOf(expr.type) !== "f32") return value(expr, c);
  const pattern = new Uint32Array(Float32Array.of(expr.value).buffer)[0]!;
  return make(`${c.use("float_of")}(0x${pattern.toString(16)}u)`);
};

const symbols: Readonly<Record<CompareOp, string>> = { eq: "==", ne: "!=", lt: "<", le: "<=", gt: ">", ge: ">=" };

function compare(expr: Extract<Expr, { kind: "compare" }>, c: ExpressionContext): Rendered {
  if (expr.op === "ne" && isFloat(expr.a.type)) return call(c.use("differ"), value(expr.a, c), value(expr.b, c));
  const ordered = expr.a.type === "bool" && expr.op !== "eq" && expr.op !== "ne";
  const [a, b] = [expr.a, expr.b].map((x) => (ordered ? call("i32", value(x, c)) : value(x, c)));
  return make(`${wrapIn(a!, level.additive)} ${symbols[expr.op]} ${wrapIn(b!, level.additive)}`, level.relation);
}

/** Wraps an integer that may have left the range of its type. */
function wrapped(x: Rendered, type: ValueType): Rendered {
  switch (type) {
    case "u8":
      return bits(x, "&", make("255"));
    case "i8":
      return bits(bits(x, "<<", make("24u")), ">>", make("24u"));
    default:
      return x;
  }
}

/** Functions of floats whose own names are not WGSL's, or whose WGSL is not good enough. */
const floatFunctions: Readonly<Partial<Record<UnaryOp, FunctionName>>> = {
  sin: "sine",
  cos: "cosine",
  tan: "tangent",
  log: "log_of",
  sqrt: "sqrt_of",
  tanh: "tanh_of",
  sinh: "sinh_of",
  cosh: "cosh_of",
  asinh: "asinh_of",
  acosh: "acosh_of",
  atanh: "atanh_of",
  asin: "asin_of",
  acos: "acos_of",
  atan: "atan_of",
  expm1: "expm1",
  log1p: "log1p",
  erf: "erf",
  logistic: "logistic",
  is_finite: "is_finite",
};

function unary(expr: Extract<Expr, { kind: "unary" }>, c: ExpressionContext): Rendered {
  const { type } = expr.x;
  if (isFloat(type)) {
    const x = opaque(expr.x, c);
    if (expr.op === "negate") return apply("-", x);
    if (expr.op === "rsqrt") return call("inverseSqrt", x);
    const own = floatFunctions[expr.op];
    return call(own ? c.use(own) : expr.op, x);
  }
  const x = value(expr.x, c);
  switch (expr.op) {
    case "not":
      return type === "bool" ? apply("!", x) : wrapped(apply("~", x), type);
    case "negate":
      return wrapped(apply("-", x), type);
    case "abs":
      return wrapped(call("abs", x), type);
    case "sign":
      return call("sign", x);
    case "is_finite":
      return make("true");
    default:
      return x;
  }
}

const isConjunction = (op: BinaryOp): boolean => op === "and" || op === "multiply" || op === "minimum";
const isDisjunction = (op: BinaryOp): boolean => op === "or" || op === "add" || op === "maximum";

function binary(expr: Extract<Expr, { kind: "binary" }>, c: ExpressionContext): Rendered {
  switch (registerOf(expr.type)) {
    case "f32":
      return floatBinary(expr, c);
    case "i32":
      return integerBinary(expr, c);
    case "bool": {
      const [a, b] = [value(expr.a, c), value(expr.b, c)];
      if (isConjunction(expr.op)) return logic(a, "&&", b);
      if (isDisjunction(expr.op)) return logic(a, "||", b);
      return make(`${wrapIn(a, level.additive)} != ${wrapIn(b, level.additive)}`, level.relation);
    }
  }
}

function floatBinary({ op, a: x, b: y }: Extract<Expr, { kind: "binary" }>, c: ExpressionContext): Rendered {
  // Each operand is rendered once: rendering the first of a long sum twice at each step takes exponential time.
  const a = takesOpaque(op, y) ? opaque(x, c) : value(x, c);
  const b = value(y, c);
  switch (op) {
    case "add":
      return join(a, "+", b, level.additive);
    case "subtract":
      return join(a, "-", b, level.additive);
    case "multiply":
      return join(a, "*", b, level.multiplicative);
    case "divide":
      return join(a, "/", b, level.multiplicative);
    case "remainder":
      return call(c.use("remainder"), a, b);
    case "power":
      return call(c.use("power"), a, b);
    case "atan2":
      return call(c.use("atan2_of"), a, b);
    case "minimum":
    case "maximum": {
      // Beside a constant one comparison keeps NaN.
      const [variable, limit] = x.kind === "constant" ? [b, a] : [a, b];
      if (isNumber(x) || isNumber(y)) return call(c.use(op === "maximum" ? "at_least" : "at_most"), variable, limit);
      return call(c.use(op), a, b);
    }
    default:
      throw new TypeError(`${op} of floats`);
  }
}

/** Whether the compiler of shaders could fold the operation, and would refuse what has no finite result. */
function takesOpaque(op: BinaryOp, y: Expr): boolean {
  switch (op) {
    case "remainder":
    case "power":
    case "atan2":
      return true;
    case "divide":
      return y.kind === "constant";
    case "minimum":
    case "maximum":
      return !isNumber(y);
    default:
      return false;
  }
}

const isNumber = (x: Expr): boolean => x.kind === "constant" && !Number.isNaN(x.value);

function integerBinary({ op, type, a: x, b: y }: Extract<Expr, { kind: "binary" }>, c: ExpressionContext): Rendered {
  const [a, b] = [value(x, c), value(y, c)];
  const nonzero = y.kind === "constant" && y.value > 0;
  switch (op) {
    case "add":
      return wrapped(join(a, "+", b, level.additive), type);
    case "subtract":
      return wrapped(join(a, "-", b, level.additive), type);
    case "multiply":
      return wrapped(join(a, "*", b, level.multiplicative), type);
    case "divide":
      return nonzero ? join(a, "/", b, level.multiplicative) : wrapped(call(c.use("divide"), a, b), type);
    case "remainder":
      if (nonzero || type === "index") return join(a, "%", b, level.multiplicative);
      return call(c.use("remainder_of_integers"), a, b);
    case "floordiv":
      return c.isNatural(x) ? join(a, "/", b, level.multiplicative) : call(c.use("floor_divide"), a, b);
    case "power":
      return wrapped(call(c.use("integer_power"), a, b), type);
    case "minimum":
      return call("min", a, b);
    case "maximum":
      return call("max", a, b);
    case "and":
      return bits(a, "&", b);
    case "or":
      return bits(a, "|", b);
    case "xor":
      return bits(a, "^", b);
    case "shift_left":
      return wrapped(bits(a, "<<", amount(y, b)), type);
    case "shift_right_logical": {
      const whole = type === "i8" ? bits(a, "&", make("255")) : a;
      return wrapped(call("i32", bits(call("u32", whole), ">>", amount(y, b))), type);
    }
    case "atan2":
      throw new TypeError("atan2 of integers");
  }
}

/** Shifts take the lowest five bits of their amount. */
const amount = (expr: Expr, text: Rendered): Rendered =>
  expr.kind === "constant" ? make(`${expr.value & 31}u`) : bits(call("u32", text), "&", make("31u"));

function convert(x: Expr, to: ValueType, c: ExpressionContext): Rendered {
  const from = x.type;
  const number = value(x, c);
  if (to === "bool") {
    if (from === "bool") return number;
    if (isFloat(from)) return call(c.use("differ"), number, make("0.0"));
    return make(`${wrapIn(number, level.additive)} != 0`, level.relation);
  }
  if (to === "f32") return isFloat(from) ? number : call("f32", number);
  if (to === "f16") {
    const wide = isFloat(from) ? number : call("f32", number);
    return call(c.use("from_half"), call(c.use("to_half"), wide));
  }
  if (isFloat(from)) {
    const whole = call(c.use("truncate"), number);
    if (to === "u8") return call("clamp", whole, make("0"), make("255"));
    if (to === "i8") return call("clamp", whole, make("-128"), make("127"));
    return whole;
  }
  if (from === "bool") return call("i32", number);
  return to === "u8" || to === "i8" ? wrapped(number, to) : number;
}
