// Digits drawn by this program: data for demonstrations and tests that need no download. They are synthetic, strokes of a
// pen under random distortion, and easier than handwriting. The glyphs themselves are in glyphs.ts.

import type { Tensor } from "../ir/dtype.ts";
import { glyphs, type Stroke } from "./glyphs.ts";
import { type Random, randomFor } from "./random.ts";

/** Pixels along each side of an image. */
const side = 28;

export interface Digits {
  /** f32[n, 28, 28, 1], from 0 (paper) to 1 (ink). */
  readonly image: Tensor;
  /** i32[n], 0 to 9. */
  readonly label: Tensor;
}

/** Draws `count` digits; the first ones are the same for every `count`. */
export function digits(count: number, seed: number): Digits {
  const random = randomFor("digits", seed);
  const image = new Float32Array(count * side * side);
  const label = new Int32Array(count);
  for (let i = 0; i < count; i++) {
    const digit = random.below(10);
    label[i] = digit;
    drawDigit(image.subarray(i * side * side, (i + 1) * side * side), digit, random);
  }
  return {
    image: { dtype: "f32", shape: [count, side, side, 1], data: image },
    label: { dtype: "i32", shape: [count], data: label },
  };
}

function drawDigit(pixels: Float32Array, digit: number, random: Random): void {
  const styles = glyphs[digit]!;
  const strokes = styles[random.below(styles.length)]!;
  const distort = distortion(random);
  const radius = random.between(0.6, 1.6);
  // How far the ink runs out into the paper.
  const softness = random.between(0.5, 1.3);
  const ink = random.between(0.65, 1);
  for (const stroke of strokes) drawStroke(pixels, stroke.map(distort), radius, softness, ink);
  const noise = random.between(0, 0.12);
  for (let i = 0; i < pixels.length; i++) {
    pixels[i] = Math.min(1, Math.max(0, pixels[i]! + noise * random.normal()));
  }
}

type Point = readonly [x: number, y: number];

/** A random map from the unit square of glyphs to pixels: slant, turn, stretch and shift, then elastic waves. */
function distortion(random: Random): (point: Point) => Point {
  const turn = 0.16 * random.normal();
  const slant = 0.18 * random.normal();
  const width = random.between(9, 17);
  const height = random.between(15, 22);
  const left = side / 2 + 1.3 * random.normal();
  const top = side / 2 + 1.3 * random.normal();
  const cos = Math.cos(turn);
  const sin = Math.sin(turn);
  // Two long waves a direction bend strokes as an unsteady hand does (compare Simard and others, 2003, "Best practices
  // for convolutional neural networks": there the field of displacement is smoothed noise).
  const waves = Array.from({ length: 4 }, () => ({
    x: random.between(-0.35, 0.35),
    y: random.between(-0.35, 0.35),
    phase: random.between(0, 2 * Math.PI),
    height: 0.6 * random.normal(),
  }));
  return ([gx, gy]) => {
    const u = (gx - 0.5) * width - slant * (gy - 0.5) * height;
    const v = (gy - 0.5) * height;
    const x = left + cos * u - sin * v;
    const y = top + sin * u + cos * v;
    let dx = 0;
    let dy = 0;
    waves.forEach((wave, i) => {
      const shift = wave.height * Math.sin(wave.x * x + wave.y * y + wave.phase);
      if (i % 2 === 0) dx += shift;
      else dy += shift;
    });
    return [x + dx, y + dy];
  };
}

/** Darkens the pixels whose centre is near the polyline; strokes that cross do not add up. */
function drawStroke(pixels: Float32Array, points: Stroke, radius: number, softness: number, ink: number): void {
  const reach = radius + softness;
  const clamp = (value: number): number => Math.min(side - 1, Math.max(0, value));
  for (let i = 0; i + 1 < points.length; i++) {
    const [ax, ay] = points[i]!;
    const [bx, by] = points[i + 1]!;
    const dx = bx - ax;
    const dy = by - ay;
    const squared = Math.max(dx * dx + dy * dy, 1e-9);
    const right = clamp(Math.ceil(Math.max(ax, bx) + reach));
    const bottom = clamp(Math.ceil(Math.max(ay, by) + reach));
    for (let y = clamp(Math.floor(Math.min(ay, by) - reach)); y <= bottom; y++) {
      for (let x = clamp(Math.floor(Math.min(ax, bx) - reach)); x <= right; x++) {
        const along = Math.min(1, Math.max(0, ((x - ax) * dx + (y - ay) * dy) / squared));
        const distance = Math.hypot(x - ax - along * dx, y - ay - along * dy);
        if (distance >= reach) continue;
        const value = distance <= radius ? ink : (ink * (reach - distance)) / softness;
        const at = y * side + x;
        if (value > pixels[at]!) pixels[at] = value;
      }
    }
  }
}
