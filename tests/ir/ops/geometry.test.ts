// Random shapes: convolutions, windows and reshapes whose strides, paddings, dilations, groups and layouts are drawn at random.
// An operation that is linear in an operand has Σ gradient · operand = loss, whatever the geometry: that checks its transpose.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Attributes } from "../../../src/ir/attributes.ts";
import { InferenceError, type ReferenceTensor, type SampleTensor } from "../../../src/ir/op.ts";
import { countOf } from "../../../src/ir/reference.ts";
import { createRandom, drawTensor, evaluate, find, gradientOf, lossOf, runGradients, runKernel } from "./support.ts";

const sum = (a: ReferenceTensor, b: ReferenceTensor): number =>
  a.data.reduce((total, x, i) => total + x * b.data[i]!, 0);

/** Kernel against reference; then the transposes with respect to the operands named, once and twice differentiated. */
function check(name: string, inputs: readonly SampleTensor[], attributes: Attributes, linear: readonly string[]): void {
  const op = find(name);
  try {
    op.infer(inputs, attributes);
  } catch (error) {
    // A window that does not fit.
    if (error instanceof InferenceError) fc.pre(false);
    throw error;
  }
  const random = createRandom(5);
  const tensors = inputs.map((given) => drawTensor(given, random));
  const rounded = tensors.map((x) => ({ ...x, data: x.data.map(Math.fround) }));
  const wanted = evaluate(name, rounded, attributes);
  const kernel = runKernel(op, rounded, attributes);
  wanted.data.forEach((value, i) => {
    if (Number.isFinite(value)) expect(kernel[i]).toBeCloseTo(value, 4);
    else expect(kernel[i]).toBe(value);
  });
  const first = lossOf(op, { inputs, attributes }, random);
  const once = runGradients(first);
  // A maximum over a window with nothing in it.
  if (!Number.isFinite(once.loss)) return;
  for (const operand of linear)
    expect(sum(once.gradients[operand]!, first.tensors[operand]!)).toBeCloseTo(once.loss, 9);
  const second = gradientOf(first, random);
  const twice = runGradients(second);
  // The gradient is linear in each weight too: v, of every gradient together.
  const weights = Object.keys(second.tensors).filter((given) => given.startsWith("v_"));
  const total = weights.reduce((all, given) => all + sum(twice.gradients[given]!, second.tensors[given]!), 0);
  expect(total).toBeCloseTo(twice.loss, 9);
}

const f32 = (...shape: number[]): SampleTensor => ({ dtype: "f32", shape, distribution: { kind: "normal" } });
const int = (min: number, max: number) => fc.integer({ min, max });

describe("convolution", () => {
  const axis = fc.record({
    size: int(1, 6),
    window: int(1, 3),
    stride: int(1, 3),
    low: int(-2, 3),
    high: int(-2, 3),
    dilation: int(1, 3),
    windowDilation: int(1, 3),
  });
  const layouts = [
    ["bf", "io"],
    ["fb", "oi"],
  ] as const;
  const geometry = fc.record({
    axes: fc.array(axis, { minLength: 1, maxLength: 2 }),
    groups: fc.constantFrom([1, 1], [2, 1], [3, 1], [1, 2]),
    batch: int(1, 2),
    inputs: int(1, 2),
    outputs: int(1, 2),
    front: fc.boolean(),
    swapped: int(0, 1),
  });

  test("agrees with its kernel, and its gradients with it", () => {
    fc.assert(
      fc.property(
        geometry,
        ({ axes, groups: [groups = 1, batchGroups = 1], batch, inputs, outputs, front, swapped }) => {
          const digits = axes.map((_, i) => i).join("");
          const letters = ([a, b]: readonly string[] | string): string =>
            front ? `${a}${b}${digits}` : `${a}${digits}${b}`;
          const [data, weights] = layouts[swapped]!;
          const layout = `${letters(data)},${letters(weights)}->${letters("bf")}`;
          const shape = (text: string, sizes: Record<string, number>, along: readonly number[]): number[] =>
            [...text].map((letter) => sizes[letter] ?? along[Number(letter)]!);
          const lhs = shape(
            letters(data),
            { b: batch * batchGroups, f: inputs * groups },
            axes.map((a) => a.size),
          );
          const kernel = shape(
            letters(weights),
            { i: inputs, o: outputs * groups * batchGroups },
            axes.map((a) => a.window),
          );
          const attributes = {
            layout,
            strides: axes.map((a) => a.stride),
            padding: axes.map((a) => [a.low, a.high]),
            lhs_dilation: axes.map((a) => a.dilation),
            rhs_dilation: axes.map((a) => a.windowDilation),
            groups,
            batch_groups: batchGroups,
          };
          check("convolution", [f32(...lhs), f32(...kernel)], attributes, ["x0", "x1"]);
        },
      ),
      { numRuns: 80, seed: 1 },
    );
  });
});

