// What `dlm bench` measures: a graph compiled and run on random inputs, each kernel against what this machine can do.

import { requestDevice } from "./backends/wgsl/runtime/device.ts";
import { measureGpu } from "./bench/gpu-machine.ts";
import { measureOnGpu } from "./bench/gpu-measure.ts";
import { batchSizeOf, randomInputs } from "./bench/inputs.ts";
import { type Machine, measureMachine } from "./bench/machine.ts";
import { measure } from "./bench/measure.ts";
import { type Report, reportOf } from "./bench/report.ts";
import { type CompileOptions, compile, load, type TargetName } from "./compile.ts";
import type { Tensor } from "./ir/dtype.ts";
import type { Module } from "./ir/graph.ts";
import type { Program } from "./ir/kernel/program.ts";
import { representativeSize } from "./passes/graph/plan-memory.ts";
import { UserError } from "./util/user-error.ts";

export interface BenchOptions {
  readonly graph: string;
  readonly target: TargetName;
  /** The free size that the first axis of the inputs is. */
  readonly batch?: number;
  /** Other free sizes; those that are left out are a usual batch. */
  readonly sizes?: Readonly<Record<string, number>>;
  /** How many threads share the work of target wasm; default 1. */
  readonly threads?: number;
  /** How long the kernels are measured; default 2. */
  readonly seconds?: number;
  /** How long it took to make the module, in seconds. */
  readonly parse: number;
  /** The scale; by default it is measured, too. */
  readonly machine?: Machine;
}

/** Compiles a graph of a module and measures it on random inputs, with weights as `init` makes them. */
export function bench(module: Module, options: BenchOptions): Report {
  const { graph, target, parse, seconds, threads = 1 } = options;
  const start = performance.now();
  const compiled = compile(module, { graphs: [graph], target });
  const lower = (performance.now() - start) / 1000;
  const program = compiled.programs.programs.get(graph)!;
  const sizes = sizesOf(program, options);
  const timing = measure({
    programs: compiled.programs,
    graph,
    inputs: randomInputs(program.inputs, sizes),
    weights: graph === "init" ? {} : initialWeights(module, { target }),
    load: (programs) => load({ ...compiled, programs }, { threads }),
    ...(seconds === undefined ? {} : { seconds }),
  });
  const machine = options.machine ?? measureMachine(compiled.target);
  const { name } = compiled.target;
  return reportOf({ model: module.name, target: name, threads, program, sizes, machine, timing, parse, lower });
}

/** The same on a device. Throws a UserError where that has no clock. */
export async function benchGpu(module: Module, gpu: GPU, options: BenchOptions): Promise<Report> {
  const { graph, parse, seconds } = options;
  const start = performance.now();
  const { target, programs } = compile(module, { graphs: [graph], target: "webgpu" });
  const lower = (performance.now() - start) / 1000;
  const program = programs.programs.get(graph)!;
  const sizes = sizesOf(program, options);
  const device = await requestDevice(gpu);
  if (!device.features.has("timestamp-query"))
    throw new UserError("this GPU tells no times", "measure with --target wasm");
  const timing = await measureOnGpu({
    device,
    programs,
    limits: target.groups!,
    graph,
    inputs: randomInputs(program.inputs, sizes),
    sizes,
    weights: graph === "init" ? {} : initialWeights(module, { target: "auto" }),
    ...(seconds === undefined ? {} : { seconds }),
  });
  const machine = options.machine ?? (await measureGpu(device));
  device.destroy();
  return reportOf({ model: module.name, target: "webgpu", threads: 1, program, sizes, machine, timing, parse, lower });
}

function sizesOf(program: Program, { batch, sizes = {}, graph }: BenchOptions): Record<string, number> {
  const axis = batchSizeOf(program.inputs);
  if (batch !== undefined && axis === undefined)
    throw new UserError(`graph ${graph} has no batch: its sizes are fixed`);
  const unknown = Object.keys(sizes).filter((name) => !program.sizes.includes(name));
  if (unknown.length > 0)
    throw new UserError(
      `graph ${graph} has no free size ${unknown.join(", ")}`,
      `its free sizes are ${program.sizes.join(", ") || "none"}`,
    );
  const given: Readonly<Record<string, number>> =
    axis === undefined || batch === undefined ? sizes : { [axis]: batch, ...sizes };
  return Object.fromEntries(program.sizes.map((name) => [name, given[name] ?? representativeSize]));
}

/** Parameters and states as the graph `init` leaves them; nothing where the module has none. */
function initialWeights(module: Module, options: CompileOptions): Record<string, Tensor> {
  if (!module.graphs.has("init")) return {};
  const compiled = compile(module, { ...options, graphs: ["init"] });
  const executable = load(compiled);
  executable.run("init", randomInputs(compiled.programs.programs.get("init")!.inputs, {}));
  return Object.fromEntries([...compiled.module.globals.keys()].map((name) => [name, executable.read(name)]));
}
