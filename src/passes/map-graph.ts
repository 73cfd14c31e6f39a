// Graphs are never changed in place: a pass walks through the nodes once, in order, and writes a new graph, in which
// other values may stand for the results of old nodes. What does not change is shared between the two.

import { createEmit, type Emit } from "../ir/emit.ts";
import { type Graph, keyOf, makeNode, type Node, type ResultValue, type Value, type ValueKey } from "../ir/graph.ts";
import type { Location } from "../ir/location.ts";
import { isLoop } from "../ir/ops/scan.ts";
import { formatType } from "../ir/print.ts";
import { equalTypes } from "../ir/verify.ts";

/** The new graph as far as it is written. */
export interface GraphWriter {
  readonly nodes: readonly Node[];
  /** Makes nodes at the end of the new graph, by default with the location of the node being visited. */
  readonly emit: Emit;
  /** Nodes made from here on, until the next node is visited, carry this location. */
  locate(location: Location | undefined): void;
  /** Puts a node at the end of the new graph as it is; gives its results. */
  keep(node: Node): readonly ResultValue[];
  /** Takes away the nodes from position `from` on, and gives them. */
  takeBack(from: number): Node[];
}

/** The same node over other operands. */
export function withInputs(node: Node, inputs: readonly Value[]): Node {
  if (inputs.every((value, i) => value === node.inputs[i])) return node;
  const types = node.results.map((result) => result.type);
  return makeNode(node.op, inputs, node.attributes, types, node.location, node.body);
}

/**
 * The graph that `visit` writes: it sees each node over the new operands, and gives the values that stand for its
 * results (`keep` for the node itself). The same graph comes back where nothing changed. Values must keep their types.
 */
export function mapGraph(graph: Graph, visit: (node: Node, writer: GraphWriter) => readonly Value[]): Graph {
  const nodes: Node[] = [];
  const replaced = new Map<Value, Value>();
  let here: Location | undefined;
  const writer: GraphWriter = {
    nodes,
    emit: createEmit(
      (node) => nodes.push(node),
      () => here,
    ),
    locate(location) {
      here = location;
    },
    keep(node) {
      nodes.push(node);
      return node.results;
    },
    takeBack: (from) => nodes.splice(from),
  };
  const resolve = (value: Value): Value => replaced.get(value) ?? value;
  for (const node of graph.nodes) {
    here = node.location;
    const values = visit(withInputs(node, node.inputs.map(resolve)), writer);
    node.results.forEach((result, i) => {
      const value = values[i];
      if (!value || !equalTypes(value.type, result.type))
        throw new Error(
          `a pass replaced a result of ${node.op}, ${formatType(result.type)}, by ${value ? formatType(value.type) : "nothing"}`,
        );
      if (value !== result) replaced.set(result, value);
    });
  }
  const same = nodes.length === graph.nodes.length && nodes.every((node, i) => node === graph.nodes[i]);
  if (same && replaced.size === 0) return graph;
  const { memory: _, ...kept } = graph;
  return {
    ...kept,
    nodes,
    outputs: graph.outputs.map(({ name, value }) => ({ name, value: resolve(value) })),
    updates: graph.updates.map(({ target, value }) => ({ target, value: resolve(value) })),
  };
}

/** The graph with the bodies of its loops replaced; those of fusions are left as they are. */
export function mapBodies(graph: Graph, map: (body: Graph) => Graph): Graph {
  return mapGraph(graph, (node, writer) => {
    if (!node.body || !isLoop(node)) return writer.keep(node);
    const body = map(node.body);
    if (body === node.body) return writer.keep(node);
    return writer.keep(
      makeNode(
        node.op,
        node.inputs,
        node.attributes,
        node.results.map((result) => result.type),
        node.location,
        body,
      ),
    );
  });
}

/**
 * Copies nodes to another graph. `inner` says what values of their graph stand for there; it learns what the copies' results are.
 */
export function copyNodes(nodes: readonly Node[], inner: Map<ValueKey, Value>, sink: (node: Node) => void): void {
  for (const node of nodes) {
    const copy = makeNode(
      node.op,
      node.inputs.map((value) => inner.get(keyOf(value)) ?? value),
      node.attributes,
      node.results.map((result) => result.type),
      node.location,
      node.body,
    );
    node.results.forEach((result, i) => {
      inner.set(result, copy.results[i]!);
    });
    sink(copy);
  }
}

/** The nodes that the values in `roots` need, in their order. */
export function neededNodes(nodes: readonly Node[], roots: Iterable<Value>): Node[] {
  const needed = new Set<Node>();
  for (const value of roots) if (value.kind === "result") needed.add(value.node);
  const kept: Node[] = [];
  for (let i = nodes.length - 1; i >= 0; i--) {
    const node = nodes[i]!;
    if (!needed.has(node)) continue;
    kept.push(node);
    for (const value of node.inputs) if (value.kind === "result") needed.add(value.node);
  }
  return kept.reverse();
}

/** The graph without the nodes that neither its outputs nor its updates need. */
export function withoutDeadNodes(graph: Graph): Graph {
  const roots = [...graph.outputs, ...graph.updates].map(({ value }) => value);
  const nodes = neededNodes(graph.nodes, roots);
  if (nodes.length === graph.nodes.length) return graph;
  const { memory: _, ...kept } = graph;
  return { ...kept, nodes };
}
