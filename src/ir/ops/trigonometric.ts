// Circular and hyperbolic functions and their inverses. Angles are in radians.

import type { Emit, Operand } from "../emit.ts";
import type { Value } from "../graph.ts";
import type { SampleTensor } from "../op.ts";
import { unary } from "./factory.ts";
import { uniform } from "./samples.ts";

/** Operands away from the poles and from the ends of the domain. */
const within = (...shape: readonly number[]): SampleTensor => uniform(-0.9, 0.9, ...shape);

const square = (e: Emit, x: Value): Value => e.multiply(x, x);
const rsqrt = (e: Emit, x: Value): Value => e.value("rsqrt", [x]);
const oneMinusSquare = (e: Emit, x: Value): Value => e.subtract(1, square(e, x));
const apply = (e: Emit, op: string, x: Operand): Value => e.value(op, [x]);

export const trigonometricOperations = [
  unary("sine", {
    alias: "sin",
    doc: "sin x.",
    kernel: "sin",
    compute: Math.sin,
    gradient: (e, { x, d }) => e.multiply(d, apply(e, "cosine", x)),
  }),
  unary("cosine", {
    alias: "cos",
    doc: "cos x.",
    kernel: "cos",
    compute: Math.cos,
    gradient: (e, { x, d }) => e.negate(e.multiply(d, apply(e, "sine", x))),
  }),
  unary("tan", {
    doc: "tan x. d/dx = 1 + tan² x.",
    kernel: "tan",
    compute: Math.tan,
    gradient: (e, { result, d }) => e.multiply(d, e.add(square(e, result), 1)),
    sample: within,
  }),
  unary("asin", {
    alias: "arcsin",
    doc: "The angle in [-π/2, π/2] whose sine is x; NaN outside [-1, 1]. d/dx = 1 / √(1 - x²).",
    kernel: "asin",
    compute: Math.asin,
    gradient: (e, { x, d }) => e.multiply(d, rsqrt(e, oneMinusSquare(e, x))),
    sample: within,
  }),
  unary("acos", {
    alias: "arccos",
    doc: "The angle in [0, π] whose cosine is x; NaN outside [-1, 1]. d/dx = -1 / √(1 - x²).",
    kernel: "acos",
    compute: Math.acos,
    gradient: (e, { x, d }) => e.negate(e.multiply(d, rsqrt(e, oneMinusSquare(e, x)))),
    sample: within,
  }),
  unary("atan", {
    alias: "arctan",
    doc: "The angle in (-π/2, π/2) whose tangent is x. d/dx = 1 / (1 + x²).",
    kernel: "atan",
    compute: Math.atan,
    gradient: (e, { x, d }) => e.divide(d, e.add(square(e, x), 1)),
  }),
  unary("sinh", {
    doc: "(eˣ - e⁻ˣ) / 2.",
    kernel: "sinh",
    compute: Math.sinh,
    gradient: (e, { x, d }) => e.multiply(d, apply(e, "cosh", x)),
  }),
  unary("cosh", {
    doc: "(eˣ + e⁻ˣ) / 2.",
    kernel: "cosh",
    compute: Math.cosh,
    gradient: (e, { x, d }) => e.multiply(d, apply(e, "sinh", x)),
  }),
  unary("asinh", {
    alias: "arcsinh",
    doc: "log(x + √(x² + 1)). d/dx = 1 / √(x² + 1).",
    kernel: "asinh",
    compute: Math.asinh,
    gradient: (e, { x, d }) => e.multiply(d, rsqrt(e, e.add(square(e, x), 1))),
  }),
  unary("acosh", {
    alias: "arccosh",
    doc: "log(x + √(x² - 1)) for x ≥ 1, else NaN. d/dx = 1 / √(x² - 1).",
    kernel: "acosh",
    compute: Math.acosh,
    gradient: (e, { x, d }) => e.multiply(d, rsqrt(e, e.subtract(square(e, x), 1))),
    sample: (...shape) => uniform(1.2, 4, ...shape),
  }),
  unary("atanh", {
    alias: "arctanh",
    doc: "log((1 + x) / (1 - x)) / 2; NaN outside [-1, 1]. d/dx = 1 / (1 - x²).",
    kernel: "atanh",
    compute: Math.atanh,
    gradient: (e, { x, d }) => e.divide(d, oneMinusSquare(e, x)),
    sample: within,
  }),
];
