// Convolutions and matrix products as graphs with one operation, forward or as gradients, and how fast they run: what the scripts
// beside this file measure.

import { compile, load, type TargetName } from "../src/compile.ts";
import { evaluateDim } from "../src/ir/dim.ts";
import type { Tensor } from "../src/ir/dtype.ts";
import { createGraphBuilder, type Emit } from "../src/ir/emit.ts";
import type { Global, GlobalValue, Module, Value } from "../src/ir/graph.ts";

export interface Case {
  readonly name: string;
  readonly x: readonly number[];
  readonly w: readonly number[];
  readonly forward: (emit: Emit, x: Value, w: Value) => Value;
}

export type Part = "forward" | "weights" | "input";

export interface Convolution {
  readonly batch: number;
  /** Rows and columns of the image. */
  readonly size: number;
  readonly inputs: number;
  readonly outputs: number;
  /** Rows and columns of the window. */
  readonly window: number;
  readonly stride?: number;
  readonly dilation?: number;
  readonly groups?: number;
  /** On each side; by default so much that the image keeps its size where the stride is 1. */
  readonly padding?: number;
}

export function convolutionCase(given: Convolution): Case {
  const { batch, size, inputs, outputs, window, stride = 1, dilation = 1, groups = 1 } = given;
  const padding = given.padding ?? Math.floor(((window - 1) * dilation) / 2);
  const kind = groups > 1 ? "depthwise" : "conv";
  const channels = groups > 1 ? `${outputs}` : `${inputs}→${outputs}`;
  const details = [
    stride > 1 ? ` /${stride}` : "",
    dilation > 1 ? ` dilated ${dilation}` : "",
    padding > 0 ? ` pad ${padding}` : "",
    batch === 1 ? ", batch 1" : ` ×${batch}`,
  ];
  return {
    name: `${kind} ${size}² ${channels} ${window}×${window}${details.join("")}`,
    x: [batch, size, size, inputs],
    w: [window, window, inputs / groups, outputs],
    forward: (emit, x, w) =>
      emit.value("convolution", [x, w], {
        layout: "b01f,01io->b01f",
        strides: [stride, stride],
        padding: [
          [padding, padding],
          [padding, padding],
        ],
        lhs_dilation: [1, 1],
        rhs_dilation: [dilation, dilation],
        groups,
        batch_groups: 1,
      }),
  };
}

/** m rows times a matrix of k × n. */
export const dense = (m: number, k: number, n: number, name = `matmul ${m}×${k}×${n}`): Case => ({
  name,
  x: [m, k],
  w: [k, n],
  forward: (emit, x, w) => emit.value("dot", [x, w], { batch: [[], []], contract: [[1], [0]] }),
});

/** The case as a module with one graph, `main`: its result, or the gradient of its sum with random weights. */
export function moduleOf({ x, w, forward }: Case, part: Part): Module {
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

function resultOf(benchmark: Case): readonly number[] {
  const [node] = moduleOf(benchmark, "forward").graphs.get("main")!.nodes;
  return node!.results[0]!.type.shape.map((dim) => evaluateDim(dim, {}));
}

/** Operations of the forward pass; gradients have as many, but for padding. */
export function flopsOf(benchmark: Case): number {
  const outputs = resultOf(benchmark).reduce((product, size) => product * size, 1);
  return 2 * outputs * benchmark.w.slice(0, -1).reduce((product, dim) => product * dim, 1);
}

function randomTensor(shape: readonly number[]): Tensor {
  const data = new Float32Array(shape.reduce((a, b) => a * b, 1));
  for (let i = 0; i < data.length; i++) data[i] = Math.sin(i * 12.9898) * 0.5;
  return { dtype: "f32", shape: [...shape], data };
}

export interface Fastest {
  /** The shortest of several runs, without the copying of inputs and results. */
  readonly seconds: number;
  /** Bytes of operands and result, each counted once: what has to be moved, whatever is copied in between. */
  readonly bytes: number;
}

/** Compiles a part of a case and runs it, for about so many seconds in all. */
export function fastestRun(benchmark: Case, part: Part, target: TargetName, seconds = 0.1): Fastest {
  const compiled = compile(moduleOf(benchmark, part), { target });
  const executable = load(compiled);
  const program = compiled.programs.programs.get("main")!;
  executable.write("w", randomTensor(benchmark.w));
  const inputs: Record<string, Tensor> = {};
  for (const { name, type } of program.inputs) {
    inputs[name] = randomTensor(type.shape.map((dim) => evaluateDim(dim, {})));
  }
  const { run } = executable.prepare("main", inputs);
  let best = Number.POSITIVE_INFINITY;
  const start = performance.now();
  for (let i = 0; i < 3 || performance.now() - start < 1000 * seconds; i++) {
    const before = performance.now();
    run();
    best = Math.min(best, performance.now() - before);
  }
  executable.dispose?.();
  // A gradient reads two of the three and writes the third.
  const counts = [benchmark.x, benchmark.w, resultOf(benchmark)].map((shape) => shape.reduce((a, c) => a * c, 1));
  const bytes = 4 * counts.reduce((a, c) => a + c, 0);
  return { seconds: best / 1000, bytes };
}
