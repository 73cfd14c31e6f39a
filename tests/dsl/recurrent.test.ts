// Recurrent layers of the library: both directions, the last state, and masks for sequences of unequal length.

import { describe, expect, it } from "vitest";
import type { ReferenceTensor } from "../../src/ir/op.ts";
import { randomInputs } from "../support/graphs.ts";
import { initialOf, moduleOf, numbers, runGraph } from "./elaborated.ts";

const sizes = { N: 2, T: 4 };

/** The outputs of a model over x, f32[N, T, 3], and m, bool[N, T], of which the first row ends after two steps. */
function outputsOf(outputs: string, body: string): Record<string, ReferenceTensor> {
  const module = moduleOf(`model M(x: f32[N, T, 3], m: bool[N, T]) -> (${outputs}) {\n${body}\n}`);
  const graph = module.graphs.get("infer")!;
  const inputs = {
    ...randomInputs(graph, sizes, 3),
    m: { dtype: "bool" as const, shape: [2, 4], data: Float64Array.of(1, 1, 0, 0, 1, 1, 1, 1) },
  };
  return runGraph(module, "infer", inputs, initialOf(module)).outputs;
}

const layers = ["simple_rnn", "gru", "lstm"] as const;

describe.each(layers)("%s", (layer) => {
  const call = (options: string, as: string): string => `x |> ${layer}(5${options}) as ${as}`;

  it("gives all states or the last one, in either direction", () => {
    const body = `  all = ${call("", "l")}
  last = ${call(", last: true", "k")}
  back = ${call(", reversed: true", "r")}
  first = ${call(", reversed: true, last: true", "s")}`;
    // Four layers have four sets of weights: those of the first are given to all of them.
    const module = moduleOf(
      `model M(x: f32[N, T, 3]) -> (all: f32[N, T, 5], last: f32[N, 5], back: f32[N, T, 5], first: f32[N, 5]) {\n${body}\n}`,
    );
    const initial = initialOf(module);
    const globals = new Map([...initial.keys()].map((name) => [name, initial.get(`l.${name.slice(2)}`)!]));
    const inputs = randomInputs(module.graphs.get("infer")!, sizes, 3);
    const { all, last, back, first } = runGraph(module, "infer", inputs, globals).outputs;
    const stateAt = (states: ReferenceTensor, n: number, t: number): number[] =>
      [...states.data].slice((n * 4 + t) * 5, (n * 4 + t + 1) * 5);
    expect(numbers(last!)).toEqual([...stateAt(all!, 0, 3), ...stateAt(all!, 1, 3)]);
    expect(numbers(first!)).toEqual([...stateAt(back!, 0, 0), ...stateAt(back!, 1, 0)]);
    const turned = { x: { ...inputs.x!, data: reversedSteps(inputs.x!.data, 3) } };
    const forwards = runGraph(module, "infer", turned, globals).outputs.all!;
    expect(numbers(back!)).toEqual([...reversedSteps(forwards.data, 5)]);
  });

  it("leaves masked steps out", () => {
    const { whole, short, back, shortBack, last, shortLast } = outputsOf(
      "whole: f32[N, T, 5], short: f32[N, 2, 5], back: f32[N, T, 5], shortBack: f32[N, 2, 5], last: f32[N, 5], shortLast: f32[N, 5]",
      `  whole = run(x, m, false, false)
  short = run(x[:, :2], m[:, :2], false, false)
  back = run(x, m, true, false)
  shortBack = run(x[:, :2], m[:, :2], true, false)
  last = run(x, m, false, true)
  shortLast = run(x[:, :2], m[:, :2], false, true)
}
initializer ramp(shape: int[]) = reshape(sin(arange(prod(shape))), shape)
block run(x: f32[N, T, 3], m: bool[N, T], back: bool, last: bool) {
  x |> ${layer}(5, mask: m, reversed: back, last: last, kernel_init: ramp, recurrent_init: ramp)`,
    );
    const row = (states: ReferenceTensor, steps: number): number[] => [...states.data].slice(0, steps * 5);
    const zeros = Array.from({ length: 10 }, () => 0);
    expect(row(whole!, 4)).toEqual([...row(short!, 2), ...zeros]);
    expect(row(back!, 4)).toEqual([...row(shortBack!, 2), ...zeros]);
    expect(row(last!, 1)).toEqual(row(shortLast!, 1));
  });
});

/** Two rows of four steps, the last step first. */
function reversedSteps(data: Float64Array, width: number): Float64Array {
  const turned = new Float64Array(data.length);
  for (let n = 0; n < 2; n++)
    for (let t = 0; t < 4; t++)
      turned.set(data.subarray((n * 4 + t) * width, (n * 4 + t + 1) * width), (n * 4 + 3 - t) * width);
  return turned;
}

describe("bidirectional", () => {
  it("puts the states of both directions side by side", () => {
    const { y, a, b } = outputsOf(
      "y: f32[N, T, 6], a: f32[N, T, 3], b: f32[N, T, 3]",
      `  y = x |> bidirectional(plain, 3)
  a = plain(x, 3)
  b = plain(x, 3, reversed: true)
}
initializer ramp(shape: int[]) = reshape(sin(arange(prod(shape))), shape)
block plain(x: f32[N, T, D], units: int, last: bool = false, mask = none, reversed: bool = false) {
  x |> gru(units, last: last, mask: mask, reversed: reversed, kernel_init: ramp, recurrent_init: ramp)`,
    );
    const joined = Array.from({ length: 8 }, (_, i) => [
      ...a!.data.subarray(3 * i, 3 * i + 3),
      ...b!.data.subarray(3 * i, 3 * i + 3),
    ]);
    expect(numbers(y!)).toEqual(joined.flat());
  });
});
