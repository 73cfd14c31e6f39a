// From a drawing to a picture as the network knows it: MNIST's digits fill a box of 20×20 points, and their centre of mass lies in the
// middle of 28×28 (http://yann.lecun.com/exdb/mnist).

const side = 28;
const box = 20;
/** Ink below this is none: the soft edge of a stroke. */
const faint = 0.1;

/** The picture [28, 28] of a square drawing of `size` points a side with ink from 0 to 1; undefined for an empty one. */
export function normalize(ink: Float32Array, size: number): Float32Array | undefined {
  let [left, top, right, bottom] = [size, size, -1, -1];
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      if (ink[y * size + x]! < faint) continue;
      [left, right] = [Math.min(left, x), Math.max(right, x)];
      [top, bottom] = [Math.min(top, y), Math.max(bottom, y)];
    }
  }
  if (right < 0) return undefined;
  // Points of the drawing that become one of the picture.
  const scale = Math.max(right - left + 1, bottom - top + 1) / box;
  const [width, height] = [(right - left + 1) / scale, (bottom - top + 1) / scale];
  const shrunk = (x: number, y: number): number => {
    const [fromX, fromY] = [left + x * scale, top + y * scale];
    return mean(ink, size, fromX, fromX + scale, fromY, fromY + scale);
  };
  const columns = Math.ceil(width - 1e-6);
  const rows = Math.ceil(height - 1e-6);
  const small = Float32Array.from({ length: columns * rows }, (_, i) => shrunk(i % columns, Math.floor(i / columns)));
  const mass = small.reduce((sum, value) => sum + value, 0);
  const centre = (of: (i: number) => number): number =>
    small.reduce((sum, value, i) => sum + value * (of(i) + 0.5), 0) / mass;
  const place = (middle: number, length: number): number =>
    Math.min(Math.max(Math.round(side / 2 - middle), 0), side - length);
  const atX = place(
    centre((i) => i % columns),
    columns,
  );
  const atY = place(
    centre((i) => Math.floor(i / columns)),
    rows,
  );
  const picture = new Float32Array(side * side);
  small.forEach((value, i) => {
    picture[(atY + Math.floor(i / columns)) * side + atX + (i % columns)] = value;
  });
  return picture;
}

/** The mean of the ink in a rectangle whose edges cut through points. */
function mean(ink: Float32Array, size: number, left: number, right: number, top: number, bottom: number): number {
  let sum = 0;
  for (let y = Math.floor(top); y < Math.min(Math.ceil(bottom), size); y++) {
    const height = Math.min(y + 1, bottom) - Math.max(y, top);
    for (let x = Math.floor(left); x < Math.min(Math.ceil(right), size); x++) {
      sum += ink[y * size + x]! * height * (Math.min(x + 1, right) - Math.max(x, left));
    }
  }
  return sum / ((right - left) * (bottom - top));
}
