// The text form: what it looks like, that reading and printing give the same bytes, and where errors point.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { symbol } from "../../src/ir/dim.ts";
import { createGraphBuilder } from "../../src/ir/emit.ts";
import { type Global, type Module, makeNode } from "../../src/ir/graph.ts";
import { parseGraph, parseModule } from "../../src/ir/parse.ts";
import { printGraph, printModule } from "../../src/ir/print.ts";
import { IrSyntaxError } from "../../src/ir/scan.ts";
import { verifyModule } from "../../src/ir/verify.ts";
import { randomModule } from "../support/random-graph.ts";

const text = `/// Two layers.
///
/// With a doc of several lines.
module @Mlp {
  param @dense.kernel: f32[784, 128] ~ glorot_uniform from @Encoder @dense.kernel   // mlp.dlm:6:22 dense
  state @normalize.mean: f32[4*H + 1] ~ zeros
  optimizer @"adam m": f32[] ~ "it's // odd"
  metric @correct: i32[] ~ constant(0)
  graph @infer(%x: f32[N, 784], %n: i32[], %"7": f32[floor((T + 1)/2)]) -> (%logits: f32[N, 128], %total: i32[], %one: f32[]) {
    %0: f32[N, 128] = dot(%x, @dense.kernel) {batch: [[], []], contract: [[1], [0]]}   // my models/mlp.dlm:6:22 dense
    %1: f32[N, 128] = maximum(%0, 0)   // mlp.dlm:6:33 encoder/relu
    %2: f32[N, 128] = multiply(%1, -inf)   // mlp.dlm:6:33 [gradient of dot]
    %3: i32[] = add(%n, 2)
    %4: f32[N, 128] = add(%2, 1e-7)   // mlp.dlm:7:1 a/b [gradient of [x]]
    %5: bool[N, 128] = compare(%4, nan) {direction: lt}
    %6: f32[N, 128] = select(%5, -0:f32, %4)
    %7: f32[2] = constant() {values: [inf, -0.5], shape: [2], dtype: f32}
    update @"adam m" = 0.5:f32
    return %6, %3, 1
  }
  memory @infer {
    buffer 0: 512*N from 0 to 3
    %0: arena 0
    %1: arena 0 at 2*N
    %2: input %x
    %3: global @dense.kernel at 4
    %4: arena 0
    %5: arena 0
    %6: arena 0
    %7: arena 0
    in_place @"adam m"
  }
}
`;

