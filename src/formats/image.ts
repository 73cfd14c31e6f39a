// PNG and JPEG files as points from 0 to 1, of one channel (grey) or three.

import { decode as decodePng } from "fast-png";
import jpeg from "jpeg-js";
import { FormatError } from "./format-error.ts";

export interface Picture {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  /** Row by row, the channels of a point side by side; from 0 to `most`. */
  readonly data: ArrayLike<number>;
  readonly most: number;
}

export const isPicture = (name: string): boolean => /\.(png|jpe?g)$/i.test(name);

/** Decodes a file by its first bytes. Throws a FormatError that names `file`. */
export function readPicture(bytes: Uint8Array, file: string): Picture {
  const isPng = bytes[0] === 0x89 && bytes[1] === 0x50;
  const isJpeg = bytes[0] === 0xff && bytes[1] === 0xd8;
  if (!isPng && !isJpeg)
    throw new FormatError(file, "is neither PNG nor JPEG", "convert it, or take it out of the folder");
  try {
    if (isPng) {
      const { width, height, channels, data, depth, palette } = decodePng(bytes);
      if (palette) return { ...colours(data, palette, depth, width, height), most: 255 };
      return {
        width,
        height,
        channels,
        data: depth < 8 ? bitsOf(data, depth, width, height) : data,
        most: 2 ** depth - 1,
      };
    }
    const { width, height, data } = jpeg.decode(bytes, {
      useTArray: true,
      formatAsRGBA: false,
      maxMemoryUsageInMB: 4096,
    });
    return { width, height, channels: 3, data, most: 255 };
  } catch (error) {
    const what = `cannot be decoded: ${error instanceof Error ? error.message : error}`;
    throw new FormatError(file, what, "the file is damaged; copy it again, or take it out of the folder");
  }
}

/** Numbers of less than a byte lie side by side, the highest bits first; each line begins a new byte. */
function bitsOf(data: ArrayLike<number>, depth: number, width: number, height: number): Uint8Array {
  const line = Math.ceil((width * depth) / 8);
  return Uint8Array.from({ length: width * height }, (_, i) => {
    const bit = (i % width) * depth;
    const byte = data[Math.floor(i / width) * line + (bit >> 3)]!;
    return (byte >> (8 - depth - (bit & 7))) & (2 ** depth - 1);
  });
}

/** The points of an image whose numbers are places in a palette; transparency is left out. */
function colours(
  data: ArrayLike<number>,
  palette: readonly (readonly number[])[],
  depth: number,
  width: number,
  height: number,
): Pick<Picture, "width" | "height" | "channels" | "data"> {
  const places = depth < 8 ? bitsOf(data, depth, width, height) : data;
  const points = new Uint8Array(3 * width * height);
  for (let i = 0; i < width * height; i++) points.set(palette[places[i]!]!.slice(0, 3), 3 * i);
  return { width, height, channels: 3, data: points };
}

/**
 * Writes a picture as [height, width, channels] of numbers from 0 to 1. Colours become grey by their luminance (ITU-R BT.601),
 * grey becomes three equal colours, transparency is dropped; another size is had by bilinear interpolation.
 */
export function drawPicture(
  picture: Picture,
  { height, width, channels }: { readonly height: number; readonly width: number; readonly channels: number },
  into: { [at: number]: number },
): void {
  const own = picture.channels;
  const point = (y: number, x: number, c: number): number => {
    const at = (y * picture.width + x) * own;
    const { data, most } = picture;
    if (own < 3) return data[at]! / most;
    if (channels === 3) return data[at + c]! / most;
    return (0.299 * data[at]! + 0.587 * data[at + 1]! + 0.114 * data[at + 2]!) / most;
  };
  const same = height === picture.height && width === picture.width;
  const place = (i: number, size: number, of: number): readonly [number, number, number] => {
    // The middles of points coincide: the first point of 2 covers the first two of 4.
    const exact = Math.min(Math.max(((i + 0.5) * of) / size - 0.5, 0), of - 1);
    const low = Math.floor(exact);
    return [low, Math.min(low + 1, of - 1), exact - low];
  };
  for (let i = 0, k = 0; i < height; i++) {
    const [top, bottom, v] = place(i, height, picture.height);
    for (let j = 0; j < width; j++) {
      const [left, right, u] = place(j, width, picture.width);
      for (let c = 0; c < channels; c++, k++) {
        if (same) into[k] = point(i, j, c);
        else {
          const above = point(top, left, c) * (1 - u) + point(top, right, c) * u;
          const below = point(bottom, left, c) * (1 - u) + point(bottom, right, c) * u;
          into[k] = above * (1 - v) + below * v;
        }
      }
    }
  }
}
