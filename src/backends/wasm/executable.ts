// Runs a lowered module as WebAssembly: one memory that grows, one WebAssembly module for each graph.

import type { Program, ProgramModule } from "../../ir/kernel/program.ts";
import { InputError, type Repeatable } from "../backend.ts";
import { createExecutableOver, type Engine } from "../executable.ts";
import { align, globalOffsets, type Layout } from "../js/runtime/layout.ts";
import { encodeModule } from "./encode.ts";
import { supportsRelaxedSimd } from "./features.ts";
import { renderGraph } from "./render.ts";

export interface ExecutableOptions {
  /** Whether relaxed SIMD's multiply-add is used; by default, wherever this engine has it. */
  readonly fma?: boolean;
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
  return createExecutableOver(module, createEngine(module, new Map(), options));
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
  const ready = await Promise.all(
    graphs.map(async (graph): Promise<readonly [string, Compiled]> => {
      const { binary, scratchBytes } = encode(module, graph, options);
      return [graph, { module: await WebAssembly.compile(binary), scratchBytes }];
    }),
  );
  return createExecutableOver(module, createEngine(module, new Map(ready), options));
}

function encode(module: ProgramModule, graph: string, { fma = supportsRelaxedSimd() }: ExecutableOptions): Encoded {
  const { functions, scratchBytes } = renderGraph(module, graph, { fma });
  return { binary: encodeModule({ functions, memoryPages: 1 }), scratchBytes };
}

const pageBytes = 65536;
const mostPages = 65536;

function createEngine(module: ProgramModule, compiled: Map<string, Compiled>, options: ExecutableOptions): Engine {
  const globalBytes = globalOffsets(module.globals).bytes;
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
      const { end } = placesOf(program, layout, compiledOf(program.name).scratchBytes);
      const missing = Math.ceil((end - memory.buffer.byteLength) / pageBytes);
      if (missing <= 0) return;
      checkSize(program.name, end);
      grow(memory, missing, program.name, end);
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

/** Behind the arena lie the list of the addresses of its buffers and scratch memory. */
function placesOf(program: Program, { bytes }: Layout, scratchBytes: number) {
  const arena = align(bytes);
  const scratch = align(arena + 4 * program.buffers.length);
  return { arena, scratch, end: scratch + scratchBytes };
}

function checkSize(name: string, bytes: number): void {
  if (bytes > mostPages * pageBytes) throw tooLarge(name, bytes);
}

const tooLarge = (name: string, bytes: number): InputError =>
  new InputError(
    `${name} needs ${(bytes / 1e9).toFixed(1)} GB of memory, and WebAssembly gives at most ${((mostPages * pageBytes) / 1e9).toFixed(1)} GB: take a smaller batch`,
  );

function grow(memory: WebAssembly.Memory, pages: number, name: string, bytes: number): void {
  try {
    memory.grow(pages);
  } catch (error) {
    if (error instanceof RangeError) throw tooLarge(name, bytes);
    throw error;
  }
}
