// Compiles a broken program in this process, its files in memory, and puts what is said of it in the form of the tests.

import { compileSource } from "../../src/dsl/compile-source.ts";
import { placeOf, renderDiagnostics } from "../../src/dsl/diagnostics.ts";
import { type BrokenProgram, unmarked } from "./case.ts";

/** No input may keep the compiler busy for longer, in milliseconds. */
export const patience = 5000;

/** Milliseconds that this process has computed: unlike a clock, it does not count what else the machine does. */
export const processorTime = (): number => process.cpuUsage().user / 1000;

interface Place {
  /** File, line and column: `main.dlm:2:12`. */
  readonly at: string;
  /** The text that is underlined, or its beginning where it is long. */
  readonly underlined: string;
}

interface Found {
  readonly code: string;
  readonly message: string;
  /** Label, notes and help. */
  readonly details: string;
  readonly place: Place;
}

/** What the compiler says, and where it should say it; undefined where the program marks no place. */
export function compileBroken({ program, files = {} }: BrokenProgram): {
  readonly found: readonly Found[];
  readonly expected: Place | undefined;
  /** As a terminal shows it. */
  readonly text: string;
} {
  const all = Object.entries({ "main.dlm": program, ...files }).map(([name, text]) => ({ name, ...unmarked(text) }));
  const texts = new Map(all.map(({ name, text }) => [name, text]));
  const { diagnostics } = compileSource({ name: "main.dlm", text: texts.get("main.dlm") ?? "" }, (path) => {
    const name = path.replace(/^\.\//, "");
    const text = texts.get(name);
    return text === undefined ? undefined : { name, text };
  });
  const placed = (file: { readonly name: string; readonly text: string }, start: number, end: number): Place => ({
    at: placeOf(file, { start, end }),
    underlined: file.text.slice(start, Math.min(end, start + 1000)),
  });
  const marked = all.find(({ start }) => start !== undefined);
  return {
    found: diagnostics.map(({ file, span, code, message, label, notes, help }) => ({
      code,
      message,
      details: [label, ...notes.map((note) => note.label), help].join("\n"),
      place: placed(file, span.start, span.end),
    })),
    expected: marked && placed(marked, marked.start ?? 0, marked.end ?? 0),
    text: renderDiagnostics(diagnostics),
  };
}
