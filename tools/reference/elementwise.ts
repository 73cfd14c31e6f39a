// Elementwise functions of one and two tensors, by the names that the reference gives them.

import { numberOf, type ReferenceCase } from "./case.ts";
import { float, formula, type Recipe } from "./program.ts";

/** Functions of `x`, as expressions of the language. */
const unary: Readonly<Record<string, string>> = {
  abs: "abs(x)",
  acos: "arccos(x)",
  acosh: "arccosh(x)",
  asin: "arcsin(x)",
  asinh: "arcsinh(x)",
  atan: "arctan(x)",
  atanh: "arctanh(x)",
  ceil: "ceil(x)",
  cos: "cos(x)",
  cosh: "cosh(x)",
  erf: "erf(x)",
  erfc: "1 - erf(x)",
  exp: "exp(x)",
  exp2: "2.0 ** x",
  expm1: "expm1(x)",
  floor: "floor(x)",
  frac: "x - sign(x) * floor(abs(x))",
  log: "log(x)",
  log10: "log(x) / log(10.0)",
  log1p: "log1p(x)",
  log2: "log(x) / log(2.0)",
  neg: "-x",
  reciprocal: "1 / x",
  round: "round(x)",
  rsqrt: "rsqrt(x)",
  sign: "sign(x)",
  sin: "sin(x)",
  sinh: "sinh(x)",
  sqrt: "sqrt(x)",
  square: "x ** 2",
  tan: "tan(x)",
  digamma_fwd: "digamma(x)",
  lgamma: "lgamma(x)",
  erfinv: "erfinv(x)",
  deg2rad: `x * ${Math.PI / 180}`,
  rad2deg: `x * ${180 / Math.PI}`,
  logit: "log(x / (1 - x))",
  sinc: `where(x == 0, 1.0, sin(${Math.PI} * x) / (${Math.PI} * where(x == 0, 1.0, x)))`,
  trunc: "sign(x) * floor(abs(x))",
  pow2: "x ** 2",
  pow3: "x ** 3",
};

/** Functions of `x` and `z`, which broadcast. */
const binary: Readonly<Record<string, string>> = {
  add: "x + z",
  sub: "x - z",
  mul: "x * z",
  div: "x / z",
  pow: "x ** z",
  atan2: "arctan2(x, z)",
  maximum: "maximum(x, z)",
  minimum: "minimum(x, z)",
  fmod: "fmod(x, z)",
  hypot: "sqrt(x ** 2 + z ** 2)",
  lerp: "x + (z - x) * w",
  copysign: "where(z < 0, -abs(x), abs(x))",
  xlogy: "where(x == 0, 0.0, x * log(z))",
  squared_difference: "(x - z) ** 2",
  logaddexp: "maximum(x, z) + log1p(exp(-abs(x - z)))",
  floor_divide: "floor_divide(x, z)",
  remainder: "x % z",
};

/** Bounds that pass the gradient on, as PyTorch's clamp does; `minimum` and `maximum` would not. */
function clamp(c: ReferenceCase): string {
  const [low, high] = [float(numberOf(c, "min", -1)), float(numberOf(c, "max", 1))];
  return `y = where(x < ${low}, ${low}, where(x > ${high}, ${high}, x))`;
}

export const elementwise: Readonly<Record<string, Recipe>> = {
  ...Object.fromEntries(Object.entries(unary).map(([name, text]) => [name, () => formula(`y = ${text}`)])),
  ...Object.fromEntries(Object.entries(binary).map(([name, text]) => [name, () => formula(`y = ${text}`)])),
  // The index does not tell the factor; it is 0.5.
  addcmul: (c) => formula(`y = x + ${float(numberOf(c, "value", 0.5))} * a * b`),
  addcdiv: (c) => formula(`y = x + ${float(numberOf(c, "value", 1))} * a / b`),
  clamp: (c) => formula(clamp(c)),
  clip: (c) => formula(clamp(c)),
  where: (c) =>
    "c" in c.inputs
      ? formula("y = where(c > 0, x, z)")
      : formula(`y = where(${"m" in c.inputs ? "m" : "mask"} > 0, x, z)`),
};
