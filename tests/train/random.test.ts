import { describe, expect, it } from "vitest";
import { permutation, randomFor } from "../../src/train/random.ts";

describe("random numbers", () => {
  it("depend on every word, and on nothing else", () => {
    const first = (...words: (number | string)[]) => Array.from({ length: 4 }, randomFor(...words).uniform);
    expect(first("a", 1)).toEqual(first("a", 1));
    const streams = [first("a", 1), first("a", 2), first("b", 1), first("a", 1, 0), first("a", -1), first("a", "1")];
    expect(new Set(streams.map(String)).size).toBe(streams.length);
  });

  it("are uniform and normal: means and deviations within four standard errors", () => {
    const random = randomFor("moments");
    const n = 100_000;
    const moments = (draw: () => number) => {
      const values = Array.from({ length: n }, draw);
      const mean = values.reduce((a, b) => a + b) / n;
      return { mean, variance: values.reduce((a, b) => a + (b - mean) ** 2, 0) / n };
    };
    // The standard error of a mean is sigma / sqrt(n); that of a variance is sigma^2 sqrt((kurtosis - 1) / n).
    const uniform = moments(random.uniform);
    expect(Math.abs(uniform.mean - 1 / 2)).toBeLessThan(4 * Math.sqrt(1 / 12 / n));
    expect(Math.abs(uniform.variance - 1 / 12)).toBeLessThan((4 / 12) * Math.sqrt(0.8 / n));
    const normal = moments(random.normal);
    expect(Math.abs(normal.mean)).toBeLessThan(4 / Math.sqrt(n));
    expect(Math.abs(normal.variance - 1)).toBeLessThan(4 * Math.sqrt(2 / n));
  });

  it("permute: every order of three rows comes equally often", () => {
    const counts = new Map<string, number>();
    const random = randomFor("orders");
    const n = 6000;
    for (let i = 0; i < n; i++) {
      const order = String(permutation(3, random));
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(6);
    // A binomial count has the deviation sqrt(n p (1 - p)).
    for (const count of counts.values()) expect(Math.abs(count - n / 6)).toBeLessThan(4 * Math.sqrt((n * 5) / 36));
  });
});
