// Long sums lose little to rounding: registers of float32 take parts of them, of at most so many terms as the target's schedules say.

import { describe, expect, it } from "vitest";
import { compile, load, type TargetName } from "../../../src/compile.ts";
import { evaluateDim } from "../../../src/ir/dim.ts";
import { createGraphBuilder, type Emit } from "../../../src/ir/emit.ts";
import type { Module, Value } from "../../../src/ir/graph.ts";
import { tilesFor } from "../../../src/passes/schedule/tiles.ts";

type Shape = readonly number[];

function moduleOf(x: Shape, w: Shape | undefined, make: (emit: Emit, operands: readonly Value[]) => Value): Module {
  const builder = createGraphBuilder("main");
  const operands = [x, w].flatMap((shape, i) =>
    shape ? [builder.input(i === 0 ? "x" : "w", { dtype: "f32" as const, shape })] : [],
  );
  const graph = builder.build([{ name: "y", value: make(builder.emit, operands) }]);
  return { name: "test", doc: "", globals: new Map(), graphs: new Map([["main", graph]]) };
}

/** The result for numbers between 0 and 1, of which no sum cancels. */
function resultOf(module: Module, target: TargetName): ArrayLike<number> {
  const compiled = compile(module, { target });
  let state = 1;
  const next = (): number => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return state / 0x7fffffff;
  };
  const inputs = compiled.programs.programs.get("main")!.inputs.map(({ name, type }) => {
    const shape = type.shape.map((size) => evaluateDim(size, {}));
    const data = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, next);
    return [name, { dtype: "f32" as const, shape, data }] as const;
  });
  return load(compiled).run("main", Object.fromEntries(inputs)).y!.data;
}

const product =
  (left: number, right: number) =>
  (emit: Emit, [x, w]: readonly Value[]): Value =>
    emit.value("dot", [x!, w!], { batch: [[], []], contract: [[left], [right]] });

/** The gradient of a convolution's weights, from its image and the gradient of its result. */
const weights = (emit: Emit, [x, d]: readonly Value[]): Value =>
  emit.value("convolution", [x!, d!], {
    layout: "f01b,i01o->01bf",
    strides: [1, 1],
    padding: [
      [0, 0],
      [0, 0],
    ],
    lhs_dilation: [1, 1],
    rhs_dilation: [1, 1],
    groups: 1,
    batch_groups: 1,
  });

describe("long sums in float32", () => {
  it.each<readonly [string, Module]>([
    ["over rows", moduleOf([20000, 12], undefined, (emit, [x]) => emit.reduce("sum", x!, [0]))],
    ["over rows of few columns", moduleOf([20000, 3], undefined, (emit, [x]) => emit.reduce("sum", x!, [0]))],
    ["over several axes", moduleOf([20, 30, 40, 8], undefined, (emit, [x]) => emit.reduce("sum", x!, [0, 1, 2]))],
    ["of the product of few rows", moduleOf([5, 20000], [20000, 9], product(1, 0))],
    ["of the product of one row", moduleOf([1, 20000], [20000, 70], product(1, 0))],
    ["of a product in blocks", moduleOf([20000, 16], [20000, 16], product(0, 0))],
    ["of the weights of a convolution", moduleOf([8, 60, 60, 2], [8, 58, 58, 4], weights)],
  ])("%s", (_, module) => {
    const [got, exact] = [resultOf(module, "wasm"), resultOf(module, "js")];
    // JavaScript sums up in float64 and rounds once. Rounding errors grow about as the root of the number of terms, or of parts.
    const { sumTerms } = tilesFor({ name: "wasm", lanes: 4, fma: true, wideAccumulators: false, loadsFirst: true });
    const most = Math.sqrt(sumTerms!) * 2 ** -24;
    const errors = Array.from(got, (value, i) => Math.abs(value - exact[i]!) / exact[i]!);
    expect(Math.max(...errors)).toBeLessThan(most);
  });
});
