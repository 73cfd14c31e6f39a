// Scans: a loop gives what its steps give one after the other, and so do its gradients, those of gradients, and every form that passes
// bring it into.

import { describe, expect, it } from "vitest";
import { compileSource } from "../../src/dsl/compile-source.ts";
import { renderDiagnostics } from "../../src/dsl/diagnostics.ts";
import type { Graph, Module } from "../../src/ir/graph.ts";
import { interpretGraph } from "../../src/ir/interpret.ts";
import type { ReferenceTensor } from "../../src/ir/op.ts";
import { parseModule } from "../../src/ir/parse.ts";
import { printModule } from "../../src/ir/print.ts";
import { parsePipeline, runPipeline } from "../../src/passes/pipeline.ts";
import { expectEqualTensors, randomInputs } from "../support/graphs.ts";

function moduleOf(text: string): Module {
  const { module, diagnostics } = compileSource({ name: "scan.dlm", text }, () => undefined);
  if (!module) throw new Error(renderDiagnostics(diagnostics));
  return module;
}

const inferOf = (module: Module): Graph => module.graphs.get("infer")!;

interface Case {
  readonly name: string;
  /** Of the model: what is taken, and the body up to `y`, over a scan or its unrolled form. */
  readonly inputs: string;
  readonly before: string;
  readonly scan: string;
  readonly unrolled: (steps: number) => string;
  /** What gradients are taken of. */
  readonly wrt: string;
}

const each = (steps: number, reversed: boolean, body: (t: number) => string): string =>
  Array.from({ length: steps }, (_, i) => body(reversed ? steps - 1 - i : i)).join("\n");

const stack = (steps: number): string =>
  `  y = concatenate([${Array.from({ length: steps }, (_, i) => `reshape(y${i}, [2, 1, 3])`).join(", ")}], axis: 1)`;

const cell = (x: string): string => `    u = tanh(${x} @ w + h @ k + b)
    h = (1 - s) * h + s * u`;

const cases: readonly Case[] = [
  {
    name: "of a recurrent cell",
    inputs: "x: f32[2, T, 3], k: f32[3, 3], w: f32[3, 3], b: f32[3], s: f32[]",
    before: "  h = zeros([2, 3]) + b",
    scan: `  y = scan v in x along 1 carry h {\n${cell("v")}\n    yield h\n  }`,
    unrolled: (steps) => `${each(steps, false, (t) => `${cell(`x[:, ${t}]`)}\n    y${t} = h`)}\n${stack(steps)}`,
    wrt: "[x, k, w, b, s]",
  },
  {
    name: "backwards, over two sequences, with a carry that nobody yields",
    inputs: "x: f32[2, T, 3], z: f32[2, T, 3], k: f32[3, 3], w: f32[3, 3], b: f32[3], s: f32[]",
    before: "  h = zeros([2, 3])\n  c = zeros([2, 3]) + b",
    scan: `  y = scan v, u in x, z along 1 reversed carry h, c {
    c = s * c + tanh(v @ w) * u
    h = tanh(c @ k) * h + c
    yield h * u
  }
  y = y + reshape(c, [2, 1, 3])`,
    unrolled: (steps) =>
      `${each(
        steps,
        true,
        (t) => `    c = s * c + tanh(x[:, ${t}] @ w) * z[:, ${t}]
    h = tanh(c @ k) * h + c
    y${t} = h * z[:, ${t}]`,
      )}\n${stack(steps)}\n  y = y + reshape(c, [2, 1, 3])`,
    wrt: "[x, z, k, w, b, s]",
  },
  {
    name: "that computes again instead of keeping",
    inputs: "x: f32[2, T, 3], k: f32[3, 3], w: f32[3, 3], b: f32[3], s: f32[]",
    before: "  h = zeros([2, 3])",
    scan: `  y = scan v in x along 1 recompute carry h {\n${cell("v")}\n    yield h + b * h\n  }`,
    unrolled: (steps) =>
      `${each(steps, false, (t) => `${cell(`x[:, ${t}]`)}\n    y${t} = h + b * h`)}\n${stack(steps)}`,
    wrt: "[x, k, w, b, s]",
  },
  {
    name: "in a scan",
    inputs: "x: f32[2, T, 3], k: f32[3, 3], w: f32[3, 3], b: f32[3], s: f32[]",
    before: "  h = zeros([2, 3])",
    scan: `  y = scan v in x along 1 carry h {
    h = h + v * s
    scan a, p in w, k along 0 carry h {
      h = h + tanh(h * a) * p
    }
    yield tanh(h + b)
  }`,
    unrolled: (steps) =>
      `${each(steps, false, (t) => `    h = h + x[:, ${t}] * s\n${each(3, false, (i) => `    h = h + tanh(h * w[${i}]) * k[${i}]`)}\n    y${t} = tanh(h + b)`)}\n${stack(steps)}`,
    wrt: "[x, k, w, b, s]",
  },
];

