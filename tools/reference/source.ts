// Writes the `.dlm` program of a case: inputs and outputs declared with the shapes of the reference, and the gradients as
// expressions inside the model.

import type { ReferenceCase } from "./case.ts";
import { identifier, type Program, type Trajectory, typeText } from "./program.ts";

/** The loss of the reference: the sum of outputs · cotangents. */
const lossOf = (c: ReferenceCase): string =>
  Object.keys(c.cotangents)
    .map((name) => `sum(${identifier(name)} * gout_${identifier(name)})`)
    .join(" + ");

const indent = (text: string): string =>
  text
    .trim()
    .split("\n")
    .map((line) => `  ${line.trim()}`)
    .join("\n");

export function formulaSource(c: ReferenceCase, body: string, declarations: string): string {
  const inputs = [
    ...Object.entries(c.inputs).map(([name, tensor]) => `${identifier(name)}: ${typeText(tensor)}`),
    ...Object.entries(c.cotangents).map(([name, tensor]) => `gout_${identifier(name)}: ${typeText(tensor)}`),
  ];
  const outputs = [
    ...Object.entries(c.outputs).map(([name, tensor]) => `${identifier(name)}: ${typeText(tensor)}`),
    ...Object.entries(c.gradients).map(([name, tensor]) => `grad_${identifier(name)}: ${typeText(tensor)}`),
  ];
  const gradients = Object.keys(c.gradients).map(
    (name) => `grad_${identifier(name)} = grad(objective, ${identifier(name)})`,
  );
  const tail = gradients.length > 0 ? [`objective = ${lossOf(c)}`, ...gradients] : [];
  return `${declarations}
model Case(${inputs.join(", ")}) -> (${outputs.join(", ")}) {
${indent([body, ...tail].join("\n"))}
}
`;
}

/** Inputs that have a gradient become parameters, outputs are kept in states: a training step shows all. */
export function layersSource(c: ReferenceCase, program: Extract<Program, { kind: "layers" }>): string {
  const { body, declarations = "", weights, states = {} } = program;
  const held = new Set(Object.values(weights).map(({ tensor }) => tensor));
  const free = Object.entries(c.inputs).filter(([name]) => !held.has(name) && !(name in c.gradients));
  const inputs = [
    ...free.map(([name, tensor]) => `${identifier(name)}: ${typeText(tensor)}`),
    ...Object.entries(c.cotangents).map(([name, tensor]) => `gout_${identifier(name)}: ${typeText(tensor)}`),
  ];
  const parameters = Object.entries(c.inputs)
    .filter(([name]) => !held.has(name) && name in c.gradients)
    .map(([name, tensor]) => `param ${identifier(name)}: ${typeText(tensor)} ~ zeros`);
  const kept = Object.entries(c.outputs)
    .filter(([name]) => !(name in states))
    .flatMap(([name, tensor]) => [
      `state seen_${identifier(name)}: ${typeText(tensor)} = 0`,
      `update seen_${identifier(name)} = ${identifier(name)}`,
    ]);
  return `${declarations}
optimizer reveal(w, g) = g

model Case(${inputs.join(", ")}) -> (loss_value: f32[]) {
${indent([...parameters, body, ...kept, `loss_value = ${lossOf(c)}`].join("\n"))}
}

train Case {
  data: csv("nothing.csv")
  loss: loss_value
  optimizer: reveal()
  epochs: 1
  batch: 1
}
`;
}

export function trajectorySource(program: Trajectory): string {
  const inputs = Object.entries(program.inputs).map(([name, type]) => `${name}: ${type}`);
  return `${program.declarations ?? ""}
model Case(${inputs.join(", ")}) -> (result: f32[]) {
${indent(program.body)}
  result = ${program.loss}
}

train Case {
  data: csv("nothing.csv")
  loss: result
  optimizer: ${program.optimizer}
  epochs: 1
  batch: 1
}
`;
}

export const scheduleSource = (expression: string, declarations: string): string => `${declarations}
model Case(at: f32[]) -> (lr: f32[]) {
  lr = ${expression}
}
`;
