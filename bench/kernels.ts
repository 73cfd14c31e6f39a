// How fast generated code computes contractions: forward and gradients of convolutions and dense layers, as they come out of the
// compiler, for both targets in one run. Prints GFLOP/s, and for WebAssembly the share of what vectors can reach on this machine.
// Run: npx tsx bench/kernels.ts [name], with --relaxed for fused multiply-add where Node wants a flag for it.

import { setFlagsFromString } from "node:v8";
import { supportsRelaxedSimd } from "../src/backends/wasm/features.ts";
import { measureMachine } from "../src/bench/machine.ts";
import { compile, defaultPipeline, load, type TargetName } from "../src/compile.ts";
import { evaluateDim } from "../src/ir/dim.ts";
import type { Tensor } from "../src/ir/dtype.ts";
import { createGraphBuilder, type Emit } from "../src/ir/emit.ts";
import type { Global, GlobalValue, Module, Value } from "../src/ir/graph.ts";
import { wasmTarget } from "../src/ir/target.ts";

interface Case {
  readonly name: string;
  readonly x: readonly number[];
  readonly w: readonly number[];
  readonly forward: (emit: Emit, x: Value, w: Value) => Value;
}

const convolution =
  (padding: number, stride = 1, groups = 1) =>
  (emit: Emit, x: Value, w: Value): Value =>
    emit.value("convolution", [x, w], {
      layout: "b01f,01io->b01f",
      strides: [stride, stride],
      padding: [
        [padding, padding],
        [padding, padding],
      ],
      lhs_dilation: [1, 1],
      rhs_dilation: [1, 1],
      groups,
      batch_groups: 1,
    });
const dense = (emit: Emit, x: Value, w: Value): Value =>
  emit.value("dot", [x, w], { batch: [[], []], contract: [[1], [0]] });

const cases: readonly Case[] = [
  { name: "conv 13² 32→64 3×3", x: [32, 13, 13, 32], w: [3, 3, 32, 64], forward: convolution(0) },
  { name: "conv 28² 1→32 3×3", x: [32, 28, 28, 1], w: [3, 3, 1, 32], forward: convolution(0) },
  { name: "conv 14² 32→32 3×3 same", x: [32, 14, 14, 32], w: [3, 3, 32, 32], forward: convolution(1) },
  { name: "conv 14² 32→32 3×3 /2", x: [32, 14, 14, 32], w: [3, 3, 32, 32], forward: convolution(1, 2) },
  { name: "depthwise 14² 96 3×3", x: [32, 14, 14, 96], w: [3, 3, 1, 96], forward: convolution(1, 1, 96) },
  { name: "conv 14² 96→32 1×1", x: [32, 14, 14, 96], w: [1, 1, 96, 32], forward: convolution(0) },
  { name: "conv 28² 3→16 5×5, batch 1", x: [1, 28, 28, 3], w: [5, 5, 3, 16], forward: convolution(2) },
  { name: "dense 1600→128", x: [32, 1600], w: [1600, 128], forward: dense },
  { name: "dense 1600→128, batch 1", x: [1, 1600], w: [1600, 128], forward: dense },
  { name: "dense 128→10", x: [32, 128], w: [128, 10], forward: dense },
  { name: "matmul 255", x: [255, 255], w: [255, 255], forward: dense },
  { name: "matmul 256", x: [256, 256], w: [256, 256], forward: dense },
  { name: "matmul 257", x: [257, 257], w: [257, 257], forward: dense },
  { name: "matmul 512", x: [512, 512], w: [512, 512], forward: dense },
  { name: "matmul 1000", x: [1000, 1000], w: [1000, 1000], forward: dense },
  { name: "matmul 1024", x: [1024, 1024], w: [1024, 1024], forward: dense },
  { name: "matmul 97×1031×513", x: [97, 1031], w: [1031, 513], forward: dense },
];

type Part = "forward" | "weights" | "input";

