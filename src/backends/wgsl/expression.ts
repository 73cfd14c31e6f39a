// Renders expressions of the kernel IR as WGSL. Registers hold f32, i32 (all integers, wrapped to their width) or bool, or vectors of
// four of them; functions that WGSL lacks are applied to vectors lane by lane.

import {
  type BinaryOp,
  type CompareOp,
  type Expr,
  isVector,
  type LaneReduction,
  scalarOf,
  type UnaryOp,
  type ValueType,
} from "../../ir/kernel/types.ts";
import type { FunctionName, LanesName, LanewiseName } from "./functions.ts";

export interface ExpressionContext {
  /** The identifier of a variable. */
  name(variable: string): string;
  /** The element of a buffer, or the four of a vector, as a register holds it. */
  element(buffer: string, index: Expr, vector: boolean): string;
  /** The name of an index that depends on free sizes alone, which is worked out before the shader runs. */
  size(expr: Expr): string | undefined;
  /** Whether an index is known to be 0 or more. */
  isNatural(expr: Expr): boolean;
  use<T extends FunctionName | LanewiseName | LanesName>(name: T): T;
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

const isFloat = (type: ValueType): boolean => scalarOf(type) === "f32" || type === "f16";

/** The type of a register for such values, or of a lane of it. */
export const registerOf = (type: ValueType): "f32" | "i32" | "bool" =>
  isFloat(type) ? "f32" : scalarOf(type) === "bool" ? "bool" : "i32";

const vectorNames = { f32: "vec4f", i32: "vec4i", bool: "vec4<bool>" } as const;

/** The name of the type of vectors of such values. */
export const vectorNameOf = (type: ValueType): string => vectorNames[registerOf(type)];

/** The name of a register's type. */
const nameOf = (type: ValueType): string => (isVector(type) ? vectorNameOf(type) : registerOf(type));

/** Calls a function of the shader, or its version for vectors. */
const callOwn = (c: ExpressionContext, name: FunctionName, type: ValueType, ...args: readonly Rendered[]): Rendered =>
  call(isVector(type) ? c.use(`${name}_x4`) : c.use(name), ...args);

export const laneNames = ["x", "y", "z", "w"] as const;

/** The value of an expression. */
export const renderValue = (expr: Expr, context: ExpressionContext): string => value(expr, context).text;

function value(expr: Expr, c: ExpressionContext): Rendered {
  switch (expr.kind) {
    case "constant":
      return constant(expr.value, expr.type, c);
    case "variable":
      return make(c.name(expr.name));
    case "load":
      return make(c.element(expr.buffer, expr.index, isVector(expr.type)));
    case "unary":
      return unary(expr, c);
    case "binary": {
      const size = expr.type === "index" ? c.size(expr) : undefined;
      return size === undefined ? binary(expr, c) : make(size);
    }
    case "compare":
      return compare(expr, c);
    case "select":
      return call("select", value(expr.b, c), value(expr.a, c), value(expr.condition, c));
    case "convert":
      return convert(expr.x, expr.type, c);
    case "threefry":
      return callOwn(c, "threefry", expr.type, ...[...expr.key, ...expr.counter].map((x) => value(x, c)));
    case "fma":
      return call("fma", value(expr.a, c), value(expr.b, c), value(expr.c, c));
    case "splat":
      return call(nameOf(expr.type), value(expr.x, c));
    case "vector":
      return call(nameOf(expr.type), ...expr.lanes.map((x) => value(x, c)));
    case "lane":
      return make(`${wrapIn(value(expr.x, c), level.atom)}.${laneNames[expr.lane]}`);
    case "reduce_lanes":
      return call(c.use(lanesOf(expr.op, expr.type)), value(expr.x, c));
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

/** The function that makes one scalar of four lanes. */
const lanesOf = (op: LaneReduction, type: ValueType): LanesName => `${op}_lanes_of_${registerOf(type)}`;

/** An operand that the compiler of shaders does not fold: it refuses constant arithmetic that has no finite result. */
const opaque = (expr: Expr, c: ExpressionContext): Rendered => {
  if (expr.kind === "splat") return call(nameOf(expr.type), opaque(expr.x, c));
  if (expr.kind !== "constant" || registerOf(expr.type) !== "f32") return value(expr, c);
  const pattern = new Uint32Array(Float32Array.of(expr.value).buffer)[0]!;
  return make(`${c.use("float_of")}(0x${pattern.toString(16)}u)`);
};

const symbols: Readonly<Record<CompareOp, string>> = { eq: "==", ne: "!=", lt: "<", le: "<=", gt: ">", ge: ">=" };

function compare(expr: Extract<Expr, { kind: "compare" }>, c: ExpressionContext): Rendered {
  const { type } = expr.a;
  if (expr.op === "ne" && isFloat(type)) return callOwn(c, "differ", type, value(expr.a, c), value(expr.b, c));
  const ordered = registerOf(type) === "bool" && expr.op !== "eq" && expr.op !== "ne";
  const whole = isVector(type) ? "vec4i" : "i32";
  const [a, b] = [expr.a, expr.b].map((x) => (ordered ? call(whole, value(x, c)) : value(x, c)));
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
    return own ? callOwn(c, own, type, x) : call(expr.op, x);
  }
  const x = value(expr.x, c);
  switch (expr.op) {
    case "not":
      return registerOf(type) === "bool" ? apply("!", x) : wrapped(apply("~", x), type);
    case "negate":
      return wrapped(apply("-", x), type);
    case "abs":
      return wrapped(call("abs", x), type);
    case "sign":
      return call("sign", x);
    case "is_finite":
      return isVector(type) ? make("vec4<bool>(true)") : make("true");
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
      if (isVector(expr.type)) {
        if (isConjunction(expr.op)) return bits(a, "&", b);
        if (isDisjunction(expr.op)) return bits(a, "|", b);
      }
      if (isConjunction(expr.op)) return logic(a, "&&", b);
      if (isDisjunction(expr.op)) return logic(a, "||", b);
      return make(`${wrapIn(a, level.additive)} != ${wrapIn(b, level.additive)}`, level.relation);
    }
  }
}

function floatBinary({ op, type, a: x, b: y }: Extract<Expr, { kind: "binary" }>, c: ExpressionContext): Rendered {
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
      return callOwn(c, "remainder", type, a, b);
    case "power":
      return callOwn(c, "power", type, a, b);
    case "atan2":
      return callOwn(c, "atan2_of", type, a, b);
    case "minimum":
    case "maximum": {
      // Beside a constant one comparison keeps NaN.
      if (!isNumber(x) && !isNumber(y)) return callOwn(c, op, type, a, b);
      const [variable, limit] = isNumber(y) ? [a, b] : [b, a];
      return callOwn(c, op === "maximum" ? "at_least" : "at_most", type, variable, limit);
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
      return y.kind === "constant" || (y.kind === "splat" && y.x.kind === "constant");
    case "minimum":
    case "maximum":
      return !isNumber(y);
    default:
      return false;
  }
}

const isNumber = (x: Expr): boolean =>
  x.kind === "splat" ? isNumber(x.x) : x.kind === "constant" && !Number.isNaN(x.value);

function integerBinary({ op, type, a: x, b: y }: Extract<Expr, { kind: "binary" }>, c: ExpressionContext): Rendered {
  const [a, b] = [value(x, c), value(y, c)];
  const divisor = y.kind === "splat" ? y.x : y;
  const nonzero = divisor.kind === "constant" && divisor.value > 0;
  switch (op) {
    case "add":
      return wrapped(join(a, "+", b, level.additive), type);
    case "subtract":
      return wrapped(join(a, "-", b, level.additive), type);
    case "multiply":
      return wrapped(join(a, "*", b, level.multiplicative), type);
    case "divide":
      return nonzero ? join(a, "/", b, level.multiplicative) : wrapped(callOwn(c, "divide", type, a, b), type);
    case "remainder":
      if (nonzero || type === "index") return join(a, "%", b, level.multiplicative);
      return callOwn(c, "remainder_of_integers", type, a, b);
    case "floordiv":
      return c.isNatural(x) ? join(a, "/", b, level.multiplicative) : call(c.use("floor_divide"), a, b);
    case "power":
      return wrapped(callOwn(c, "integer_power", type, a, b), type);
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
      const [signed, unsigned] = isVector(type) ? ["vec4i", "vec4u"] : ["i32", "u32"];
      return wrapped(call(signed!, bits(call(unsigned!, whole), ">>", amount(y, b))), type);
    }
    case "atan2":
      throw new TypeError("atan2 of integers");
  }
}