describe("text form", () => {
  it("reads back to the same bytes", () => {
    expect(printModule(parseModule(text))).toBe(text);
  });

  it("keeps what it says", () => {
    const module = parseModule(text);
    expect(module.doc).toBe("Two layers.\n\nWith a doc of several lines.");
    expect(module.globals.get("dense.kernel")?.owner).toEqual({ model: "Encoder", name: "dense.kernel" });
    const [dot, maximum, multiply, , add] = module.graphs.get("infer")!.nodes;
    expect(dot!.location).toEqual({ file: "my models/mlp.dlm", line: 6, column: 22, scope: "dense" });
    expect(maximum!.location?.scope).toBe("encoder/relu");
    expect(multiply!.location).toEqual({ file: "mlp.dlm", line: 6, column: 33, scope: "", note: "gradient of dot" });
    expect(add!.location?.note).toBe("gradient of [x]");
  });

  it("leaves out locations when asked to", () => {
    const printed = printModule(parseModule(text), { locations: false });
    expect(printed).not.toContain("mlp.dlm");
    expect(printModule(parseModule(printed))).toBe(printed);
  });

  it("prints bodies below their node", () => {
    const type = { dtype: "f32", shape: [symbol("N"), 3] } as const;
    const inner = createGraphBuilder("fused");
    const a = inner.input("a", type);
    const doubled = inner.emit.multiply(a, 2);
    const body = inner.build([
      { name: "double", value: doubled },
      { name: "sum", value: inner.emit.reduce("sum", doubled, [1]) },
    ]);
    const outer = createGraphBuilder("infer");
    const x = outer.input("x", type);
    const types = body.outputs.map((output) => output.value.type);
    const location = { file: "a.dlm", line: 1, column: 2, scope: "" };
    const node = makeNode("fusion", [x], { kind: "row" }, types, location, body);
    const graph = { ...outer.build([{ name: "y", value: node.results[1]! }]), nodes: [node] };
    const printed = printGraph(graph);
    expect(printed).toBe(`graph @infer(%x: f32[N, 3]) -> (%y: f32[N]) {
  %0: f32[N, 3], %1: f32[N] = fusion(%x) {kind: row}   // a.dlm:1:2
    graph @fused(%a: f32[N, 3]) -> (%double: f32[N, 3], %sum: f32[N]) {
      %0: f32[N, 3] = multiply(%a, 2)
      %1: f32[N] = reduce(%0) {kind: sum, axes: [1]}
      return %0, %1
    }
  return %1
}`);
    const again = parseGraph(printed);
    expect(printGraph(again)).toBe(printed);
    expect(again.nodes[0]!.location).toEqual(location);
  });

  it("reads back random modules to the same bytes", () => {
    fc.assert(
      fc.property(randomModule(), (module) => {
        verifyModule(module);
        const printed = printModule(module);
        const again = parseModule(printed);
        verifyModule(again);
        expect(printModule(again)).toBe(printed);
      }),
      { numRuns: 300 },
    );
  });

  it("reads back any names, initializers and places", () => {
    const name = fc.string({ minLength: 1, unit: "grapheme" });
    fc.assert(
      fc.property(name, name, name, (globalName, initializer, doc) => {
        const type = { dtype: "f32", shape: [] } as const;
        const global: Global = { name: globalName, type, role: "state", initializer, location: undefined };
        const module: Module = { name: globalName, doc, globals: new Map([[globalName, global]]), graphs: new Map() };
        const again = parseModule(printModule(module));
        expect(again).toEqual(module);
      }),
      { numRuns: 300 },
    );
  });

  it.each([
    ["module @M {\n  graph @g() -> () {\n    %0: f32[] = plus(1, 2)\n  }\n}", "3:17: there is no operation plus"],
    ["module @M {\n  graph @g() -> () {\n    %0: f32[] = add(%1, 2)\n  }\n}", "3:21: %1 is used before it is defined"],
    ["module @M {\n  graph @g() -> () {\n    %0: f32[] = add(@w, 2)\n  }\n}", "3:21: @w is not declared"],
    ["module @M {\n  graph @g(%x: f64[]) -> () {\n  }\n}", "2:16: expected a type such as f32[N, 3]"],
    [
      "module @M {\n  graph @g(%x: f32[1]) -> () {\n    %0: f32[] = reduce(%x) {kind: mean, axes: [0]}\n",
      "3:29: kind must be one of sum, product, max, min",
    ],
    [
      "module @M {\n  graph @g(%x: f32[1]) -> () {\n    %0: f32[] = reduce(%x) {size: 1}\n",
      "3:29: reduce has no attribute size",
    ],
    ["module @M {\n  graph @g() -> () {", "2:21: expected `%`, found the end of the text"],
    ["module M {}", "1:8: expected `@`, found `M`"],
    ["module @M {\n}\nrest", "3:1: expected the end of the text"],
    ["module @M {\n  param @w: f32[3] ~ zeros\n  param @w: f32[3] ~ zeros\n}", "3:3: @w is declared twice"],
    ["module @M {\n  graph @g() -> (%y: f32[]) {\n  }\n}", "2:9: g returns nothing for its outputs"],
  ])("%j is an error", (broken, message) => {
    expect(() => parseModule(broken)).toThrow(IrSyntaxError);
    expect(() => parseModule(broken)).toThrow(message);
  });
});
