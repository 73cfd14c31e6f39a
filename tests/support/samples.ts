// Tensors for the samples that operations declare: seeded, so that each run sees the same.

import type { Attributes } from "../../src/ir/attributes.ts";
import {
  InferenceError,
  type Operation,
  type ReferenceTensor,
  type Sample,
  type SampleTensor,
} from "../../src/ir/op.ts";
import { countOf } from "../../src/ir/reference.ts";

/** Uniform numbers from 0 to 1, always the same for one seed (a linear congruential generator, multiplier of Numerical Recipes). */
function createRandom(seed: number): () => number {
  let state = (seed * 7919 + 12345) >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state + 0.5) / 2 ** 32;
  };
}

/** The samples of an operation, and the first of those that take floats in half precision, where the operation takes such. */
export function samplesOf({ samples, infer }: Operation): readonly Sample<Attributes>[] {
  const taken = samples.flatMap((sample) => {
    if (!sample.inputs.some(({ dtype, shape }) => dtype === "f32" && countOf(shape) > 0)) return [];
    const inputs = sample.inputs.map((input) => (input.dtype === "f32" ? { ...input, dtype: "f16" as const } : input));
    try {
      infer(inputs, sample.attributes);
    } catch (error) {
      if (error instanceof InferenceError) return [];
      throw error;
    }
    return [{ ...sample, inputs }];
  });
  return [...samples, ...taken.slice(0, 1)];
}

export function sampleTensor({ dtype, shape, distribution }: SampleTensor, seed: number): ReferenceTensor {
  const random = createRandom(seed);
  const count = countOf(shape);
  const make = (element: (i: number) => number): ReferenceTensor => ({
    dtype,
    shape: [...shape],
    data: Float64Array.from({ length: count }, (_, i) => element(i)),
  });
  switch (distribution.kind) {
    case "normal":
      return make(() => Math.sqrt(-2 * Math.log(random())) * Math.cos(2 * Math.PI * random()));
    case "uniform":
      return make(() => distribution.low + random() * (distribution.high - distribution.low));
    case "integers":
      return make(() => distribution.low + Math.floor(random() * (distribution.high - distribution.low + 1)));
    case "values":
      return make((i) => distribution.values[i]!);
    case "spaced": {
      const order = Array.from({ length: count }, (_, i) => ({ i, key: random() })).sort((a, b) => a.key - b.key);
      const places = new Float64Array(count);
      order.forEach(({ i }, place) => {
        places[i] = (place - count / 2 + 0.25) * 0.1;
      });
      return make((i) => places[i]!);
    }
  }
}
