// A few kernels as text, for people to read: UPDATE=1 renews the files, and the difference says what changed.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type Dim, symbol } from "../../src/ir/dim.ts";
import { createGraphBuilder, type Emit, type GraphBuilder } from "../../src/ir/emit.ts";
import type { GraphInput, Value } from "../../src/ir/graph.ts";
import { printKernel } from "../../src/ir/kernel/print.ts";
import { callsIn } from "../../src/ir/kernel/program.ts";
import { jsTarget, type Target, wasmTarget } from "../../src/ir/target.ts";
import { fuseGraph } from "../../src/passes/graph/fuse.ts";
import { lowerGraph } from "../../src/passes/lower/index.ts";
import { trivialPlan } from "../support/lowered.ts";

const N = symbol("N");
const folder = join(import.meta.dirname, "golden");

type Input = (name: string, ...shape: Dim[]) => GraphInput;

const cases: Readonly<Record<string, (e: Emit, input: Input) => readonly Value[]>> = {
  "dense-relu": (e, input) => {
    const dot = e.value("dot", [input("x", N, 64), input("kernel", 64, 6)], {
      batch: [[], []],
      contract: [[1], [0]],
    });
    return [e.value("maximum", [e.add(dot, e.broadcast(input("bias", 6), [N, 6], [1])), 0])];
  },
  "conv-bias-relu": (e, input) => {
    const convolution = e.value("convolution", [input("image", N, 8, 8, 3), input("kernel", 3, 3, 3, 4)], {
      layout: "b01f,01io->b01f",
      strides: [1, 1],
      padding: [
        [1, 1],
        [1, 1],
      ],
      lhs_dilation: [1, 1],
      rhs_dilation: [1, 1],
      groups: 1,
      batch_groups: 1,
    });
    return [e.value("maximum", [e.add(convolution, e.broadcast(input("bias", 4), [N, 8, 8, 4], [3])), 0])];
  },
  softmax: (e, input) => {
    const x = input("x", N, 10);
    const spread = (v: Value): Value => e.broadcast(v, [N, 10], [0]);
    const exp = e.value("exponential", [e.subtract(x, spread(e.reduce("max", x, [1])))]);
    return [e.divide(exp, spread(e.reduce("sum", exp, [1])))];
  },
  adam: (e, input) => {
    const [w, g, m, v] = [input("w", 4, 5), input("g", 4, 5), input("m", 4, 5), input("v", 4, 5)];
    const rate = e.broadcast(input("rate"), [4, 5], []);
    const m1 = e.add(e.multiply(m, 0.9), e.multiply(g, 0.1));
    const v1 = e.add(e.multiply(v, 0.999), e.multiply(e.multiply(g, g), 0.001));
    const step = e.divide(e.multiply(rate, m1), e.add(e.value("sqrt", [v1]), 1e-7));
    return [e.subtract(w, step), m1, v1];
  },
  "max-pool": (e, input) => [
    e.value("reduce_window", [input("x", N, 4, 4, 8)], {
      kind: "max",
      window: [1, 2, 2, 1],
      strides: [1, 2, 2, 1],
      padding: [
        [0, 0],
        [0, 0],
        [0, 0],
        [0, 0],
      ],
      dilation: [1, 1, 1, 1],
    }),
  ],
};

function kernelsOf(make: (e: Emit, input: Input) => readonly Value[], target: Target): string {
  const builder: GraphBuilder = createGraphBuilder("test");
  const input: Input = (name, ...shape) => builder.input(name, { dtype: "f32", shape });
  const outputs = make(builder.emit, input).map((value, i) => ({ name: `y${i}`, value }));
  const graph = fuseGraph(builder.build(outputs));
  const { program } = lowerGraph({ ...graph, memory: trivialPlan(graph) }, { target });
  return callsIn(program.steps)
    .map(({ call }) => printKernel(call.kernel))
    .join("\n");
}

/** All cases for scalars; for vectors those that show a schedule of their own. */
const goldens: readonly (readonly [string, string, Target])[] = [
  ...Object.keys(cases).map((name) => [name, name, jsTarget] as const),
  ...["dense-relu", "softmax", "max-pool"].map((name) => [`${name}-vectors`, name, wasmTarget({ fma: true })] as const),
];

describe("kernels", () => {
  for (const [name, example, target] of goldens) {
    it(name, () => {
      const text = kernelsOf(cases[example]!, target);
      const file = join(folder, `${name}.txt`);
      if (process.env.UPDATE) {
        mkdirSync(folder, { recursive: true });
        writeFileSync(file, text);
      }
      expect(text).toBe(readFileSync(file, "utf8"));
    });
  }
});
