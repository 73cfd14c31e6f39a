// Runs a lowered module as JavaScript in the page or process that compiled it.

import type { ProgramModule } from "../../ir/kernel/program.ts";
import type { Executable } from "../backend.ts";
import { createExecutableOver, type Engine } from "../executable.ts";
import { renderModule } from "./render.ts";
import { type Create, compile } from "./runtime/compile.ts";
import { globalOffsets } from "./runtime/layout.ts";

export interface ExecutableOptions {
  /** Makes the functions of one graph; by default its generated JavaScript, compiled. Tests put an interpreter here. */
  readonly create?: (module: ProgramModule, graph: string) => Create;
}

interface Compiled {
  readonly functions: ReturnType<Create>;
  readonly memory: ArrayBuffer;
}

/** Compiles each graph at its first run. All parameters and states are zero at first. */
export function createExecutable(module: ProgramModule, options: ExecutableOptions = {}): Executable {
  return createExecutableOver(module, createEngine(module, options));
}

function createEngine(module: ProgramModule, options: ExecutableOptions): Engine {
  const { create = (m: ProgramModule, graph: string): Create => compile(renderModule(m, [graph])) } = options;
  const compiled = new Map<string, Compiled>();
  let memory = new ArrayBuffer(Math.max(globalOffsets(module.globals).bytes, 16));
  return {
    memory: () => memory,
    reserve(_program, { bytes }, kept) {
      if (bytes <= memory.byteLength) return;
      const grown = new ArrayBuffer(bytes);
      new Uint8Array(grown).set(new Uint8Array(memory, 0, kept));
      memory = grown;
    },
    run({ name }, layout, sizes) {
      // Compiled anew for each memory: V8 takes the arrays for constants only while a text has made its functions once.
      const known = compiled.get(name);
      const entry = known?.memory === memory ? known : { memory, functions: create(module, name)(memory) };
      compiled.set(name, entry);
      entry.functions[name]!(...sizes, ...layout.inputs, layout.arena);
    },
  };
}