type Order = 0 | 1 | 2;

const program = ({ inputs, before, wrt }: Case, steps: number, body: string, order: Order): string => {
  const names = wrt.slice(1, -1).split(", ");
  const grads = names.map((name) => `d_${name}`).join(", ");
  const outputs = [
    "y: f32[2, T, 3]",
    ...(order > 0
      ? names.map((name) => `d_${name}: ${/(f32\[.*?\])/.exec(inputs.slice(inputs.indexOf(`${name}:`)))![1]}`)
      : []),
  ];
  const lines = [
    `model M(${inputs}) -> (${outputs.join(", ")}) {`,
    before,
    body,
    order > 0 ? `  ${grads} = grad(sum(tanh(y) * y), ${wrt})` : "",
    order > 1 ? `  ${grads} = grad(${names.map((name) => `sum(tanh(d_${name}))`).join(" + ")}, ${wrt})` : "",
    "}",
  ];
  return lines.join("\n").replaceAll("[2, T,", body.includes("scan ") ? "[2, T," : `[2, ${steps},`);
};

const pipelines = [
  "differentiate",
  "differentiate,eliminate-dead",
  "differentiate,hoist-scans",
  "differentiate,hoist-scans,canonicalize,fold-constants,eliminate-common,eliminate-dead,hoist-scans,open-scans",
  "differentiate,hoist-scans,canonicalize,eliminate-common,canonicalize,eliminate-dead,open-scans,fuse",
];

describe.each(cases)("a scan $name", (one) => {
  it.each([0, 1, 2] as const)("is its unrolled form, differentiated %i times", (order) => {
    for (const steps of [1, 3]) {
      const loop = moduleOf(program(one, steps, one.scan, order));
      const plain = inferOf(
        runPipeline(moduleOf(program(one, steps, one.unrolled(steps), order)), parsePipeline("differentiate")),
      );
      const given = randomInputs(plain, {}, 7 + steps);
      const expected = interpretGraph(plain, given, new Map()).outputs;
      for (const pipeline of pipelines) {
        const module = runPipeline(loop, parsePipeline(pipeline));
        expect(printModule(parseModule(printModule(module)))).toBe(printModule(module));
        const { outputs } = interpretGraph(inferOf(module), given, new Map());
        for (const [name, tensor] of Object.entries(expected)) expectEqualTensors(outputs[name]!, tensor, 1e-9);
      }
    }
  });

  it("of no steps leaves what is carried as it was", () => {
    const loop = inferOf(runPipeline(moduleOf(program(one, 0, one.scan, 1)), parsePipeline(pipelines.at(-1)!)));
    const given = randomInputs(loop, { T: 0 }, 3);
    const { outputs } = interpretGraph(loop, given, new Map());
    expect(outputs.y!.shape).toEqual([2, 0, 3]);
    const gradients: ReferenceTensor[] = Object.entries(outputs).flatMap(([name, tensor]) =>
      name === "y" ? [] : [tensor],
    );
    for (const { data } of gradients) expect(data.every((value) => value === 0)).toBe(true);
  });
});
