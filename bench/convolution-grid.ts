// Where convolutions are slow: over a grid of windows, strides, dilations, channels and batches, each against the matrix product of
// as many operations. Prints those below a third of its speed, and whether memory is what bounds them.
// Run: npx tsx bench/convolution-grid.ts [--part forward|weights|input] [--js] [--all] [--name SOME]

import { parseArgs } from "node:util";
import { enableRelaxedSimd } from "../src/backends/node/relaxed-simd.ts";
import { measureMachine } from "../src/bench/machine.ts";
import { compile } from "../src/compile.ts";
import { type Case, convolutionCase, dense, fastestRun, flopsOf, moduleOf, type Part } from "./cases.ts";

const { values: options } = parseArgs({
  options: {
    part: { type: "string", default: "forward" },
    js: { type: "boolean", default: false },
    all: { type: "boolean", default: false },
    name: { type: "string", default: "" },
  },
});
const part = (["forward", "weights", "input"] as const).find((name): name is Part => name === options.part);
if (!part) throw new RangeError(`--part must be forward, weights or input, not ${options.part}`);
const target = options.js ? "js" : "wasm";

enableRelaxedSimd();
const machine = measureMachine(compile(moduleOf(dense(4, 4, 4), "forward"), { target }).target);
console.log(
  `${part} on ${target}; this machine: ${(machine.peak / 1e9).toFixed(1)} Gflop/s, ${(machine.bandwidth / 1e9).toFixed(1)} GB/s`,
);

/** Square matrix products, for the speed at a number of operations. */
const products = [8, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512].map((n) => {
  const benchmark = dense(n, n, n);
  return { flops: flopsOf(benchmark), speed: flopsOf(benchmark) / fastestRun(benchmark, "forward", target).seconds };
});

/** The speed of the matrix product whose number of operations is nearest. */
function productSpeed(flops: number): number {
  const distance = (other: number): number => Math.abs(Math.log(other / flops));
  return products.reduce((a, b) => (distance(b.flops) < distance(a.flops) ? b : a)).speed;
}

/** An image of such a size that the whole is neither too small to measure nor takes long. */
function imageOf(window: number, channels: readonly [number, number], batch: number): number {
  const each = 2 * batch * window * window * channels[0] * channels[1];
  return [56, 28, 21, 14, 10].find((size) => size * size * each < 1e8) ?? 7;
}

function* grid(): Generator<Case> {
  const widths = [1, 3, 16, 65, 257];
  for (const window of [1, 2, 3, 5, 7]) {
    for (const stride of [1, 2]) {
      for (const dilation of window === 1 ? [1] : [1, 2]) {
        for (const batch of [1, 33]) {
          for (const inputs of widths) {
            for (const outputs of widths) {
              const size = imageOf(window, [inputs, outputs], batch);
              yield convolutionCase({ batch, size, inputs, outputs, window, stride, dilation });
            }
            if (inputs > 1) {
              const size = imageOf(window, [inputs, 1], batch);
              yield convolutionCase({ batch, size, inputs, outputs: inputs, window, stride, dilation, groups: inputs });
            }
          }
        }
      }
    }
  }
}

let [count, slow, bound] = [0, 0, 0];
for (const benchmark of grid()) {
  if (!benchmark.name.includes(options.name)) continue;
  count++;
  const { seconds, bytes } = fastestRun(benchmark, part, target);
  const flops = flopsOf(benchmark);
  const share = flops / seconds / productSpeed(flops);
  const memory = bytes / seconds / machine.bandwidth;
  const isSlow = share < 1 / 3;
  const isBound = memory > 0.5;
  if (isSlow && isBound) bound++;
  else if (isSlow) slow++;
  if (!isSlow && !options.all) continue;
  const speed = `${(flops / seconds / 1e9).toFixed(1)} Gflop/s`.padStart(13);
  const ratio = `${(100 * share).toFixed(0)} % of the product`.padStart(20);
  const moved = `${(100 * memory).toFixed(0)} % of memory`.padStart(16);
  console.log(`${benchmark.name.padEnd(44)} ${speed} ${ratio} ${moved}${isSlow && isBound ? ", which bounds it" : ""}`);
}
console.log(`${count} convolutions, of which ${slow} are below a third, and ${bound} more that memory bounds`);
