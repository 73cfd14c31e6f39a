// Takes from scans what nobody reads: yields, and carries that decide nothing else. Differentiation lets scans yield whatever a
// gradient might want, and relies on this.

import { type Graph, keyOf, makeNode, type Node, type Value, type ValueKey } from "../../ir/graph.ts";
import { isLoop, partsOfScan } from "../../ir/ops/scan.ts";
import { mapGraph, neededNodes } from "../map-graph.ts";

export function pruneScans(graph: Graph): Graph {
  if (!graph.nodes.some(isLoop)) return graph;
  const live = new Set<ValueKey>();
  const read = (values: readonly Value[]): void => {
    for (const value of values) live.add(keyOf(value));
  };
  read([...graph.outputs, ...graph.updates].map(({ value }) => value));
  const pruned = new Map<number, Kept>();
  for (const [position, node] of [...graph.nodes.entries()].reverse()) {
    if (!node.results.some((result) => live.has(result))) continue;
    if (!isLoop(node)) {
      read(node.inputs);
      continue;
    }
    const kept = keptOf(node, (i) => live.has(node.results[i]!));
    pruned.set(position, kept);
    read(node.inputs.filter((_, i) => kept.inputs.has(i)));
  }
  let position = -1;
  return mapGraph(graph, (node, writer) => {
    position++;
    const kept = pruned.get(position);
    if (!kept || (kept.outputs.size === node.results.length && kept.inputs.size === node.inputs.length))
      return writer.keep(node);
    const made = rebuilt(node, kept);
    writer.keep(made);
    let next = 0;
    // What nobody reads stands for itself.
    return node.results.map((result, i) => (kept.outputs.has(i) ? made.results[next++]! : result));
  });
}

/** Positions of what stays. */
interface Kept {
  readonly inputs: ReadonlySet<number>;
  readonly outputs: ReadonlySet<number>;
}

function keptOf(node: Node, isRead: (result: number) => boolean): Kept {
  const { body, axes, first } = partsOfScan(node);
  const outputs = new Set(node.results.keys());
  for (const i of [...outputs]) if (!isRead(i)) outputs.delete(i);
  for (;;) {
    const roots = [...outputs].map((i) => body.outputs[i]!.value);
    const needed = new Set([...neededNodes(body.nodes, roots).flatMap(({ inputs }) => inputs), ...roots].map(keyOf));
    const inputs = new Set([...body.inputs.keys()].filter((i) => needed.has(keyOf(body.inputs[i]!))));
    const before = outputs.size;
    // What a step reads of a carry the step before must have computed.
    first.forEach((_, i) => {
      if (inputs.has(axes.length + i)) outputs.add(i);
      if (outputs.has(i)) inputs.add(axes.length + i);
    });
    if (outputs.size === before) return { inputs, outputs };
  }
}

function rebuilt(node: Node, { inputs, outputs }: Kept): Node {
  const { body, axes, first } = partsOfScan(node);
  const keep = <T>(list: readonly T[], which: ReadonlySet<number>): T[] => list.filter((_, i) => which.has(i));
  const left = keep(body.outputs, outputs);
  const kept: Graph = {
    ...body,
    inputs: keep(body.inputs, inputs),
    nodes: neededNodes(
      body.nodes,
      left.map(({ value }) => value),
    ),
    outputs: left,
  };
  const attributes = {
    ...node.attributes,
    ...(node.op === "scan" ? { axes: axes.filter((_, i) => inputs.has(i)) } : {}),
    carries: first.filter((_, i) => outputs.has(i)).length,
  };
  const types = keep(node.results, outputs).map(({ type }) => type);
  return makeNode(node.op, keep(node.inputs, inputs), attributes, types, node.location, kept);
}
