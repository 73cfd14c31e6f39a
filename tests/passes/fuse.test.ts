// What becomes one kernel, and that it still computes the same: by the interpreter of graphs, and lowered.

import { describe, expect, it } from "vitest";
import { symbol } from "../../src/ir/dim.ts";
import { createGraphBuilder, type Emit } from "../../src/ir/emit.ts";
import type { Graph, GraphInput, TensorType, Value } from "../../src/ir/graph.ts";
import { fuseGraph } from "../../src/passes/graph/fuse.ts";
import { expectSameMeaning } from "../support/lowered.ts";

const N = symbol("N");
const f32 = (...shape: TensorType["shape"]): TensorType => ({ dtype: "f32", shape });

/** A graph of the given inputs; what `make` returns are its outputs. */
function graphOf<K extends string>(
  inputs: Readonly<Record<K, TensorType>>,
  make: (emit: Emit, inputs: Readonly<Record<K, GraphInput>>) => readonly Value[],
): Graph {
  const builder = createGraphBuilder("test");
  const made = Object.fromEntries(
    Object.entries<TensorType>(inputs).map(([name, type]) => [name, builder.input(name, type)]),
  ) as Record<K, GraphInput>; // Object.fromEntries forgets the keys.
  return builder.build(make(builder.emit, made).map((value, i) => ({ name: `y${i}`, value })));
}

/** The nodes after fusion: the kind and operations of fusions, the operation of what was left alone. */
function shapeOf(graph: Graph): string[] {
  return graph.nodes.map((node) =>
    node.body ? `${String(node.attributes.kind)}(${node.body.nodes.map((n) => n.op).join(" ")})` : node.op,
  );
}

function check(graph: Graph, expected: readonly string[], sizes: readonly number[] = [3]): Graph {
  const fused = fuseGraph(graph);
  expect(shapeOf(fused)).toEqual(expected);
  for (const size of sizes) expectSameMeaning(graph, fused, { N: size }, size + 1);
  return fused;
}

const bias = (e: Emit, x: Value, b: Value): Value => e.add(x, e.broadcast(b, x.type.shape, [x.type.shape.length - 1]));
const keep = (e: Emit, x: Value, like: Value): Value =>
  e.broadcast(
    x,
    like.type.shape,
    x.type.shape.map((_, i) => i),
  );

function softmax(e: Emit, x: Value): Value {
  const last = x.type.shape.length - 1;
  const shifted = e.subtract(x, keep(e, e.reduce("max", x, [last]), x));
  const exp = e.value("exponential", [shifted]);
  return e.divide(exp, keep(e, e.reduce("sum", exp, [last]), x));
}

