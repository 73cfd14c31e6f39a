import { describe, expect, it } from "vitest";
import { digits } from "../../src/train/digits.ts";

/** Softmax regression on the pixels, by stochastic gradient descent: what a linear model makes of the digits. */
function linearAccuracy(train: ReturnType<typeof digits>, test: ReturnType<typeof digits>): number {
  const weights = Array.from({ length: 10 }, () => new Float64Array(785));
  const scores = (data: ArrayLike<number>, at: number) =>
    weights.map((w) => {
      let sum = w[784]!;
      for (let j = 0; j < 784; j++) sum += w[j]! * data[at + j]!;
      return sum;
    });
  const rows = train.label.data.length;
  for (let epoch = 0; epoch < 10; epoch++) {
    for (let i = 0; i < rows; i++) {
      const s = scores(train.image.data, i * 784);
      const highest = Math.max(...s);
      const e = s.map((v) => Math.exp(v - highest));
      const total = e.reduce((a, b) => a + b);
      weights.forEach((w, k) => {
        const step = 0.02 * (e[k]! / total - (train.label.data[i] === k ? 1 : 0));
        for (let j = 0; j < 784; j++) w[j]! -= step * train.image.data[i * 784 + j]!;
        w[784]! -= step;
      });
    }
  }
  let right = 0;
  test.label.data.forEach((label, i) => {
    const s = scores(test.image.data, i * 784);
    if (s.indexOf(Math.max(...s)) === label) right++;
  });
  return right / test.label.data.length;
}

describe("synthetic digits", () => {
  it("are grey images in 0 … 1 with ink on paper, of all ten digits", () => {
    const { image, label } = digits(500, 3);
    expect(image.shape).toEqual([500, 28, 28, 1]);
    const values = Array.from(image.data);
    expect(values.reduce((a, b) => Math.min(a, b))).toBe(0);
    expect(values.reduce((a, b) => Math.max(a, b))).toBe(1);
    expect(new Set(label.data)).toEqual(new Set([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]));
    for (let i = 0; i < 500; i++) {
      const dark = image.data.subarray(i * 784, (i + 1) * 784).filter((v) => v > 0.5).length;
      // A stroke of one pixel from top to bottom has 15 or more; half of the paper is never covered.
      expect(dark).toBeGreaterThan(10);
      expect(dark).toBeLessThan(392);
    }
  });

  it("are the same for one seed, whatever the count, and others for another", () => {
    const few = digits(20, 7);
    const many = digits(40, 7);
    expect(many.image.data.slice(0, 20 * 784)).toEqual(few.image.data);
    expect(many.label.data.slice(0, 20)).toEqual(few.label.data);
    expect(digits(20, 8).image.data).not.toEqual(few.image.data);
  });

  it("can be learnt, but not by a linear model to 99 %", () => {
    const accuracy = linearAccuracy(digits(3000, 1), digits(1000, 2));
    expect(accuracy).toBeGreaterThan(0.6);
    expect(accuracy).toBeLessThan(0.97);
  });
});
