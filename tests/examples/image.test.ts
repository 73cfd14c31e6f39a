// Drawings become pictures like MNIST's: of one size, and with their mass in the middle.

import { describe, expect, it } from "vitest";
import { normalize } from "../../examples/web/image.ts";

const size = 140;
/** Ink in a rectangle. */
const rectangle = (left: number, top: number, width: number, height: number): Float32Array =>
  Float32Array.from({ length: size * size }, (_, i) => {
    const [x, y] = [i % size, Math.floor(i / size)];
    return x >= left && x < left + width && y >= top && y < top + height ? 1 : 0;
  });

describe("a drawing", () => {
  it("without ink is none", () => {
    expect(normalize(new Float32Array(size * size), size)).toBeUndefined();
  });

  it("gives the same picture wherever it lies", () => {
    const middle = normalize(rectangle(50, 30, 20, 80), size);
    expect(normalize(rectangle(0, 0, 20, 80), size)).toEqual(middle);
    expect(normalize(rectangle(120, 60, 20, 80), size)).toEqual(middle);
  });

  it.each([
    [20, 80, 5, 20],
    [80, 20, 20, 5],
    [40, 40, 20, 20],
    [3, 3, 20, 20],
  ])("of %s×%s points fills %s×%s in the middle of 28×28", (width, height, columns, rows) => {
    const picture = normalize(rectangle(11, 17, width, height), size)!;
    const full = Array.from(picture.entries()).filter(([, value]) => value > 0.99);
    const [xs, ys] = [full.map(([i]) => i % 28), full.map(([i]) => Math.floor(i / 28))];
    expect(full).toHaveLength(columns * rows);
    expect([Math.max(...xs) - Math.min(...xs) + 1, Math.max(...ys) - Math.min(...ys) + 1]).toEqual([columns, rows]);
    const mean = (list: readonly number[]): number => list.reduce((a, b) => a + b + 0.5, 0) / list.length;
    expect(Math.abs(mean(xs) - 14)).toBeLessThanOrEqual(0.5);
    expect(Math.abs(mean(ys) - 14)).toBeLessThanOrEqual(0.5);
  });

  it("that is heavier on one side is moved by its mass", () => {
    const ink = rectangle(10, 10, 10, 100);
    rectangle(20, 90, 60, 20).forEach((value, i) => {
      ink[i] = Math.max(ink[i]!, value);
    });
    const picture = normalize(ink, size)!;
    const mass = picture.reduce((a, b) => a + b, 0);
    const x = picture.reduce((sum, value, i) => sum + value * ((i % 28) + 0.5), 0) / mass;
    const y = picture.reduce((sum, value, i) => sum + value * (Math.floor(i / 28) + 0.5), 0) / mass;
    expect(Math.abs(x - 14)).toBeLessThanOrEqual(0.5);
    expect(Math.abs(y - 14)).toBeLessThanOrEqual(0.5);
  });
});
