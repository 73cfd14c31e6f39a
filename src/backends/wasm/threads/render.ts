// Renders one graph for several threads: the module of `../render.ts`, in which each kernel can also be called by itself, and with
// it the pieces of kernels that threads may share.

import { bytesOf } from "../../../ir/dtype.ts";
import { kernelsIn, type Loop, type ProgramModule } from "../../../ir/kernel/program.ts";
import type { Kernel } from "../../../ir/kernel/types.ts";
import { align } from "../../runtime/layout.ts";
import { createLibrary } from "../functions/library.ts";
import { type RenderOptions, renderCopies, renderEntry } from "../render.ts";
import { type RenderedKernel, renderKernel } from "../render-kernel.ts";
import { type WasmFunction, withCallees } from "../tree.ts";
import { type Piece, splitKernel } from "./split.ts";

export interface ThreadedPiece extends Piece {
  /** Among the exported functions. */
  readonly export: number;
  readonly scratchBytes: number;
}

export interface ThreadedKernel {
  /** The whole of it, among the exported functions. */
  readonly export: number;
  readonly scratchBytes: number;
  /** None where one thread must run it as a whole. */
  readonly pieces: readonly ThreadedPiece[];
  readonly early: readonly string[];
  /** Offsets of what pieces hand on, in memory that all threads share; pieces take their addresses behind those of the buffers. */
  readonly handed: readonly number[];
}

export interface ThreadedGraph {
  readonly functions: readonly WasmFunction[];
  /** Names of the exported functions: the whole graph, the copies at its end, then those of kernels and of loops. */
  readonly exports: readonly string[];
  readonly kernels: ReadonlyMap<Kernel, ThreadedKernel>;
  /** The loops that are not inside of others, among the exported functions; they take what the whole graph takes. */
  readonly loops: ReadonlyMap<Loop, number>;
  /** Bytes of scratch memory that a thread needs. */
  readonly scratchBytes: number;
  /** Bytes of what pieces of a kernel hand on. */
  readonly sharedBytes: number;
}

/** Throws a RangeError for a graph that the module does not have. */
export function renderThreaded(module: ProgramModule, graph: string, { fma }: RenderOptions): ThreadedGraph {
  const program = module.programs.get(graph);
  if (!program) throw new RangeError(`${module.name} has no graph ${graph}`);
  const library = createLibrary(fma);
  const targets: WasmFunction[] = [];
  const make = (kernel: Kernel): RenderedKernel & { readonly export: number } => {
    // Other kernels may have the same name, and the graph too.
    const { target, scratchBytes } = renderKernel(kernel, `${kernel.name}.${targets.length}`, library);
    const exported = { ...target, exported: true };
    return { target: exported, scratchBytes, export: targets.push(exported) + 1 };
  };
  const rendered = new Map<Kernel, RenderedKernel>();
  const kernels = new Map<Kernel, ThreadedKernel>();
  const byBody = new Map<Kernel["body"], Kernel>();
  let sharedBytes = 0;
  for (const kernel of kernelsIn(program.steps)) {
    const same = byBody.get(kernel.body);
    if (same) {
      rendered.set(kernel, rendered.get(same)!);
      kernels.set(kernel, kernels.get(same)!);
      continue;
    }
    byBody.set(kernel.body, kernel);
    const whole = make(kernel);
    const split = splitKernel(kernel);
    const pieces = (split?.pieces ?? []).map((piece): ThreadedPiece => {
      const { export: number, scratchBytes } = make(piece.kernel);
      return { ...piece, export: number, scratchBytes };
    });
    rendered.set(kernel, whole);
    const { export: number, scratchBytes } = whole;
    let end = 0;
    const handed = (split?.handed ?? []).map(({ dtype, length }) => {
      const offset = end;
      end = align(end + length * bytesOf[dtype]);
      return offset;
    });
    sharedBytes = Math.max(sharedBytes, end);
    kernels.set(kernel, { export: number, scratchBytes, pieces, early: split?.early ?? [], handed });
  }
  const copies = renderCopies(program, module);
  const entry = renderEntry(program, module, rendered, copies.make);
  const updates = renderEntry({ ...program, name: `${graph}.copies`, steps: [] }, module, rendered, copies.make);
  const loops = program.steps.filter((step) => step.kind === "loop");
  const entries = loops.map((loop, i) =>
    renderEntry({ ...program, name: `${graph}.loop.${i}`, steps: [loop] }, module, rendered, () => []),
  );
  const functions = [entry, updates, ...targets, ...entries];
  return {
    functions: withCallees(functions),
    exports: functions.map(({ name }) => name),
    kernels,
    loops: new Map(loops.map((loop, i) => [loop, 2 + targets.length + i])),
    scratchBytes: Math.max(copies.scratchBytes, ...[...rendered.values()].map((kernel) => kernel.scratchBytes)),
    sharedBytes,
  };
}
