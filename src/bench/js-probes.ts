// The most that plain JavaScript reaches on one thread: multiply-adds in local variables, reads and copies of a large array. The
// loops are short functions that are called often: V8 optimizes those better than a loop that it replaces while it runs.

import { type Probes, probedBytes } from "./probe.ts";

const rounds = 4096;
const calls = 256;

export function jsProbes(): Probes {
  const numbers = new Float64Array(probedBytes / 8).fill(0.5);
  const near = new Float64Array(64).fill(0.5);
  const half = numbers.length / 2;
  /** Keeps results in use, so that no loop is left out. */
  const sink = new Float64Array(1);
  const often = (run: (call: number) => number, times: number) => (): void => {
    for (let call = 0; call < times; call++) sink[0] = sink[0]! + run(call);
  };
  return {
    peak: [
      { run: often(() => chains(0.5, 0.25), calls), work: calls * rounds * 24 },
      { run: often(() => tile(near), calls), work: calls * rounds * 16 },
    ],
    bandwidth: [
      { run: often((call) => read(numbers, call * 4 * rounds), numbers.length / (4 * rounds)), work: probedBytes },
      { run: () => numbers.copyWithin(half, 0, half), work: probedBytes },
    ],
  };
}

/** Twelve chains of a·x + y, enough of them to hide the latency. */
function chains(x: number, y: number): number {
  let a = x;
  let b = x;
  let c = x;
  let d = x;
  let e = x;
  let f = x;
  let g = x;
  let h = x;
  let i = x;
  let j = x;
  let k = x;
  let l = x;
  for (let round = 0; round < rounds; round++) {
    a = a * x + y;
    b = b * x + y;
    c = c * x + y;
    d = d * x + y;
    e = e * x + y;
    f = f * x + y;
    g = g * x + y;
    h = h * x + y;
    i = i * x + y;
    j = j * x + y;
    k = k * x + y;
    l = l * x + y;
  }
  return a + b + c + d + e + f + g + h + i + j + k + l;
}

/** A register tile of 2 × 4 sums of products, as matrix multiplication has it, on operands in the fastest cache. */
function tile(values: Float64Array): number {
  let a0 = 0;
  let a1 = 0;
  let a2 = 0;
  let a3 = 0;
  let b0 = 0;
  let b1 = 0;
  let b2 = 0;
  let b3 = 0;
  for (let round = 0; round < rounds; round++) {
    const at = round & 31;
    const x = values[at]!;
    const y = values[at + 1]!;
    const u = values[at + 2]!;
    const v = values[at + 3]!;
    const w = values[at + 4]!;
    const z = values[at + 5]!;
    a0 += x * u;
    a1 += x * v;
    a2 += x * w;
    a3 += x * z;
    b0 += y * u;
    b1 += y * v;
    b2 += y * w;
    b3 += y * z;
  }
  return a0 + a1 + a2 + a3 + b0 + b1 + b2 + b3;
}

/** The sum of 4 · `rounds` numbers. */
function read(numbers: Float64Array, from: number): number {
  let a = 0;
  let b = 0;
  let c = 0;
  let d = 0;
  for (let i = from; i < from + 4 * rounds; i += 4) {
    a += numbers[i]!;
    b += numbers[i + 1]!;
    c += numbers[i + 2]!;
    d += numbers[i + 3]!;
  }
  return a + b + c + d;
}
