// Elementwise functions of one operand: signs, rounding, roots, exponentials. Trigonometry is in trigonometric.ts.

import { erf as erfOf, roundNearestEven } from "../math.ts";
import type { SampleTensor } from "../op.ts";
import { unary } from "./factory.ts";
import { integers, spaced, uniform, values } from "./samples.ts";

const edges = values([0, -0, 1, -1, 0.5, -2.5, 1e30, -1e30], [8]);
const i32 = integers(-50, 50, [7]);

const negate = unary("negate", {
  doc: "-x. Integers wrap.",
  takes: "number",
  kernel: "negate",
  compute: (x) => -x,
  gradient: (e, { d }) => e.negate(d),
  also: [i32],
});

const not = unary("not", {
  doc: "Logical negation of truth values, bitwise complement of integers.",
  takes: "bits",
  kernel: "not",
  compute: (x, dtype) => (dtype === "bool" ? (x === 0 ? 1 : 0) : ~x),
  sample: (...shape) => integers(0, 1, shape, "bool"),
  also: [i32, integers(0, 255, [5], "u8")],
});

const abs = unary("abs", {
  doc: "|x|. Its gradient at 0 is 0.",
  takes: "number",
  kernel: "abs",
  compute: Math.abs,
  gradient: (e, { x, d }) => e.multiply(d, e.value("sign", [x])),
  smooth: false,
  sample: spaced,
  also: [i32],
});

const sign = unary("sign", {
  doc: "-1, 0 or 1 as x is negative, zero or positive; NaN for NaN.",
  takes: "number",
  kernel: "sign",
  compute: Math.sign,
  smooth: false,
  sample: spaced,
  also: [i32, values([0, 2], [2])],
});

const floor = unary("floor", {
  doc: "The greatest integer that is not greater than x.",
  kernel: "floor",
  compute: Math.floor,
  smooth: false,
  sample: spaced,
  also: [edges],
});

const ceil = unary("ceil", {
  doc: "The least integer that is not less than x.",
  kernel: "ceil",
  compute: Math.ceil,
  smooth: false,
  sample: spaced,
  also: [edges],
});

const round = unary("round_nearest_even", {
  alias: "round",
  doc: "The nearest integer; halves go to the even one.",
  kernel: "round",
  compute: roundNearestEven,
  smooth: false,
  sample: spaced,
  also: [edges, values([0.5, 1.5, 2.5, -0.5, -1.5], [5])],
});

const positive = (...shape: readonly number[]): SampleTensor => uniform(0.2, 4, ...shape);

const sqrt = unary("sqrt", {
  doc: "√x; NaN below 0. d/dx = 1 / (2√x).",
  kernel: "sqrt",
  compute: Math.sqrt,
  gradient: (e, { result, d }) => e.divide(e.multiply(d, 0.5), result),
  sample: positive,
});

const rsqrt = unary("rsqrt", {
  doc: "1 / √x. d/dx = -1/2 · x^(-3/2).",
  kernel: "rsqrt",
  compute: (x) => 1 / Math.sqrt(x),
  gradient: (e, { x, result, d }) => e.divide(e.multiply(e.multiply(d, -0.5), result), x),
  sample: positive,
});

const exponential = unary("exponential", {
  alias: "exp",
  doc: "eˣ.",
  kernel: "exp",
  compute: Math.exp,
  gradient: (e, { result, d }) => e.multiply(d, result),
});

const exponentialMinusOne = unary("exponential_minus_one", {
  alias: "expm1",
  doc: "eˣ - 1, exact for small x.",
  kernel: "expm1",
  compute: Math.expm1,
  gradient: (e, { result, d }) => e.multiply(d, e.add(result, 1)),
});

const log = unary("log", {
  doc: "The natural logarithm; -∞ at 0, NaN below.",
  kernel: "log",
  compute: Math.log,
  gradient: (e, { x, d }) => e.divide(d, x),
  sample: positive,
});

const logPlusOne = unary("log_plus_one", {
  alias: "log1p",
  doc: "log(1 + x), exact for small x.",
  kernel: "log1p",
  compute: Math.log1p,
  gradient: (e, { x, d }) => e.divide(d, e.add(x, 1)),
  sample: (...shape) => uniform(-0.7, 3, ...shape),
});

const tanh = unary("tanh", {
  doc: "The hyperbolic tangent. d/dx = 1 - tanh² x.",
  kernel: "tanh",
  compute: Math.tanh,
  gradient: (e, { result, d }) => e.multiply(d, e.subtract(1, e.multiply(result, result))),
});

const logistic = unary("logistic", {
  doc: "1 / (1 + e⁻ˣ). With y the result, d/dx = y · (1 - y).",
  kernel: "logistic",
  compute: (x) => 1 / (1 + Math.exp(-x)),
  gradient: (e, { result, d }) => e.multiply(d, e.multiply(result, e.subtract(1, result))),
});

const erf = unary("erf", {
  doc: "The error function 2/√π ∫₀ˣ exp(-t²) dt. d/dx = 2/√π · exp(-x²).",
  kernel: "erf",
  compute: erfOf,
  gradient: (e, { x, d }) =>
    e.multiply(e.multiply(d, 2 / Math.sqrt(Math.PI)), e.value("exponential", [e.negate(e.multiply(x, x))])),
});

const finite = unary("is_finite", {
  alias: "isfinite",
  doc: "Whether x is neither infinite nor NaN.",
  kernel: "is_finite",
  compute: (x) => (Number.isFinite(x) ? 1 : 0),
  result: "bool",
  also: [values([Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN, 0], [4])],
});

export const unaryOperations = [
  negate,
  not,
  abs,
  sign,
  floor,
  ceil,
  round,
  sqrt,
  rsqrt,
  exponential,
  exponentialMinusOne,
  log,
  logPlusOne,
  tanh,
  logistic,
  erf,
  finite,
];
