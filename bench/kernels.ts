// How fast generated code computes contractions: forward and gradients of convolutions and dense layers, as they come out of the
// compiler, for both targets in one run. Prints GFLOP/s, and for WebAssembly the share of what vectors can reach on this machine.
// Run: npx tsx bench/kernels.ts [name], with --relaxed for fused multiply-add where Node wants a flag for it.

import { enableRelaxedSimd } from "../src/backends/node/relaxed-simd.ts";
import { supportsRelaxedSimd } from "../src/backends/wasm/features.ts";
import { measureMachine } from "../src/bench/machine.ts";
import type { TargetName } from "../src/compile.ts";
import { wasmTarget } from "../src/ir/target.ts";
import { type Case, convolutionCase, dense, fastestRun, flopsOf } from "./cases.ts";

const cases: readonly Case[] = [
  convolutionCase({ batch: 32, size: 13, inputs: 32, outputs: 64, window: 3, padding: 0 }),
  convolutionCase({ batch: 32, size: 28, inputs: 1, outputs: 32, window: 3, padding: 0 }),
  convolutionCase({ batch: 32, size: 14, inputs: 32, outputs: 32, window: 3 }),
  convolutionCase({ batch: 32, size: 14, inputs: 32, outputs: 32, window: 3, stride: 2 }),
  convolutionCase({ batch: 32, size: 14, inputs: 96, outputs: 96, window: 3, groups: 96 }),
  convolutionCase({ batch: 32, size: 14, inputs: 96, outputs: 32, window: 1 }),
  convolutionCase({ batch: 1, size: 28, inputs: 3, outputs: 16, window: 5 }),
  convolutionCase({ batch: 1, size: 96, inputs: 3, outputs: 16, window: 3, stride: 2 }),
  dense(32, 1600, 128),
  dense(1, 1600, 128),
  dense(32, 128, 10),
  ...[255, 256, 257, 512, 1000, 1024].map((n) => dense(n, n, n, `matmul ${n}`)),
  dense(97, 1031, 513),
];

if (process.argv.includes("--relaxed")) enableRelaxedSimd();
const targets: readonly TargetName[] = process.argv.includes("--wasm") ? ["wasm"] : ["js", "wasm"];
const fused = supportsRelaxedSimd();
const most = measureMachine(wasmTarget({ fma: fused })).peak / 1e9;
console.log(`most that vectors reach, ${fused ? "fused" : "not fused"}: ${most.toFixed(1)} GFLOP/s`);

const wanted = process.argv.slice(2).find((word) => !word.startsWith("-")) ?? "";
for (const benchmark of cases.filter(({ name }) => name.includes(wanted))) {
  for (const target of targets) {
    const row = (["forward", "weights", "input"] as const).map((part) => {
      const { seconds } = fastestRun(benchmark, part, target, 0.7);
      const speed = flopsOf(benchmark) / seconds / 1e9;
      const share = `${((100 * speed) / most).toFixed(0)} %`.padStart(5);
      return `${part} ${speed.toFixed(1).padStart(5)} ${share} (${(seconds * 1000).toFixed(2)} ms)`.padEnd(32);
    });
    console.log(`${benchmark.name.padEnd(32)} ${target.padEnd(5)} ${row.join("  ")}`);
  }
}
