// What a bundle contains besides its kernels: checks inputs, lays memory out for their sizes, and runs the one graph.
// `npm run generate` turns this file into the text that the bundle emitter prints; it imports nothing of the compiler.

import type { Create } from "./compile.ts";
import { align, place } from "./layout.ts";

const arrays = {
  f32: Float32Array,
  f16: Uint16Array,
  i32: Int32Array,
  u8: Uint8Array,
  i8: Int8Array,
  bool: Uint8Array,
} as const;

type Sizes = Record<string, number>;

/** A size of an axis: fixed, free under a name, or worked out from the free ones. */
type Axis = number | string | ((sizes: Sizes) => number);

interface Signature {
  readonly name: string;
  readonly dtype: keyof typeof arrays;
  readonly shape: readonly Axis[];
}

export interface Description {
  readonly name: string;
  readonly graph: string;
  /** Free sizes, in the order in which the graph's function takes them. */
  readonly sizes: readonly string[];
  readonly inputs: readonly Signature[];
  /** `start` gives the first byte, from the offsets of inputs and of the arena. */
  readonly outputs: readonly (Signature & {
    readonly start: (sizes: Sizes, inputs: readonly number[], arena: readonly number[]) => number;
  })[];
  /** Bytes of the buffers of the arena, in order of placement, and the calls during which each is alive. */
  readonly buffers: readonly (readonly [bytes: (sizes: Sizes) => number, first: number, last: number])[];
  /** What must be 0 or more for the sizes of a call, and what is wrong where it is not. */
  readonly requirements: readonly (readonly [value: (sizes: Sizes) => number, text: string])[];
  /** Bytes of parameters and states, in base64, at the start of memory. */
  readonly weights: string;
}

type Data = ArrayLike<number>;
type Given = number | Data | { readonly data: Data; readonly shape?: readonly number[] };

interface Tensor {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data: ArrayLike<number>;
}

