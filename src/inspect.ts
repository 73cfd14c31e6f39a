// What `dlm inspect` shows: a graph after chosen passes, its kernels, its generated code, and a summary of what it costs.

import { renderModule } from "./backends/js/render.ts";
import { renderGraphs } from "./backends/wasm/render.ts";
import { printModule as printWasm } from "./backends/wasm/wat.ts";
import { countsOf } from "./backends/wgsl/counts.ts";
import { renderPlan } from "./backends/wgsl/render.ts";
import type { Compiled, CompileOptions } from "./compile.ts";
import { addDims, type Dim, evaluateDim, formatDim, multiplyDims, productOf, symbolsOf } from "./ir/dim.ts";
import { bytesOf } from "./ir/dtype.ts";
import type { Graph, Module } from "./ir/graph.ts";
import { explainSchedule } from "./ir/kernel/explain.ts";
import { printKernel } from "./ir/kernel/print.ts";
import { callsIn, kernelsIn, type Program } from "./ir/kernel/program.ts";
import type { Kernel } from "./ir/kernel/types.ts";
import { operation } from "./ir/ops/index.ts";
import { printModule } from "./ir/print.ts";
import { representativeSize } from "./passes/graph/plan-memory.ts";
import { peakOf } from "./peak.ts";

export type View =
  | { readonly kind: "graph"; readonly after?: string; readonly each: boolean }
  | { readonly kind: "kernels" }
  | { readonly kind: "source" };

/** The text that shows one graph of a module; `compile` takes the module through its passes. */
export function inspect(
  module: Module,
  graph: string,
  view: View,
  compile: (module: Module, options: CompileOptions) => Compiled,
): string {
  const shown: string[] = [];
  let unfused: Graph | undefined;
  const compiled = compile(module, {
    graphs: [graph],
    observe: ({ pass, module: after }) => {
      if (pass !== "fuse" && pass !== "plan-memory") unfused = after.graphs.get(graph);
      if (view.kind !== "graph") return;
      if (view.each) shown.push(`// after ${pass}\n${printModule(after)}`);
      else if (view.after === pass) shown.splice(0, shown.length, printModule(after));
    },
  });
  const program = compiled.programs.programs.get(graph)!;
  const ahead = program.ahead === undefined ? undefined : compiled.programs.programs.get(program.ahead);
  switch (view.kind) {
    case "kernels":
      if (ahead)
        shown.push("// ahead of runs, whenever a parameter has changed:", ...kernelsIn(ahead.steps).map(explained));
      if (ahead) shown.push("// at every run:");
      shown.push(...kernelsIn(program.steps).map(explained));
      break;
    case "source":
      shown.push(sourceOf(compiled, graph));
      break;
    case "graph":
      if (!view.each && view.after === undefined) shown.push(printModule(compiled.module));
  }
  return `${shown.join("\n")}\n${summary(module, program, unfused, compiled)}`;
}

/** The generated code of a graph: JavaScript, the text form of WebAssembly, or the shaders of WebGPU. */
function sourceOf({ target, programs }: Compiled, graph: string): string {
  if (target.name === "js") return renderModule(programs);
  if (target.groups)
    return renderPlan(programs, target.groups)
      .shaders.map(({ code }) => code)
      .join("\n");
  const { ahead } = programs.programs.get(graph)!;
  const graphs = ahead === undefined ? [graph] : [ahead, graph];
  return printWasm(renderGraphs(programs, graphs, target).functions, 1);
}

/** A kernel below what its schedule is. */
const explained = (kernel: Kernel): string =>
  [...explainSchedule(kernel).map((line) => `// ${line}`), printKernel(kernel)].join("\n");

/** A table of what a graph costs. Sizes that are free are taken as a batch of usual size, named in the heading. */
function summary(module: Module, program: Program, unfused: Graph | undefined, compiled: Compiled): string {
  const sizes = Object.fromEntries(program.sizes.map((name) => [name, representativeSize]));
  const at = (dim: Dim): number =>
    evaluateDim(dim, { ...Object.fromEntries(symbolsOf(dim).map((name) => [name, representativeSize])), ...sizes });
  const parameters = [...module.globals.values()].filter((global) => global.role === "parameter");
  const count = parameters.reduce<Dim>((sum, { type }) => addDims(sum, productOf(type.shape)), 0);
  const weightBytes = parameters.reduce((sum, { type }) => sum + at(productOf(type.shape)) * bytesOf[type.dtype], 0);
  const calls = callsIn(program.steps);
  const kept = [...compiled.programs.kept.values()];
  const keptBytes = kept.reduce((sum, { dtype, shape }) => sum + at(productOf(shape)) * bytesOf[dtype], 0);
  const total = (cost: "flops" | "bytes"): Dim =>
    calls.reduce<Dim>((sum, { call, rounds }) => addDims(sum, multiplyDims(rounds, call.kernel.cost[cost])), 0);
  const [flops, bytes] = [total("flops"), total("bytes")];
  const { peak, lowerBound } = peakOf(
    program.buffers,
    Object.fromEntries(freeSizes(program).map((n) => [n, representativeSize])),
  );
  const computing = unfused?.nodes.filter((node) => operation(node.op)?.lower.kind !== "view").length;
  const rows: readonly (readonly [string, string])[] = [
    ["parameters", `${grouped(at(count))} in ${parameters.length} tensors, ${inBytes(weightBytes)}`],
    ["flops", `${grouped(at(flops))}   ${formatDim(flops)}`],
    ["bytes moved", `${inBytes(at(bytes))}   ${formatDim(bytes)}`],
    ["kernels", computing === undefined ? `${calls.length}` : `${computing} before fusion, ${calls.length} after`],
    ["arena peak", `${inBytes(peak)}, lower bound ${inBytes(lowerBound)}`],
    ...(kept.length > 0 ? [["kept ahead", `${inBytes(keptBytes)}, made of parameters`] as const] : []),
    ...deviceRows(compiled, program, sizes),
  ];
  const free = Object.keys(sizes);
  const heading = `${module.name}, graph ${program.name}${free.length ? `, with ${free.map((n) => `${n} = ${representativeSize}`).join(", ")}` : ""}`;
  const width = Math.max(...rows.map(([name]) => name.length));
  return `${[heading, ...rows.map(([name, text]) => `  ${name.padEnd(width)}  ${text}`)].map((line) => `// ${line}`).join("\n")}\n`;
}

/** What a run asks of a device, where the target has one. */
function deviceRows(
  { target, programs }: Compiled,
  { name }: Program,
  sizes: Readonly<Record<string, number>>,
): (readonly [string, string])[] {
  if (!target.groups) return [];
  const { dispatches, withBarriers, boundBytes } = countsOf(renderPlan(programs, target.groups), name, sizes);
  return [
    ["dispatches", `${dispatches} in one pass, ${withBarriers} with barriers`],
    ["bytes bound", inBytes(boundBytes)],
  ];
}

const freeSizes = (program: Program): string[] => [
  ...new Set([...program.sizes, ...program.buffers.flatMap((buffer) => symbolsOf(buffer.bytes))]),
];

const grouped = (value: number): string => value.toLocaleString("en-US");

/** Bytes as a person reads them: 2.7 MB. Powers of 1000. */
function inBytes(bytes: number): string {
  const units = ["bytes", "kB", "MB", "GB", "TB"];
  let unit = 0;
  let value = bytes;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 ? value : value.toPrecision(3)} ${units[unit]}`;
}
