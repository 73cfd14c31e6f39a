// Whether what was made ahead of runs still holds: it does until something that it was made of is written, or changed by a run.

import { globalsOf, type Program, type ProgramModule } from "../ir/kernel/program.ts";

export interface Freshness {
  /** Whether a program has made what it makes for such sizes, and nothing has changed since. */
  isFresh(ahead: Program, sizes: string): boolean;
  made(ahead: Program, sizes: string): void;
  /** A parameter or state has another value now. */
  changed(name: string): void;
  /** A program is about to change what it updates. */
  runs(program: Program): void;
}

export function createFreshness({ programs }: ProgramModule): Freshness {
  /** For which sizes each program has run, by its name. */
  const fresh = new Map<string, Set<string>>();
  /** The programs that read a parameter or state. */
  const readers = new Map<string, Set<string>>();
  for (const { ahead } of programs.values()) {
    const program = ahead === undefined ? undefined : programs.get(ahead);
    if (!program || fresh.has(program.name)) continue;
    fresh.set(program.name, new Set());
    for (const name of globalsOf(program, "read"))
      readers.set(name, (readers.get(name) ?? new Set()).add(program.name));
  }
  const stale = (names: Iterable<string>): ReadonlySet<string> =>
    new Set([...names].flatMap((name) => [...(readers.get(name) ?? [])]));
  const staleAfter = new Map([...programs.values()].map((program) => [program, stale(globalsOf(program, "write"))]));
  const forget = (names: ReadonlySet<string>): void => {
    for (const name of names) fresh.get(name)?.clear();
  };
  return {
    isFresh: ({ name }, sizes) => fresh.get(name)?.has(sizes) === true,
    made: ({ name }, sizes) => fresh.get(name)?.add(sizes),
    changed: (name) => forget(stale([name])),
    runs: (program) => forget(staleAfter.get(program) ?? new Set()),
  };
}
