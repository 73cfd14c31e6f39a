// Runs a lowered module as WebAssembly: one memory that grows, one WebAssembly module for each graph.

import type { ProgramModule } from "../../ir/kernel/program.ts";
import type { Repeatable } from "../backend.ts";
import { createExecutableOver, type Engine } from "../executable.ts";
import { globalOffsets } from "../runtime/layout.ts";
import { encodeModule } from "./encode.ts";
import { supportsRelaxedSimd } from "./features.ts";
import { checkSize, growTo, pageBytes, placesOf } from "./memory.ts";
import { renderGraph } from "./render.ts";
import { createThreadedEngine, type ThreadedEngine } from "./threads/engine.ts";
import { missingForThreads } from "./threads/start-worker.ts";

export interface ExecutableOptions {
  /** Whether relaxed SIMD's multiply-add is used; by default, wherever this engine has it. */
  readonly fma?: boolean;
  /** How many threads share the work, the calling one among them; default 1. Results have the same bits for any number. */
  readonly threads?: number;
  /** Told why there is one thread only, where more were asked for; by default, the console is. */
  readonly notice?: (text: string) => void;
}

/** A graph as binary WebAssembly. */
interface Encoded {
  readonly binary: Uint8Array<ArrayBuffer>;
  readonly scratchBytes: number;
}

interface Compiled {
  readonly module: WebAssembly.Module;
  readonly scratchBytes: number;
}

/** Compiles each graph at its first run, while the caller waits. All parameters and states are zero at first. */
export function createExecutable(module: ProgramModule, options: ExecutableOptions = {}): Repeatable {
  return createExecutableOver(module, createThreads(module, options) ?? createEngine(module, new Map(), options));
}

/**
 * The same, with the graphs (by default all) compiled ahead and without blocking: browsers demand that of large modules where
 * they are not in a worker.
 */
export async function prepareExecutable(
  module: ProgramModule,
  options: ExecutableOptions & { readonly graphs?: readonly string[] } = {},
): Promise<Repeatable> {
  const { graphs = [...module.programs.keys()] } = options;
  const threads = createThreads(module, options);
  if (threads) {
    await Promise.all(graphs.map((graph) => threads.compileAhead(graph)));
    return createExecutableOver(module, threads);
  }
  const ready = await Promise.all(
    graphs.map(async (graph): Promise<readonly [string, Compiled]> => {
      const { binary, scratchBytes } = encode(module, graph, options);
      return [graph, { module: await WebAssembly.compile(binary), scratchBytes }];
    }),
  );
  return createExecutableOver(module, createEngine(module, new Map(ready), options));
}

/** Undefined where one thread is wanted, or all that there can be. */
function createThreads(module: ProgramModule, options: ExecutableOptions): ThreadedEngine | undefined {
  const { threads = 1, fma = supportsRelaxedSimd(), notice = (text) => console.warn(text) } = options;
  if (threads <= 1) return undefined;
  const missing = missingForThreads();
  if (missing === undefined) return createThreadedEngine(module, { fma }, threads);
  notice(`${module.name} runs on one thread: ${missing}`);
  return undefined;
}

function encode(module: ProgramModule, graph: string, { fma = supportsRelaxedSimd() }: ExecutableOptions): Encoded {
  const { functions, scratchBytes } = renderGraph(module, graph, { fma });
  return { binary: encodeModule({ functions, memoryPages: 1 }), scratchBytes };
}

function createEngine(module: ProgramModule, compiled: Map<string, Compiled>, options: ExecutableOptions): Engine {
  const globalBytes = globalOffsets(module).bytes;
  checkSize(module.name, globalBytes);
  const memory = new WebAssembly.Memory({ initial: Math.max(1, Math.ceil(globalBytes / pageBytes)) });
  const functions = new Map<string, (...parameters: readonly number[]) => void>();
  const compiledOf = (graph: string): Compiled => {
    const known = compiled.get(graph);
    if (known) return known;
    const { binary, scratchBytes } = encode(module, graph, options);
    const made = { module: new WebAssembly.Module(binary), scratchBytes };
    compiled.set(graph, made);
    return made;
  };
  const functionOf = (graph: string): ((...parameters: readonly number[]) => void) => {
    const known = functions.get(graph);
    if (known) return known;
    const { exports } = new WebAssembly.Instance(compiledOf(graph).module, { env: { memory } });
    const run = exports[graph];
    if (typeof run !== "function") throw new TypeError(`the module of ${graph} does not export it`);
    const made = (...parameters: readonly number[]): void => void run(...parameters);
    functions.set(graph, made);
    return made;
  };
  return {
    memory: () => memory.buffer,
    reserve(program, layout) {
      growTo(memory, placesOf(program, layout, compiledOf(program.name).scratchBytes).end, program.name);
    },
    entry(program, layout, sizes) {
      const { arena, scratch } = placesOf(program, layout, 0);
      new Int32Array(memory.buffer, arena, layout.arena.length).set(layout.arena);
      const run = functionOf(program.name);
      const parameters = [...sizes, ...layout.inputs, arena, scratch];
      return () => run(...parameters);
    },
  };
}
