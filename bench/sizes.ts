// How the cost of a run grows with batch, width, depth and the size of images: sizes that are powers of two, and odd ones beside them.
// bench/compare.ts draws what comes out of this. Alone: npx tsx bench/sizes.ts, which prints it.

import process from "node:process";
import { pathToFileURL } from "node:url";
import { enableRelaxedSimd } from "../src/backends/node/relaxed-simd.ts";
import { compile, load } from "../src/compile.ts";
import { compileSource } from "../src/dsl/compile-source.ts";
import type { Tensor } from "../src/ir/dtype.ts";
import type { Panel } from "./plot.ts";

interface Study {
  readonly title: string;
  readonly sizes: readonly number[];
  /** The program of a size, and the shape of its input `x`. */
  readonly at: (size: number) => { readonly text: string; readonly shape: readonly number[] };
}

const layers = (input: string, output: string, body: string): string =>
  `model Study(x: f32[${input}]) -> (y: f32[${output}]) {\n  y = x |> ${body}\n}\n`;
const repeated = (layer: string, times: number): string => new Array<string>(times).fill(layer).join(" |> ");

const studies: readonly Study[] = [
  {
    title: "batch, layers 784-512-512-10",
    sizes: [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128],
    at: (batch) => ({
      text: layers("N, 784", "N, 10", "dense(512) |> relu |> dense(512) |> relu |> dense(10)"),
      shape: [batch, 784],
    }),
  },
  {
    title: "width of two layers, batch 32",
    sizes: [16, 17, 31, 32, 33, 63, 64, 65, 97, 127, 128, 129, 255, 256, 257, 511, 512, 513],
    at: (width) => ({
      text: layers(`N, ${width}`, `N, ${width}`, repeated(`dense(${width}) |> relu`, 2)),
      shape: [32, width],
    }),
  },
  {
    title: "depth, layers of 128, batch 32",
    sizes: [1, 2, 3, 4, 5, 6, 8, 11, 16, 23, 32],
    at: (depth) => ({ text: layers("N, 128", "N, 128", repeated("dense(128) |> relu", depth)), shape: [32, 128] }),
  },
  {
    title: "image side, convolution 3×3 of 16 to 32, batch 4",
    sizes: [7, 8, 9, 13, 14, 15, 16, 17, 27, 28, 29, 31, 32, 33, 55, 56, 57, 63, 64, 65, 97, 112],
    at: (side) => ({
      text: layers(`N, ${side}, ${side}, 16`, `N, ${side}, ${side}, 32`, 'conv2d(32, 3, padding: "same") |> relu'),
      shape: [4, side, side, 16],
    }),
  },
];

/** Milliseconds of a run: the median over some of them. */
function timeOf({ text, shape }: ReturnType<Study["at"]>, target: "wasm" | "js", milliseconds: number): number {
  const { module, diagnostics } = compileSource({ name: "study.dlm", text }, () => undefined);
  if (!module) throw new Error(diagnostics.map(({ message }) => message).join("; "));
  const executable = load(compile(module, { target, graphs: ["init", "infer"] }));
  const key: Tensor = { dtype: "i32", shape: [2], data: Int32Array.of(1, 0) };
  executable.run("init", { key });
  const count = shape.reduce((a, b) => a * b, 1);
  const data = Float32Array.from({ length: count }, (_, i) => Math.sin(i));
  const { run } = executable.prepare("infer", { x: { dtype: "f32", shape, data } });
  const samples = (least: number, until: number): number[] => {
    const times: number[] = [];
    for (const end = performance.now() + until; times.length < least || performance.now() < end; ) {
      const start = performance.now();
      run();
      times.push(performance.now() - start);
    }
    return times;
  };
  // The engine optimizes code meanwhile.
  samples(20, milliseconds);
  const sorted = samples(5, milliseconds).sort((a, b) => a - b);
  return sorted[sorted.length >> 1]!;
}

/** Measures all studies; takes about a minute with 40 ms a point. */
export function measureSizes(milliseconds = 40): readonly Panel[] {
  enableRelaxedSimd();
  return studies.map(({ title, sizes, at }) => ({
    title,
    lines: (["wasm", "js"] as const).map((target) => ({
      name: target === "wasm" ? "WebAssembly" : "JavaScript",
      points: sizes.map((size) => [size, timeOf(at(size), target, milliseconds)] as const),
    })),
  }));
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  for (const { title, lines } of measureSizes()) {
    console.log(title);
    lines[0]!.points.forEach(([size, time], i) => {
      console.log(
        `  ${String(size).padStart(4)} ${time.toFixed(4).padStart(10)} ${lines[1]!.points[i]![1].toFixed(4).padStart(10)} ms`,
      );
    });
  }
}
