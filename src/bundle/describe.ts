// What the runtime of a bundle must know of a program, as the text of a literal: inputs, outputs, buffers, requirements.
// Sizes are arithmetic on the free ones, read as `s.N`.

import { renderDim } from "../backends/js/dimension.ts";
import type { Dim } from "../ir/dim.ts";
import { bytesOf } from "../ir/dtype.ts";
import type { TensorType } from "../ir/graph.ts";
import type { Program } from "../ir/kernel/program.ts";
import type { Place } from "../ir/memory-plan.ts";

type Named = { readonly name: string; readonly type: TensorType };

/** `(x: f32[N, 4]) -> (y: f32[N])`. */
export const signature = ({ inputs, outputs }: Program): string => `${listed(inputs)} -> ${listed(outputs)}`;

const listed = (list: readonly Named[]): string =>
  `(${list.map(({ name, type }) => `${name}: ${type.dtype}[${type.shape.map((dim) => renderDim(dim, (n) => n)).join(", ")}]`).join(", ")})`;

const arithmetic = (dim: Dim): string => renderDim(dim, (name) => `s[${JSON.stringify(name)}]`);

const greatest = (dims: readonly Dim[]): string =>
  dims.length === 1 ? arithmetic(dims[0]!) : `Math.max(${dims.map(arithmetic).join(", ")})`;

/** The literal that `readInputs` takes, without its closing bracket. */
export function describeInputs(name: string, program: Program): readonly string[] {
  return [
    "{",
    `  name: ${JSON.stringify(name)},`,
    `  sizes: ${JSON.stringify(program.sizes)},`,
    "  inputs: [",
    ...program.inputs.map((input) => `    { ${describeTensor(input)} },`),
    "  ],",
    "  requirements: [",
    ...program.requirements.map(({ anyOf, text }) => `    [(s) => ${greatest(anyOf)}, ${JSON.stringify(text)}],`),
    "  ],",
  ];
}

/** The literal that `createModel` takes. `globals` are the offsets of parameters and states. */
export function describe(name: string, program: Program, globals: ReadonlyMap<string, number>): string {
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
    return `    { ${describeTensor(output)}, start: (s, inputs, arena) => ${start} },`;
  });
  return [
    ...describeInputs(name, program),
    "  outputs: [",
    ...outputs,
    "  ],",
    "  buffers: [",
    ...program.buffers.map(({ bytes, first, last }) => `    [(s) => ${arithmetic(bytes)}, ${first}, ${last}],`),
    "  ],",
    "}",
  ].join("\n");
}

const describeTensor = ({ name, type }: Named): string =>
  `name: ${JSON.stringify(name)}, dtype: "${type.dtype}", shape: [${type.shape.map(axis).join(", ")}]`;

/** A free size alone is its name; so the runtime can read it off a shape. */
function axis(dim: Dim): string {
  if (typeof dim === "number") return String(dim);
  const [term, more] = dim.terms;
  const [factor, others] = term?.factors ?? [];
  const bare = term?.coefficient === 1 && !more && !others && typeof factor === "string";
  return bare ? JSON.stringify(factor) : `(s) => ${arithmetic(dim)}`;
}
