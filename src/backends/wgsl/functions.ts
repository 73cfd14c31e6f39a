// Functions that WGSL lacks, or has with less accuracy or other edges than the kernel IR asks for; each shader carries those that it
// uses. NaN is told by bits: compilers of shaders may take it that none occurs.

import type { LaneReduction } from "../../ir/kernel/types.ts";

const texts = {
  float_of: `
fn float_of(bits: u32) -> f32 { return bitcast<f32>(bits); }`,
  is_nan: `
fn is_nan(x: f32) -> bool { return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u; }`,
  is_finite: `
fn is_finite(x: f32) -> bool { return (bitcast<u32>(x) & 0x7f800000u) != 0x7f800000u; }`,
  at_least: `
// NaN where x is; the limit is a number.
fn at_least(x: f32, limit: f32) -> f32 { return select(x, limit, x < limit); }`,
  at_most: `
// NaN where x is; the limit is a number.
fn at_most(x: f32, limit: f32) -> f32 { return select(x, limit, x > limit); }`,
  differ: `
// True where either is NaN, which WGSL's operator leaves out.
fn differ(a: f32, b: f32) -> bool { return a != b || is_nan(a) || is_nan(b); }`,
  sine: `
// WGSL asks sin for three digits only. The angle less a multiple of pi/2 in three parts, then Cephes' polynomials (S. Moshier, sinf).
fn sine(x: f32) -> f32 { return quarter_sine(x, 0); }`,
  cosine: `
fn cosine(x: f32) -> f32 { return quarter_sine(x, 1); }`,
  tangent: `
fn tangent(x: f32) -> f32 { return quarter_sine(x, 0) / quarter_sine(x, 1); }`,
  quarter_sine: `
// The sine of x and so many quarter turns.
fn quarter_sine(x: f32, quarters: i32) -> f32 {
  if (!is_finite(x)) { return float_of(0x7fc00000u); }
  let turns = round(x * 0.6366197723675814);
  let r = fma(turns, -7.549789948768648e-8, fma(turns, -4.837512969970703e-4, fma(turns, -1.5703125, x)));
  let s = r * r;
  let sine = r + r * s * (-1.6666654611e-1 + s * (8.3321608736e-3 - s * 1.9515295891e-4));
  let cosine = 1.0 - 0.5 * s + s * s * (4.166664568298827e-2 + s * (-1.388731625493765e-3 + s * 2.443315711809948e-5));
  let quadrant = (i32(turns - 4.0 * floor(turns * 0.25)) + quarters) & 3;
  let y = select(sine, cosine, (quadrant & 1) == 1);
  return select(y, -y, quadrant > 1);
}`,
  maximum: `
// NaN where either is.
fn maximum(a: f32, b: f32) -> f32 { return select(select(b, a, a > b), a + b, is_nan(a) || is_nan(b)); }`,
  minimum: `
// NaN where either is.
fn minimum(a: f32, b: f32) -> f32 { return select(select(b, a, a < b), a + b, is_nan(a) || is_nan(b)); }`,
  power: `
// WGSL's pow takes no negative bases.
fn power(a: f32, b: f32) -> f32 {
  if (b == 0.0) { return 1.0; }
  if (is_nan(a) || is_nan(b)) { return a + b; }
  if (b == 1.0) { return a; }
  if (b == 2.0) { return a * a; }
  let whole = floor(b) == b;
  let odd = whole && abs(b) < 16777216.0 && (i32(b) & 1) != 0;
  if (a == 0.0 || !is_finite(a)) {
    let grows = (a == 0.0) == (b < 0.0);
    let magnitude = select(0.0, float_of(0x7f800000u), grows);
    return select(magnitude, -magnitude, odd && (bitcast<u32>(a) >> 31u) == 1u);
  }
  if (!is_finite(b)) {
    if (abs(a) == 1.0) { return float_of(0x7fc00000u); }
    return select(0.0, float_of(0x7f800000u), (abs(a) > 1.0) == (b > 0.0));
  }
  if (a < 0.0 && !whole) { return float_of(0x7fc00000u); }
  let magnitude = pow(abs(a), b);
  return select(magnitude, -magnitude, a < 0.0 && odd);
}`,
  remainder: `
// Exact, with the sign of a: takes away b times powers of two, the largest first, each without rounding.
fn remainder(a: f32, b: f32) -> f32 {
  let divisor = abs(b);
  if (is_nan(a) || is_nan(b) || !is_finite(a) || divisor == 0.0) { return float_of(0x7fc00000u); }
  if (!is_finite(b)) { return a; }
  var rest = abs(a);
  while (rest >= divisor) {
    var part = ldexp(divisor, frexp(rest).exp - frexp(divisor).exp);
    if (part > rest) { part = part * 0.5; }
    rest = rest - part;
  }
  return select(rest, -rest, a < 0.0);
}`,
  expm1: `
// exp(x) - 1 without cancellation near 0: a Taylor series there, of degree 7.
fn expm1(x: f32) -> f32 {
  if (abs(x) > 0.5) { return exp(x) - 1.0; }
  return x * (1.0 + x * (0.5 + x * (1.0 / 6.0 + x * (1.0 / 24.0 + x * (1.0 / 120.0 + x * (1.0 / 720.0 + x / 5040.0))))));
}`,
  log1p: `
// log(1 + x) with the rounding of 1 + x taken back (Kahan).
fn log1p(x: f32) -> f32 {
  let u = 1.0 + x;
  if (u == 1.0) { return x; }
  if (u <= 0.0 || !is_finite(u)) { return log_of(u); }
  return log(u) * (x / (u - 1.0));
}`,
  log_of: `
// WGSL leaves open what log gives at 0, below it and at the ends of the range.
fn log_of(x: f32) -> f32 {
  if (is_nan(x) || x < 0.0) { return float_of(0x7fc00000u); }
  if (x == 0.0) { return float_of(0xff800000u); }
  return select(log(x), x, !is_finite(x));
}`,
  sqrt_of: `
fn sqrt_of(x: f32) -> f32 { return select(sqrt(x), float_of(0x7fc00000u), x < 0.0); }`,
  logistic: `
fn logistic(x: f32) -> f32 { return 1.0 / (1.0 + exp(-x)); }`,
  tanh_of: `
// By exp(-2|x|), which never overflows; near 0 by the odd series, against cancellation.
fn tanh_of(x: f32) -> f32 {
  let a = abs(x);
  if (a < 0.1) {
    let s = x * x;
    return x * (1.0 + s * (-1.0 / 3.0 + s * (2.0 / 15.0 + s * (-17.0 / 315.0))));
  }
  let e = exp(-2.0 * a);
  let y = (1.0 - e) / (1.0 + e);
  return select(y, -y, x < 0.0);
}`,
  sinh_of: `
fn sinh_of(x: f32) -> f32 {
  let a = abs(x);
  if (a > 80.0) { let half = exp(0.5 * a); return select(1.0, -1.0, x < 0.0) * (0.5 * half) * half; }
  let e = expm1(a);
  let y = 0.5 * (e + e / (e + 1.0));
  return select(y, -y, x < 0.0);
}`,
  cosh_of: `
fn cosh_of(x: f32) -> f32 {
  let half = exp(0.5 * abs(x));
  return 0.5 * half * half + 0.5 / half / half;
}`,
  asinh_of: `
fn asinh_of(x: f32) -> f32 {
  let a = abs(x);
  let near = log1p(a + a * a / (1.0 + sqrt(a * a + 1.0)));
  let y = select(near, log_of(a) + 0.6931471805599453, a > 1e9);
  return select(y, -y, x < 0.0);
}`,
  acosh_of: `
fn acosh_of(x: f32) -> f32 {
  if (x < 1.0) { return float_of(0x7fc00000u); }
  if (x > 1e9) { return log_of(x) + 0.6931471805599453; }
  let d = x - 1.0;
  return log1p(d + sqrt(d * (x + 1.0)));
}`,
  atanh_of: `
fn atanh_of(x: f32) -> f32 {
  let a = abs(x);
  if (a > 1.0) { return float_of(0x7fc00000u); }
  let y = 0.5 * log1p(2.0 * a / (1.0 - a));
  return select(y, -y, x < 0.0);
}`,
  atan_of: `
// Argument halved into [0, tan(pi/8)], then a polynomial: S. Moshier, Cephes, atanf. Relative error about 2e-7.
fn atan_of(x: f32) -> f32 {
  var a = abs(x);
  var y = 0.0;
  if (a > 2.414213562373095) { y = 1.5707963267948966; a = -1.0 / a; }
  else if (a > 0.4142135623730950) { y = 0.7853981633974483; a = (a - 1.0) / (a + 1.0); }
  let z = a * a;
  y = y + (((8.05374449538e-2 * z - 1.38776856032e-1) * z + 1.99777106478e-1) * z - 3.33329491539e-1) * z * a + a;
  return select(y, -y, x < 0.0);
}`,
  atan2_of: `
fn atan2_of(y: f32, x: f32) -> f32 {
  let pi = 3.141592653589793;
  if (is_nan(x) || is_nan(y)) { return x + y; }
  let negative = (bitcast<u32>(x) >> 31u) == 1u;
  var angle = 0.0;
  if (!is_finite(x) && !is_finite(y)) { angle = 0.7853981633974483; }
  else if (abs(x) >= abs(y)) { angle = select(atan_of(abs(y) / abs(x)), 0.0, y == 0.0); }
  else { angle = 1.5707963267948966 - atan_of(abs(x) / abs(y)); }
  angle = select(angle, pi - angle, negative);
  return select(angle, -angle, (bitcast<u32>(y) >> 31u) == 1u);
}`,
  asin_of: `
fn asin_of(x: f32) -> f32 {
  if (abs(x) > 1.0) { return float_of(0x7fc00000u); }
  return atan2_of(x, sqrt((1.0 - x) * (1.0 + x)));
}`,
  acos_of: `
fn acos_of(x: f32) -> f32 {
  if (abs(x) > 1.0) { return float_of(0x7fc00000u); }
  return atan2_of(sqrt((1.0 - x) * (1.0 + x)), x);
}`,
  erf: `
// A series near 0; else Abramowitz and Stegun 7.1.26. Absolute error below 2e-7.
fn erf(x: f32) -> f32 {
  let a = abs(x);
  if (a < 0.5) {
    let s = x * x;
    return x * (1.1283791670955126 + s * (-0.37612638903183754 + s * (0.11283791670955126 + s * (-0.026866170645131252 + s * (0.005223977625442188 + s * -0.0008548326840001)))));
  }
  let t = 1.0 / (1.0 + 0.3275911 * a);
  let p = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  let y = 1.0 - p * exp(-a * a);
  return select(y, -y, x < 0.0);
}`,
  divide: `
// Towards zero; 0 for a division by zero.
fn divide(a: i32, b: i32) -> i32 { return select(a / select(b, 1, b == 0), 0, b == 0); }`,
  remainder_of_integers: `
fn remainder_of_integers(a: i32, b: i32) -> i32 { return select(a % select(b, 1, b == 0), 0, b == 0); }`,
  floor_divide: `
fn floor_divide(a: i32, b: i32) -> i32 {
  let q = a / b;
  return select(q, q - 1, a % b != 0 && (a < 0) != (b < 0));
}`,
  integer_power: `
// Wraps; negative powers are truncated towards zero.
fn integer_power(a: i32, n: i32) -> i32 {
  if (n < 0) { return select(select(0, 1 - 2 * (n & 1), a == -1), 1, a == 1); }
  var result = 1;
  var base = a;
  for (var left = u32(n); left > 0u; left = left >> 1u) {
    if ((left & 1u) == 1u) { result = result * base; }
    base = base * base;
  }
  return result;
}`,
  truncate: `
// Towards zero, within what an i32 holds; 0 for NaN.
fn truncate(x: f32) -> i32 {
  if (is_nan(x)) { return 0; }
  if (x >= 2147483648.0) { return 2147483647; }
  return select(i32(max(x, -2147483648.0)), -2147483647 - 1, x <= -2147483648.0);
}`,
  from_half: `
// The value of half-precision bits (IEEE 754 binary16), exactly.
fn from_half(bits: u32) -> f32 {
  let sign = (bits & 0x8000u) << 16u;
  let exponent = (bits >> 10u) & 31u;
  let fraction = bits & 1023u;
  if (exponent == 0u) { return bitcast<f32>(sign | bitcast<u32>(f32(fraction) * 5.9604644775390625e-8)); }
  return float_of(sign | (select(exponent + 112u, 255u, exponent == 31u) << 23u) | (fraction << 13u));
}`,
  to_half: `
// The bits of the nearest half-precision number; ties go to the even one.
fn to_half(x: f32) -> u32 {
  let bits = bitcast<u32>(x);
  let sign = (bits >> 16u) & 0x8000u;
  let magnitude = bits & 0x7fffffffu;
  if (magnitude > 0x7f800000u) { return 0x7e00u; }
  if (magnitude >= 0x477ff000u) { return sign | 0x7c00u; }
  if (magnitude < 0x38800000u) { return sign | u32(round(bitcast<f32>(magnitude) * 16777216.0)); }
  let odd = (magnitude >> 13u) & 1u;
  return sign | ((magnitude - 0x38000000u + 0xfffu + odd) >> 13u);
}`,
  threefry: `
// Word 0 of Threefry-2x32-20 (Salmon et al., SC 2011, section 3.3).
fn threefry(key0: i32, key1: i32, counter0: i32, counter1: i32) -> i32 {
  let k = array<u32, 3>(u32(key0), u32(key1), 0x1bd11bdau ^ u32(key0) ^ u32(key1));
  let rotations = array<u32, 8>(13u, 15u, 26u, 6u, 17u, 29u, 16u, 24u);
  var x = u32(counter0) + k[0];
  var y = u32(counter1) + k[1];
  for (var round = 0u; round < 20u; round++) {
    let by = rotations[round % 8u];
    x = x + y;
    y = ((y << by) | (y >> (32u - by))) ^ x;
    if (round % 4u == 3u) {
      let injection = (round + 1u) / 4u;
      x = x + k[injection % 3u];
      y = y + k[(injection + 1u) % 3u] + injection;
    }
  }
  return i32(x);
}`,
} as const;

