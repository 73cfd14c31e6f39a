// Emits a standalone ES module: the kernels of one graph, its weights, and the few functions that run it. No import, no `eval`.

import { renderDim } from "../backends/js/dimension.ts";
import { renderModule } from "../backends/js/render.ts";
import { globalOffsets } from "../backends/js/runtime/layout.ts";
import type { Dim } from "../ir/dim.ts";
import { bytesOf, type Tensor } from "../ir/dtype.ts";
import type { TensorType } from "../ir/graph.ts";
import { callsIn, type Program, type ProgramModule } from "../ir/kernel/program.ts";
import type { Place } from "../ir/memory-plan.ts";
import { standaloneRuntime } from "./runtime.generated.ts";

/**
 * The text of an ES module that exports one function, called like the model, from named inputs to named outputs.
 * `weights` reads a parameter or state by full name.
 */
export function renderBundle(module: ProgramModule, graph: string, weights: (name: string) => Tensor): string {
  const program = module.programs.get(graph);
  if (!program) throw new RangeError(`${module.name} has no graph ${graph}`);
  const used = usedGlobals(program);
  const globals = new Map([...module.globals].filter(([name]) => used.has(name)));
  const kept: ProgramModule = { ...module, globals, programs: new Map([[graph, program]]) };
  const offsets = globalOffsets(globals);
  const contents = new Uint8Array(offsets.bytes);
  for (const name of globals.keys()) {
    const { data } = weights(name);
    contents.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), offsets.byName.get(name)!);
  }
  const docs = [module.doc, `${signature(program.inputs)} -> ${signature(program.outputs)}`, "Compiled by dlm."]
    .filter((line) => line !== "")
    .flatMap((line) => line.split("\n"))
    .map((line) => ` * ${line.replaceAll("*/", "* /")}`);
  return [
    `/**\n${docs.join("\n")}\n */\nexport function ${module.name}(inputs) {\n  return model(inputs);\n}`,
    "// The kernels, over one memory; what they are fused from stands above each.",
    renderModule(kept, [graph]).replace(/^export /, ""),
    "// What runs them: checks the inputs, and lays memory out for their sizes.",
    standaloneRuntime,
    `const model = createModel(${describe(kept, program, offsets.byName, toBase64(contents))}, create);\n`,
  ].join("\n\n");
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

const signature = (list: readonly { readonly name: string; readonly type: TensorType }[]): string =>
  `(${list.map(({ name, type }) => `${name}: ${type.dtype}[${type.shape.map((dim) => renderDim(dim, (n) => n)).join(", ")}]`).join(", ")})`;

/** The literal that `createModel` takes. Sizes are read as `s.N`. */
function describe(
  module: ProgramModule,
  program: Program,
  globals: ReadonlyMap<string, number>,
  weights: string,
): string {
  const arithmetic = (dim: Dim): string => renderDim(dim, (name) => `s[${JSON.stringify(name)}]`);
  const axis = (dim: Dim): string => {
    if (typeof dim === "number") return String(dim);
    const [term, more] = dim.terms;
    const [factor, others] = term?.factors ?? [];
    const bare = term?.coefficient === 1 && !more && !others && typeof factor === "string";
    return bare ? JSON.stringify(factor) : `(s) => ${arithmetic(dim)}`;
  };
  const described = ({ name, type }: { readonly name: string; readonly type: TensorType }): string =>
    `name: ${JSON.stringify(name)}, dtype: "${type.dtype}", shape: [${type.shape.map(axis).join(", ")}]`;
  const base = (place: Place): string => {
    switch (place.kind) {
      case "arena":
        return `arena[${place.buffer}]`;
      case "input":
        return `inputs[${program.inputs.findIndex((input) => input.name === place.name)}]`;
      case "global":
        return String(globals.get(place.name));
    }
  };
  const outputs = program.outputs.map((output) => {
    const { offset } = output.place;
    const start =
      offset === 0
        ? base(output.place)
        : `${base(output.place)} + ${bytesOf[output.type.dtype]} * (${arithmetic(offset)})`;
    return `    { ${described(output)}, start: (s, inputs, arena) => ${start} },`;
  });
  return [
    "{",
    `  name: ${JSON.stringify(module.name)},`,
    `  graph: ${JSON.stringify(program.name)},`,
    `  sizes: ${JSON.stringify(program.sizes)},`,
    "  inputs: [",
    ...program.inputs.map((input) => `    { ${described(input)} },`),
    "  ],",
    "  outputs: [",
    ...outputs,
    "  ],",
    "  buffers: [",
    ...program.buffers.map(({ bytes, first, last }) => `    [(s) => ${arithmetic(bytes)}, ${first}, ${last}],`),
    "  ],",
    "  requirements: [",
    ...program.requirements.map(({ dim, text }) => `    [(s) => ${arithmetic(dim)}, ${JSON.stringify(text)}],`),
    "  ],",
    `  weights: "${weights}",`,
    "}",
  ].join("\n");
}

/** Base64, in pieces: a call takes only so many arguments. */
function toBase64(bytes: Uint8Array): string {
  const piece = 0x8000;
  let text = "";
  for (let i = 0; i < bytes.length; i += piece) text += String.fromCharCode(...bytes.subarray(i, i + piece));
  return btoa(text);
}