function moduleOf({ x, w, forward }: Case, part: Part): Module {
  const builder = createGraphBuilder("main");
  const { emit } = builder;
  // Weights stay where they are from run to run, as in training.
  const inputX = builder.input("x", { dtype: "f32", shape: x });
  const inputW: GlobalValue = { kind: "global", name: "w", type: { dtype: "f32", shape: w } };
  const y = forward(emit, inputX, inputW);
  let output: Value = y;
  if (part !== "forward") {
    const d = builder.input("d", y.type);
    const axes = y.type.shape.map((_, axis) => axis);
    const loss = emit.reduce("sum", emit.multiply(y, d), axes);
    output = emit.node("gradient", [loss, part === "weights" ? inputW : inputX])[0]!;
  }
  const graph = builder.build([{ name: "y", value: output }]);
  const weights: Global = { ...inputW, role: "parameter", initializer: "zeros", location: undefined };
  return { name: "bench", doc: "", globals: new Map([["w", weights]]), graphs: new Map([["main", graph]]) };
}

function randomTensor(shape: readonly number[]): Tensor {
  const data = new Float32Array(shape.reduce((a, b) => a * b, 1));
  for (let i = 0; i < data.length; i++) data[i] = Math.sin(i * 12.9898) * 0.5;
  return { dtype: "f32", shape: [...shape], data };
}

/** The best of several runs, in seconds. */
function fastest(run: () => void): number {
  let best = Number.POSITIVE_INFINITY;
  const start = performance.now();
  for (let i = 0; i < 20 || performance.now() - start < 700; i++) {
    const before = performance.now();
    run();
    best = Math.min(best, performance.now() - before);
  }
  return best / 1000;
}

const relaxed = process.argv.includes("--relaxed");
if (relaxed) setFlagsFromString("--experimental-wasm-relaxed-simd");
const targets: readonly TargetName[] = process.argv.includes("--wasm") ? ["wasm"] : ["js", "wasm"];
const fused = supportsRelaxedSimd();
const most = measureMachine(wasmTarget({ fma: fused })).peak / 1e9;
console.log(`most that vectors reach, ${fused ? "fused" : "not fused"}: ${most.toFixed(1)} GFLOP/s`);

const wanted = process.argv.slice(2).find((word) => !word.startsWith("-")) ?? "";
for (const benchmark of cases.filter(({ name }) => name.includes(wanted))) {
  for (const target of targets) {
    const row: string[] = [];
    for (const part of ["forward", "weights", "input"] as const) {
      const pipeline = process.env.PIPELINE ?? defaultPipeline;
      const compiled = compile(moduleOf(benchmark, part), { pipeline, target });
      const executable = load(compiled);
      executable.write("w", randomTensor(benchmark.w));
      const inputs: Record<string, Tensor> = {};
      for (const { name, type } of compiled.programs.programs.get("main")!.inputs) {
        inputs[name] = randomTensor(type.shape.map((dim) => evaluateDim(dim, {})));
      }
      // Without the copying of inputs and results.
      const seconds = fastest(executable.prepare("main", inputs).run);
      // All three have as many multiplications and additions as the forward pass, but for padding.
      const speed = forwardFlops(benchmark) / seconds / 1e9;
      const share = `${((100 * speed) / most).toFixed(0)} %`.padStart(5);
      row.push(`${part} ${speed.toFixed(1).padStart(5)} ${share} (${(seconds * 1000).toFixed(2)} ms)`.padEnd(32));
    }
    console.log(`${benchmark.name.padEnd(26)} ${target.padEnd(5)} ${row.join("  ")}`);
  }
}

function forwardFlops(benchmark: Case): number {
  const [node] = moduleOf(benchmark, "forward").graphs.get("main")!.nodes;
  const outputs = node!.results[0]!.type.shape.reduce<number>((product, dim) => product * evaluateDim(dim, {}), 1);
  return 2 * outputs * benchmark.w.slice(0, -1).reduce((product, dim) => product * dim, 1);
}
