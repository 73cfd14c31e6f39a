// What a bundle contains besides its kernels, on JavaScript and on WebAssembly: takes inputs, lays memory out for their sizes, and
// runs the one graph. `npm run generate` turns this file into text that the bundle emitter prints.

import { align, place } from "../../runtime/layout.ts";
import {
  arrays,
  type Description,
  type Given,
  product,
  readInputs,
  type Signature,
  type Sizes,
  shapeOf,
  type Tensor,
} from "./inputs.ts";

export interface Laid extends Description {
  /** `start` gives the first byte, from the offsets of inputs and of the arena. */
  readonly outputs: readonly (Signature & {
    readonly start: (sizes: Sizes, inputs: readonly number[], arena: readonly number[]) => number;
  })[];
  /** Bytes of the buffers of the arena, in order of placement, and the calls during which each is alive. */
  readonly buffers: readonly (readonly [bytes: (sizes: Sizes) => number, first: number, last: number])[];
}

/** Memory that begins with the parameters and states, and the one graph that runs in it. */
export interface Machine {
  /** The memory, of so many bytes at least. `ample` gives what it would take if the free sizes grew. */
  reserve(bytes: number, ample: () => number): ArrayBuffer;
  /**
   * Free sizes, then offsets in bytes of the inputs and of the arena's buffers; `end` is the first byte behind all of them. Where
   * `ahead`, what can be worked out ahead of runs is worked out first.
   */
  run(sizes: readonly number[], inputs: readonly number[], arena: readonly number[], end: number, ahead: boolean): void;
}

/** The function that a bundle exports. `kept` are the bytes of parameters and states, and of what is made of them. */
export function createModel(
  model: Laid,
  kept: number,
  machine: Machine,
): (inputs: Record<string, Given>) => Record<string, Tensor> {
  const start = align(kept);
  /** The memory of the last run, which has what is worked out ahead of runs. */
  let last: ArrayBuffer | undefined;

  return (inputs) => {
    const { sizes, data } = readInputs(model, inputs);
    const { offsets, arena, bytes } = layout(sizes);
    const ample = () => layout(Object.fromEntries(model.sizes.map((name) => [name, (sizes[name] ?? 0) * 32]))).bytes;
    const memory = machine.reserve(bytes, ample);
    model.inputs.forEach((input, i) => {
      new arrays[input.dtype](memory, offsets[i]!, data[i]!.length).set(data[i]!);
    });
    const values = model.sizes.map((name) => sizes[name]!);
    machine.run(values, offsets, arena, bytes, memory !== last);
    last = memory;
    return Object.fromEntries(
      model.outputs.map((output) => {
        const shape = shapeOf(output, sizes);
        const from = output.start(sizes, offsets, arena);
        const result = new arrays[output.dtype](memory, from, product(shape)).slice();
        return [output.name, { dtype: output.dtype, shape, data: result }];
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
}