describe("fuse", () => {
  it("takes bias and activation into a contraction", () => {
    const graph = graphOf({ x: f32(N, 7), w: f32(7, 5), b: f32(5) }, (e, { x, w, b }) => {
      const y = bias(e, e.value("dot", [x, w], { batch: [[], []], contract: [[1], [0]] }), b);
      return [e.value("maximum", [y, 0])];
    });
    check(graph, ["contraction(dot broadcast add maximum)"], [0, 1, 2, 5]);
  });

  it("keeps what others need of an epilogue as a second result", () => {
    const graph = graphOf({ x: f32(N, 7), w: f32(7, 5), d: f32(N, 5) }, (e, { x, w, d }) => {
      const y = e.value("dot", [x, w], { batch: [[], []], contract: [[1], [0]] });
      return [e.value("maximum", [y, 0]), e.select(e.compare("gt", y, 0), d, 0)];
    });
    check(graph, ["contraction(dot maximum compare select)"], [4]);
  });

  it("does not compute operands of a contraction over and over", () => {
    const graph = graphOf({ x: f32(N, 7), w: f32(7, 5) }, (e, { x, w }) => [
      e.value("dot", [e.value("tanh", [x]), e.transpose(e.transpose(w, [1, 0]), [1, 0])], {
        batch: [[], []],
        contract: [[1], [0]],
      }),
    ]);
    check(graph, ["tanh", "contraction(transpose transpose dot)"]);
  });

  it("makes softmax one pass over rows", () => {
    const graph = graphOf({ x: f32(N, 6) }, (e, { x }) => [softmax(e, x)]);
    check(graph, ["row(reduce broadcast subtract exponential reduce broadcast divide)"], [0, 1, 4]);
  });

  it("makes a sum of rows with what precedes and follows it one reduction", () => {
    const graph = graphOf({ x: f32(N, 6) }, (e, { x }) => [e.value("sqrt", [e.reduce("sum", e.multiply(x, x), [1])])]);
    check(graph, ["reduction(multiply reduce sqrt)"]);
  });

  it("does not normalise over leading axes in one kernel", () => {
    const graph = graphOf({ x: f32(N, 6) }, (e, { x }) => {
      const mean = e.divide(e.reduce("sum", x, [0]), 4);
      return [e.multiply(e.subtract(x, e.broadcast(mean, x.type.shape, [1])), 2)];
    });
    check(graph, ["reduction(reduce divide)", "loop(broadcast subtract multiply)"]);
  });

  it("updates a parameter and its moments in one loop", () => {
    const shape = f32(4, 5);
    const graph = graphOf({ w: shape, g: shape, m: shape, v: shape, lr: f32() }, (e, { w, g, m, v, lr }) => {
      const m1 = e.add(e.multiply(m, 0.9), e.multiply(g, 0.1));
      const v1 = e.add(e.multiply(v, 0.99), e.multiply(e.multiply(g, g), 0.01));
      const root = e.add(e.value("sqrt", [e.value("maximum", [v1, 0])]), 1e-3);
      return [m1, v1, e.subtract(w, e.divide(e.multiply(e.broadcast(lr, shape.shape, []), m1), root))];
    });
    const fused = check(graph, [
      "loop(multiply multiply add multiply multiply multiply add maximum sqrt add broadcast multiply divide subtract)",
    ]);
    expect(fused.nodes[0]!.results.length).toBe(3);
  });

  it("leaves no cycle: a value that comes back through another kernel stays outside", () => {
    const graph = graphOf({ x: f32(6, 6), w: f32(6, 6) }, (e, { x, w }) => {
      const t = e.value("tanh", [x]);
      const d = e.value("dot", [t, w], { batch: [[], []], contract: [[1], [0]] });
      return [e.add(t, d)];
    });
    check(graph, ["tanh", "contraction(dot add)"]);
  });

  it("does not repeat expensive work for each element of a broadcast", () => {
    const graph = graphOf({ x: f32(N, 6), s: f32(6) }, (e, { x, s }) => [
      e.multiply(x, e.broadcast(e.value("exponential", [s]), x.type.shape, [1])),
    ]);
    check(graph, ["exponential", "loop(broadcast multiply)"]);
  });

  it("keeps to its limit", () => {
    const graph = graphOf({ x: f32(5) }, (e, { x }) => {
      let y: Value = x;
      for (let i = 0; i < 6; i++) y = e.multiply(e.add(y, 1), 0.5);
      return [y];
    });
    const fused = fuseGraph(graph, 4);
    expect(shapeOf(fused)).toEqual([
      "loop(add multiply add multiply)",
      "loop(add multiply add multiply)",
      "loop(add multiply add multiply)",
    ]);
    expectSameMeaning(graph, fused, {}, 1);
  });

  it("normalises rows with scale and shift, and keeps the sum it read", () => {
    const graph = graphOf({ x: f32(N, 3, 8), r: f32(N, 3, 8), s: f32(8) }, (e, { x, r, s }) => {
      const sum = e.add(x, r);
      const mean = e.divide(e.reduce("sum", sum, [2]), 8);
      const centred = e.subtract(sum, keep(e, mean, sum));
      const variance = e.divide(e.reduce("sum", e.multiply(centred, centred), [2]), 8);
      const scale = e.value("rsqrt", [e.add(variance, 1e-3)]);
      const y = e.multiply(e.multiply(centred, keep(e, scale, sum)), e.broadcast(s, sum.type.shape, [2]));
      return [sum, y, mean];
    });
    check(graph, [
      "row(add reduce divide broadcast subtract multiply reduce divide add rsqrt broadcast multiply broadcast multiply)",
    ]);
  });
});
