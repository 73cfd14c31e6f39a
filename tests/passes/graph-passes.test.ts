// What passes promise: the values of a graph stay what they are. Random modules are run before and after each pass and
// after the whole pipeline; then each pass by itself on what it is for.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { defaultPipeline } from "../../src/compile.ts";
import type { Sizes } from "../../src/ir/dim.ts";
import type { Module } from "../../src/ir/graph.ts";
import { interpretGraph } from "../../src/ir/interpret.ts";
import { parseModule } from "../../src/ir/parse.ts";
import { parseExpression } from "../../src/ir/parse-expression.ts";
import { printGraph, printModule } from "../../src/ir/print.ts";
import { foldConstants } from "../../src/passes/graph/fold-constants.ts";
import { graphPasses } from "../../src/passes/graph/index.ts";
import { type Event, formatPipeline, parsePipeline, runPipeline } from "../../src/passes/pipeline.ts";
import { processorTime } from "../corpus/compile.ts";
import { expectEqualTensors, randomGlobals, randomInputs } from "../support/graphs.ts";
import { randomModule } from "../support/random-graph.ts";

function expectSameValues(before: Module, after: Module, sizes: Sizes, seed: number, tolerance: number): void {
  const graph = before.graphs.get("infer")!;
  const inputs = randomInputs(graph, sizes, seed);
  const globals = randomGlobals(graph, sizes, seed + 1);
  const expected = interpretGraph(graph, inputs, globals, sizes);
  const actual = interpretGraph(after.graphs.get("infer")!, inputs, globals, sizes);
  for (const [name, tensor] of Object.entries(expected.outputs))
    expectEqualTensors(actual.outputs[name]!, tensor, tolerance);
  for (const [name, tensor] of expected.updates) expectEqualTensors(actual.updates.get(name)!, tensor, tolerance);
}

const anySizes = fc.constantFrom<Sizes>({ N: 0 }, { N: 1 }, { N: 3 });

describe("values stay", () => {
  // These change no arithmetic: not a bit may differ, whatever the operation.
  it.each(["fold-constants", "eliminate-common", "eliminate-dead", "decompose", "fuse", "plan-memory"])(
    "through %s",
    (name) => {
      fc.assert(
        fc.property(randomModule(), anySizes, fc.nat(1000), (module, sizes, seed) => {
          const pipeline = name === "fuse" || name === "plan-memory" ? `decompose,${name}` : name;
          expectSameValues(module, runPipeline(module, parsePipeline(pipeline)), sizes, seed, 0);
        }),
        { numRuns: 150 },
      );
    },
  );

  // Rules may round differently, which a comparison would show as a jump.
  it.each([
    "canonicalize",
    "canonicalize,fold-constants,canonicalize",
    defaultPipeline,
    `decompose,${defaultPipeline}`,
  ])("through %s", (pipeline) => {
    fc.assert(
      fc.property(randomModule({ kind: "continuous" }), anySizes, fc.nat(1000), (module, sizes, seed) => {
        expectSameValues(module, runPipeline(module, parsePipeline(pipeline)), sizes, seed, 1e-9);
      }),
      { numRuns: 300 },
    );
  });

  it("through text, after the whole pipeline", () => {
    fc.assert(
      fc.property(randomModule(), (module) => {
        const text = printModule(runPipeline(module, parsePipeline(defaultPipeline)));
        expect(printModule(parseModule(text))).toBe(text);
      }),
      { numRuns: 150 },
    );
  });
});

describe("a second run changes nothing", () => {
  it.each(["canonicalize", "eliminate-common", "eliminate-dead", "fold-constants", "decompose"])("%s", (name) => {
    fc.assert(
      fc.property(randomModule(), (module) => {
        const once = runPipeline(module, parsePipeline(name));
        expect(printModule(runPipeline(once, parsePipeline(name)))).toBe(printModule(once));
      }),
      { numRuns: 100 },
    );
  });
});

const asModule = (text: string): Module => {
  const graph = { ...parseExpression(text), name: "infer" };
  return { name: "M", doc: "", globals: new Map(), graphs: new Map([["infer", graph]]) };
};

const bodyAfter = (text: string, pipeline: string): string =>
  printGraph(runPipeline(asModule(text), parsePipeline(pipeline)).graphs.get("infer")!)
    .split("\n")
    .slice(1, -1)
    .join("\n");

