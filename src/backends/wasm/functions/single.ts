// exp, expm1, log, log1p, tanh and erf in float32, for scalars and vectors alike. Polynomials are minimax fits (weighted least
// squares on Chebyshev nodes, iterated) to the relative error stated; what is found by measuring is in docs/accuracy.md.

import type { Lanes } from "../lanes.ts";
import type { Tree } from "../tree.ts";

export type Unary = (a: Lanes, x: Tree) => Tree;

/** ln 2 in two parts: the first has 9 bits, so that its products with exponents are exact. */
const ln2High = 0.693359375;
const ln2Low = -2.1219444005469057e-4;
/** 1.5 · 2^23: adding it rounds to an integer, and leaves that integer in the low bits. */
const magic = 12582912;
const magicBits = 0x4b400000n;

/** x = n·ln 2 + r with |r| ≤ ln 2 / 2; n also as an integer. */
function reduce(a: Lanes, x: Tree): { readonly n: Tree; readonly integer: Tree; readonly r: Tree } {
  const shifted = a.let(a.add(a.multiply(x, a.constant(Math.LOG2E)), a.constant(magic)));
  const n = a.let(a.subtract(shifted, a.constant(magic)));
  const integer = a.let(a.subtractBits(a.bits(shifted), a.integer(magicBits)), "integer");
  const high = a.subtract(x, a.multiply(n, a.constant(ln2High)));
  return { n, integer, r: a.let(a.subtract(high, a.multiply(n, a.constant(ln2Low)))) };
}

/** 2^n for an integer n from -126 to 127. */
const powerOfTwo = (a: Lanes, n: Tree): Tree => a.float(a.shiftLeft(a.addBits(n, a.integer(127n)), 23));

/** y · 2^n in two steps, so that n may be as large as 254 and results may be denormal. */
function scale(a: Lanes, y: Tree, n: Tree): Tree {
  const half = a.let(a.shiftRightSigned(n, 1), "integer");
  return a.multiply(a.multiply(y, powerOfTwo(a, half)), powerOfTwo(a, a.subtractBits(n, half)));
}

/** (e^r - 1 - r) / r² on |r| ≤ ln 2 / 2; in e^r it is wrong by 3e-9 (relative), in e^r - 1 by 2e-10. */
const exponentialTail = [0.5, 0.16666665673, 0.041666362435, 0.0083333896473, 0.0013940625358, 0.0001984587725];

/** e^r - 1 */
const reducedTail = (a: Lanes, r: Tree): Tree =>
  a.add(r, a.multiply(a.multiply(r, r), a.polynomial(r, exponentialTail)));

export const exponential: Unary = (a, x) => {
  const inside = a.let(a.clamp(x, -104, 89));
  const { integer, r } = reduce(a, inside);
  return scale(a, a.add(a.constant(1), reducedTail(a, r)), integer);
};

/** 2^n · (e^r - 1) + (2^n - 1), as a product, for a result that may be as large as floats are. */
export const exponentialMinusOne: Unary = (a, x) => {
  const inside = a.let(a.clamp(x, -18, 89));
  const { integer, r } = reduce(a, inside);
  // 2^-n, which may be denormal, in two steps as well.
  const half = a.let(a.shiftRightSigned(integer, 1), "integer");
  const inverses = [half, a.subtractBits(integer, half)].map((n) => powerOfTwo(a, a.subtractBits(a.integer(0n), n)));
  const inverse = a.multiply(inverses[0]!, inverses[1]!);
  const sum = a.add(reducedTail(a, r), a.subtract(a.constant(1), inverse));
  return a.select(a.equal(x, a.constant(0)), x, scale(a, sum, integer));
};

/** t / (t + 2) with t = e^2|x| - 1: exact to the last bits near 0 as well. Beyond 9.5 it is 1. */
export const hyperbolicTangent: Unary = (a, x) => {
  const twice = a.let(a.multiply(a.clamp(a.abs(x), -1, 9.5), a.constant(2)));
  const { integer, r } = reduce(a, twice);
  const power = a.let(powerOfTwo(a, integer));
  const t = a.let(a.add(a.multiply(reducedTail(a, r), power), a.subtract(power, a.constant(1))));
  return a.copySign(a.divide(t, a.add(t, a.constant(2))), x);
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
  const low = a.add(cubic, a.multiply(e, a.constant(ln2Low)));
  const sum = a.add(f, a.subtract(low, a.multiply(square, a.constant(0.5))));
  const y = a.add(sum, a.multiply(e, a.constant(ln2High)));
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

/** erf(√z)/√z - 1 on z ≤ 0.9; in erf it is wrong by 6e-10 (relative). */
const errorNearZero = [
  0.1283792257, -0.37612631917, 0.1128366366, -0.026857705787, 0.0051969517954, -0.00080977025209, 8.1850906629e-5,
];
/** -log(1 - erf(t)) on [0.9, 4]; in erf(t) it is wrong by 2e-9. */
const errorTail = [
  0.00016643907293, 1.127797246, 0.63697600365, 0.10411374271, -0.022315248847, 0.0030654999427, -0.00019822070317,
];

export const errorFunction: Unary = (a, x) => {
  const magnitude = a.let(a.abs(x));
  const near = a.add(x, a.multiply(x, a.polynomial(a.let(a.multiply(x, x)), errorNearZero)));
  const t = a.let(a.clamp(magnitude, -1, 4));
  const tail = exponential(a, a.negate(a.polynomial(t, errorTail)));
  const far = a.copySign(a.subtract(a.constant(1), tail), x);
  return a.select(a.less(magnitude, a.constant(0.92)), near, far);
};
