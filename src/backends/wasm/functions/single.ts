// exp, expm1, log, log1p, tanh, erf and the logistic function in float32. Polynomials are minimax fits (weighted least squares
// on Chebyshev nodes, iterated) to the relative error stated; what is found by measuring is in docs/accuracy.md.

import type { Lanes } from "../lanes.ts";
import type { Tree } from "../tree.ts";

export type Unary = (a: Lanes, x: Tree) => Tree;

/** ln 2 in two parts: the first has 9 bits, so that its products with exponents are exact. */
const ln2High = 0.693359375;
const ln2Low = -2.1219444005469057e-4;
/** 1.5 · 2^23: adding it rounds to an integer, and leaves that integer in the low bits. */
const magic = 12582912;
const magicBits = 0x4b400000n;
/** Added to an integer in the same way, this leaves the bits of 2^integer in the low bits, 23 places too low. */
const powerMagic = magic + 127;

/** e^x as root² · e^r with root = 2^h and |r| ≤ ln 2: no power of two on the way is beyond floats, nor denormal. */
interface Reduced {
  readonly root: Tree;
  readonly r: Tree;
}

/** Reduces `scale` · x, where the scale is 1, -1 or 2: h is the integer next to scale · x / (2 ln 2). */
function reduce(a: Lanes, x: Tree, scale: 1 | -1 | 2 = 1): Reduced {
  const shifted = a.let(a.multiplyAdd(x, a.constant((scale * Math.LOG2E) / 2), a.constant(powerMagic)));
  const h = a.let(a.subtract(shifted, a.constant(powerMagic)));
  const root = a.let(a.float(a.shiftLeft(a.bits(shifted), 23)));
  const scaled = scale === 1 ? x : scale === 2 ? a.add(x, x) : a.negate(x);
  const high = a.multiplyAdd(h, a.constant(-2 * ln2High), scaled);
  return { root, r: a.let(a.multiplyAdd(h, a.constant(-2 * ln2Low), high)) };
}

/** (e^r - 1 - r) / r² on |r| ≤ ln 2; in e^r it is wrong by 6e-10 (relative). */
const exponentialTail = [
  0.50000001066, 0.16666673884, 0.041666525195, 0.0083325263724, 0.0013893711424, 0.00020110062244, 2.4439815908e-5,
];

/** e^r - 1 */
const reducedTail = (a: Lanes, r: Tree): Tree => a.multiplyAdd(a.multiply(r, r), a.polynomial(r, exponentialTail), r);

/**
 * e^x for x up to `high`, and from -104 down 0. Scores that a mask took out are as low as that: they are multiplied by 0, since a
 * product that comes out too small for a float takes a processor a hundred times as long as others.
 */
function exponentialUpTo(a: Lanes, x: Tree, high: number): Tree {
  const bounded = a.let(a.clamp(x, -104, high));
  const { root, r } = reduce(a, bounded);
  const factor = a.let(a.select(a.lessOrEqual(bounded, a.constant(-104)), a.constant(0), root));
  return a.multiply(a.multiply(a.add(a.constant(1), reducedTail(a, r)), factor), factor);
}

export const exponential: Unary = (a, x) => exponentialUpTo(a, x, 89);

/** root² · (e^r - 1) + (root² - 1), as a product, for a result that may be as large as floats are. */
export const exponentialMinusOne: Unary = (a, x) => {
  const { root, r } = reduce(a, a.let(a.clamp(x, -18, 89)));
  const inverse = a.let(a.divide(a.constant(1), root));
  const sum = a.add(reducedTail(a, r), a.subtract(a.constant(1), a.multiply(inverse, inverse)));
  return a.select(a.equal(x, a.constant(0)), x, a.multiply(a.multiply(sum, root), root));
};

/** e / (1 + e) with e = e^x; beyond 30 it is 1. */
export const logistic: Unary = (a, x) => {
  const e = a.let(exponentialUpTo(a, x, 30));
  return a.divide(e, a.add(a.constant(1), e));
};

