// The other transcendental functions, in float64, from which rounding to float32 leaves less than one unit in the last place. Series
// are Taylor's, long enough for 2^-32. On vectors they work on two halves of two lanes.

import type { Lanes } from "../lanes.ts";
import type { Tree } from "../tree.ts";
import type { Unary } from "./single.ts";

export type Binary = (a: Lanes, x: Tree, y: Tree) => Tree;

const factorials = Array.from({ length: 16 }, (_, n) => {
  let product = 1;
  for (let i = 2; i <= n; i++) product *= i;
  return product;
});
/** Every second coefficient of a Taylor series, from the n-th on. */
const inverseFactorials = (from: number, step: number, count: number, alternate: boolean): number[] =>
  Array.from({ length: count }, (_, i) => (alternate && i % 2 === 1 ? -1 : 1) / factorials[from + i * step]!);

/** 1.5 · 2^52: adding it rounds to an integer, and leaves that integer in the low bits. */
const magic = 6755399441055744;

/** e^x for results that float32 holds; beyond them what rounds to 0 and to infinity. */
const exponential: Unary = (a, x) => {
  const inside = a.let(a.clamp(x, -110, 100));
  const shifted = a.let(a.add(a.multiply(inside, a.constant(Math.LOG2E)), a.constant(magic)));
  const n = a.let(a.subtract(shifted, a.constant(magic)));
  // ln 2 in two parts, of which the first has 33 bits.
  const high = a.subtract(inside, a.multiply(n, a.constant(0.6931471804855391)));
  const r = a.let(a.subtract(high, a.multiply(n, a.constant(7.440617110012397e-11))));
  const power = a.float(a.addBits(a.shiftLeft(a.bits(shifted), 52), a.integer(1023n << 52n)));
  return a.multiply(a.polynomial(r, inverseFactorials(0, 1, 12, false)), power);
};

const rootHalfBits = 0x3fe6a09e667f3bcdn;

/** 2·atanh(f / (2 + f)) with 1 + f the mantissa between √½ and √2, and the exponent's share. Of normal numbers. */
const logarithm: Unary = (a, x) => {
  const offset = a.let(a.subtractBits(a.bits(x), a.integer(rootHalfBits)), "integer");
  const mantissa = a.addBits(a.andBits(offset, a.integer((1n << 52n) - 1n)), a.integer(rootHalfBits));
  const f = a.let(a.subtract(a.float(mantissa), a.constant(1)));
  const exponent = a.shiftRightSigned(offset, 52);
  // The bits of the magic number plus those of the exponent make a float again.
  const e = a.subtract(a.float(a.addBits(exponent, a.integer(0x4338000000000000n))), a.constant(magic));
  const s = a.let(a.divide(f, a.add(a.constant(2), f)));
  const series = Array.from({ length: 10 }, (_, i) => 2 / (2 * i + 1));
  const w = a.let(a.multiply(s, s));
  const y = a.add(a.multiply(e, a.constant(Math.LN2)), a.multiply(s, a.polynomial(w, series)));
  const infinity = a.constant(Number.POSITIVE_INFINITY);
  const finite = a.select(a.equal(x, infinity), x, y);
  const atZero = a.select(a.equal(x, a.constant(0)), a.negate(infinity), a.constant(Number.NaN));
  return a.select(a.less(a.constant(0), x), finite, atZero);
};

/** 2/π in pieces of 24 bits, highest first: products with float32 numbers are exact. */
const twoOverPi = [10680707, 7228996, 1387004, 2578385, 16069853, 12639074, 9804092, 4427841, 16666979, 11263675];
/** π/2 in three parts, of which the first two have 33 bits. */
const halfPi = [1.5707963267341256, 6.077100506303966e-11, 2.0222662487959506e-21];

/**
 * x = n·π/2 + r with |r| ≤ π/4, n modulo 4. Up to 2^19 by subtracting a multiple of π/2 in three parts; beyond by multiplying with
 * 2/π piece by piece and dropping multiples of 4 (M. Payne, R. Hanek, "Radian reduction for trigonometric functions", 1983).
 */