/** Shifts take the lowest five bits of their amount. */
const amount = (expr: Expr, text: Rendered): Rendered => {
  if (expr.kind === "constant") return make(`${expr.value & 31}u`);
  return isVector(expr.type)
    ? bits(call("vec4u", text), "&", make("vec4u(31u)"))
    : bits(call("u32", text), "&", make("31u"));
};

function convert(x: Expr, to: ValueType, c: ExpressionContext): Rendered {
  const from = x.type;
  const number = value(x, c);
  if (registerOf(to) === "bool") {
    if (registerOf(from) === "bool") return number;
    const zero = isFloat(from) ? "0.0" : "0";
    const none = make(isVector(from) ? `${nameOf(from)}(${zero})` : zero);
    if (isFloat(from)) return callOwn(c, "differ", from, number, none);
    return make(`${wrapIn(number, level.additive)} != ${none.text}`, level.relation);
  }
  if (scalarOf(to) === "f32") return isFloat(from) ? number : call(nameOf(to), number);
  if (to === "f16") {
    const wide = isFloat(from) ? number : call("f32", number);
    return call(c.use("from_half"), call(c.use("to_half"), wide));
  }
  if (isFloat(from)) {
    const whole = callOwn(c, "truncate", from, number);
    if (to === "u8") return call("clamp", whole, make("0"), make("255"));
    if (to === "i8") return call("clamp", whole, make("-128"), make("127"));
    return whole;
  }
  if (registerOf(from) === "bool") return call(nameOf(to), number);
  return to === "u8" || to === "i8" ? wrapped(number, to) : number;
}
