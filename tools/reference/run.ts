// Takes a case through the whole compiler, from `.dlm` text to generated JavaScript, and compares what comes out.

import type { Executable } from "../../src/backends/backend.ts";
import { compile, load } from "../../src/compile.ts";
import { compileSource } from "../../src/dsl/compile-source.ts";
import { renderDiagnostics } from "../../src/dsl/diagnostics.ts";
import { allocate, type Tensor } from "../../src/ir/dtype.ts";
import { inputsOf, type Session, sessionOf } from "../../src/train/session.ts";
import type { ReferenceCase } from "./case.ts";
import { type Comparison, compareTensors } from "./compare.ts";
import { identifier, type Program, type Trajectory, type Weight, type Weights } from "./program.ts";
import { formulaSource, layersSource, scheduleSource, trajectorySource } from "./source.ts";

export interface CaseResult {
  readonly name: string;
  readonly operation: string;
  readonly status: "passed" | "failed" | "not covered";
  /** Why it is not covered, or what went wrong. */
  readonly why?: string;
  /** The largest error, relative to the largest magnitude of its tensor. */
  readonly error?: number;
  /** Some tensor passed by the bound of PyTorch's own float32 only. */
  readonly allowance?: boolean;
  /** What of a case that passed was not compared, and why. */
  readonly note?: string;
  readonly source?: string;
}

type Layers = Extract<Program, { kind: "layers" }>;
type Checked = readonly (readonly [name: string, comparison: Comparison])[];

export function runCase(c: ReferenceCase, program: Program): CaseResult {
  const { name, operation } = c;
  if (program.kind === "missing") return { name, operation, status: "not covered", why: program.why };
  const source = sourceOf(c, program);
  try {
    const checked = check(c, program, compileText(name, source));
    const failures = checked.filter(([, comparison]) => !comparison.ok);
    const error = Math.max(0, ...checked.map(([, comparison]) => comparison.error));
    if (failures.length === 0) {
      const allowance = checked.some(([, comparison]) => comparison.allowance);
      const note = program.kind === "trajectory" ? program.undetermined?.why : undefined;
      return { name, operation, status: "passed", error, allowance, source, ...(note ? { note } : {}) };
    }
    const why = failures.map(([tensor, { error, detail }]) => `${tensor}: ${error.toExponential(1)} (${detail})`);
    return { name, operation, status: "failed", why: why.join("; "), error, source };
  } catch (error) {
    return { name, operation, status: "failed", why: error instanceof Error ? error.message : String(error), source };
  }
}

function sourceOf(c: ReferenceCase, program: Exclude<Program, { kind: "missing" }>): string {
  switch (program.kind) {
    case "formula":
      return formulaSource(c, program.body, program.declarations ?? "");
    case "layers":
      return layersSource(c, program);
    case "trajectory":
      return trajectorySource(program);
    case "schedule":
      return scheduleSource(program.expression, program.declarations ?? "");
  }
}

function compileText(name: string, text: string): Session<Executable> {
  const { module, diagnostics } = compileSource({ name: `${name}.dlm`, text }, () => undefined);
  const errors = diagnostics.filter(({ severity }) => severity === "error");
  if (!module || errors.length > 0) throw new Error(`does not compile\n${renderDiagnostics(diagnostics)}`);
  const graphs = [...module.graphs.keys()].filter((graph) => ["init", "infer", "train_step"].includes(graph));
  const compiled = compile(module, { graphs });
  return sessionOf(load(compiled), compiled.module);
}

function check(
  c: ReferenceCase,
  program: Exclude<Program, { kind: "missing" }>,
  session: Session<Executable>,
): Checked {
  switch (program.kind) {
    case "formula":
      return checkFormula(c, session);
    case "layers":
      return checkLayers(c, program, session);
    case "trajectory":
      return checkTrajectory(c, program, session);
    case "schedule":
      return checkSchedule(c, session);
  }
}

/** Runs a graph, with the step where it asks for one. */
const run = (
  session: Session<Executable>,
  graph: string,
  inputs: Readonly<Record<string, Tensor>>,
  step = 0,
): Record<string, Tensor> => session.executable.run(graph, inputsOf(session, graph, inputs, { seed: 0, step }));

const renamed = (tensors: Readonly<Record<string, Tensor>>, prefix: string): Record<string, Tensor> =>
  Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [`${prefix}${identifier(name)}`, tensor]));

function checkFormula(c: ReferenceCase, session: Session<Executable>): Checked {
  const results = run(session, "infer", { ...renamed(c.inputs, ""), ...renamed(c.cotangents, "gout_") });
  const compared = (tensors: Readonly<Record<string, Tensor>>, prefix: string): Checked =>
    Object.entries(tensors).map(([name, want]) => {
      const key = `${prefix}${identifier(name)}`;
      return [key, compareTensors(results[key]!, want, c.float32Error)];
    });
  return [...compared(c.outputs, ""), ...compared(c.gradients, "grad_")];
}

