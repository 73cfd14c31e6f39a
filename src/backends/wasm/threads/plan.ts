// What one run of a graph consists of once its sizes are known: which kernels the calling thread runs, and which regions threads
// share. A region that is too small for sharing to pay stays on the calling thread.

import type { Sizes } from "../../../ir/dim.ts";
import { bytesOf } from "../../../ir/dtype.ts";
import type { KernelCall, Loop, Program, Step as ProgramStep } from "../../../ir/kernel/program.ts";
import type { Place } from "../../../ir/memory-plan.ts";
import { evaluate, type Layout } from "../../runtime/layout.ts";
import type { ThreadedGraph } from "./render.ts";

export type Step =
  | { readonly kind: "alone"; readonly export: number; readonly parameters: readonly number[] }
  | {
      readonly kind: "shared";
      readonly name: string;
      readonly export: number;
      readonly tiles: number;
      readonly chunks: number;
      readonly parameters: readonly number[];
      readonly sizes: number;
      readonly scratchBytes: number;
    };

export interface Addresses {
  readonly layout: Layout;
  readonly globals: ReadonlyMap<string, number>;
  /** Of the scratch memory of the first thread; the others' follows, and then what they share. */
  readonly scratch: number;
  /** What the function of the whole graph takes. */
  readonly parameters: readonly number[];
}

/** Operations and bytes a nanosecond that a thread is taken to do; the cost of kernels is an estimate too. */
const flopsPerNanosecond = 40;
const bytesPerNanosecond = 20;
/** What makes it worth sharing work, in nanoseconds of it. */
export interface Grain {
  /** Regions with less stay on the calling thread. */
  readonly region: number;
  /** No chunk has less. */
  readonly chunk: number;
}
/** Waking and waiting cost about as much. */
const usualGrain: Grain = { region: 20_000, chunk: 4_000 };
/** For each thread, so that one that is kept busy by others holds nobody up for long. */
const chunksPerThread = 8;

/**
 * The steps of a run, in order; undefined if threads have nothing to share in it. A loop in which they have nothing to share is one
 * step; of any other each round has steps of its own.
 */
export function planSteps(
  program: Program,
  { kernels, loops, scratchBytes: scratchOfThread }: ThreadedGraph,
  sizes: Sizes,
  addresses: Addresses,
  threads: number,
  grain: Grain = usualGrain,
): readonly Step[] | undefined {
  const addressOf = (place: Place, width: number, at: Sizes): number =>
    baseOf(program, place, addresses) + evaluate(place.offset, at) * width;
  const planAll = (list: readonly ProgramStep[], at: Sizes): Step[] =>
    list.flatMap((step) => (step.kind === "loop" ? planLoop(step, at) : planCall(step, at)));
  const planLoop = (loop: Loop, at: Sizes): Step[] => {
    const extent = Math.max(0, evaluate(loop.extent, at));
    const indices = Array.from({ length: extent }, (_, i) => (loop.reversed ? extent - 1 - i : i));
    const round = (index: number): Step[] => planAll(loop.steps, { ...at, [loop.index]: index });
    const number = loops.get(loop);
    // All rounds have the same kernels, and so the same to share.
    if (number === undefined || (extent > 0 && round(0).some(({ kind }) => kind === "shared")))
      return indices.flatMap(round);
    return [{ kind: "alone", export: number, parameters: addresses.parameters }];
  };
  const planCall = ({ kernel, places }: KernelCall, sizes: Sizes): Step[] => {
    const threaded = kernels.get(kernel)!;
    const buffers = places.map((place, i) => addressOf(place, bytesOf[kernel.buffers[i]!.dtype], sizes));
    const values = kernel.sizes.map((size) => sizes[size]!);
    const nanoseconds =
      evaluate(kernel.cost.flops, sizes) / flopsPerNanosecond + evaluate(kernel.cost.bytes, sizes) / bytesPerNanosecond;
    const tail = (scratchBytes: number, handed: readonly number[] = []): readonly number[] => [
      ...buffers,
      ...handed.map((offset) => addresses.scratch + threads * scratchOfThread + offset),
      ...(scratchBytes > 0 ? [addresses.scratch] : []),
    ];
    const alone: Step = {
      kind: "alone",
      export: threaded.export,
      parameters: [...values, ...tail(threaded.scratchBytes)],
    };
    const written = buffers.filter((_, i) => kernel.buffers[i]!.access !== "read");
    const clobbers = kernel.buffers.some(
      ({ name }, i) => threaded.early.includes(name) && written.includes(buffers[i]!),
    );
    if (clobbers || nanoseconds < grain.region) return [alone];
    const work = threaded.pieces.map((piece) => piece.work(sizes));
    const all = work.reduce((a, b) => a + b, 0);
    const pieces = threaded.pieces.flatMap((piece, i): Step[] => {
      const tiles = piece.tiles(sizes);
      if (tiles <= 0) return [];
      const share = (nanoseconds * work[i]!) / all;
      const chunks = Math.min(tiles, chunksPerThread * threads, Math.floor(share / grain.chunk));
      const [own, scratchBytes] = [tail(piece.scratchBytes, threaded.handed), piece.scratchBytes];
      if (chunks < 2 || share < grain.region) {
        return [{ kind: "alone", export: piece.export, parameters: [...values, 0, tiles, ...own] }];
      }
      const parameters = [...values, 0, 0, ...own];
      return [
        {
          kind: "shared",
          name: kernel.name,
          export: piece.export,
          tiles,
          chunks,
          parameters,
          sizes: values.length,
          scratchBytes,
        },
      ];
    });
    return pieces.some(({ kind }) => kind === "shared") ? pieces : [alone];
  };
  const steps = planAll(program.steps, sizes);
  return steps.some(({ kind }) => kind === "shared") ? steps : undefined;
}

function baseOf({ inputs }: Program, place: Place, { layout, globals }: Addresses): number {
  switch (place.kind) {
    case "arena":
      return layout.arena[place.buffer]!;
    case "input":
      return layout.inputs[inputs.findIndex((input) => input.name === place.name)]!;
    case "global":
      return globals.get(place.name)!;
  }
}
