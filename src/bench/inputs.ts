// Inputs for measurements: random numbers of the declared types, the same in every run.

import { evaluateDim, type Sizes, symbolsOf } from "../ir/dim.ts";
import { allocate, type DType, type Tensor } from "../ir/dtype.ts";
import type { TensorType } from "../ir/graph.ts";

interface Input {
  readonly name: string;
  readonly type: TensorType;
}

/** The free size that a batch is: the first axis of the first input that has a name for it. */
export function batchSizeOf(inputs: readonly Input[]): string | undefined {
  for (const { type } of inputs) {
    const [first] = type.shape;
    const [only, ...more] = first === undefined ? [] : symbolsOf(first);
    if (only !== undefined && more.length === 0) return only;
  }
  return undefined;
}

/**
 * Random inputs: floats from -1 to 1, integers from 0 to 9 (labels, tokens), bytes from 0 to 255, truth values. The inputs that
 * every graph may ask for have fixed values: `key` [0, 0], `step` 1.
 */
export function randomInputs(inputs: readonly Input[], sizes: Sizes): Record<string, Tensor> {
  const next = uniform();
  const given = inputs.map(({ name, type: { dtype, shape } }): readonly [string, Tensor] => {
    const dims = shape.map((dim) => evaluateDim(dim, sizes));
    const data = allocate(
      dtype,
      dims.reduce((a, b) => a * b, 1),
    );
    if (name === "step") data.fill(1);
    else if (name !== "key") for (let i = 0; i < data.length; i++) data[i] = element(dtype, next());
    return [name, { dtype, shape: dims, data }];
  });
  return Object.fromEntries(given);
}

/** An element of a typed array for a number in [0, 1). */
function element(dtype: DType, random: number): number {
  switch (dtype) {
    case "f32":
      return 2 * random - 1;
    case "f16":
      // From 0.5 to 1: the bits of a half with the exponent of 0.5.
      return 0x3800 + Math.floor(random * 0x400);
    case "i32":
    case "i8":
      return Math.floor(random * 10);
    case "u8":
      return Math.floor(random * 256);
    case "bool":
      return random < 0.5 ? 0 : 1;
  }
}

/** Numbers in [0, 1): a multiplicative congruential generator (Lehmer; Park and Miller, "Random number generators", 1988). */
function uniform(): () => number {
  let state = 1;
  return () => {
    state = (state * 48271) % 2147483647;
    return state / 2147483647;
  };
}