function checkLayers(c: ReferenceCase, program: Layers, session: Session<Executable>): Checked {
  const { weights, states = {} } = program;
  const { executable } = session;
  setWeights(executable, weights, c.inputs);
  const held = new Set(Object.values(weights).map(({ tensor }) => tensor));
  const inputs = Object.entries(c.inputs).filter(([name]) => !held.has(name));
  for (const [name, tensor] of inputs) if (name in c.gradients) executable.write(identifier(name), tensor);
  const free = Object.fromEntries(inputs.filter(([name]) => !(name in c.gradients)));
  run(session, "train_step", { ...renamed(free, ""), ...renamed(c.cotangents, "gout_") });
  const compared = (key: string, want: Tensor): readonly [string, Comparison] => [
    key,
    compareTensors(executable.read(key), want, c.float32Error),
  ];
  const stateOf = new Map(Object.entries(weights).map(([key, { tensor }]) => [tensor, key]));
  return [
    ...Object.entries(c.outputs).map(([name, want]) => compared(states[name] ?? `seen_${identifier(name)}`, want)),
    ...Object.entries(c.gradients).map(([name, want]) => {
      const key = stateOf.get(name);
      return key === undefined ? compared(identifier(name), want) : compared(key, arranged(want, weights[key]!));
    }),
    ...Object.entries(c.after).flatMap(([name, want]) => {
      const key = stateOf.get(name) ?? stateOf.get(`param.${name}`);
      return key === undefined ? [] : [compared(key, want)];
    }),
  ];
}

function checkTrajectory(c: ReferenceCase, program: Trajectory, session: Session<Executable>): Checked {
  const { executable } = session;
  run(session, "init", {});
  setWeights(executable, program.weights, c.inputs);
  const recorded = new Map<string, number[]>();
  for (let step = 0; step < program.steps; step++) {
    const results = run(session, "train_step", program.feed(step), step);
    for (const [output, what] of Object.entries(program.record)) {
      const value = what.kind === "output" ? results[what.name] : executable.read(what.name);
      if (!value) throw new Error(`the training step has no output named ${what.name}`);
      recorded.set(output, [...(recorded.get(output) ?? []), ...value.data]);
    }
  }
  return [
    ...[...recorded].map(([output, values]): readonly [string, Comparison] => {
      const want = c.outputs[output]!;
      return [output, compareTensors({ ...want, data: Float32Array.from(values) }, want, c.float32Error)];
    }),
    ...Object.entries(program.last ?? {}).map(([key, weight]): readonly [string, Comparison] => {
      const want = arranged(c.outputs[weight.tensor]!, weight);
      const got = executable.read(key);
      const { undetermined } = program;
      if (undetermined?.output === weight.tensor)
        got.data.set(want.data.subarray(undetermined.from, undetermined.to), undetermined.from);
      return [key, compareTensors(got, want, c.float32Error)];
    }),
  ];
}

function checkSchedule(c: ReferenceCase, session: Session<Executable>): Checked {
  const want = c.outputs.lr!;
  const got = Array.from({ length: want.data.length }, (_, step) => {
    const inputs = { at: { dtype: "f32", shape: [], data: Float32Array.of(step) } } as const;
    return run(session, "infer", inputs).lr!.data[0]!;
  });
  return [["lr", compareTensors({ ...want, data: Float32Array.from(got) }, want, c.float32Error)]];
}

function setWeights(executable: Executable, weights: Weights, tensors: Readonly<Record<string, Tensor>>): void {
  for (const [key, weight] of Object.entries(weights)) {
    const tensor = tensors[weight.tensor];
    if (!tensor) throw new Error(`the case has no tensor ${weight.tensor}`);
    executable.write(key, arranged(tensor, weight));
  }
}

/** The tensor with its axes in the order that the program wants. */
function arranged(tensor: Tensor, { permutation }: Weight): Tensor {
  if (!permutation) return tensor;
  const shape = permutation.map((axis) => tensor.shape[axis]!);
  const strides = tensor.shape.map((_, axis) => tensor.shape.slice(axis + 1).reduce((a, b) => a * b, 1));
  const data = allocate(tensor.dtype, tensor.data.length);
  const index = shape.map(() => 0);
  for (let i = 0; i < data.length; i++) {
    data[i] = tensor.data[index.reduce((at, position, axis) => at + position * strides[permutation[axis]!]!, 0)]!;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      index[axis]!++;
      if (index[axis]! < shape[axis]!) break;
      index[axis] = 0;
    }
  }
  return { dtype: tensor.dtype, shape, data };
}
