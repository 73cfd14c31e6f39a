// Drops what nobody needs: nodes that reach neither an output nor an update, and with them the implicit inputs (the key
// of random numbers, the step) that they alone read. A model's own inputs stay, used or not.

import { type Graph, isImplicitInput } from "../../ir/graph.ts";
import { mapBodies, withoutDeadNodes } from "../map-graph.ts";
import { definePass, mapEntryGraphs } from "../pass.ts";
import { pruneScans } from "./prune-scans.ts";

export const eliminateDead = definePass({
  name: "eliminate-dead",
  doc: "Removes nodes that reach no output and no update, and implicit inputs that nothing reads.",
  requires: [],
  options: {},
  run: (module) => mapEntryGraphs(module, (graph) => withoutUnusedInputs(withoutDeadParts(graph))),
});

/** What nobody needs of a graph decides what is needed of the bodies in it. */
const withoutDeadParts = (graph: Graph): Graph => mapBodies(withoutDeadNodes(pruneScans(graph)), withoutDeadParts);

function withoutUnusedInputs(graph: Graph): Graph {
  const read = new Set<string>();
  const values = [
    ...graph.nodes.flatMap((node) => node.inputs),
    ...[...graph.outputs, ...graph.updates].map((o) => o.value),
  ];
  for (const value of values) if (value.kind === "input") read.add(value.name);
  const inputs = graph.inputs.filter(({ name }) => !isImplicitInput(name) || read.has(name));
  return inputs.length === graph.inputs.length ? graph : { ...graph, inputs };
}
