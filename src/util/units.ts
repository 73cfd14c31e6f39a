// Quantities as people read them: three digits and a prefix, powers of 1000.

const prefixes = ["", "k", "M", "G", "T"];

/** `2.71 M`, followed by a unit: `2.71 MB`. Below 1000 the number stands as it is. */
export function scaled(value: number, unit: string): string {
  let rest = value;
  let power = 0;
  while (rest >= 999.5 && power < prefixes.length - 1) {
    rest /= 1000;
    power++;
  }
  const digits = power === 0 && Number.isInteger(value) ? `${value}` : threeDigits(rest);
  return `${digits} ${prefixes[power]}${unit}`.trimEnd();
}

/** `1.23 ms`, `45.6 µs`, `2.00 s`. */
export function inTime(seconds: number): string {
  if (seconds >= 0.9995) return `${threeDigits(seconds)} s`;
  if (seconds >= 0.9995e-3) return `${threeDigits(seconds * 1e3)} ms`;
  return `${threeDigits(seconds * 1e6)} µs`;
}

/** At least three digits, never an exponent. */
export const threeDigits = (value: number): string =>
  value >= 99.95 ? value.toFixed(0) : value >= 9.995 ? value.toFixed(1) : value.toFixed(2);
