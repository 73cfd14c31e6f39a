// Brings a graph into a plain form by algebraic rules, so that later passes and readers meet fewer ways of saying one
// thing.

import type { Graph } from "../../ir/graph.ts";
import { definePass, mapGraphs, type PassContext } from "../pass.ts";
import { applyRules, type Rule } from "../rewrite.ts";
import { arithmeticRules } from "./rules/arithmetic.ts";
import { choiceRules } from "./rules/choice.ts";
import { contractionRules } from "./rules/contraction.ts";
import { movementRules } from "./rules/movement.ts";
import { powerRules } from "./rules/powers.ts";
import { sliceRules } from "./rules/slice.ts";

/** The rules in the order in which they are tried. */
const canonicalRules: readonly Rule[] = [
  ...arithmeticRules,
  ...powerRules,
  ...choiceRules,
  ...movementRules,
  ...sliceRules,
  ...contractionRules,
];

export const canonicalize = definePass({
  name: "canonicalize",
  doc: "Applies algebraic rules until none applies any more.",
  requires: ["differentiate"],
  options: {},
  rules: canonicalRules,
  run: (module, context) => mapGraphs(module, (graph) => rewriteGraph(graph, canonicalRules, context)),
});

/** `applyRules`, with what they do recorded as events. */
export function rewriteGraph(graph: Graph, rules: readonly Rule[], context: PassContext<unknown>): Graph {
  if (!context.recording) return applyRules(graph, rules);
  return applyRules(graph, rules, ({ rule, node, before, after }) => {
    context.record({ rule, graph: graph.name, before: before(), after: after(), location: node.location });
  });
}
