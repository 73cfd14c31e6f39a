// Scalar operations of the kernel IR as WebAssembly: floats in f32, all integers and truth in i32, wrapped to the width of their type.

import type { BinaryOp, CompareOp, ScalarType, UnaryOp } from "../../ir/kernel/types.ts";
import { type ExpressionContext, twice } from "./context.ts";
import { call, f32, i32, op, type Tree } from "./tree.ts";

const isFloat = (type: ScalarType): boolean => type === "f32" || type === "f16";

/** An integer that may have left the range of its type, wrapped to it. */
function wrapped(x: Tree, type: ScalarType): Tree {
  if (type === "u8") return op("i32.and", x, i32(255));
  return type === "i8" ? op("i32.extend8_s", x) : x;
}

const floatInstructions = {
  negate: "f32.neg",
  abs: "f32.abs",
  floor: "f32.floor",
  ceil: "f32.ceil",
  round: "f32.nearest",
  sqrt: "f32.sqrt",
} as const;

export function scalarUnary(name: UnaryOp, type: ScalarType, x: Tree, context: ExpressionContext): Tree {
  if (!isFloat(type)) return integerUnary(name, type, x, context);
  switch (name) {
    case "negate":
    case "abs":
    case "floor":
    case "ceil":
    case "round":
    case "sqrt":
      return op(floatInstructions[name], x);
    case "rsqrt":
      return op("f32.div", f32(1), op("f32.sqrt", x));
    case "sign":
      // Zeros and NaN are their own signs.
      return twice(context, x, "f32", ({ first, again }) =>
        op("select", op("f32.copysign", f32(1), first), again, op("f32.gt", op("f32.abs", again), f32(0))),
      );
    case "is_finite":
      return op("f32.lt", op("f32.abs", x), f32(Number.POSITIVE_INFINITY));
    default: {
      const target = context.library.unary(name, "f32");
      if (!target) throw new TypeError(`${name} of ${type}`);
      return call(target, x);
    }
  }
}

function integerUnary(name: UnaryOp, type: ScalarType, x: Tree, context: ExpressionContext): Tree {
  switch (name) {
    case "not":
      return type === "bool" ? op("i32.eqz", x) : wrapped(op("i32.xor", x, i32(-1)), type);
    case "negate":
      return wrapped(op("i32.sub", i32(0), x), type);
    case "abs":
      return twice(context, x, "i32", ({ first, again }) =>
        wrapped(op("select", first, op("i32.sub", i32(0), again), op("i32.ge_s", again, i32(0))), type),
      );
    case "sign":
      return twice(context, x, "i32", ({ first, again }) =>
        op("i32.sub", op("i32.gt_s", first, i32(0)), op("i32.lt_s", again, i32(0))),
      );
    case "is_finite":
      // The operand is computed for nothing, and has no effects.
      return i32(1);
    default:
      return x;
  }
}

const floatBinaries = {
  add: "f32.add",
  subtract: "f32.sub",
  multiply: "f32.mul",
  divide: "f32.div",
  minimum: "f32.min",
  maximum: "f32.max",
} as const;

export function scalarBinary(name: BinaryOp, type: ScalarType, a: Tree, b: Tree, context: ExpressionContext): Tree {
  if (type === "bool") return op(truth(name), a, b);
  if (!isFloat(type)) return integerBinary(name, type, a, b, context);
  switch (name) {
    case "add":
    case "subtract":
    case "multiply":
    case "divide":
    case "minimum":
    case "maximum":
      return op(floatBinaries[name], a, b);
    default: {
      const target = context.library.binary(name, "f32");
      if (!target) throw new TypeError(`${name} of ${type}`);
      return call(target, a, b);
    }
  }
}

/** Arithmetic of truth is logic. */
function truth(name: BinaryOp): "i32.and" | "i32.or" | "i32.xor" {
  if (name === "and" || name === "multiply" || name === "minimum") return "i32.and";
  return name === "xor" ? "i32.xor" : "i32.or";
}

/** A divisor that neither traps nor wraps. */
const isPlainDivisor = (b: Tree): boolean => b.kind === "constant" && b.value !== 0 && b.value !== -1;

function integerBinary(name: BinaryOp, type: ScalarType, a: Tree, b: Tree, context: ExpressionContext): Tree {
  const { library } = context;
  switch (name) {
    case "add":
      return wrapped(op("i32.add", a, b), type);
    case "subtract":
      return wrapped(op("i32.sub", a, b), type);
    case "multiply":
      return wrapped(op("i32.mul", a, b), type);
    case "divide":
      return wrapped(isPlainDivisor(b) ? op("i32.div_s", a, b) : call(library.scalar("divide"), a, b), type);
    case "remainder":
      return isPlainDivisor(b) ? op("i32.rem_s", a, b) : call(library.scalar("remainder"), a, b);
    case "floordiv":
      return call(library.scalar("floor_divide"), a, b);
    case "power":
      return wrapped(call(library.scalar("integer_power"), a, b), type);
    case "minimum":
    case "maximum":
      return twice(context, a, "i32", (x) =>
        twice(context, b, "i32", (y) =>
          op("select", x.first, y.first, op(name === "minimum" ? "i32.lt_s" : "i32.gt_s", x.again, y.again)),
        ),
      );
    case "and":
      return op("i32.and", a, b);
    case "or":
      return op("i32.or", a, b);
    case "xor":
      return op("i32.xor", a, b);
    case "shift_left":
      return wrapped(op("i32.shl", a, b), type);
    case "shift_right_logical":
      return wrapped(op("i32.shr_u", type === "i8" ? op("i32.and", a, i32(255)) : a, b), type);
    case "atan2":
      throw new TypeError(`atan2 of ${type}`);
  }
}

const signedNames = { eq: "eq", ne: "ne", lt: "lt_s", le: "le_s", gt: "gt_s", ge: "ge_s" } as const;

export const scalarCompare = (name: CompareOp, type: ScalarType, a: Tree, b: Tree): Tree =>
  isFloat(type) ? op(`f32.${name}`, a, b) : op(`i32.${signedNames[name]}`, a, b);

export function scalarConvert(from: ScalarType, to: ScalarType, x: Tree, context: ExpressionContext): Tree {
  const { library } = context;
  if (to === from) return x;
  if (to === "bool") return isFloat(from) ? op("f32.ne", x, f32(0)) : op("i32.ne", x, i32(0));
  if (isFloat(to)) {
    const float = isFloat(from) ? x : op("f32.convert_i32_s", x);
    return to === "f32" ? float : call(library.scalar("from_half"), call(library.scalar("to_half"), float));
  }
  if (!isFloat(from)) return wrapped(x, to);
  if (to !== "u8" && to !== "i8") return op("i32.trunc_sat_f32_s", x);
  const [low, high] = to === "u8" ? [0, 255] : [-128, 127];
  const raised = integerBinary("maximum", "i32", op("i32.trunc_sat_f32_s", x), i32(low), context);
  return integerBinary("minimum", "i32", raised, i32(high), context);
}
