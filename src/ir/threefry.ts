// The counter-based random numbers of `random_bits`: the same bits for the same key and counter on every back-end.

/** Distances of rotation of the eight rounds that repeat. */
const rotations = [13, 15, 26, 6, 17, 29, 16, 24] as const;

const rotate = (x: number, by: number): number => (x << by) | (x >>> (32 - by));

/**
 * Threefry-2x32-20: two words (as signed integers) for a key and a counter of two words each.
 * Salmon, Moraes, Dror, Shaw: Parallel Random Numbers: As Easy as 1, 2, 3 (SC 2011), section 3.3.
 */
export function threefry2x32(
  [k0, k1]: readonly [number, number],
  [c0, c1]: readonly [number, number],
): readonly [number, number] {
  const schedule = [k0 | 0, k1 | 0, 0x1bd11bda ^ k0 ^ k1] as const;
  let x = (c0 + schedule[0]) | 0;
  let y = (c1 + schedule[1]) | 0;
  for (let round = 0; round < 20; round++) {
    x = (x + y) | 0;
    y = rotate(y, rotations[round % 8]!) ^ x;
    if (round % 4 !== 3) continue;
    const injection = (round + 1) / 4;
    x = (x + schedule[injection % 3]!) | 0;
    y = (y + schedule[(injection + 1) % 3]! + injection) | 0;
  }
  return [x, y];
}