function reduceAngle(a: Lanes, x: Tree): { readonly quadrant: Tree; readonly r: Tree } {
  const n = a.variable(a.nearest(a.multiply(x, a.constant(2 / Math.PI))));
  const r = a.variable(halfPi.reduce((rest, part) => a.subtract(rest, a.multiply(n, a.constant(part))), x));
  const large = a.let(a.lessOrEqual(a.constant(2 ** 19), a.abs(x)), "truth");
  a.whenAny(large, () => {
    const count = a.variable(a.constant(0));
    const fraction = a.variable(a.constant(0));
    twoOverPi.forEach((piece, i) => {
      const product = a.let(a.multiply(x, a.constant(piece * 2 ** (-24 * (i + 1)))));
      const turns = a.nearest(a.multiply(product, a.constant(0.25)));
      const rest = a.subtract(product, a.multiply(a.constant(4), turns));
      const sum = a.let(a.add(fraction, rest));
      const whole = a.let(a.nearest(sum));
      a.assign(count, a.add(count, whole));
      a.assign(fraction, a.subtract(sum, whole));
    });
    a.assign(n, a.select(large, count, n));
    a.assign(r, a.select(large, a.multiply(fraction, a.constant(Math.PI / 2)), r));
  });
  const quadrant = a.let(a.subtract(n, a.multiply(a.constant(4), a.floor(a.multiply(n, a.constant(0.25))))));
  return { quadrant, r };
}

function sineAndCosine(a: Lanes, r: Tree): { readonly sine: Tree; readonly cosine: Tree } {
  const z = a.let(a.multiply(r, r));
  return {
    sine: a.let(a.multiply(r, a.polynomial(z, inverseFactorials(1, 2, 7, true)))),
    cosine: a.let(a.polynomial(z, inverseFactorials(0, 2, 8, true))),
  };
}

const isOdd = (a: Lanes, quadrant: Tree): Tree =>
  a.either(a.equal(quadrant, a.constant(1)), a.equal(quadrant, a.constant(3)));

const sine: Unary = (a, x) => {
  const { quadrant, r } = reduceAngle(a, x);
  const { sine: s, cosine: c } = sineAndCosine(a, r);
  const y = a.let(a.select(isOdd(a, quadrant), c, s));
  const signed = a.select(a.less(a.constant(1.5), quadrant), a.negate(y), y);
  return a.select(a.equal(x, a.constant(0)), x, signed);
};

const cosine: Unary = (a, x) => {
  const { quadrant, r } = reduceAngle(a, x);
  const { sine: s, cosine: c } = sineAndCosine(a, r);
  const y = a.let(a.select(isOdd(a, quadrant), s, c));
  const negative = a.either(a.equal(quadrant, a.constant(1)), a.equal(quadrant, a.constant(2)));
  return a.select(negative, a.negate(y), y);
};

const tangent: Unary = (a, x) => {
  const { quadrant, r } = reduceAngle(a, x);
  const { sine: s, cosine: c } = sineAndCosine(a, r);
  const y = a.select(isOdd(a, quadrant), a.negate(a.divide(c, s)), a.divide(s, c));
  return a.select(a.equal(x, a.constant(0)), x, y);
};

/** atan t = π/4 + atan((t - 1) / (t + 1)) brings 0 ≤ t ≤ 1 to at most tan(π/8). */
function arcTangentOfUnit(a: Lanes, t: Tree): Tree {
  const large = a.let(a.less(a.constant(Math.SQRT2 - 1), t), "truth");
  const shifted = a.divide(a.subtract(t, a.constant(1)), a.add(t, a.constant(1)));
  const z = a.let(a.select(large, shifted, t));
  const series = Array.from({ length: 12 }, (_, i) => (i % 2 === 1 ? -1 : 1) / (2 * i + 1));
  const y = a.multiply(z, a.polynomial(a.let(a.multiply(z, z)), series));
  return a.add(a.select(large, a.constant(Math.PI / 4), a.constant(0)), y);
}

const arcTangent: Unary = (a, x) => {
  const magnitude = a.let(a.abs(x));
  const large = a.let(a.less(a.constant(1), magnitude), "truth");
  const t = a.let(a.select(large, a.divide(a.constant(1), magnitude), magnitude));
  const y = a.let(arcTangentOfUnit(a, t));
  return a.copySign(a.select(large, a.subtract(a.constant(Math.PI / 2), y), y), x);
};

/** The angle of the point (x, y); quadrants by the signs, those of zeros included. */
const arcTangentOfTwo: Binary = (a, y, x) => {
  const [up, along] = [a.let(a.abs(y)), a.let(a.abs(x))];
  const [low, high] = [a.let(a.minimum(up, along)), a.let(a.maximum(up, along))];
  // 0/0 is the angle 0, and ∞/∞ that of a diagonal.
  const equal = a.select(a.equal(high, a.constant(0)), a.constant(0), a.constant(1));
  const t = a.let(a.select(a.equal(low, high), equal, a.divide(low, high)));
  const first = a.let(arcTangentOfUnit(a, t));
  const steep = a.let(a.select(a.less(along, up), a.subtract(a.constant(Math.PI / 2), first), first));
  const leftward = a.less(a.copySign(a.constant(1), x), a.constant(0));
  const angle = a.copySign(a.select(leftward, a.subtract(a.constant(Math.PI), steep), steep), y);
  const known = a.both(a.equal(x, x), a.equal(y, y));
  return a.select(known, angle, a.constant(Number.NaN));
};

