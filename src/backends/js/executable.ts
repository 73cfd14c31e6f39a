// Runs a lowered module in the page or process that compiled it: keeps its memory, copies inputs in and outputs out.

import { bytesOf, type DType, type Tensor, type TypedArray } from "../../ir/dtype.ts";
import type { TensorType } from "../../ir/graph.ts";
import type { Program, ProgramModule } from "../../ir/kernel/program.ts";
import type { Place } from "../../ir/memory-plan.ts";
import { evaluateShape, type ShapePair, SizeError, solveSizes } from "../../ir/sizes.ts";
import { type Executable, InputError, type Tensors } from "../backend.ts";
import { renderModule } from "./render.ts";
import { type Create, compile } from "./runtime/compile.ts";
import { evaluate, globalOffsets, type Layout, layoutOf } from "./runtime/layout.ts";

export interface ExecutableOptions {
  /** Makes the functions of one graph; by default its generated JavaScript, compiled. Tests put an interpreter here. */
  readonly create?: (module: ProgramModule, graph: string) => Create;
}

interface Prepared {
  readonly program: Program;
  /** The functions over `memory`; made anew when the memory has grown. */
  functions: ReturnType<Create> | undefined;
  memory: ArrayBuffer | undefined;
  readonly layouts: Map<string, Layout>;
}

/** Compiles each graph at its first run. All parameters and states are zero at first. */
export function createExecutable(module: ProgramModule, options: ExecutableOptions = {}): Executable {
  const { create = (m: ProgramModule, graph: string): Create => compile(renderModule(m, [graph])) } = options;
  const globals = globalOffsets(module.globals);
  const prepared = new Map<string, Prepared>();
  let memory = new ArrayBuffer(Math.max(globals.bytes, 16));

  const prepare = (graph: string): Prepared => {
    const known = prepared.get(graph);
    if (known) return known;
    const program = module.programs.get(graph);
    if (!program)
      throw new InputError(`${module.name} has no graph ${graph}; it has ${list([...module.programs.keys()])}`);
    const made: Prepared = { program, functions: undefined, memory: undefined, layouts: new Map() };
    prepared.set(graph, made);
    return made;
  };

  const reserve = (bytes: number): void => {
    if (bytes <= memory.byteLength) return;
    const grown = new ArrayBuffer(bytes);
    new Uint8Array(grown).set(new Uint8Array(memory, 0, globals.bytes));
    memory = grown;
  };

  const global = (name: string): { readonly type: TensorType; readonly offset: number } => {
    const found = module.globals.get(name);
    if (!found) throw new InputError(`${module.name} has no parameter or state ${name}`);
    return { type: found.type, offset: globals.byName.get(name)! };
  };

  return {
    run(graph, inputs, given = {}) {
      const entry = prepare(graph);
      const { program, layouts } = entry;
      const sizes = checkInputs(program, inputs, given);
      const key = program.sizes.map((size) => sizes[size]).join(",");
      const layout = layouts.get(key) ?? layoutOf(program, globals.bytes, sizes);
      layouts.set(key, layout);
      reserve(layout.bytes);
      // Compiled anew for each memory: V8 takes the arrays for constants only while a text has made its functions once.
      if (entry.memory !== memory || !entry.functions) {
        entry.memory = memory;
        entry.functions = create(module, graph)(memory);
      }
      program.inputs.forEach(({ name }, i) => {
        const { dtype, data } = inputs[name]!;
        view(memory, dtype, layout.inputs[i]!, data.length).set(data);
      });
      entry.functions[graph]!(...program.sizes.map((size) => sizes[size]!), ...layout.inputs, layout.arena);
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
      return Object.fromEntries(
        program.outputs.map(({ name, type, place }) => {
          const offset = start(place) + evaluate(place.offset, sizes) * bytesOf[type.dtype];
          return [name, tensorAt(memory, type.dtype, evaluateShape(type.shape, sizes), offset)];
        }),
      );
    },
    read(name) {
      const { type, offset } = global(name);
      return tensorAt(memory, type.dtype, evaluateShape(type.shape, {}), offset);
    },
    write(name, tensor) {
      const { type, offset } = global(name);
      const shape = evaluateShape(type.shape, {});
      if (type.dtype !== tensor.dtype || String(shape) !== String(tensor.shape)) {
        const [found, expected] = [describe(tensor.dtype, tensor.shape), describe(type.dtype, shape)];
        throw new InputError(`${name} is ${expected}, and was given ${found}`);
      }
      checkLength(name, tensor);
      view(memory, type.dtype, offset, tensor.data.length).set(tensor.data);
    },
  };
}

const list = (names: readonly string[]): string => (names.length === 0 ? "none" : names.join(", "));
const describe = (dtype: DType, shape: readonly number[]): string => `${dtype}[${shape.join(", ")}]`;
const countOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

function checkLength(name: string, { shape, data }: Tensor): void {
  if (data.length === countOf(shape)) return;
  throw new InputError(`${name} has the shape [${shape.join(", ")}], but ${data.length} elements`);
}

/** Checks the inputs of a graph; gives its free sizes. */
function checkInputs(
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

function view(memory: ArrayBuffer, dtype: DType, offset: number, length: number): TypedArray {
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

const tensorAt = (memory: ArrayBuffer, dtype: DType, shape: readonly number[], offset: number): Tensor => ({
  dtype,
  shape,
  data: view(memory, dtype, offset, countOf(shape)).slice(),
});