describe("fold-constants", () => {
  it.each([
    ["add(2, 3)", "  return 5"],
    ["compare(2, 3) {direction: lt}", "  return 1"],
    [
      "reshape(constant() {values: [1, 2], shape: [2], dtype: f32}) {shape: [1, 2]}",
      "  %0: f32[1, 2] = constant() {values: [1, 2], shape: [1, 2], dtype: f32}\n  return %0",
    ],
    [
      "multiply(constant() {values: [0, 0], shape: [2], dtype: f32}, 3)",
      "  %0: f32[2] = broadcast(0) {shape: [2], axes: []}\n  return %0",
    ],
    ["reduce(iota() {shape: [4], axis: 0, dtype: f32}) {kind: sum, axes: [0]}", "  return 6"],
    // An iota is cheaper to compute than to read.
    [
      "negate(iota() {shape: [4], axis: 0, dtype: f32})",
      "  %0: f32[4] = iota() {shape: [4], axis: 0, dtype: f32}\n  %1: f32[4] = negate(%0)\n  return %1",
    ],
  ])("%s", (text, expected) => {
    expect(bodyAfter(text, "fold-constants")).toBe(expected);
  });

  it("leaves alone what is larger than its limit", () => {
    const text = "reshape(constant() {values: [1, 2, 3], shape: [3], dtype: f32}) {shape: [3, 1]}";
    expect(bodyAfter(text, "fold-constants{limit=2}")).toContain("reshape");
    expect(bodyAfter(text, "fold-constants{limit=3}")).not.toContain("reshape");
  });
});

describe("decompose", () => {
  it("makes nothing of a convolution that gives nothing", () => {
    const text =
      'convolution(%x: f32[2, 0, 3], %w: f32[3, 3, 4]) {layout: "b0f,0io->b0f", strides: [1], padding: [[1, 0]], lhs_dilation: [1], rhs_dilation: [1], groups: 1, batch_groups: 1}';
    expect(bodyAfter(text, "decompose")).toBe(
      "  %0: f32[2, 0, 4] = broadcast(0) {shape: [2, 0, 4], axes: []}\n  return %0",
    );
  });
});

describe("eliminate-common", () => {
  it("shares equal nodes, in whatever order operands that commute stand", () => {
    const text = "multiply(add(%x, %y), add(%y, %x))";
    expect(bodyAfter(text, "eliminate-common")).toBe(
      "  %0: f32[2, 3] = add(%x, %y)\n  %1: f32[2, 3] = multiply(%0, %0)\n  return %1",
    );
  });

  it("keeps apart what differs in an attribute, an operand's order, or the sign of zero", () => {
    for (const text of [
      "add(reduce(%x) {kind: sum, axes: [0, 1]}, reduce(%x) {kind: max, axes: [0, 1]})",
      "multiply(subtract(%x, %y), subtract(%y, %x))",
      "multiply(divide(%x, 0), divide(%x, -0))",
    ])
      expect(bodyAfter(text, "eliminate-common").split("\n")).toHaveLength(4);
  });
});

describe("eliminate-dead", () => {
  it("drops nodes and implicit inputs that nothing needs, and keeps the model's own inputs", () => {
    const module = parseModule(`module @M {
  state @s: f32[] ~ zeros
  graph @infer(%x: f32[], %unused: f32[], %key: i32[2], %step: i32[]) -> (%y: f32[]) {
    %0: i32[4] = random_bits(%key) {shape: [4], stream: 0}
    %1: f32[] = convert(%step) {dtype: f32}
    %2: f32[] = add(%x, 1)
    %3: f32[] = add(%2, 1)
    update @s = %1
    return %2
  }
}
`);
    expect(printModule(runPipeline(module, parsePipeline("eliminate-dead")))).toBe(`module @M {
  state @s: f32[] ~ zeros
  graph @infer(%x: f32[], %unused: f32[], %step: i32[]) -> (%y: f32[]) {
    %0: f32[] = convert(%step) {dtype: f32}
    %1: f32[] = add(%x, 1)
    update @s = %0
    return %1
  }
}
`);
  });
});

