// Fusion: groups of nodes that one kernel can compute become `fusion` nodes with a body. What may be grouped says
// `iteration.ts`, how groups are formed `fuse-groups.ts`; here the graph is built anew.

import { type Graph, type GraphInput, makeNode, type Node, type ResultValue, type Value } from "../../ir/graph.ts";
import { createNames, printNode } from "../../ir/print.ts";
import { definePass, mapGraphs } from "../pass.ts";
import { type Group, groupNodes } from "./fuse-groups.ts";
import { roleOf } from "./fuse-roles.ts";

/** The largest number of nodes that become one kernel, where nothing else is said. */
const defaultFusionLimit = 48;

export const fuse = definePass({
  name: "fuse",
  doc: "Groups nodes that one kernel can compute: elementwise chains, reductions and rows, epilogues of contractions.",
  requires: ["differentiate"],
  options: { limit: { default: defaultFusionLimit, doc: "the largest number of nodes in a group" } },
  run: (module, context) =>
    mapGraphs(module, (graph) =>
      fuseGraph(graph, context.options.limit, (group, fusion) => {
        if (!context.recording) return;
        const nameOf = createNames();
        context.record({
          rule: `one ${group.kind}`,
          graph: graph.name,
          before: group.nodes.map((node) => printNode(node, nameOf, { locations: false })).join("; "),
          after: [printNode(fusion, nameOf, { locations: false })],
          location: fusion.location,
        });
      }),
    ),
});

/**
 * The graph with groups of nodes replaced by `fusion` nodes: their operands are the inputs of the body, in order, their results
 * its outputs. Nodes that gain nothing stay as they are.
 */
export function fuseGraph(
  graph: Graph,
  limit: number = defaultFusionLimit,
  observe?: (group: Group, fusion: Node) => void,
): Graph {
  return rebuild(graph, groupNodes(graph, limit).groups, observe);
}

/** What becomes one node: `nodes` in topological order, and those of their results that others need. A single node stays as it is. */
export type FusedGroup = Pick<Group, "nodes" | "outputs"> & { readonly kind: Group["kind"] | "attention" | "mixture" };

/** The graph made of groups, which come in topological order. */
export function rebuild<G extends FusedGroup>(
  graph: Graph,
  groups: readonly G[],
  observe?: (group: G, fusion: Node) => void,
): Graph {
  const replaced = new Map<Value, Value>();
  const current = (value: Value): Value => replaced.get(value) ?? value;
  const nodes: Node[] = [];
  const emitted = new Set<Node>();
  const copy = (node: Node): void => {
    if (emitted.has(node)) return;
    emitted.add(node);
    const made = makeNode(
      node.op,
      node.inputs.map(current),
      node.attributes,
      node.results.map((result) => result.type),
      node.location,
      node.body,
    );
    node.results.forEach((result, i) => {
      replaced.set(result, made.results[i]!);
    });
    nodes.push(made);
  };
  for (const group of groups) {
    if (group.kind === "single") {
      for (const node of group.nodes) copy(node);
      continue;
    }
    const fusion = makeFusion(group, current);
    group.outputs.forEach((output, i) => {
      replaced.set(output, fusion.results[i]!);
    });
    nodes.push(fusion);
    observe?.(group, fusion);
  }
  return {
    ...graph,
    nodes,
    outputs: graph.outputs.map((output) => ({ ...output, value: current(output.value) })),
    updates: graph.updates.map((update) => ({ ...update, value: current(update.value) })),
  };
}

function makeFusion(group: FusedGroup, current: (value: Value) => Value): Node {
  const operands: Value[] = [];
  const inputs: GraphInput[] = [];
  const inputOf = new Map<string | ResultValue, GraphInput>();
  const names = new Set<string>();
  const inner = new Map<Value, Value>();

  /** The value as the body sees it: literals as they are, results of the body's nodes, and inputs for all else. */
  const within = (value: Value): Value => {
    if (value.kind === "literal") return value;
    const known = inner.get(value);
    if (known) return known;
    const key = value.kind === "result" ? value : `${value.kind} ${value.name}`;
    let input = inputOf.get(key);
    if (!input) {
      input = { kind: "input", name: freshName(nameOf(value), names), type: value.type };
      inputOf.set(key, input);
      inputs.push(input);
      operands.push(current(value));
    }
    return input;
  };
  const nodes = group.nodes.map((node) => {
    const types = node.results.map((result) => result.type);
    const made = makeNode(node.op, node.inputs.map(within), node.attributes, types, node.location);
    node.results.forEach((result, i) => {
      inner.set(result, made.results[i]!);
    });
    return made;
  });
  const outputs = group.outputs.map((output, i) => ({ name: `y${i}`, value: within(output) }));
  const body: Graph = { name: "body", inputs, nodes, outputs, updates: [] };
  const types = group.outputs.map((output) => output.type);
  return makeNode("fusion", operands, { kind: group.kind }, types, mainNode(group).location, body);
}

/** The node that names the group: its contraction or first reduction, else what leaves it last. */
const mainNode = (group: FusedGroup): Node =>
  group.nodes.find((node) => ["reduce", "contraction", "window"].includes(roleOf(node))) ?? group.outputs.at(-1)!.node;

/** `kernel` for `@dense.kernel`, `x` for an input x, and the operation's name for what a node made. */
function nameOf(value: Value): string {
  switch (value.kind) {
    case "literal":
      return "literal";
    case "input":
      return value.name;
    case "global":
      return value.name.split(".").at(-1)!;
    case "result":
      return value.node.body ? mainOp(value.node) : value.node.op;
  }
}

const mainOp = (node: Node): string => node.body?.nodes.at(-1)?.op ?? node.op;

function freshName(stem: string, taken: Set<string>): string {
  let name = stem;
  for (let i = 1; taken.has(name); i++) name = `${stem}_${i}`;
  taken.add(name);
  return name;
}
