// An executable over any back-end: checks inputs, lays memory out for their sizes, copies inputs in and outputs out. What differs
// between back-ends, the memory itself and the functions over it, is an `Engine`.

import { bytesOf, type DType, type Tensor, type TypedArray } from "../ir/dtype.ts";
import type { Global, TensorType } from "../ir/graph.ts";
import { graphsIn, type Program, type ProgramModule } from "../ir/kernel/program.ts";
import type { Place } from "../ir/memory-plan.ts";
import { unfulfilled } from "../ir/requirement.ts";
import { evaluateShape, type ShapePair, SizeError, solveSizes } from "../ir/sizes.ts";
import { InputError, type Repeatable, type Tensors } from "./backend.ts";
import { createFreshness } from "./freshness.ts";
import { evaluate, globalOffsets, type Layout, layoutOf } from "./runtime/layout.ts";

/** A back-end's memory, and the functions that run in it. */
export interface Engine {
  /** The memory as it is now; another buffer when it has grown. */
  memory(): ArrayBufferLike;
  /** Makes the memory as large as the layout of the graph needs, and its code. What lies in the first `kept` bytes stays. */
  reserve(program: Program, layout: Layout, kept: number): void;
  /** What runs the graph in that memory; its sizes come in the order of `program.sizes`. Good until memory is laid out otherwise. */
  entry(program: Program, layout: Layout, sizes: readonly number[]): () => void;
  /** Ends its threads, if it has any. */
  dispose?(): void;
}

/** All parameters and states of the engine's memory are zero at first, from byte 0 on. */
export function createExecutableOver(module: ProgramModule, engine: Engine): Repeatable {
  const globals = globalOffsets(module);
  const layouts = new Map<string, Layout>();
  const freshness = createFreshness(module);

  const global = (name: string): { readonly type: TensorType; readonly offset: number } => ({
    type: globalOf(module, name).type,
    offset: globals.byName.get(name)!,
  });

  const prepare: Repeatable["prepare"] = (graph, inputs, given = {}) => {
    const program = programOf(module, graph);
    const sizes = checkInputs(program, inputs, given);
    const values = program.sizes.map((size) => sizes[size]!);
    const key = [graph, ...values].join(",");
    const layout = layouts.get(key) ?? layoutOf(program, globals.bytes, sizes);
    layouts.set(key, layout);
    engine.reserve(program, layout, globals.bytes);
    const makeAhead = prepareAhead(program, layout, values);
    const memory = engine.memory();
    const start = (place: Place): number => {
      switch (place.kind) {
        case "arena":
          return layout.arena[place.buffer]!;
        case "input":
          return layout.inputs[program.inputs.findIndex((input) => input.name === place.name)]!;
        case "global":
          return globals.byName.get(place.name)!;
      }
    };
    const placed = ({ dtype, shape }: TensorType, offset: number): Tensor =>
      tensorIn(memory, dtype, evaluateShape(shape, sizes), offset);
    const laid: Tensors = Object.fromEntries(
      program.inputs.map(({ name, type }, i) => [name, placed(type, layout.inputs[i]!)]),
    );
    for (const [name, { data }] of Object.entries(laid)) data.set(inputs[name]!.data);
    const outputs = program.outputs.map(({ name, type, place }): [string, Tensor] => {
      const offset = start(place) + evaluate(place.offset, sizes) * bytesOf[type.dtype];
      return [name, placed(type, offset)];
    });
    const entry = engine.entry(program, layout, values);
    const run = (): void => {
      makeAhead();
      freshness.runs(program);
      entry();
    };
    return { inputs: laid, outputs: Object.fromEntries(outputs), run };
  };

  /** What makes all that the program finds made, where that is not fresh. */
  const prepareAhead = (program: Program, { ...layout }: Layout, values: readonly number[]): (() => void) => {
    if (program.ahead === undefined) return () => undefined;
    const ahead = programOf(module, program.ahead);
    engine.reserve(ahead, layout, globals.bytes);
    const entry = engine.entry(ahead, layout, values);
    const memory = engine.memory();
    return () => {
      if (freshness.isFresh(ahead, memory)) return;
      entry();
      freshness.made(ahead, memory);
    };
  };

  return {
    run(graph, inputs, given) {
      const { outputs, run } = prepare(graph, inputs, given);
      run();
      return Object.fromEntries(Object.entries(outputs).map(([name, output]) => [name, copyOf(output)]));
    },
    prepare,
    read(name) {
      const { type, offset } = global(name);
      return copyOf(tensorIn(engine.memory(), type.dtype, evaluateShape(type.shape, {}), offset));
    },
    write(name, tensor) {
      const { type, offset } = global(name);
      checkGlobal(name, type, tensor);
      view(engine.memory(), type.dtype, offset, tensor.data.length).set(tensor.data);
      freshness.changed(name);
    },
    dispose: () => engine.dispose?.(),
  };
}

