// Takes apart what lowering would otherwise have to know in every kernel: convolutions get their padding and the
// dilation of their left operand from an explicit `pad`, and are left with strides, the dilation of the kernel, and
// groups.

import type { Module, Node } from "../../ir/graph.ts";
import { definePass, mapGraphs } from "../pass.ts";
import { type Rule, rule } from "../rewrite.ts";
import { rewriteGraph } from "./canonicalize.ts";
import { allEqual, dimListsOf, intsOf, shapeOf, textOf } from "./rules/match.ts";

const needsPad = (node: Node): boolean =>
  !allEqual(dimListsOf(node, "padding").flat(), 0) || !allEqual(intsOf(node, "lhs_dilation"), 1);

const decomposeRules: readonly Rule[] = [
  rule(
    "pad-before-convolution",
    {
      before:
        'convolution(%x: f32[2, 5, 3], %w: f32[3, 3, 4]) {layout: "b0f,0io->b0f", strides: [1], padding: [[1, 1]], lhs_dilation: [2], rhs_dilation: [1], groups: 1, batch_groups: 1}',
      after:
        'convolution(pad(%x) {low: [0, 1, 0], high: [0, 1, 0], interior: [0, 1, 0], value: 0}, %w) {layout: "b0f,0io->b0f", strides: [1], padding: [[0, 0]], lhs_dilation: [1], rhs_dilation: [1], groups: 1, batch_groups: 1}',
    },
    (node) => (needsPad(node) ? node : undefined),
    (_, emit, node) => {
      // A kernel that does not fit into an empty axis gives nothing; over the padded axis it would be an error.
      if (shapeOf(node).includes(0)) return emit.full(0, node.results[0]!.type);
      const [x, kernel] = node.inputs;
      const padding = dimListsOf(node, "padding");
      const dilation = intsOf(node, "lhs_dilation");
      // The letters of the left operand: a digit is a spatial axis, counted from 0.
      const axes = [...textOf(node, "layout").split(",")[0]!].map((letter) =>
        /\d/.test(letter) ? Number(letter) : -1,
      );
      const padded = emit.value("pad", [x!], {
        low: axes.map((axis) => padding[axis]?.[0] ?? 0),
        high: axes.map((axis) => padding[axis]?.[1] ?? 0),
        interior: axes.map((axis) => (dilation[axis] ?? 1) - 1),
        value: 0,
      });
      return emit.value("convolution", [padded, kernel!], {
        ...node.attributes,
        padding: padding.map(() => [0, 0]),
        lhs_dilation: dilation.map(() => 1),
      });
    },
  ),
];

export const decompose = definePass({
  name: "decompose",
  doc: "Expresses what no kernel computes by itself through simpler operations.",
  requires: ["differentiate"],
  options: {},
  rules: decomposeRules,
  done: (module: Module) =>
    [...module.graphs.values()].every((graph) =>
      graph.nodes.every((node) => node.op !== "convolution" || !needsPad(node)),
    ),
  run: (module, context) => mapGraphs(module, (graph) => rewriteGraph(graph, decomposeRules, context)),
});
