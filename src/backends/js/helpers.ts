// Functions that generated JavaScript calls for what the language lacks. Each is emitted only where it is used. What is not
// exact has the error that docs/accuracy.md states; all else is, to the bit, what `ir/kernel/arithmetic.ts` says.

export const helperNames = [
  "relu",
  "pick",
  "round_nearest_even",
  "exp",
  "tanh",
  "logistic",
  "erf",
  "to_half",
  "from_half",
  "truncate",
  "integer_power",
  "threefry",
] as const;
export type HelperName = (typeof helperNames)[number];

/** -log(1 - erf(t)) / t on [0, 6], highest power first: weighted least squares on Chebyshev nodes, iterated. */
const errorExponent = [
  3.6358382903295095e-8, -6.672983219356808e-7, 5.231953902460779e-6, -2.175590132354939e-5, 4.071748909030071e-5,
  5.975879084721945e-5, -0.0006196252853423734, 0.0017124686396427719, -0.00021473694739485168, -0.01912735634607502,
  0.10277249480633154, 0.636619776495979, 1.1283791670701873,
];

const horner = (coefficients: readonly number[], x: string): string => {
  const [first, ...rest] = coefficients;
  return rest.reduce((text, c, i) => `${i === 0 ? text : `(${text})`} * ${x} + ${c}`, String(first));
};
const sources: Readonly<Record<HelperName, { readonly needs?: readonly HelperName[]; readonly text: string }>> = {
  relu: {
    text: `// max(x, 0) without a branch, which random signs would mispredict. NaN stays NaN.
const positive = new Float64Array(2);
function relu(x) {
  positive[1] = x;
  return positive[+!(x <= 0)];
}`,
  },
  pick: {
    text: `// condition ? x : y without a branch.
const choice = new Float64Array(2);
function pick(condition, x, y) {
  choice[0] = y;
  choice[1] = x;
  return choice[condition];
}`,
  },
  round_nearest_even: {
    text: `function round_nearest_even(x) {
  const up = Math.round(x);
  return up - x === 0.5 && up % 2 !== 0 ? up - 1 : up;
}`,
  },
  exp: {
    text: `// e^x = 2^(k / 64) e^r with |r| < ln 2 / 128: two tables and a polynomial. Math.exp takes more than twice as long.
const powers = Float64Array.from({ length: 2048 }, (_, i) => 2 ** (i - 1024));
const fractions = Float64Array.from({ length: 64 }, (_, i) => 2 ** (i / 64));
function exp(x) {
  if (!(Math.abs(x) < 700)) return Math.exp(x);
  const k = x * ${64 / Math.LN2} + 65536.5 | 0, r = x - (k - 65536) * ${Math.LN2 / 64}, s = r * r;
  return powers[k >> 6] * fractions[k & 63] * (1 + r + s * (0.5 + r * ${1 / 6} + s * ${1 / 24}));
}`,
  },
  tanh: {
    needs: ["exp"],
    text: `function tanh(x) {
  // Near 0 the difference would lose what counts.
  return Math.abs(x) < ${2 ** -12} ? x * (1 - x * x * ${1 / 3}) : 1 - 2 / (exp(2 * x) + 1);
}`,
  },
  logistic: {
    needs: ["exp"],
    text: `function logistic(x) {
  return 1 / (1 + exp(-x));
}`,
  },
  erf: {
    needs: ["exp"],
    text: `// 1 - e^-g for a polynomial g, a minimax fit on [0, 6]; beyond that, and from 5.9 on, it is 1.
function erf(x) {
  const a = Math.abs(x);
  if (a < ${2 ** -12}) return x * ${2 / Math.sqrt(Math.PI)} * (1 - x * x * ${1 / 3});
  const t = a > 6 ? 6 : a;
  return Math.sign(x) * (1 - exp(-t * (${horner(errorExponent, "t")})));
}`,
  },
  to_half: {
    needs: ["round_nearest_even"],
    text: `// The bits of the half-precision number next to x, ties to even.
function to_half(x) {
  const sign = x < 0 || Object.is(x, -0) ? 0x8000 : 0, a = Math.abs(x);
  if (a !== a) return 0x7e00;
  if (a >= 65520) return sign | 0x7c00;
  if (a < 0.00006103515625) return sign | round_nearest_even(a * 16777216);
  let e = 15, scale = 32768;
  while (scale > a) e--, scale /= 2;
  return sign | (((e + 15) << 10) + round_nearest_even(a / scale * 1024) - 1024);
}`,
  },
  from_half: {
    text: `function from_half(bits) {
  const sign = bits & 0x8000 ? -1 : 1, e = (bits >> 10) & 31, fraction = bits & 1023;
  if (e === 31) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (e === 0 ? fraction * 5.960464477539063e-8 : (fraction + 1024) * Math.pow(2, e - 25));
}`,
  },
  truncate: {
    text: `// Towards zero; NaN to 0; what is too large saturates.
function truncate(x, low, high) {
  return Math.min(Math.max(x, low), high) | 0;
}`,
  },
  integer_power: {
    text: `// Wraps to 32 bits; negative powers are truncated towards zero.
function integer_power(a, n) {
  if (n < 0) return a === 1 ? 1 : a === -1 ? 1 - 2 * (n & 1) : 0;
  let y = 1;
  for (let base = a, left = n; left > 0; left >>>= 1) {
    if (left & 1) y = Math.imul(y, base);
    base = Math.imul(base, base);
  }
  return y;
}`,
  },
  threefry: {
    text: `// Word 0 of Threefry-2x32-20: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011.
function threefry(k0, k1, c0, c1) {
  const k2 = 0x1bd11bda ^ k0 ^ k1;
  let x = (c0 + k0) | 0, y = (c1 + k1) | 0;
${[13, 15, 26, 6, 17, 29, 16, 24, 13, 15, 26, 6, 17, 29, 16, 24, 13, 15, 26, 6]
  .map((by, round) => {
    const mix = `  x = (x + y) | 0; y = ((y << ${by}) | (y >>> ${32 - by})) ^ x;`;
    const n = (round + 1) / 4;
    return Number.isInteger(n) ? `${mix}\n  x = (x + k${n % 3}) | 0; y = (y + k${(n + 1) % 3} + ${n}) | 0;` : mix;
  })
  .join("\n")}
  return x;
}`,
  },
};

/** The text of the helpers used and of those that they need. */
export function helperText(used: ReadonlySet<HelperName>): string[] {
  const wanted = new Set<HelperName>();
  const want = (name: HelperName): void => {
    for (const needed of sources[name].needs ?? []) want(needed);
    wanted.add(name);
  };
  for (const name of helperNames) if (used.has(name)) want(name);
  return [...wanted].map((name) => sources[name].text);
}

/** Names in a module that come with the helpers. */
export const helperIdentifiers: readonly string[] = [...helperNames, "positive", "choice", "powers", "fractions"];
