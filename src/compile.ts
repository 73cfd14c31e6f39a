// The whole way through, once: graph IR, passes, kernels, executable. Everything that runs a model comes through here.

import type { AsyncExecutable, Repeatable } from "./backends/backend.ts";
import { createExecutable } from "./backends/js/executable.ts";
import { createExecutable as createWasmExecutable, prepareExecutable } from "./backends/wasm/executable.ts";
import { schedulesLoads, supportsRelaxedSimd, supportsSimd } from "./backends/wasm/features.ts";
import { createExecutable as createGpuExecutable } from "./backends/wgsl/executable.ts";
import type { Module } from "./ir/graph.ts";
import type { ProgramModule } from "./ir/kernel/program.ts";
import { jsTarget, type Target, wasmTarget, webgpuTarget } from "./ir/target.ts";
import { lowerModule } from "./passes/lower/index.ts";
import { type Observation, parsePipeline, runPipeline } from "./passes/pipeline.ts";

/** The order of passes that `compile` uses unless told otherwise; differentiation comes first, planning last. */
export const defaultPipeline =
  "differentiate,hoist-scans,canonicalize,fold-constants,eliminate-common,canonicalize,split-phases,lay-out-planes,eliminate-dead,open-scans,fuse-attention,fuse,plan-memory";

/** `auto` is WebAssembly where it can run with vectors, else JavaScript. */
export const targetNames = ["js", "wasm", "webgpu", "auto"] as const;
export type TargetName = (typeof targetNames)[number];

export interface CompileOptions {
  /** What runs the program; default js. */
  readonly target?: TargetName;
  /** Whether products may be added without rounding them first, where the engine can. Default true: it is faster. */
  readonly fma?: boolean;
  /** Names of the graphs to compile; default all. */
  readonly graphs?: readonly string[];
  /** The text form of the pipeline of graph passes. */
  readonly pipeline?: string;
  /** Called with the module after each pass. */
  readonly observe?: (observation: Observation) => void;
}

export interface Compiled {
  readonly target: Target;
  /** The module after the last pass. */
  readonly module: Module;
  readonly programs: ProgramModule;
}

/** Takes a module through the passes and lowers its graphs to kernels. */
export function compile(module: Module, options: CompileOptions = {}): Compiled {
  const chosen = options.graphs ? keepGraphs(module, options.graphs) : module;
  const target = targetOf(options.target ?? "js", options.fma ?? true);
  const pipeline = parsePipeline(options.pipeline ?? defaultPipeline);
  const planned = runPipeline(chosen, pipeline, options.observe ? { observe: options.observe } : {});
  return { target, module: planned, programs: lowerModule(planned, { target }) };
}

function targetOf(name: TargetName, fma: boolean): Target {
  switch (name) {
    case "js":
      return jsTarget;
    case "wasm":
      return wasmTarget({ fma: fma && supportsRelaxedSimd(), loadsFirst: !schedulesLoads() });
    case "webgpu":
      return webgpuTarget;
    case "auto":
      return targetOf(supportsSimd() ? "wasm" : "js", fma);
  }
}

export interface LoadOptions {
  /**
   * How many threads share the work, the calling one among them; default 1. For target wasm where memory can be shared: in Node, and in
   * pages with COOP and COEP. Elsewhere there is one, and `notice` is told why. Results have the same bits for any number.
   */
  readonly threads?: number;
  /** By default, the console is told. */
  readonly notice?: (text: string) => void;
}

/**
 * A module ready to run in this process, by the back-end that it was compiled for. Graphs are compiled when they first run. Programs for
 * WebGPU are for `loadGpu`: their results come later.
 */
export function load({ target, programs }: Compiled, options: LoadOptions = {}): Repeatable {
  refuseGpu(target);
  return target.name === "wasm"
    ? createWasmExecutable(programs, { ...options, fma: target.fma })
    : createExecutable(programs);
}

/** The same, with generated code compiled ahead and without blocking, as pages want it for large models. */
export async function loadAsync({ target, programs }: Compiled, options: LoadOptions = {}): Promise<Repeatable> {
  refuseGpu(target);
  return target.name === "wasm"
    ? prepareExecutable(programs, { ...options, fma: target.fma })
    : createExecutable(programs);
}

/** What `load` says to a program for a device. */
function refuseGpu({ name }: Target): void {
  if (name === "webgpu") throw new TypeError("a program for WebGPU is loaded by loadGpu");
}

export interface GpuLoadOptions {
  /** Where devices come from; default `navigator.gpu`. In Node, `create([])` of the package `webgpu`. */
  readonly gpu?: GPU;
  /** Told when a lost device was replaced; by default, the console is. */
  readonly notice?: (text: string) => void;
}

/**
 * A module compiled for target webgpu, on a device of its own, with all pipelines made. Throws a GpuError where there is no adapter, or
 * where it refuses the program.
 */
export async function loadGpu({ target, programs }: Compiled, options: GpuLoadOptions = {}): Promise<AsyncExecutable> {
  if (!target.groups) throw new TypeError(`a program for ${target.name} is loaded by load`);
  return createGpuExecutable(programs, target.groups, options);
}

function keepGraphs(module: Module, names: readonly string[]): Module {
  return { ...module, graphs: new Map([...module.graphs].filter(([name]) => names.includes(name))) };
}
