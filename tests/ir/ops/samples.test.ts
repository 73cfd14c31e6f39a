// Generated from the registry: every operation on each of its samples. Types against the reference meaning, kernels against
// it, gradients and second derivatives against central differences.

import { describe, expect, test } from "vitest";
import type { Attributes } from "../../../src/ir/attributes.ts";
import { checkAttributes, type Operation, type Sample } from "../../../src/ir/op.ts";
import { operations } from "../../../src/ir/ops/index.ts";
import { countOf, numbersOf, stored } from "../../../src/ir/reference.ts";
import { fromHalf } from "../../../src/util/half.ts";
import { samplesOf } from "../../support/samples.ts";
import { compareGradients, createRandom, drawTensor, gradientOf, lossOf, relativeError, runKernel } from "./support.ts";

/** Whoever adds an operation without samples says so here. */
const withoutSamples = ["gradient", "fusion", "scan", "loop"];

const describeSample = ({ inputs, attributes }: Sample<Attributes>): string =>
  `${inputs.map(({ dtype, shape }) => `${dtype}[${shape}]`).join(" ")} ${JSON.stringify(attributes)}`;

function reference(op: Operation, sample: Sample<Attributes>) {
  const inputs = sample.inputs.map((given) => drawTensor(given, createRandom(7)));
  // Kernels read float32 and halves, so that both start from the same numbers.
  const rounded = inputs.map((x) => (x.dtype === "f32" ? { ...x, data: x.data.map(Math.fround) } : stored(x)));
  checkAttributes(op.name, op.schema, sample.attributes);
  const types = op.infer(rounded, sample.attributes).map(({ dtype, shape }) => ({ dtype, shape: numbersOf(shape) }));
  return { inputs: rounded, types, results: op.evaluate(rounded, sample.attributes, types).map(stored) };
}

describe.each(operations().map((op) => [op.name, op] as const))("%s", (name, op) => {
  test("has samples", () => {
    expect(op.samples.length > 0).toBe(!withoutSamples.includes(name));
  });

  test.each(samplesOf(op).map((sample) => [describeSample(sample), sample] as const))("%s", (_, sample) => {
    const { inputs, types, results } = reference(op, sample);
    expect(results.map(({ dtype, shape }) => ({ dtype, shape }))).toEqual(types);
    results.forEach((result, i) => {
      expect(result.data.length).toBe(countOf(types[i]!.shape));
    });

    const kernel = runKernel(op, inputs, sample.attributes);
    const [wanted] = results;
    if (wanted!.dtype === "f32") {
      wanted!.data.forEach((value, i) => {
        // Float32 holds 24 bits; sums and transcendental functions lose a few.
        if (!Number.isFinite(value)) expect(kernel[i]).toBe(value);
        else expect(Math.abs(kernel[i]! - value)).toBeLessThanOrEqual(2e-6 * Math.max(1, Math.abs(value)));
      });
    } else if (wanted!.dtype === "f16") {
      // Halves hold 11 bits; where a sum is collected in memory, each of its terms rounds.
      wanted!.data.forEach((value, i) => {
        const got = fromHalf(kernel[i]!);
        if (!Number.isFinite(value)) expect(got).toBe(value);
        else expect(Math.abs(got - value)).toBeLessThanOrEqual(2 ** -10 * Math.max(1, Math.abs(value)));
      });
    } else expect([...kernel]).toEqual([...wanted!.data]);

    // Differences of halves say nothing.
    if (sample.inputs.some(({ dtype }) => dtype === "f16")) return;
    if (!op.differentiate || types.every((type) => type.dtype !== "f32")) return;
    const random = createRandom(11);
    const first = lossOf(op, sample, random);
    for (const { name: input, analytic, numeric } of compareGradients(first, random))
      expect(relativeError(analytic, numeric), `gradient with respect to ${input}`).toBeLessThanOrEqual(1e-6);
    for (const { name: input, analytic, numeric } of compareGradients(gradientOf(first, random), random))
      expect(relativeError(analytic, numeric), `second derivative with respect to ${input}`).toBeLessThanOrEqual(1e-6);
  });
});
