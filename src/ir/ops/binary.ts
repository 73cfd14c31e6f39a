// Elementwise functions of two operands: arithmetic, maxima, bits.

import { type DType, isFloat } from "../dtype.ts";
import type { Emit } from "../emit.ts";
import { literal, type Value } from "../graph.ts";
import { integerPower } from "../kernel/arithmetic.ts";
import type { SampleTensor } from "../op.ts";
import { binary, type GradientValues } from "./factory.ts";
import { integers, normal, spaced, uniform, values } from "./samples.ts";

const anywhere = (_: 0 | 1, shape: readonly number[]): SampleTensor => normal(...shape);
/** No two elements are close, within the operands and between them: `spaced` takes odd multiples of 0.05, this even ones. */
const apart = (operand: 0 | 1, shape: readonly number[]): SampleTensor => {
  if (operand === 0) return spaced(...shape);
  const count = shape.reduce((a, b) => a * b, 1);
  const even = Array.from({ length: count }, (_, i) => (((i * 7) % count) - Math.floor(count / 2)) * 0.1);
  return values(even, shape);
};
const positiveSecond = (operand: 0 | 1, shape: readonly number[]): SampleTensor =>
  operand === 0 ? normal(...shape) : uniform(0.5, 3, ...shape);
const bits = (_: 0 | 1, shape: readonly number[]): SampleTensor => integers(-(2 ** 31), 2 ** 31 - 1, shape);
const amounts = (operand: 0 | 1, shape: readonly number[]): SampleTensor =>
  operand === 0 ? bits(0, shape) : integers(0, 31, shape);

const wide = [bits(0, [6]), bits(1, [6])] as const;
const bytes = [integers(0, 255, [6], "u8"), integers(0, 255, [6], "u8")] as const;
const signedBytes = [integers(-128, 127, [6], "i8"), integers(-128, 127, [6], "i8")] as const;
const truths = [integers(0, 1, [6], "bool"), integers(0, 1, [6], "bool")] as const;

/** Whether every element is one number known at compile time. */
function isSplat(value: Value): boolean {
  if (value.kind === "literal") return true;
  return value.kind === "result" && value.node.op === "broadcast" && isSplat(value.node.inputs[0]!);
}

/**
 * The gradient of a maximum (`gt`) or minimum (`lt`): it goes to the operand that was taken. Ties share it evenly, save that a
 * constant takes it all, so that the gradient of maximum(x, 0) is 0 at 0.
 */
const extremum =
  (wins: "gt" | "lt") =>
  (e: Emit, { x, y, d }: GradientValues): readonly [Value | undefined, Value | undefined] => {
    const part = (a: Value, b: Value, tie: number): Value => {
      const won = e.select(e.compare(wins, a, b), d, 0);
      return tie === 0 ? won : e.select(e.compare("eq", a, b), e.multiply(d, tie), won);
    };
    if (isSplat(y)) return [isSplat(x) ? undefined : part(x, y, 0), undefined];
    if (isSplat(x)) return [undefined, part(y, x, 0)];
    return [part(x, y, 0.5), part(y, x, 0.5)];
  };

/** d · y · x^(y - 1) and d · x^y · log x, each 0 where the formula meets 0 · ∞: at x = y = 0, and at x = 0. */
function powerGradient(e: Emit, { x, y, result, d }: GradientValues): readonly [Value | undefined, Value | undefined] {
  if (y.kind === "literal") {
    if (y.value === 0) return [undefined, undefined];
    const lower = e.power(x, literal(y.value - 1, y.type.dtype));
    return [e.multiply(e.multiply(d, y), lower), undefined];
  }
  const base = e.multiply(e.multiply(d, y), e.power(x, e.subtract(y, 1)));
  const exponent = e.multiply(e.multiply(d, result), e.value("log", [x]));
  const origin = e.value("and", [e.compare("eq", x, 0), e.compare("eq", y, 0)]);
  return [
    e.select(origin, 0, base),
    x.kind === "literal" && x.value === 0 ? undefined : e.select(e.compare("eq", x, 0), 0, exponent),
  ];
}

const quotient = (x: number, y: number, dtype: DType): number =>
  isFloat(dtype) ? x / y : y === 0 ? 0 : Math.trunc(x / y);

