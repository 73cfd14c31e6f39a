// What in the body of a scan has to wait for the step before, and what nobody in the loop waits for.

import type { Graph, Node } from "../../ir/graph.ts";
import { neededNodes } from "../map-graph.ts";

/** Nodes that decide nothing that is carried, of those that `accepts` takes, where all that read them are such nodes too. */
export function lateNodes(
  { nodes, outputs }: Graph,
  carries: number,
  accepts: (node: Node) => boolean,
): ReadonlySet<Node> {
  const carried = new Set(
    neededNodes(
      nodes,
      outputs.slice(0, carries).map(({ value }) => value),
    ),
  );
  const late = new Set<Node>();
  const held = new Set<Node>(carried);
  for (const node of [...nodes].reverse()) {
    if (!held.has(node) && accepts(node)) late.add(node);
    else for (const value of node.inputs) if (value.kind === "result") held.add(value.node);
  }
  return late;
}
