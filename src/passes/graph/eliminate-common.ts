// Computes equal things once: nodes of one operation with the same operands and attributes become one, by hash-consing
// in a single walk. Random bits of one key and stream are equal too, since they are a function of both.

import type { Graph, Node, Value } from "../../ir/graph.ts";
import { createNames, formatAttributes, printNode } from "../../ir/print.ts";
import { formatNumber } from "../../ir/scan.ts";
import { mapGraph } from "../map-graph.ts";
import { definePass, mapGraphs, type PassContext } from "../pass.ts";

export const eliminateCommon = definePass({
  name: "eliminate-common",
  doc: "Makes one node of nodes that compute the same.",
  requires: ["differentiate"],
  options: {},
  run: (module, context) => mapGraphs(module, (graph) => shareEqualNodes(graph, context)),
});

const commutative = new Set(["add", "multiply", "maximum", "minimum", "and", "or", "xor"]);

function shareEqualNodes(graph: Graph, context: PassContext<unknown>): Graph {
  const numbers = new Map<Value, string>();
  const first = new Map<string, Node>();
  const printed = createNames();
  const nameOf = (value: Value): string => {
    switch (value.kind) {
      case "literal":
        return `${formatNumber(value.value)}:${value.type.dtype}`;
      case "input":
        return `%${value.name}`;
      case "global":
        return `@${value.name}`;
      case "result": {
        const name = numbers.get(value) ?? `#${numbers.size}`;
        numbers.set(value, name);
        return name;
      }
    }
  };
  return mapGraph(graph, (node, writer) => {
    if (node.body) return writer.keep(node);
    const operands = node.inputs.map(nameOf);
    if (commutative.has(node.op)) operands.sort();
    // Quoted names keep apart what no character could be relied on to separate.
    const key = `${node.op}${JSON.stringify(operands)}${formatAttributes(node.op, node.attributes)}`;
    const present = first.get(key);
    if (!present) {
      first.set(key, node);
      return writer.keep(node);
    }
    if (context.recording) {
      context.record({
        rule: "equal-nodes",
        graph: graph.name,
        before: printNode(node, printed, { locations: false }),
        after: [],
        location: node.location,
      });
    }
    return present.results;
  });
}
