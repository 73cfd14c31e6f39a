// How fast generated JavaScript computes contractions: forward and gradients of a convolution and a dense layer, as they come out of
// the compiler. Prints GFLOP/s and the ratio to a plain triple loop of the same number of operations on the same machine.
// Run: npx tsx bench/js-kernels.ts [name]

import { compile, load } from "../src/compile.ts";
import { evaluateDim } from "../src/ir/dim.ts";
import type { Tensor } from "../src/ir/dtype.ts";
import { createGraphBuilder, type Emit } from "../src/ir/emit.ts";
import type { Global, GlobalValue, Module, Value } from "../src/ir/graph.ts";

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
  { name: "matmul 256", x: [256, 256], w: [256, 256], forward: dense },
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

/** C = A·B of n² elements by three loops over typed arrays, as one would write it first. */
function naive(a: Float32Array, b: Float32Array, c: Float32Array, n: number): void {
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      let sum = 0;
      for (let k = 0; k < n; k++) sum += a[i * n + k]! * b[k * n + j]!;
      c[i * n + j] = sum;
    }
  }
}

const n = 240;
const [a, b, c] = [1, 2, 3].map(() => randomTensor([n, n]).data);
const plain =
  (2 * n ** 3) /
  fastest(() => {
    if (a instanceof Float32Array && b instanceof Float32Array && c instanceof Float32Array) naive(a, b, c, n);
  }) /
  1e9;
console.log(`three plain loops: ${plain.toFixed(2)} GFLOP/s`);

const wanted = process.argv[2] ?? "";
for (const benchmark of cases.filter(({ name }) => name.includes(wanted))) {
  const row: string[] = [];
  for (const part of ["forward", "weights", "input"] as const) {
    const compiled = compile(moduleOf(benchmark, part));
    const executable = load(compiled);
    executable.write("w", randomTensor(benchmark.w));
    const inputs: Record<string, Tensor> = {};
    for (const { name, type } of compiled.programs.programs.get("main")!.inputs) {
      inputs[name] = randomTensor(type.shape.map((dim) => evaluateDim(dim, {})));
    }
    const seconds = fastest(() => executable.run("main", inputs));
    // All three have as many multiplications and additions as the forward pass, but for padding.
    const flops = forwardFlops(benchmark);
    const speed = flops / seconds / 1e9;
    row.push(`${part} ${speed.toFixed(2)} (×${(speed / plain).toFixed(1)}, ${(seconds * 1000).toFixed(2)} ms)`);
  }
  console.log(`${benchmark.name.padEnd(26)} ${row.join("  ")}`);
}

function forwardFlops(benchmark: Case): number {
  const [node] = moduleOf(benchmark, "forward").graphs.get("main")!.nodes;
  const outputs = node!.results[0]!.type.shape.reduce<number>((product, dim) => product * evaluateDim(dim, {}), 1);
  return 2 * outputs * benchmark.w.slice(0, -1).reduce((product, dim) => product * dim, 1);
}
