// Functions of one number that JavaScript's Math lacks, to the accuracy of float64. The meaning of operations in both
// interpreters; back-ends have faster approximations of their own.

/** To the nearest integer, ties to the even one (IEEE 754 roundTiesToEven). */
export function roundNearestEven(x: number): number {
  const floor = Math.floor(x);
  const rest = x - floor;
  if (rest < 0.5) return floor;
  if (rest > 0.5) return floor + 1 === 0 ? -0 : floor + 1;
  return floor % 2 === 0 ? floor : floor + 1 === 0 ? -0 : floor + 1;
}

/**
 * The error function 2/√π ∫₀ˣ exp(-t²) dt, with an error of a few units in the last place.
 * |x| < 2: the series 2/√π · exp(-x²) · Σ 2ⁿ x²ⁿ⁺¹ / (1·3·…·(2n+1)) (Abramowitz and Stegun 7.1.6), whose terms are all
 * positive. Otherwise 1 - erfc(x) by the continued fraction √π · exp(x²) · erfc(x) = 1/(x + (1/2)/(x + 1/(x + (3/2)/(x + …))))
 * (7.1.14).
 */
export function erf(x: number): number {
  if (Number.isNaN(x)) return x;
  if (x < 0) return -erf(-x);
  if (x > 6) return 1;
  const scale = Math.exp(-x * x) / Math.sqrt(Math.PI);
  if (x < 2) {
    let term = x;
    let sum = x;
    for (let n = 1; term > sum * 1e-17; n++) {
      term *= (2 * x * x) / (2 * n + 1);
      sum += term;
    }
    return 2 * scale * sum;
  }
  let fraction = x;
  for (let n = 120; n > 0; n--) fraction = x + n / 2 / fraction;
  return 1 - scale / fraction;
}
