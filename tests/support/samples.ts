// Tensors for the samples that operations declare: seeded, so that each run sees the same.

import type { ReferenceTensor, SampleTensor } from "../../src/ir/op.ts";
import { countOf } from "../../src/ir/reference.ts";

/** Uniform numbers from 0 to 1, always the same for one seed (a linear congruential generator, multiplier of Numerical Recipes). */
function createRandom(seed: number): () => number {
  let state = (seed * 7919 + 12345) >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state + 0.5) / 2 ** 32;
  };
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
