// Runs a lowered module as JavaScript in the page or process that compiled it.

import type { ProgramModule } from "../../ir/kernel/program.ts";
import type { Repeatable } from "../backend.ts";
import { createExecutableOver, type Engine } from "../executable.ts";
import { globalOffsets } from "../runtime/layout.ts";
import { renderModule } from "./render.ts";
import { type Create, compile } from "./runtime/compile.ts";

export interface ExecutableOptions {
  /** Makes the functions of one graph; by default its generated JavaScript, compiled. Tests put an interpreter here. */
  readonly create?: (module: ProgramModule, graph: string) => Create;
}

interface Compiled {
  readonly functions: ReturnType<Create>;
  readonly memory: ArrayBuffer;
}

/** Compiles each graph at its first run. All parameters and states are zero at first. */
export function createExecutable(module: ProgramModule, options: ExecutableOptions = {}): Repeatable {
  return createExecutableOver(module, createEngine(module, options));
}

function createEngine(module: ProgramModule, options: ExecutableOptions): Engine {
  const { create = (m: ProgramModule, graph: string): Create => compile(renderModule(m, [graph])) } = options;
  const compiled = new Map<string, Compiled>();
  let memory = new ArrayBuffer(Math.max(globalOffsets(module).bytes, 16));
  /** Compiled anew for each memory: V8 takes the arrays for constants only while a text has made its functions once. */
  const functionsOf = (graph: string): ReturnType<Create> => {
    const known = compiled.get(graph);
    if (known?.memory === memory) return known.functions;
    const functions = create(module, graph)(memory);
    compiled.set(graph, { memory, functions });
    return functions;
  };
  return {
    memory: () => memory,
    reserve({ name }, { bytes }, kept) {
      if (bytes > memory.byteLength) {
        const grown = new ArrayBuffer(bytes);
        new Uint8Array(grown).set(new Uint8Array(memory, 0, kept));
        memory = grown;
      }
      functionsOf(name);
    },
    entry({ name }, layout, sizes) {
      const run = functionsOf(name)[name]!;
      const parameters = [...sizes, ...layout.inputs, layout.arena];
      return () => run(...parameters);
    },
  };
}