/** The function that a bundle exports. */
export function createModel(
  model: Description,
  create: Create,
): (inputs: Record<string, Given>) => Record<string, Tensor> {
  const weights = Uint8Array.from(atob(model.weights), (character) => character.charCodeAt(0));
  const start = align(weights.length);
  let memory = weights.buffer;
  let run: ReturnType<Create> | undefined;

  return (inputs) => {
    if (typeof inputs !== "object" || inputs === null) fail("the inputs are an object");
    for (const name of Object.keys(inputs)) {
      if (!model.inputs.some((input) => input.name === name)) fail(`there is no input ${name}`);
    }
    const sizes: Sizes = {};
    const given = model.inputs.map((input) => {
      // Seed and step of random numbers may be left out.
      const value = inputs[input.name] ?? (input.name === "key" ? [0, 0] : fail(`input ${input.name} is missing`));
      const plain = typeof value === "number" && input.shape.length === 0 ? [value] : value;
      const { data, shape } = typeof plain === "object" && "data" in plain ? plain : { data: plain, shape: undefined };
      if (!isNumbers(data) || (shape !== undefined && !isNumbers(shape)))
        fail(`${input.name} should be a flat array of numbers, or { data, shape }`);
      return { data, shape };
    });
    // What says its shape tells the free sizes first; the others follow from the number of elements.
    model.inputs.forEach((input, i) => {
      const shape = given[i]!.shape;
      if (shape) solve(input, shape, sizes);
    });
    model.inputs.forEach((input, i) => {
      const { data, shape } = given[i]!;
      if (!shape) solveByCount(input, data.length, sizes);
    });

    model.inputs.forEach((input, i) => {
      const { data, shape } = given[i]!;
      const wanted = shapeOf(input, sizes);
      if (data.length === product(wanted) && (!shape || String(shape) === String(wanted))) return;
      const found = shape ? `shape [${shape.join(", ")}] and ` : "";
      fail(`${input.name} has ${found}${data.length} elements, expected ${describe(input)}`);
    });
    for (const [value, text] of model.requirements) {
      if (value(sizes) < 0) fail(`${text}, for ${model.sizes.map((name) => `${name} = ${sizes[name]}`).join(", ")}`);
    }
    const { offsets, arena, bytes } = layout(sizes);
    if (!run || memory.byteLength < bytes) {
      // V8 takes typed arrays for constants only in the first closure made of a text: make it over a memory that is likely to last.
      // Pages that are never touched cost nothing.
      const ample = layout(Object.fromEntries(model.sizes.map((name) => [name, (sizes[name] ?? 0) * 32]))).bytes;
      const grown = new ArrayBuffer(Math.max(bytes, Math.min(ample, 2 ** 26)));
      new Uint8Array(grown).set(new Uint8Array(memory, 0, weights.length));
      memory = grown;
      run = create(grown);
    }
    model.inputs.forEach((input, i) => {
      new arrays[input.dtype](memory, offsets[i]!, given[i]!.data.length).set(given[i]!.data);
    });
    run[model.graph]!(...model.sizes.map((name) => sizes[name]!), ...offsets, arena);
    return Object.fromEntries(
      model.outputs.map((output) => {
        const shape = shapeOf(output, sizes);
        const from = output.start(sizes, offsets, arena);
        const data = new arrays[output.dtype](memory, from, product(shape)).slice();
        return [output.name, { dtype: output.dtype, shape, data }];
      }),
    );
  };

  function layout(sizes: Sizes) {
    let end = start;
    const offsets = model.inputs.map((input) => {
      const offset = end;
      end += align(product(shapeOf(input, sizes)) * arrays[input.dtype].BYTES_PER_ELEMENT);
      return offset;
    });
    const buffers = model.buffers.map(([size]) => size(sizes));
    const lives = model.buffers.map(([, first, last]) => ({ first, last }));
    const arena = place(buffers, lives, end);
    return { offsets, arena, bytes: arena.reduce((most, at, i) => Math.max(most, at + align(buffers[i]!)), end) };
  }

  function fail(what: string): never {
    throw new TypeError(
      `${model.name}: ${what}; it takes ${model.inputs.map((i) => `${i.name}: ${describe(i)}`).join(", ")}`,
    );
  }

  function describe({ dtype, shape }: Signature): string {
    return `${dtype}[${shape.map((axis) => (typeof axis === "function" ? "…" : axis)).join(", ")}]`;
  }

  function solve(input: Signature, shape: readonly number[], sizes: Sizes): void {
    if (shape.length !== input.shape.length)
      fail(`${input.name} has shape [${shape.join(", ")}], expected ${describe(input)}`);
    input.shape.forEach((axis, i) => {
      if (typeof axis !== "string") return;
      const known = sizes[axis];
      if (known !== undefined && known !== shape[i])
        fail(`${axis} is ${known} for one input, ${shape[i]} for ${input.name}`);
      sizes[axis] = shape[i]!;
    });
  }

  function solveByCount(input: Signature, count: number, sizes: Sizes): void {
    const open = input.shape.filter((axis) => typeof axis === "string" && sizes[axis] === undefined);
    const [only] = open;
    if (only === undefined) return;
    if (open.length > 1) fail(`${input.name} needs a shape: { data, shape }`);
    const rest = product(input.shape.map((axis) => (axis === only ? 1 : sizeOf(axis, sizes))));
    if (count % rest !== 0) fail(`${input.name} has ${count} elements, expected ${describe(input)}`);
    sizes[String(only)] = rest === 0 ? 0 : count / rest;
  }
}

/** Typed arrays are; other arrays are looked through, since an array in an array would become NaN. */
function isNumbers(given: unknown): given is Data {
  if (ArrayBuffer.isView(given)) return "length" in given && !/^Big/.test(given.constructor.name);
  return Array.isArray(given) && given.every((item) => typeof item === "number");
}

const product = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

function sizeOf(axis: Axis, sizes: Sizes): number {
  if (typeof axis === "function") return axis(sizes);
  return typeof axis === "number" ? axis : sizes[axis]!;
}

const shapeOf = ({ shape }: Signature, sizes: Sizes): number[] => shape.map((axis) => sizeOf(axis, sizes));
