// What of a module goes into a bundle: one graph, and the parameters and states that it uses, as bytes.

import { globalOffsets } from "../backends/runtime/layout.ts";
import type { Tensor } from "../ir/dtype.ts";
import { callsIn, type Program, type ProgramModule } from "../ir/kernel/program.ts";

/** The module with one graph, and no more parameters and states than that uses. Throws a RangeError where there is no such graph. */
export function keepGraph(module: ProgramModule, graph: string): readonly [ProgramModule, Program] {
  const program = module.programs.get(graph);
  if (!program) throw new RangeError(`${module.name} has no graph ${graph}`);
  const used = usedGlobals(program);
  const globals = new Map([...module.globals].filter(([name]) => used.has(name)));
  return [{ ...module, globals, programs: new Map([[graph, program]]) }, program];
}

function usedGlobals(program: Program): ReadonlySet<string> {
  const names = new Set<string>();
  const places = [
    ...callsIn(program.steps).flatMap(({ call }) => call.places),
    ...program.outputs.map((output) => output.place),
    ...program.copies.map((copy) => copy.source),
  ];
  for (const place of places) if (place.kind === "global") names.add(place.name);
  for (const { target } of program.copies) names.add(target);
  return names;
}

/** Parameters and states one after the other, where `globalOffsets` has them. */
export function contentsOf({ globals }: ProgramModule, weights: (name: string) => Tensor): Uint8Array<ArrayBuffer> {
  const offsets = globalOffsets(globals);
  const contents = new Uint8Array(offsets.bytes);
  for (const name of globals.keys()) {
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