const one = (a: Lanes): Tree => a.constant(1);

const arcSine: Unary = (a, x) =>
  arcTangent(a, a.let(a.divide(x, a.sqrt(a.multiply(a.subtract(one(a), x), a.add(one(a), x))))));

const arcCosine: Unary = (a, x) => {
  const half = arcTangent(a, a.let(a.sqrt(a.divide(a.subtract(one(a), x), a.add(one(a), x)))));
  return a.multiply(a.constant(2), half);
};

/** Near 0 the first terms of the series x·(c0 + c1·x² + …), elsewhere `y`. */
function nearZero(a: Lanes, x: Tree, below: number, series: readonly number[], y: Tree): Tree {
  const near = a.multiply(x, a.polynomial(a.let(a.multiply(x, x)), series));
  return a.select(a.less(x, a.constant(below)), near, y);
}

const hyperbolicSine: Unary = (a, x) => {
  const magnitude = a.let(a.abs(x));
  const e = a.let(exponential(a, magnitude));
  const y = a.multiply(a.subtract(e, a.divide(one(a), e)), a.constant(0.5));
  return a.copySign(nearZero(a, magnitude, 0.25, inverseFactorials(1, 2, 4, false), y), x);
};

const hyperbolicCosine: Unary = (a, x) => {
  const e = a.let(exponential(a, a.abs(x)));
  return a.multiply(a.add(e, a.divide(one(a), e)), a.constant(0.5));
};

const inverseHyperbolicSine: Unary = (a, x) => {
  const magnitude = a.let(a.abs(x));
  const root = a.sqrt(a.add(a.multiply(magnitude, magnitude), one(a)));
  const y = logarithm(a, a.let(a.add(magnitude, root)));
  return a.copySign(nearZero(a, magnitude, 2 ** -8, [1, -1 / 6, 3 / 40], y), x);
};

/** The roots of the factors apart: below 1 one of them is NaN. */
const inverseHyperbolicCosine: Unary = (a, x) => {
  const root = a.multiply(a.sqrt(a.subtract(x, one(a))), a.sqrt(a.add(x, one(a))));
  return logarithm(a, a.let(a.add(x, root)));
};

const inverseHyperbolicTangent: Unary = (a, x) => {
  const magnitude = a.let(a.abs(x));
  const ratio = a.divide(a.add(one(a), magnitude), a.subtract(one(a), magnitude));
  const y = a.multiply(a.constant(0.5), logarithm(a, a.let(ratio)));
  return a.copySign(nearZero(a, magnitude, 2 ** -6, [1, 1 / 3, 1 / 5, 1 / 7], y), x);
};

/** e^(y·log|x|), with JavaScript's rules: x^0 is 1, (±1)^±∞ is NaN, a negative number to a power that is no integer is NaN. */
const power: Binary = (a, x, y) => {
  const product = a.multiply(y, logarithm(a, a.let(a.abs(x))));
  const magnitude = a.let(exponential(a, product));
  const half = a.let(a.multiply(y, a.constant(0.5)));
  const whole = a.equal(y, a.truncate(y));
  const odd = a.let(a.both(whole, a.different(half, a.truncate(half))), "truth");
  const signed = a.let(a.select(odd, a.copySign(magnitude, x), magnitude));
  const negative = a.both(a.less(x, a.constant(0)), a.less(a.constant(Number.NEGATIVE_INFINITY), x));
  const undefinedHere = a.both(negative, a.different(y, a.truncate(y)));
  const value = a.select(undefinedHere, a.constant(Number.NaN), signed);
  return a.select(a.equal(y, a.constant(0)), one(a), value);
};

/** By the names of the operations of the kernel IR. */
export const doubleUnary = {
  sin: sine,
  cos: cosine,
  tan: tangent,
  asin: arcSine,
  acos: arcCosine,
  atan: arcTangent,
  sinh: hyperbolicSine,
  cosh: hyperbolicCosine,
  asinh: inverseHyperbolicSine,
  acosh: inverseHyperbolicCosine,
  atanh: inverseHyperbolicTangent,
} as const satisfies Record<string, Unary>;

export const doubleBinary = { power, atan2: arcTangentOfTwo } as const satisfies Record<string, Binary>;
