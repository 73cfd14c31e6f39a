// Which operands a kernel may overwrite: those it reads only where it writes.

import { describe, expect, it } from "vitest";
import { createGraphBuilder, type Emit } from "../../src/ir/emit.ts";
import type { GraphInput, Node, TensorType, Value } from "../../src/ir/graph.ts";
import { fuseGraph } from "../../src/passes/graph/fuse.ts";
import { canWriteInPlace } from "../../src/passes/graph/in-place.ts";

const f32 = (...shape: number[]): TensorType => ({ dtype: "f32", shape });

function fused(make: (e: Emit, input: (name: string, type: TensorType) => GraphInput) => readonly Value[]): Node {
  const builder = createGraphBuilder("test");
  const outputs = make(builder.emit, builder.input).map((value, i) => ({ name: `y${i}`, value }));
  const graph = fuseGraph(builder.build(outputs));
  expect(graph.nodes.length).toBe(1);
  return graph.nodes[0]!;
}

/** Whether result 0 may be written over each operand, by its name. */
const overwritable = (node: Node, result = 0): Record<string, boolean> =>
  Object.fromEntries(
    node.inputs.map((input, i) => [input.kind === "input" ? input.name : `${i}`, canWriteInPlace(node, i, result)]),
  );

describe("canWriteInPlace", () => {
  it("allows operands of elementwise operations, not those that are spread", () => {
    const node = fused((e, input) => {
      const x = input("x", f32(3, 4));
      return [e.add(e.multiply(x, 2), e.broadcast(input("row", f32(4)), x.type.shape, [1]))];
    });
    expect(overwritable(node)).toEqual({ x: true, row: false });
  });

  it("allows no operand that is read in another order too", () => {
    const node = fused((e, input) => {
      const x = input("x", f32(4, 4));
      return [e.add(x, e.transpose(x, [1, 0]))];
    });
    expect(overwritable(node)).toEqual({ x: false });
  });

  it("allows a transposed operand of equal axes no more", () => {
    const node = fused((e, input) => [e.add(input("x", f32(4, 4)), e.transpose(input("t", f32(4, 4)), [1, 0]))]);
    expect(overwritable(node)).toEqual({ x: true, t: false });
  });

  it("allows what the epilogue of a contraction reads, not its factors", () => {
    const node = fused((e, input) => {
      const dot = e.value("dot", [input("x", f32(4, 4)), input("k", f32(4, 4))], {
        batch: [[], []],
        contract: [[1], [0]],
      });
      return [e.subtract(input("w", f32(4, 4)), dot)];
    });
    expect(overwritable(node)).toEqual({ x: false, k: false, w: true });
  });

  it("tells the results of a row apart", () => {
    const node = fused((e, input) => {
      const x = input("x", f32(3, 4));
      const s = input("s", f32(3));
      const sum = e.add(e.reduce("sum", x, [1]), s);
      return [e.multiply(x, e.broadcast(sum, x.type.shape, [0])), sum];
    });
    // The sum is computed first, and so the first result.
    expect(overwritable(node, 0)).toEqual({ x: false, s: true });
    expect(overwritable(node, 1)).toEqual({ x: true, s: false });
  });

  it("allows nothing of operations that write by statements", () => {
    const builder = createGraphBuilder("test");
    const x = builder.input("x", f32(4, 2));
    const i = builder.input("i", { dtype: "i32", shape: [3] });
    const u = builder.input("u", f32(3, 2));
    const [y] = builder.emit.node("scatter", [x, i, u], { axis: 0, batch: 0, kind: "add" });
    expect([0, 1, 2].map((operand) => canWriteInPlace(y!.node, operand, 0))).toEqual([false, false, false]);
  });
});
