// Images that differ from epoch to epoch: shifted, flipped, turned, cropped, with noise or a hole. What happens to a row follows
// from the seed, the epoch and its place in the epoch alone, so that a resumed run, or another process, meets the same.

import { type Random, randomFor } from "../random.ts";
import { type Column, type ComputedColumn, type Draw, gatherColumn, rowLength } from "./dataset.ts";

export interface Augmentation {
  /** Points by which an image moves at most, along each axis; zeros come in. */
  readonly shift?: number;
  readonly flip?: "horizontal" | "vertical" | "both";
  /** Degrees by which it turns at most, either way. */
  readonly rotate?: number;
  /** The least share of height and width that is kept, and stretched to the whole. */
  readonly crop?: number;
  /** The standard deviation of normal noise. */
  readonly noise?: number;
  /** The side, in points, of a square that becomes 0. */
  readonly cutout?: number;
}

/** A column of images [N, H, W, C] that is augmented where a draw is given. */
export function augmented(column: Column, how: Augmentation, seed: number | undefined): ComputedColumn {
  const [, height = 1, width = 1, channels = 1] = column.shape;
  const size = rowLength(column);
  const image = new Float32Array(size);
  const words = JSON.stringify(how);
  const fill = (rows: ArrayLike<number>, into: ComputedInto, draw?: Draw): void => {
    gatherColumn(column, rows, into, draw);
    if (!draw) return;
    for (let i = 0; i < rows.length; i++) {
      const random = randomFor("augment", words, seed ?? draw.seed, draw.epoch, draw.first + i);
      const row = into.subarray(i * size, (i + 1) * size);
      image.set(row);
      warp(image, row, { height, width, channels }, mapping(how, height, width, random));
      if (how.noise) for (let k = 0; k < size; k++) row[k]! += how.noise * random.normal();
      if (how.cutout) cut(row, { height, width, channels }, how.cutout, random);
    }
  };
  return { dtype: "f32", shape: column.shape, varied: true, fill };
}

type ComputedInto = Parameters<ComputedColumn["fill"]>[1];

interface Size {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

/** Where a point of the new image comes from: y = yy·i + yx·j + y0, x = xy·i + xx·j + x0. */
interface Mapping {
  readonly yy: number;
  readonly yx: number;
  readonly y0: number;
  readonly xy: number;
  readonly xx: number;
  readonly x0: number;
}

function mapping(how: Augmentation, height: number, width: number, random: Random): Mapping {
  const { shift = 0, flip, rotate = 0, crop = 1 } = how;
  const down = shift === 0 ? 0 : random.below(2 * shift + 1) - shift;
  const right = shift === 0 ? 0 : random.below(2 * shift + 1) - shift;
  const flipX = (flip === "horizontal" || flip === "both") && random.uniform() < 0.5 ? -1 : 1;
  const flipY = (flip === "vertical" || flip === "both") && random.uniform() < 0.5 ? -1 : 1;
  const angle = rotate === 0 ? 0 : (random.between(-rotate, rotate) * Math.PI) / 180;
  const share = crop === 1 ? 1 : random.between(crop, 1);
  // The middle of the part that is kept lies so that the part is within the image.
  const middleY = (height - 1) / 2 + (share === 1 ? 0 : (random.uniform() - 0.5) * (1 - share) * height);
  const middleX = (width - 1) / 2 + (share === 1 ? 0 : (random.uniform() - 0.5) * (1 - share) * width);
  const cos = Math.cos(angle) * share;
  const sin = Math.sin(angle) * share;
  const [yy, yx, xy, xx] = [cos * flipY, sin * flipX, -sin * flipY, cos * flipX];
  const i = (height - 1) / 2 + down;
  const j = (width - 1) / 2 + right;
  return { yy, yx, y0: middleY - yy * i - yx * j, xy, xx, x0: middleX - xy * i - xx * j };
}

type Points = Float32Array | ComputedInto;

/** Bilinear interpolation; outside of the image is 0. Whole shifts and flips copy the numbers as they are. */
function warp(from: Float32Array, into: Points, { height, width, channels }: Size, map: Mapping): void {
  const at = (y: number, x: number, c: number): number =>
    y < 0 || y >= height || x < 0 || x >= width ? 0 : from[(y * width + x) * channels + c]!;
  for (let i = 0, k = 0; i < height; i++) {
    for (let j = 0; j < width; j++) {
      const y = map.yy * i + map.yx * j + map.y0;
      const x = map.xy * i + map.xx * j + map.x0;
      const [top, left] = [Math.floor(y), Math.floor(x)];
      const [v, u] = [y - top, x - left];
      for (let c = 0; c < channels; c++, k++) {
        if (u === 0 && v === 0) into[k] = at(top, left, c);
        else {
          const above = at(top, left, c) * (1 - u) + at(top, left + 1, c) * u;
          const below = at(top + 1, left, c) * (1 - u) + at(top + 1, left + 1, c) * u;
          into[k] = above * (1 - v) + below * v;
        }
      }
    }
  }
}

/** A square anywhere, its middle in the image (DeVries and Taylor, "Cutout", 2017). */
function cut(row: Points, { height, width, channels }: Size, side: number, random: Random): void {
  const top = random.below(height) - Math.floor(side / 2);
  const left = random.below(width) - Math.floor(side / 2);
  for (let i = Math.max(0, top); i < Math.min(height, top + side); i++) {
    const [start, end] = [Math.max(0, left), Math.min(width, left + side)];
    if (end > start) row.fill(0, (i * width + start) * channels, (i * width + end) * channels);
  }
}