/** The program of a graph. Throws an InputError that names those there are. */
export function programOf(module: ProgramModule, graph: string): Program {
  const program = module.programs.get(graph);
  if (program) return program;
  const names = graphsIn(module).map(({ name }) => name);
  throw new InputError(`${module.name} has no graph ${graph}; it has ${list(names)}`);
}

export function globalOf(module: ProgramModule, name: string): Global {
  const found = module.globals.get(name);
  if (!found) throw new InputError(`${module.name} has no parameter or state ${name}`);
  return found;
}

/** Throws an InputError where a tensor does not fit the parameter or state that is to be set to it. */
export function checkGlobal(name: string, type: TensorType, tensor: Tensor): void {
  const shape = evaluateShape(type.shape, {});
  if (type.dtype !== tensor.dtype || String(shape) !== String(tensor.shape)) {
    const [found, expected] = [describe(tensor.dtype, tensor.shape), describe(type.dtype, shape)];
    throw new InputError(`${name} is ${expected}, and was given ${found}`);
  }
  checkLength(name, tensor);
}

const list = (names: readonly string[]): string => (names.length === 0 ? "none" : names.join(", "));
const describe = (dtype: DType, shape: readonly number[]): string => `${dtype}[${shape.join(", ")}]`;
const countOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

function checkLength(name: string, { shape, data }: Tensor): void {
  if (data.length === countOf(shape)) return;
  throw new InputError(`${name} has the shape [${shape.join(", ")}], but ${data.length} elements`);
}

/** Checks the inputs of a graph; gives its free sizes. */
export function checkInputs(
  program: Program,
  inputs: Tensors,
  given: Readonly<Record<string, number>>,
): Readonly<Record<string, number>> {
  const declared = program.inputs.map((input) => input.name);
  const missing = declared.filter((name) => !inputs[name]);
  if (missing.length > 0) {
    throw new InputError(
      `${program.name} needs ${list(missing)}; its inputs are ${list(declared)}, given are ${list(Object.keys(inputs))}`,
    );
  }
  const unknown = Object.keys(inputs).filter((name) => !declared.includes(name));
  if (unknown.length > 0)
    throw new InputError(`${program.name} has no input ${list(unknown)}; its inputs are ${list(declared)}`);
  const pairs = program.inputs.map(({ name, type }): ShapePair => {
    const tensor = inputs[name]!;
    if (tensor.dtype !== type.dtype) throw new InputError(`${name} is ${tensor.dtype}, expected ${type.dtype}`);
    checkLength(name, tensor);
    return { name, declared: type.shape, given: tensor.shape };
  });
  const sizes = solve(pairs, given);
  const open = program.sizes.filter((size) => sizes[size] === undefined);
  if (open.length > 0) throw new InputError(`${program.name} needs the size ${list(open)}, which no input has`);
  const wrong = unfulfilled(program.requirements, sizes, program.sizes);
  if (wrong !== undefined) throw new InputError(wrong);
  return sizes;
}

function solve(pairs: readonly ShapePair[], given: Readonly<Record<string, number>>): Readonly<Record<string, number>> {
  try {
    return solveSizes(pairs, given);
  } catch (error) {
    if (error instanceof SizeError) throw new InputError(error.message);
    throw error;
  }
}

function view(memory: ArrayBufferLike, dtype: DType, offset: number, length: number): TypedArray {
  switch (dtype) {
    case "f32":
      return new Float32Array(memory, offset, length);
    case "f16":
      return new Uint16Array(memory, offset, length);
    case "i32":
      return new Int32Array(memory, offset, length);
    case "i8":
      return new Int8Array(memory, offset, length);
    case "u8":
    case "bool":
      return new Uint8Array(memory, offset, length);
  }
}

const tensorIn = (memory: ArrayBufferLike, dtype: DType, shape: readonly number[], offset: number): Tensor => ({
  dtype,
  shape,
  data: view(memory, dtype, offset, countOf(shape)),
});

const copyOf = (tensor: Tensor): Tensor => ({ ...tensor, data: tensor.data.slice() });
