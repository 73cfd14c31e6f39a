// The engine of a WebAssembly executable whose work several threads share: the memory is shared, and a run goes from kernel to
// kernel in JavaScript, which opens the parallel ones to a pool. The pool starts when there is something to share.

import type { Program, ProgramModule } from "../../../ir/kernel/program.ts";
import type { Engine } from "../../executable.ts";
import { globalOffsets, type Layout } from "../../runtime/layout.ts";
import { encodeModule } from "../encode.ts";
import { checkSize, growTo, mostPages, pageBytes, placesOf } from "../memory.ts";
import type { RenderOptions } from "../render.ts";
import { type Chooser, createChooser, type Way } from "./choose.ts";
import { type Grain, planSteps } from "./plan.ts";
import { createPool, type Pool } from "./pool.ts";
import { renderThreaded, type ThreadedGraph } from "./render.ts";

type Run = (...parameters: readonly number[]) => void;

interface Rendered {
  readonly graph: ThreadedGraph;
  readonly binary: Uint8Array<ArrayBuffer>;
}

interface Compiled {
  readonly graph: ThreadedGraph;
  readonly module: WebAssembly.Module;
  readonly functions: readonly Run[];
}

export interface ThreadedEngine extends Engine {
  /** Compiles a graph ahead. */
  compileAhead(graph: string): Promise<void>;
  dispose(): void;
}

/** `threads` is 2 or more. */
export function createThreadedEngine(
  module: ProgramModule,
  options: RenderOptions & { readonly grain?: Grain },
  threads: number,
): ThreadedEngine {
  const globals = globalOffsets(module);
  const { memory, most } = createMemory(module.name, globals.bytes);
  const compiled = new Map<string, Compiled>();
  /** Functions that run a graph at a layout, on all threads or on this one, and the pool that they belong to. */
  let runs = new WeakMap<Layout, Readonly<Record<Way, () => void>>>();
  const choosers = new WeakMap<Layout, Chooser>();
  let pool: Pool | undefined;
  const numbers = new Map<string, number>();

  const dispose = (): void => {
    pool?.dispose();
    pool = undefined;
    runs = new WeakMap();
    numbers.clear();
  };
  const render = (name: string): Rendered => {
    const graph = renderThreaded(module, name, options);
    return { graph, binary: encodeModule({ functions: graph.functions, memoryPages: 1, sharedPages: most }) };
  };
  const link = (name: string, graph: ThreadedGraph, code: WebAssembly.Module): Compiled => {
    const { exports } = new WebAssembly.Instance(code, { env: { memory } });
    const functions = graph.exports.map((key): Run => {
      const target = exports[key];
      if (typeof target !== "function") throw new TypeError(`the module of ${name} does not export ${key}`);
      return (...parameters) => {
        target(...parameters);
      };
    });
    const made = { graph, module: code, functions };
    compiled.set(name, made);
    return made;
  };
  const compiledOf = (name: string): Compiled => {
    const known = compiled.get(name);
    if (known) return known;
    const { graph, binary } = render(name);
    return link(name, graph, new WebAssembly.Module(binary));
  };
  const numberOf = (name: string, { module: code, graph, functions }: Compiled, of: Pool): number => {
    const known = numbers.get(name) ?? of.add(code, graph.exports, functions);
    numbers.set(name, known);
    return known;
  };

  const prepareRun = (
    program: Program,
    layout: Layout,
    values: readonly number[],
  ): Readonly<Record<Way, () => void>> => {
    const ready = compiledOf(program.name);
    const { arena, scratch } = placesOf(program, layout, 0);
    const parameters = [...values, ...layout.inputs, arena, scratch];
    const [whole, copies] = ready.functions;
    const list = (): void => new Int32Array(memory.buffer, arena, layout.arena.length).set(layout.arena);
    const sizes = Object.fromEntries(program.sizes.map((size, i) => [size, values[i]!]));
    const addresses = { layout, globals: globals.byName, scratch, parameters };
    const steps = planSteps(program, ready.graph, sizes, addresses, threads, options.grain);
    const alone = (): void => {
      list();
      whole!(...parameters);
    };
    if (!steps) return { alone, shared: alone };
    const define = (): readonly (() => void)[] | undefined => {
      pool ??= createPool(memory, threads);
      const number = numberOf(program.name, ready, pool);
      const made: (() => void)[] = [];
      for (const step of steps) {
        if (step.kind === "alone") {
          made.push(ready.functions[step.export]!.bind(undefined, ...step.parameters));
          continue;
        }
        const shared = pool.define({ ...step, kernel: number + step.export });
        if (!shared) return undefined;
        made.push(shared);
      }
      return made;
    };
    let made = define();
    if (!made) {
      // The pool has seen too many sizes: another one has room.
      dispose();
      made = define();
    }
    if (!made) return { alone, shared: alone };
    const actions = made;
    const shared = (): void => {
      list();
      for (const action of actions) action();
      if (program.copies.length > 0) copies!(...parameters);
    };
    return { alone, shared };
  };

  return {
    memory: () => memory.buffer,
    reserve(program, layout) {
      const { scratchBytes, sharedBytes } = compiledOf(program.name).graph;
      growTo(memory, placesOf(program, layout, threads * scratchBytes + sharedBytes).end, program.name, most);
    },
    entry(program, layout, values) {
      const chooser = choosers.get(layout) ?? createChooser();
      choosers.set(layout, chooser);
      return () => {
        // The pool that a run was made for may have ended since.
        const run = runs.get(layout) ?? prepareRun(program, layout, values);
        runs.set(layout, run);
        const start = performance.now();
        try {
          run[chooser.next()]();
          chooser.took(performance.now() - start);
        } catch (error) {
          dispose();
          throw error;
        }
      };
    },
    async compileAhead(name) {
      const { graph, binary } = render(name);
      link(name, graph, await WebAssembly.compile(binary));
    },
    dispose,
  };
}

/** Shared memory states how far it may grow, and some places give less than others. */
function createMemory(name: string, bytes: number): { readonly memory: WebAssembly.Memory; readonly most: number } {
  const initial = Math.max(1, Math.ceil(bytes / pageBytes));
  for (let most = mostPages; ; most /= 2) {
    checkSize(name, bytes, most);
    try {
      return { memory: new WebAssembly.Memory({ initial, maximum: most, shared: true }), most };
    } catch (error) {
      if (!(error instanceof RangeError) || most <= 1024) throw error;
    }
  }
}
