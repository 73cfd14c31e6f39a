// What each operation of the kernel IR yields on numbers, as JavaScript computes it: floats in float64 (rounded when they are
// stored), integers wrapped to their width, booleans as 0 and 1. The interpreter runs this; back-ends are compared with it.

import { roundToHalf } from "../../util/half.ts";
import { roundNearestEven } from "../math.ts";
import type { BinaryOp, CompareOp, ScalarType, UnaryOp } from "./types.ts";

const isFloatType = (type: ScalarType): boolean => type === "f32" || type === "f16";

/** An integer wrapped to the width of its type. */
function wrap(value: number, type: ScalarType): number {
  switch (type) {
    case "u8":
      return value & 255;
    case "i8":
      return (value << 24) >> 24;
    case "bool":
      return value === 0 ? 0 : 1;
    case "f32":
    case "f16":
      return value;
    case "i32":
    case "index":
      return value | 0;
  }
}

export function applyUnary(op: UnaryOp, type: ScalarType, x: number): number {
  if (!isFloatType(type)) {
    switch (op) {
      case "not":
        return type === "bool" ? 1 - x : wrap(~x, type);
      case "negate":
        return wrap(-x, type);
      case "abs":
        return wrap(Math.abs(x), type);
      case "sign":
        return Math.sign(x);
      case "is_finite":
        return 1;
      default:
        return x;
    }
  }
  switch (op) {
    case "negate":
      return -x;
    case "not":
      throw new TypeError("not of a float");
    case "round":
      return roundNearestEven(x);
    case "rsqrt":
      return 1 / Math.sqrt(x);
    case "erf":
      return erf(x);
    case "logistic":
      return logistic(x);
    case "is_finite":
      return Number.isFinite(x) ? 1 : 0;
    default:
      return Math[op](x);
  }
}

/** 1 / (1 + e^-x). */
const logistic = (x: number): number => 1 / (1 + Math.exp(-x));

export function applyBinary(op: BinaryOp, type: ScalarType, a: number, b: number): number {
  if (isFloatType(type)) return floatBinary(op, a, b);
  switch (op) {
    case "add":
      return wrap(a + b, type);
    case "subtract":
      return wrap(a - b, type);
    case "multiply":
      return wrap(Math.imul(a, b), type);
    case "divide":
      return wrap(a / b, type);
    case "remainder":
      return wrap(a % b, type);
    case "floordiv":
      return Math.floor(a / b) | 0;
    case "power":
      return wrap(integerPower(a, b), type);
    case "minimum":
      return Math.min(a, b);
    case "maximum":
      return Math.max(a, b);
    case "and":
      return a & b;
    case "or":
      return a | b;
    case "xor":
      return a ^ b;
    case "shift_left":
      return wrap(a << b, type);
    case "shift_right_logical":
      return wrap((type === "i8" ? a & 255 : a) >>> b, type);
    case "atan2":
      throw new TypeError("atan2 of integers");
  }
}

function floatBinary(op: BinaryOp, a: number, b: number): number {
  switch (op) {
    case "add":
      return a + b;
    case "subtract":
      return a - b;
    case "multiply":
      return a * b;
    case "divide":
      return a / b;
    case "remainder":
      return a % b;
    case "power":
      return a ** b;
    case "minimum":
      return Math.min(a, b);
    case "maximum":
      return Math.max(a, b);
    case "atan2":
      return Math.atan2(a, b);
    default:
      throw new TypeError(`${op} of floats`);
  }
}

export function applyCompare(op: CompareOp, a: number, b: number): boolean {
  switch (op) {
    case "eq":
      return a === b;
    case "ne":
      return a !== b;
    case "lt":
      return a < b;
    case "le":
      return a <= b;
    case "gt":
      return a > b;
    case "ge":
      return a >= b;
  }
}

/**
 * From a float to an integer: towards zero, NaN to 0, what is too large saturates. Integers wrap. A float stays as wide as
 * the register that holds it, save that conversion to f16 rounds.
 */
export function applyConvert(from: ScalarType, to: ScalarType, x: number): number {
  if (to === "bool") return x === 0 ? 0 : 1;
  if (to === "f32") return x;
  if (to === "f16") return roundToHalf(x);
  if (!isFloatType(from)) return wrap(x, to);
  const [low, high] = to === "u8" ? [0, 255] : to === "i8" ? [-128, 127] : [-2147483648, 2147483647];
  return Math.min(Math.max(x, low), high) | 0;
}

/** a to the power n, wrapped to 32 bits; negative powers are truncated towards zero. */
export function integerPower(a: number, n: number): number {
  if (n < 0) return a === 1 ? 1 : a === -1 ? 1 - 2 * (n & 1) : 0;
  let result = 1;
  for (let base = a, left = n; left > 0; left >>>= 1) {
    if (left & 1) result = Math.imul(result, base);
    base = Math.imul(base, base);
  }
  return result;
}

/** Coefficients of the three rational approximations of erf, highest power first. */
const erfTables = {
  small: {
    p: [0.18577770618460315, 3.1611237438705655, 113.86415415105016, 377.485237685302, 3209.3775891384694],
    q: [1, 23.601290952344122, 244.02463793444417, 1282.6165260773723, 2844.236833439171],
  },
  middle: {
    p: [
      2.1531153547440383e-8, 0.5641884969886701, 8.883149794388377, 66.11919063714163, 298.6351381974001,
      881.952221241769, 1712.0476126340707, 2051.0783778260716, 1230.3393547979972,
    ],
    q: [
      1, 15.744926110709835, 117.6939508913125, 537.1811018620099, 1621.3895745666903, 3290.7992357334597,
      4362.619090143247, 3439.3676741437216, 1230.3393548037495,
    ],
  },
  large: {
    p: [
      0.016315387137302097, 0.30532663496123236, 0.36034489994980445, 0.12578172611122926, 0.016083785148742275,
      0.0006587491615298378,
    ],
    q: [1, 2.568520192289822, 1.8729528499234673, 0.5279051029514285, 0.06051834131244132, 0.0023352049762686918],
  },
} as const;

const polynomial = (x: number, coefficients: readonly number[]): number =>
  coefficients.reduce((sum, coefficient) => sum * x + coefficient, 0);

/**
 * The error function, to a few units in the last place of float64: the rational approximations of W. J. Cody, "Rational
 * Chebyshev approximations for the error function", Mathematics of Computation 23 (1969).
 */
function erf(x: number): number {
  const a = Math.abs(x);
  const { small, middle, large } = erfTables;
  const square = x * x;
  if (a <= 0.46875) return (x * polynomial(square, small.p)) / polynomial(square, small.q);
  if (a > 6) return Math.sign(x);
  if (a <= 4) return Math.sign(x) * (1 - (Math.exp(-square) * polynomial(a, middle.p)) / polynomial(a, middle.q));
  const inverse = 1 / square;
  const tail = (inverse * polynomial(inverse, large.p)) / polynomial(inverse, large.q);
  return Math.sign(x) * (1 - (Math.exp(-square) * (Math.sqrt(1 / Math.PI) - tail)) / a);
}