describe("windows", () => {
  const axis = fc.record({
    size: int(1, 7),
    window: int(1, 3),
    stride: int(1, 3),
    low: int(-1, 2),
    high: int(-1, 2),
    dilation: int(1, 3),
  });
  const kind = fc.constantFrom("sum", "max", "min");

  test("agree with their kernels, and their gradients with them", () => {
    fc.assert(
      fc.property(fc.array(axis, { minLength: 1, maxLength: 3 }), kind, (axes, chosen) => {
        const attributes = {
          kind: chosen,
          window: axes.map((a) => a.window),
          strides: axes.map((a) => a.stride),
          padding: axes.map((a) => [a.low, a.high]),
          dilation: axes.map((a) => a.dilation),
        };
        const shape = axes.map((a) => a.size);
        check("reduce_window", [f32(...shape)], attributes, ["x0"]);
        if (chosen === "sum") return;
        const counts = evaluate("reduce_window", [drawTensor(f32(...shape), createRandom(1))], attributes).shape;
        check("window_select", [f32(...shape), f32(...shape)], attributes, ["x1"]);
        check("window_scatter", [f32(...shape), f32(...counts)], attributes, ["x1"]);
      }),
      { numRuns: 150, seed: 2 },
    );
  });
});

describe("movement", () => {
  /** Two shapes of as many elements: the factors of one number, shuffled and multiplied together in two ways. */
  const shapes = fc
    .tuple(
      fc.array(fc.constantFrom(1, 2, 2, 3, 5), { maxLength: 5 }),
      fc.array(fc.boolean(), { minLength: 10, maxLength: 10 }),
      int(0, 99),
    )
    .map(([factors, cuts, seed]) => {
      const random = createRandom(seed);
      const shuffled = [...factors].sort(() => random() - 0.5);
      const group = (list: readonly number[], from: number): number[] => {
        const done: number[] = [];
        list.forEach((factor, i) => {
          const last = done.at(-1);
          if (last === undefined || cuts[from + i]) done.push(factor);
          else done[done.length - 1] = last * factor;
        });
        return done;
      };
      return [group(factors, 0), group(shuffled, 5)] as const;
    });

  test("reshapes keep the order of elements", () => {
    fc.assert(
      fc.property(shapes, ([source, target]) => {
        expect(countOf(source)).toBe(countOf(target));
        check("reshape", [f32(...source)], { shape: target }, ["x0"]);
      }),
      { numRuns: 200, seed: 3 },
    );
  });

  const span = fc.record({ size: int(1, 5), low: int(-3, 3), high: int(-3, 3), interior: int(0, 2) });

  test("padding of either sign", () => {
    fc.assert(
      fc.property(fc.array(span, { minLength: 1, maxLength: 3 }), (axes) => {
        const attributes = {
          low: axes.map((a) => a.low),
          high: axes.map((a) => a.high),
          interior: axes.map((a) => a.interior),
          value: 0,
        };
        check("pad", [f32(...axes.map((a) => a.size))], attributes, ["x0"]);
      }),
      { numRuns: 200, seed: 4 },
    );
  });
});
