// Expands `gradient` nodes: reverse mode, from graph to graph. Earlier ones come first, so that the gradient of
// something that was made with gradients sees plain operations. What is added stands where the gradient node stood, and
// each added node has the place in the source of the node it belongs to.

import { type Graph, literal, type Module, type Node, type Value } from "../../ir/graph.ts";
import { type GraphWriter, mapGraph, neededNodes } from "../map-graph.ts";
import { definePass, mapGraphs, PassError } from "../pass.ts";
import { gradientOfScan, yieldResiduals } from "./differentiate-scan.ts";
import { reverse, sumOf } from "./reverse.ts";

const hasGradients = (graph: Graph): boolean =>
  graph.nodes.some((node) => node.op === "gradient" || (node.body && hasGradients(node.body)));

export const differentiate = definePass({
  name: "differentiate",
  doc: "Replaces each `gradient` by the nodes that compute it, in reverse mode.",
  requires: [],
  options: {},
  done: (module: Module) => ![...module.graphs.values()].some(hasGradients),
  run: (module) => mapGraphs(module, expandAll),
});

/** One after the other where there are scans: those before a gradient, also the ones of earlier gradients, first yield what it needs. */
function expandAll(graph: Graph): Graph {
  let current = graph;
  for (;;) {
    const first = current.nodes.findIndex((node) => node.op === "gradient");
    if (first < 0) return current;
    const scans = current.nodes.some((node) => node.op === "scan");
    const ready = scans ? yieldResiduals(current, first) : current;
    let open = true;
    current = mapGraph(ready, (node, writer) => {
      if (node.op !== "gradient" || !open) return writer.keep(node);
      open = !scans;
      return expand(node, writer);
    });
  }
}

/** The gradients of `inputs[0]` with respect to the other operands; zeros where the loss does not depend on one. */
function expand(gradient: Node, writer: GraphWriter): readonly Value[] {
  const [loss, ...targets] = gradient.inputs;
  if (!loss) throw new PassError("gradient needs a loss");
  const start = writer.nodes.length;
  const parts = reverse(
    {
      nodes: writer.nodes.slice(0, start),
      targets,
      seeds: [{ value: loss, gradient: literal(1, loss.type.dtype) }],
      ofBody: gradientOfScan,
    },
    writer,
  );
  writer.locate(gradient.location);
  const results = targets.map((target) => sumOf(parts, target, writer) ?? writer.emit.full(0, target.type));
  // Rules give gradients for all operands, also for those that nobody asked for.
  for (const node of neededNodes(writer.takeBack(start), results)) writer.keep(node);
  return results;
}
