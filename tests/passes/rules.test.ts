// Every rewrite rule shows an example; here each is carried out, compared with what the rule promises, and run on
// numbers.

import { describe, expect, it } from "vitest";
import type { Graph } from "../../src/ir/graph.ts";
import { interpretGraph } from "../../src/ir/interpret.ts";
import { parseExpression } from "../../src/ir/parse-expression.ts";
import { printGraph } from "../../src/ir/print.ts";
import { verifyGraph } from "../../src/ir/verify.ts";
import { graphPasses } from "../../src/passes/graph/index.ts";
import { applyRules, rule } from "../../src/passes/rewrite.ts";
import { expectEqualTensors, randomInputs } from "../support/graphs.ts";

const sizes = { N: 5 };
const rules = graphPasses.flatMap((pass) => pass.rules ?? []);

describe.each(rules.map((each) => [each.name, each] as const))("%s", (_, each) => {
  const before = parseExpression(each.example.before);
  const after = parseExpression(each.example.after, before.inputs);

  it("makes of its example what it says", () => {
    const rewritten = applyRules(before, [each]);
    verifyGraph(rewritten);
    expect(printGraph(rewritten)).toBe(printGraph(after));
  });

  it("keeps the values of its example", () => {
    const inputs = randomInputs(before, sizes, 1);
    const run = (graph: Graph) => interpretGraph(graph, inputs, new Map(), sizes).outputs.result!;
    expectEqualTensors(run(after), run(before), 1e-12);
  });

  it("keeps them when all rules are applied", () => {
    const inputs = randomInputs(before, sizes, 2);
    const rewritten = applyRules(before, rules);
    const run = (graph: Graph) => interpretGraph(graph, inputs, new Map(), sizes).outputs.result!;
    expectEqualTensors(run(rewritten), run(before), 1e-12);
  });
});

it("names of rules are unique", () => {
  expect(new Set(rules.map((each) => each.name)).size).toBe(rules.length);
});

it("rules that undo each other are an error, not a hang", () => {
  const there = rule(
    "there",
    { before: "negate(%x)", after: "abs(%x)" },
    (node) => node,
    (node, emit) => emit.value("abs", node.inputs),
  );
  const back = rule(
    "back",
    { before: "abs(%x)", after: "negate(%x)" },
    (node) => node,
    (node, emit) => emit.value("negate", node.inputs),
  );
  expect(() => applyRules(parseExpression("negate(%x)"), [there, back])).toThrow(/do not come to an end/);
});

it.each([
  ["multiply(%x, 0)", "a NaN times 0 is NaN"],
  ["exponential(log(%x))", "log of a negative number is NaN"],
  ["not(compare(%x, %y) {direction: lt})", "neither holds for NaN"],
  ["divide(%x, 3)", "1/3 is not exact"],
  ["multiply(multiply(%x, 0.3), 0.7)", "the product of the factors is not exact"],
  ["convert(convert(%x) {dtype: i32}) {dtype: f32}", "drops the fraction"],
  ["reduce(broadcast(%x: f32[3]) {shape: [0, 3], axes: [1]}) {kind: max, axes: [0]}", "the maximum of nothing is -inf"],
])("%s stays: %s", (text) => {
  const graph = parseExpression(text);
  expect(printGraph(applyRules(graph, rules))).toBe(printGraph(graph));
});
