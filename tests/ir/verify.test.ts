// IR that is not well formed, and what the verifier says of it.

import { describe, expect, it } from "vitest";
import { symbol } from "../../src/ir/dim.ts";
import { createGraphBuilder } from "../../src/ir/emit.ts";
import {
  type Global,
  type Graph,
  literal,
  type Module,
  makeNode,
  type TensorType,
  type Value,
} from "../../src/ir/graph.ts";
import { parseModule } from "../../src/ir/parse.ts";
import { verifyGraph, verifyModule } from "../../src/ir/verify.ts";

const type: TensorType = { dtype: "f32", shape: [symbol("N"), 3] };

function build(make: (builder: ReturnType<typeof createGraphBuilder>, x: Value) => Value): Graph {
  const builder = createGraphBuilder("g");
  const x = builder.input("x", type);
  const y = make(builder, x);
  return builder.build([{ name: "y", value: y }]);
}

const good = build(({ emit }, x) => emit.add(emit.multiply(x, 2), x));

const inModule = (graph: Graph, ...globals: Global[]): Module => ({
  name: "M",
  doc: "",
  globals: new Map(globals.map((global) => [global.name, global])),
  graphs: new Map([[graph.name, graph]]),
});

const weight: Global = {
  name: "w",
  type: { dtype: "f32", shape: [3] },
  role: "parameter",
  initializer: "zeros",
  location: undefined,
};

describe("verifier", () => {
  it("takes what is well formed", () => {
    expect(() => verifyGraph(good)).not.toThrow();
  });

  const [multiply, add] = good.nodes;
  const wrongResult = makeNode("negate", [good.inputs[0]!], {}, [{ dtype: "f32", shape: [3] }], undefined);
  const wrongAttribute = makeNode("reduce", [good.inputs[0]!], { kind: "mean", axes: [0] }, [type], undefined);
  const output = (node: { results: readonly Value[] }) => [{ name: "y", value: node.results[0]! }];
  const body = build(({ emit }, x) => emit.negate(x));
  const scalarOperand = makeNode("fusion", [literal(1, "f32")], { kind: "loop" }, [type], undefined, body);

  it.each<[string, Graph, RegExp]>([
    [
      "a use before its definition",
      { ...good, nodes: [add!, multiply!] },
      /used before it is defined.*\n.*%0: f32\[N, 3\] = add/,
    ],
    ["a node of another graph", { ...good, nodes: [add!] }, /belongs to another graph/],
    ["a node that comes twice", { ...good, nodes: [multiply!, multiply!, add!] }, /stands in the graph twice/],
    ["an input that the graph does not have", { ...good, inputs: [] }, /%x is not an input of the graph/],
    [
      "an input of another type",
      { ...good, inputs: [{ kind: "input", name: "x", type: weight.type }] },
      /%x does not have its input's type/,
    ],
    ["two inputs of one name", { ...good, inputs: [...good.inputs, ...good.inputs] }, /two inputs have one name/],
    ["two outputs of one name", { ...good, outputs: [...good.outputs, ...good.outputs] }, /two outputs are named y/],
    [
      "a type that is not the inferred one",
      { ...good, nodes: [wrongResult], outputs: output(wrongResult) },
      /a result is f32\[3\], and should be f32\[N, 3\]/,
    ],
    [
      "an attribute outside its schema",
      { ...good, nodes: [wrongAttribute], outputs: output(wrongAttribute) },
      /reduce: kind must be one of/,
    ],
    [
      "a body whose operand does not fit",
      { ...good, nodes: [scalarOperand], outputs: output(scalarOperand) },
      /%x of the body is f32\[N, 3\], and given f32\[\]/,
    ],
    [
      "a memory plan with too few places",
      { ...good, memory: { buffers: [], results: [[]], inPlace: [] } },
      /does not place each result once/,
    ],
  ])("finds %s", (_, graph, message) => {
    expect(() => verifyGraph(graph)).toThrow(message);
  });

  const reading = (name: string, shape: TensorType): Graph =>
    build(({ emit }) => emit.negate({ kind: "global", name, type: shape }));
  const updating = (target: string, ...times: number[]): Graph => ({
    ...good,
    updates: times.map((value) => ({ target, value: literal(value, "f32") })),
  });

  it.each<[string, Module, RegExp]>([
    ["a global that is not declared", inModule(reading("v", weight.type), weight), /@v is not declared/],
    ["a global of another type", inModule(reading("w", type), weight), /@w does not have its declared type/],
    ["an update of what is not declared", inModule(updating("v", 1), weight), /@v is updated, and not declared/],
    ["an update of another type", inModule(updating("w", 1), weight), /@w is f32\[3\], and its update f32\[\]/],
    ["two updates of one global", inModule(updating("w", 1, 2), weight), /@w is updated twice/],
    ["a graph under another name", { ...inModule(good), graphs: new Map([["h", good]]) }, /the graph is named g/],
  ])("finds %s", (_, module, message) => {
    expect(() => verifyModule(module)).toThrow(message);
  });

  it("says where in the source the node came from", () => {
    const module = parseModule(`module @M {
  graph @g(%x: f32[3]) -> (%y: f32[4]) {
    %0: f32[4] = negate(%x)   // a.dlm:2:9 relu
    return %0
  }
}
`);
    expect(() => verifyModule(module)).toThrow("a result is f32[4], and should be f32[3] (a.dlm:2:9 relu)");
  });
});