describe("pipelines", () => {
  it("have a text form that reads back", () => {
    const text = "differentiate,fold-constants{limit=8},eliminate-dead";
    expect(formatPipeline(parsePipeline(text))).toBe(text);
    expect(formatPipeline(parsePipeline(" differentiate , fold-constants{ limit = 256 } "))).toBe(
      "differentiate,fold-constants",
    );
    expect(parsePipeline("")).toEqual([]);
  });

  it.each([
    ["canonicalise", "there is no pass canonicalise; the passes are differentiate, canonicalize"],
    ["fold-constants{size=8}", "fold-constants has no option size; its options are limit"],
    ["eliminate-dead{x=1}", "eliminate-dead has no option x; it has none"],
    ["fold-constants{limit=many}", "limit of fold-constants must be a number, not `many`"],
    ["canonicalize,,fuse", "`` is not a pass"],
  ])("%s is an error", (text, message) => {
    expect(() => parsePipeline(text)).toThrow(message);
  });

  it("refuse an order in which a pass lacks what it needs", () => {
    const module = asModule("gradient(multiply(%x: f32[], %x), %x)");
    expect(() => runPipeline(module, parsePipeline("canonicalize,differentiate"))).toThrow(
      "canonicalize requires differentiate",
    );
    expect(() => runPipeline(module, parsePipeline("differentiate,canonicalize"))).not.toThrow();
    expect(() => runPipeline(asModule("add(%x, 1)"), parsePipeline("canonicalize"))).not.toThrow();
  });

  it("tell what each rule did, and show the module after each pass", () => {
    const events: Event[] = [];
    const seen: string[] = [];
    runPipeline(asModule("add(multiply(%x, 1), power(%y, 2))"), parsePipeline("canonicalize,eliminate-dead"), {
      events,
      observe: ({ pass, position }) => seen.push(`${position} ${pass}`),
    });
    expect(seen).toEqual(["0 canonicalize", "1 eliminate-dead"]);
    expect(events).toEqual([
      {
        pass: "canonicalize",
        rule: "multiply-by-one",
        graph: "infer",
        before: "%0: f32[2, 3] = multiply(%x, 1)",
        after: [],
        location: undefined,
      },
      {
        pass: "canonicalize",
        rule: "power-two",
        graph: "infer",
        before: "%1: f32[2, 3] = power(%y, 2)",
        after: ["%2: f32[2, 3] = multiply(%y, %y)"],
        location: undefined,
      },
    ]);
  });

  it("name the pass that broke the IR", () => {
    const drop = {
      ...foldConstants,
      run: (module: Module): Module => {
        const graph = module.graphs.get("infer")!;
        return { ...module, graphs: new Map([["infer", { ...graph, nodes: [] }]]) };
      },
    };
    expect(() => runPipeline(asModule("add(%x, 1)"), [{ pass: drop, options: { limit: 1 } }])).toThrow(
      /not well formed after the pass fold-constants.*\n.*used before it is defined/,
    );
  });

  it("document every pass and option", () => {
    for (const pass of graphPasses) {
      expect(pass.doc).toMatch(/^[A-Z].*\.$/);
      for (const option of Object.values(pass.options)) expect(option.doc).not.toBe("");
    }
    expect(new Set(graphPasses.map((pass) => pass.name)).size).toBe(graphPasses.length);
  });
});

it("ten thousand nodes take little time", () => {
  const steps = ["add(%, 0)", "multiply(%, 3)", "negate(%)", "power(%, 2)"];
  const lines = Array.from({ length: 10_000 }, (_, i) => {
    return `    %${i}: f32[2, 3] = ${steps[i % 4]!.replace("%", i === 0 ? "%x" : `%${i - 1}`)}`;
  });
  const module = parseModule(
    `module @M {\n  graph @infer(%x: f32[2, 3]) -> (%y: f32[2, 3]) {\n${lines.join("\n")}\n    return %9999\n  }\n}\n`,
  );
  const start = processorTime();
  const after = runPipeline(module, parsePipeline("canonicalize,fold-constants,eliminate-common,eliminate-dead"));
  // Linear passes need well under a second; quadratic ones minutes.
  expect(processorTime() - start).toBeLessThan(5000);
  // Of each four, the sum with 0 goes, and the sign that the square takes away.
  expect(after.graphs.get("infer")!.nodes).toHaveLength(5000);
});