export const binaryOperations = [
  binary("add", {
    doc: "x + y. Integers wrap.",
    takes: "number",
    kernel: "add",
    compute: (x, y) => x + y,
    gradient: (_, { d }) => [d, d],
    sample: anywhere,
    also: [wide, bytes, signedBytes],
  }),
  binary("subtract", {
    doc: "x - y. Integers wrap.",
    takes: "number",
    kernel: "subtract",
    compute: (x, y) => x - y,
    gradient: (e, { d }) => [d, e.negate(d)],
    sample: anywhere,
    also: [wide, bytes],
  }),
  binary("multiply", {
    doc: "x · y. Integers wrap.",
    takes: "number",
    kernel: "multiply",
    compute: (x, y, dtype) => (isFloat(dtype) ? x * y : Math.imul(x, y)),
    gradient: (e, { x, y, d }) => [e.multiply(d, y), e.multiply(d, x)],
    sample: anywhere,
    also: [wide, bytes, signedBytes],
  }),
  binary("divide", {
    doc: "x / y. Integers truncate towards zero; an integer divided by zero is 0.",
    takes: "number",
    kernel: "divide",
    compute: quotient,
    gradient: (e, { y, result, d }) => {
      const dx = e.divide(d, y);
      return [dx, e.negate(e.multiply(dx, result))];
    },
    sample: positiveSecond,
    also: [wide, [integers(0, 255, [6], "u8"), integers(1, 9, [6], "u8")]],
  }),
  binary("remainder", {
    alias: "fmod",
    doc: "x - trunc(x / y) · y: it has the sign of x. The remainder of an integer by zero is 0.",
    takes: "number",
    kernel: "remainder",
    compute: (x, y, dtype) => (y === 0 && !isFloat(dtype) ? 0 : x % y),
    gradient: (e, { x, y, result, d }) => {
      const whole = e.value("round_nearest_even", [e.divide(e.subtract(x, result), y)]);
      return [d, e.negate(e.multiply(d, whole))];
    },
    smooth: false,
    sample: (operand, shape) => (operand === 0 ? spaced(...shape) : uniform(3.5, 3.6, ...shape)),
    also: [
      wide,
      [values([5, -7.3, 9.1, -0.4], [4]), values([2, 3, -4, -1.5], [4])],
      [values([7, -7, 7, -7, 5], [5], "i32"), values([3, 3, -3, -3, 0], [5], "i32")],
    ],
  }),
  binary("power", {
    doc: "x raised to y; NaN for x < 0 and y not whole. Integers wrap, and their negative powers are truncated towards zero.",
    takes: "number",
    kernel: "power",
    compute: (x, y, dtype) => (isFloat(dtype) ? x ** y : integerPower(x, y)),
    gradient: powerGradient,
    sample: (_, shape) => uniform(0.5, 2.5, ...shape),
    also: [
      [uniform(0.5, 2.5, 5), values([2, -3, 0, 1, 0.5], [5])],
      [values([3, -2, -1, 7, 2], [5], "i32"), values([20, 31, -3, 0, -1], [5], "i32")],
    ],
  }),
  binary("maximum", {
    doc: "The greater of x and y; NaN where either is. Where they are equal each gets half of the gradient, and a constant all.",
    takes: "number",
    kernel: "maximum",
    compute: (x, y) => Math.max(x, y),
    gradient: extremum("gt"),
    smooth: false,
    sample: apart,
    also: [wide, bytes],
  }),
  binary("minimum", {
    doc: "The lesser of x and y; NaN where either is. Where they are equal each gets half of the gradient, and a constant all.",
    takes: "number",
    kernel: "minimum",
    compute: (x, y) => Math.min(x, y),
    gradient: extremum("lt"),
    smooth: false,
    sample: apart,
    also: [wide, signedBytes],
  }),
  binary("atan2", {
    alias: "arctan2",
    doc: "The angle of the point (y, x), in (-π, π]; the first operand is the ordinate, as in C and NumPy.",
    takes: "float",
    kernel: "atan2",
    compute: Math.atan2,
    gradient: (e, { x, y, d }) => {
      const share = e.divide(d, e.add(e.multiply(x, x), e.multiply(y, y)));
      return [e.multiply(share, y), e.negate(e.multiply(share, x))];
    },
    sample: positiveSecond,
  }),
  binary("and", {
    doc: "Conjunction of truth values, bit by bit of integers.",
    takes: "bits",
    kernel: "and",
    compute: (x, y) => x & y,
    sample: bits,
    also: [truths, bytes],
  }),
  binary("or", {
    doc: "Disjunction of truth values, bit by bit of integers.",
    takes: "bits",
    kernel: "or",
    compute: (x, y) => x | y,
    sample: bits,
    also: [truths, bytes],
  }),
  binary("xor", {
    doc: "Exclusive disjunction of truth values, bit by bit of integers.",
    takes: "bits",
    kernel: "xor",
    compute: (x, y) => x ^ y,
    sample: bits,
    also: [truths, bytes],
  }),
  binary("shift_left", {
    doc: "x with its bits moved left by y places (taken modulo 32); zeros come in.",
    takes: "integer",
    kernel: "shift_left",
    compute: (x, y) => x << y,
    sample: amounts,
    also: [[integers(0, 255, [6], "u8"), integers(0, 7, [6], "u8")]],
  }),
  binary("shift_right_logical", {
    doc: "x with its bits moved right by y places (taken modulo 32); zeros come in, whatever the sign.",
    takes: "integer",
    kernel: "shift_right_logical",
    compute: (x, y, dtype) => (dtype === "i8" ? x & 0xff : x) >>> y,
    sample: amounts,
    also: [[integers(-128, 127, [6], "i8"), integers(0, 7, [6], "i8")]],
  }),
];
