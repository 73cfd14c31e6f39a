// The whole way through, once: graph IR, passes, kernels, executable. Everything that runs a model comes through here.

import type { Executable } from "./backends/backend.ts";
import { createExecutable } from "./backends/js/executable.ts";
import type { Module } from "./ir/graph.ts";
import type { ProgramModule } from "./ir/kernel/program.ts";
import { lowerModule } from "./passes/lower/index.ts";
import { type Event, type Observation, parsePipeline, runPipeline } from "./passes/pipeline.ts";

/** The order of passes that `compile` uses unless told otherwise; differentiation comes first, planning last. */
export const defaultPipeline =
  "differentiate,canonicalize,fold-constants,eliminate-common,canonicalize,eliminate-common,eliminate-dead,fuse,plan-memory";

export interface CompileOptions {
  /** Names of the graphs to compile; default all. */
  readonly graphs?: readonly string[];
  /** The text form of the pipeline of graph passes. */
  readonly pipeline?: string;
  /** Called with the module after each pass. */
  readonly observe?: (observation: Observation) => void;
}

export interface Compiled {
  /** The module after the last pass. */
  readonly module: Module;
  readonly programs: ProgramModule;
  /** What the passes did, in order. */
  readonly events: readonly Event[];
}

/** Takes a module through the passes and lowers its graphs to kernels. */
export function compile(module: Module, options: CompileOptions = {}): Compiled {
  const chosen = options.graphs ? keepGraphs(module, options.graphs) : module;
  const events: Event[] = [];
  const planned = runPipeline(chosen, parsePipeline(options.pipeline ?? defaultPipeline), {
    events,
    ...(options.observe ? { observe: options.observe } : {}),
  });
  return { module: planned, programs: lowerModule(planned), events };
}

/** A module ready to run in this process, as JavaScript. */
export const load = (compiled: Compiled): Executable => createExecutable(compiled.programs);

function keepGraphs(module: Module, names: readonly string[]): Module {
  return { ...module, graphs: new Map([...module.graphs].filter(([name]) => names.includes(name))) };
}
