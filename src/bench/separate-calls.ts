// The calls of one graph as graphs of their own, over the same memory, so that each can be timed alone. Back-ends see nothing
// special in them, and the graph itself stays as it is.

import type { Dim } from "../ir/dim.ts";
import {
  callsIn,
  type KernelCall,
  type PlacedCall,
  type Program,
  type ProgramModule,
  type Step,
} from "../ir/kernel/program.ts";
import type { Place } from "../ir/memory-plan.ts";

/** A part of a graph's run: one call of a kernel, in the loops that are around it. */
export interface SeparateCall {
  /** The graph in the module below that makes this call alone. */
  readonly graph: string;
  readonly call: KernelCall;
  /** How often a run makes it. */
  readonly rounds: Dim;
  /** Whether the call leaves what it reads as it was: then it does the same each time, and may be run in a loop. */
  readonly repeatable: boolean;
}

export interface SeparateCalls {
  /** The module with the graph, and a graph for each part. */
  readonly module: ProgramModule;
  /** In the order of the run. */
  readonly calls: readonly SeparateCall[];
  /** The graph that makes the copies after the last call; undefined where there are none. */
  readonly copies: string | undefined;
  /** A graph that does nothing: what remains is the cost of calling one. */
  readonly empty: string;
}

/** Takes the named graph apart. Throws a RangeError where the module does not have it. */
export function separateCalls(module: ProgramModule, graph: string): SeparateCalls {
  const program = module.programs.get(graph);
  if (!program) throw new RangeError(`${module.name} has no graph ${graph}`);
  const ahead = program.ahead === undefined ? undefined : module.programs.get(program.ahead);
  const part = (name: string, steps: Program["steps"], copies: Program["copies"]): Program => ({
    ...program,
    name: `${graph}.${name}`,
    outputs: [],
    steps,
    copies,
  });
  const placed = callsIn(program.steps);
  const calls = placed.map(
    ({ call, rounds }, i): SeparateCall => ({ graph: `${graph}.${i}`, call, rounds, repeatable: isRepeatable(call) }),
  );
  const empty = part("empty", [], []);
  const copies = program.copies.length > 0 ? part("copies", [], program.copies) : undefined;
  const parts = [
    ...placed.map((each, i) => part(`${i}`, [inItsLoops(each)], [])),
    ...(copies === undefined ? [] : [copies]),
    empty,
  ];
  return {
    module: {
      ...module,
      programs: new Map(
        [program, ...(ahead === undefined ? [] : [ahead]), ...parts].map((each) => [each.name, each] as const),
      ),
    },
    calls,
    copies: copies?.name,
    empty: empty.name,
  };
}

const inItsLoops = ({ call, loops }: PlacedCall): Step =>
  loops.reduceRight<Step>((step, loop) => ({ ...loop, steps: [step] }), call);

function isRepeatable({ kernel, places }: KernelCall): boolean {
  const reads = places.filter((_, i) => kernel.buffers[i]!.access !== "write").map(memoryOf);
  return places.every((place, i) => kernel.buffers[i]!.access === "read" || !reads.includes(memoryOf(place)));
}

/** Places in one buffer count as one: they may overlap. */
const memoryOf = (place: Place): string =>
  place.kind === "arena" ? `arena ${place.buffer}` : `${place.kind} ${place.name}`;
