// Times the parts of a graph: rounds over all calls of kernels in the order of the run, so that each finds memory and caches as
// the run leaves them, and so that whatever else the machine does spreads over all of them.

import type { Repeatable, Tensors } from "../backends/backend.ts";
import type { ProgramModule } from "../ir/kernel/program.ts";
import { type SeparateCall, separateCalls } from "./separate-calls.ts";

/** What a graph's run takes, in seconds. */
export interface Timing {
  /** From the lowered module to generated code that is ready to run. */
  readonly generation: number;
  /** The first run, before the engine has optimized anything, inputs and outputs copied. */
  readonly firstRun: number;
  /** A run of the whole graph, median. */
  readonly run: number;
  /** Each call of a kernel with all its rounds, median, in the order of the run. */
  readonly calls: readonly (Pick<SeparateCall, "call" | "rounds"> & { readonly seconds: number })[];
  /** The copies after the last call, median; undefined where there are none. */
  readonly copies: number | undefined;
}

export interface MeasureOptions {
  readonly programs: ProgramModule;
  /** The graph to measure. */
  readonly graph: string;
  readonly inputs: Tensors;
  /** Parameters and states by name; those that are left out are zero. */
  readonly weights: Tensors;
  readonly load: (programs: ProgramModule) => Repeatable;
  /** How long to measure, after a quarter of it for warming up; default 2. */
  readonly seconds?: number;
}

const leastRounds = 5;
/** Calls that take less are run in a loop of about so many seconds, where that changes nothing. */
const longEnough = 20e-6;
const mostRepetitions = 1000;

interface Part {
  readonly run: () => void;
  readonly repeatable: boolean;
  repetitions: number;
  readonly samples: number[];
}

/** Runs the graph and its parts for a while. What they update goes on from round to round, as in training. */
export function measure({ programs, graph, inputs, weights, load, seconds = 2 }: MeasureOptions): Timing {
  const separate = separateCalls(programs, graph);
  const executable = load(separate.module);
  for (const [name, value] of Object.entries(weights)) executable.write(name, value);
  const [generation, { run }] = timed(() => executable.prepare(graph, inputs));
  const [firstRun] = timed(() => executable.run(graph, inputs));
  const partOf = (name: string, repeatable: boolean): Part => ({
    run: executable.prepare(name, inputs).run,
    repeatable,
    repetitions: 1,
    samples: [],
  });
  const whole: Part = { run, repeatable: false, repetitions: 1, samples: [] };
  /** What a sample holds beside the call: clock and call, alone and where they are repeated. */
  const nothing = [partOf(separate.empty, false), partOf(separate.empty, true)] as const;
  const calls = separate.calls.map(({ graph: name, repeatable }) => partOf(name, repeatable));
  const copies = separate.copies === undefined ? [] : [partOf(separate.copies, false)];
  const parts = [whole, ...nothing, ...calls, ...copies];
  rounds(parts, seconds / 4);
  for (const part of parts) {
    const once = median(part.samples);
    if (part.repeatable) part.repetitions = Math.min(mostRepetitions, Math.ceil(longEnough / Math.max(once, 1e-9)));
    part.samples.length = 0;
  }
  rounds(parts, seconds);
  executable.dispose?.();
  const [alone, repeated] = nothing.map((part) => median(part.samples));
  const secondsOf = (part: Part): number => {
    const overhead = part.repetitions > 1 ? repeated! : alone!;
    return Math.max(0, median(part.samples) - overhead);
  };
  return {
    generation,
    firstRun,
    run: median(whole.samples),
    calls: separate.calls.map(({ call, rounds }, i) => ({ call, rounds, seconds: secondsOf(calls[i]!) })),
    copies: copies[0] && secondsOf(copies[0]),
  };
}

/** One sample of each part a round. */
function rounds(parts: readonly Part[], seconds: number): void {
  const end = performance.now() + 1000 * seconds;
  for (let round = 0; round < leastRounds || performance.now() < end; round++) {
    for (const { run, repetitions, samples } of parts) {
      const before = performance.now();
      for (let i = 0; i < repetitions; i++) run();
      samples.push((performance.now() - before) / 1000 / repetitions);
    }
  }
}

function timed<T>(run: () => T): readonly [seconds: number, result: T] {
  const before = performance.now();
  const result = run();
  return [(performance.now() - before) / 1000, result];
}

/** The median; of an even number of samples the higher of the two in the middle. */
export function median(samples: readonly number[]): number {
  return samples.toSorted((a, b) => a - b)[samples.length >> 1] ?? 0;
}