export type FunctionName = keyof typeof texts;

/** The version of a function for vectors of four. */
export type LanewiseName = `${FunctionName}_x4`;

/** Makes one scalar of the four lanes of a vector. */
export type LanesName = `${LaneReduction}_lanes_of_${"f32" | "i32" | "bool"}`;

export type AnyFunction = FunctionName | LanewiseName | LanesName;

const isFunction = (name: string): name is FunctionName => Object.hasOwn(texts, name);

const vectors: Readonly<Record<string, string>> = { f32: "vec4f", i32: "vec4i", u32: "vec4u", bool: "vec4<bool>" };

/** A function applied lane by lane: what it is made of may branch on each. */
function lanewise(name: FunctionName): string {
  const [, given = "", result = ""] = new RegExp(`fn ${name}\\((.*)\\) -> (\\w+)`).exec(texts[name]) ?? [];
  const parameters = given.split(", ").map((parameter) => parameter.split(": "));
  const taken = parameters.map(([parameter, type]) => `${parameter}: ${vectors[type!]}`).join(", ");
  const lane = (at: string): string => `${name}(${parameters.map(([parameter]) => `${parameter}.${at}`).join(", ")})`;
  const lanes = ["x", "y", "z", "w"].map(lane).join(", ");
  return `fn ${name}_x4(${taken}) -> ${vectors[result]} {\n  return ${vectors[result]}(${lanes});\n}`;
}

