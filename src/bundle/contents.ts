// What of a module goes into a bundle: one graph, and the parameters and states that it uses, as bytes.

import { globalOffsets } from "../backends/runtime/layout.ts";
import type { Tensor } from "../ir/dtype.ts";
import { globalsOf, type Program, type ProgramModule } from "../ir/kernel/program.ts";

/**
 * The module with one graph and what that needs ahead of its runs, and no more parameters and states than they use. Throws a RangeError
 * where there is no such graph.
 */
export function keepGraph(module: ProgramModule, graph: string): readonly [ProgramModule, Program] {
  const program = module.programs.get(graph);
  if (!program) throw new RangeError(`${module.name} has no graph ${graph}`);
  const ahead = program.ahead === undefined ? undefined : module.programs.get(program.ahead);
  const programs = ahead ? [program, ahead] : [program];
  const used = new Set(programs.flatMap(usedGlobals));
  const usedOf = <T>(all: ReadonlyMap<string, T>): ReadonlyMap<string, T> =>
    new Map([...all].filter(([name]) => used.has(name)));
  const [globals, kept] = [usedOf(module.globals), usedOf(module.kept)];
  return [{ ...module, globals, kept, programs: new Map(programs.map((one) => [one.name, one])) }, program];
}

const usedGlobals = (program: Program): readonly string[] => [
  ...globalsOf(program, "read"),
  ...globalsOf(program, "write"),
  ...program.outputs.flatMap(({ place }) => (place.kind === "global" ? [place.name] : [])),
];

/** Parameters and states one after the other, where `globalOffsets` has them. */
export function contentsOf(module: ProgramModule, weights: (name: string) => Tensor): Uint8Array<ArrayBuffer> {
  const offsets = globalOffsets(module);
  const contents = new Uint8Array(offsets.givenBytes);
  for (const name of module.globals.keys()) {
    const { data } = weights(name);
    contents.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), offsets.byName.get(name)!);
  }
  return contents;
}

/** The comment above what a bundle exports. */
export function docOf({ doc }: ProgramModule, signature: string): string {
  const lines = [doc, signature, "Compiled by dlm."].filter((line) => line !== "").flatMap((line) => line.split("\n"));
  return `/**\n${lines.map((line) => ` * ${line.replaceAll("*/", "* /")}`).join("\n")}\n */`;
}
