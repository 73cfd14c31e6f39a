// Whether what was made ahead of runs still holds: it does until something that it was made of is written, or changed by a run.

import { globalsOf, type Program, type ProgramModule } from "../ir/kernel/program.ts";

export interface Freshness {
  /** Whether a program has made what it makes there, and nothing that it is made of has changed since. */
  isFresh(ahead: Program, memory: ArrayBufferLike): boolean;
  made(ahead: Program, memory: ArrayBufferLike): void;
  /** A parameter or state has another value now. */
  changed(name: string): void;
  /** A program is about to change what it updates. */
  runs(program: Program): void;
}

export function createFreshness({ programs }: ProgramModule): Freshness {
  /** The memory in which programs have run, by their names. */
  const fresh = new Map<string, ArrayBufferLike>();
  /** The programs that read a parameter or state. */
  const readers = new Map<string, Set<string>>();
  for (const { ahead } of programs.values()) {
    const program = ahead === undefined ? undefined : programs.get(ahead);
    if (!program) continue;
    for (const name of globalsOf(program, "read"))
      readers.set(name, (readers.get(name) ?? new Set()).add(program.name));
  }
  const stale = (names: Iterable<string>): ReadonlySet<string> =>
    new Set([...names].flatMap((name) => [...(readers.get(name) ?? [])]));
  const staleAfter = new Map([...programs.values()].map((program) => [program, stale(globalsOf(program, "write"))]));
  const forget = (names: ReadonlySet<string>): void => {
    for (const name of names) fresh.delete(name);
  };
  return {
    isFresh: ({ name }, memory) => fresh.get(name) === memory,
    made: ({ name }, memory) => fresh.set(name, memory),
    changed: (name) => forget(stale([name])),
    runs: (program) => forget(staleAfter.get(program) ?? new Set()),
  };
}