const operators: Readonly<Partial<Record<LaneReduction, string>>> = { add: "+", multiply: "*", and: "&", or: "|" };

/** (x op z) op (y op w), the order that the kernel IR asks for. */
function acrossLanes(name: LanesName): string {
  const [op, type] = name.split("_lanes_of_") as [LaneReduction, keyof typeof vectors];
  const symbol = operators[op];
  const own = type === "f32" ? op : op === "minimum" ? "min" : "max";
  const pair = (a: string, b: string): string => (symbol ? `(${a} ${symbol} ${b})` : `${own}(${a}, ${b})`);
  const body = pair(pair("x.x", "x.z"), pair("x.y", "x.w"));
  return `fn ${name}(x: ${vectors[type]}) -> ${type} { return ${body}; }`;
}

/** What names of functions begin with, as nothing else in a shader may. */
export const functionNames: readonly string[] = Object.keys(texts).flatMap((name) => [name, `${name}_x4`]);

const textOf = (name: AnyFunction): string => {
  if (isFunction(name)) return texts[name].trim();
  if (name.includes("_lanes_of_")) return acrossLanes(name as LanesName);
  return lanewise(name.slice(0, -"_x4".length) as FunctionName);
};

/** The texts of functions and of those that they call. */
export function functionTexts(used: Iterable<AnyFunction>): readonly string[] {
  const found = new Map<AnyFunction, string>();
  const visit = (name: AnyFunction): void => {
    if (found.has(name)) return;
    const text = textOf(name);
    found.set(name, text);
    for (const [, called] of text.matchAll(/\b(\w+)\(/g)) if (called && isFunction(called)) visit(called);
  };
  for (const name of used) visit(name);
  return [...found.values()];
}