/** t / (t + 2) with t = e^2|x| - 1: exact to the last bits near 0 as well. Beyond 9.5 it is 1. */
export const hyperbolicTangent: Unary = (a, x) => {
  const { root, r } = reduce(a, a.let(a.clamp(a.abs(x), -1, 9.5)), 2);
  const power = a.let(a.multiply(root, root));
  const t = a.let(a.multiplyAdd(reducedTail(a, r), power, a.subtract(power, a.constant(1))));
  return a.copySign(a.divide(t, a.add(t, a.constant(2))), x);
};

/** -log(1 - erf(t)) / t on [0, 3.93]; in erf(t) it is wrong by 4e-9 (relative). */
const errorExponent = [
  1.1283791716, 0.63661938219, 0.1027778288, -0.019153058253, -0.00016040567556, 0.0016670364631, -0.00063284152377,
  0.0001176425216, -9.2563994831e-6,
];

/** 1 - e^-g with the g above: exact to the last bits near 0 as well. From 3.93 on it is 1. */
export const errorFunction: Unary = (a, x) => {
  const t = a.let(a.clamp(a.abs(x), -1, 3.93));
  const { root, r } = reduce(a, a.let(a.multiply(t, a.polynomial(t, errorExponent))), -1);
  const power = a.let(a.multiply(root, root));
  const below = a.multiplyAdd(reducedTail(a, r), power, a.subtract(power, a.constant(1)));
  return a.copySign(below, x);
};

/** (log(1 + f) - f + f²/2) / f³ on [√½ - 1, √2 - 1]; in log(1 + f) it is wrong by 8e-10 (relative). */
const logarithmTail = [
  0.33333313465, -0.25000008941, 0.20002119243, -0.16667996347, 0.14219550789, -0.12405591458, 0.11888174713,
  -0.11675640941, 0.067466013132,
];
const rootHalfBits = 0x3f3504f3n;

export const logarithm: Unary = (a, x) => {
  // Denormal numbers are taken 2^23 times as large.
  const small = a.let(a.less(x, a.constant(2 ** -126)), "truth");
  const scaled = a.select(small, a.multiply(x, a.constant(2 ** 23)), x);
  const offset = a.let(a.subtractBits(a.bits(scaled), a.integer(rootHalfBits)), "integer");
  const mantissa = a.addBits(a.andBits(offset, a.integer(0x7fffffn)), a.integer(rootHalfBits));
  const f = a.let(a.subtract(a.float(mantissa), a.constant(1)));
  // The exponent as a float: its bits below the magic number's.
  const biased = a.float(a.addBits(a.shiftRightSigned(offset, 23), a.integer(magicBits)));
  const unscaled = a.subtract(biased, a.constant(magic));
  const e = a.let(a.subtract(unscaled, a.select(small, a.constant(23), a.constant(0))));
  const square = a.let(a.multiply(f, f));
  const cubic = a.multiply(a.multiply(f, square), a.polynomial(f, logarithmTail));
  const low = a.multiplyAdd(e, a.constant(ln2Low), cubic);
  const sum = a.add(f, a.multiplyAdd(square, a.constant(-0.5), low));
  const y = a.multiplyAdd(e, a.constant(ln2High), sum);
  const infinity = a.constant(Number.POSITIVE_INFINITY);
  const finite = a.select(a.equal(x, infinity), x, y);
  const atZero = a.select(a.equal(x, a.constant(0)), a.negate(infinity), a.constant(Number.NaN));
  return a.select(a.less(a.constant(0), x), finite, atZero);
};

/** log(u) + (what rounding of u = 1 + x lost) / u. */
export const logarithmPlusOne: Unary = (a, x) => {
  const u = a.let(a.add(a.constant(1), x));
  const y = a.let(logarithm(a, u));
  const lost = a.divide(a.subtract(x, a.subtract(u, a.constant(1))), u);
  const inside = a.both(a.less(a.constant(0), u), a.less(u, a.constant(Number.POSITIVE_INFINITY)));
  return a.select(a.equal(x, a.constant(0)), x, a.select(inside, a.add(y, lost), y));
};
