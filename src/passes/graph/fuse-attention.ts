// Attention as one kernel: the scores of a few queries are computed, turned into weights and used up, block by block of the keys,
// so that the matrix of all scores is never held.

import type { Graph, Node, ResultValue, Value } from "../../ir/graph.ts";
import { withoutDeadNodes } from "../map-graph.ts";
import { definePass, mapGraphs } from "../pass.ts";
import { type Attention, attentionOf } from "./attention.ts";
import { type FusedGroup, rebuild } from "./fuse.ts";
import { isCheap, roleOf } from "./fuse-roles.ts";

export const fuseAttention = definePass({
  name: "fuse-attention",
  doc:
    "Makes one node of queries · keys, a softmax over the keys, and the product with the values, where nothing else needs the " +
    "scores or the weights: memory then grows with the length of the sequence, not with its square.",
  requires: ["differentiate"],
  options: {},
  run: (module) => mapGraphs(module, fuseGraph),
});

function fuseGraph(graph: Graph): Graph {
  const readers = new Map<Node, Node[]>();
  for (const node of graph.nodes) {
    for (const input of node.inputs) {
      if (input.kind === "result") readers.set(input.node, [...(readers.get(input.node) ?? []), node]);
    }
  }
  const outgoing = new Set<Value>([...graph.outputs, ...graph.updates].map(({ value }) => value));
  const isInner = (node: Node, members: ReadonlySet<Node>): boolean =>
    !node.results.some((result) => outgoing.has(result)) &&
    (readers.get(node) ?? []).every((reader) => members.has(reader));

  const groups = new Map<Node, FusedGroup>();
  const gone = new Set<Node>();
  for (const node of graph.nodes) {
    const attention = attentionOf(node);
    if (!attention || !isFusible(attention)) continue;
    const { members, mixed } = attention;
    if ([...members].some((member) => member !== mixed && !isInner(member, members))) continue;
    const output = turned(mixed, readers, outgoing);
    groups.set(output.node, { nodes: bodyOf(graph, attention, output), outputs: [output], kind: "attention" });
    for (const member of members) gone.add(member);
  }
  if (groups.size === 0) return graph;
  const order = graph.nodes.flatMap((node): FusedGroup[] => {
    const group = groups.get(node);
    if (group) return [group];
    return gone.has(node) ? [] : [{ nodes: [node], outputs: [], kind: "single" }];
  });
  return withoutDeadNodes(rebuild(graph, order));
}

/** What waits in scratch memory for each query is as wide as a value. */
const mostFeatures = 512;

function isFusible({ mixed, feature, weights }: Attention): boolean {
  const { dtype, shape } = mixed.results[0]!.type;
  const width = shape[feature]!;
  return dtype === "f32" && weights.type.shape.at(-1) !== 0 && typeof width === "number" && width <= mostFeatures;
}

/** The transpose that the result goes into, where it goes nowhere else: it costs nothing where the result is stored. */
function turned(mixed: Node, readers: ReadonlyMap<Node, readonly Node[]>, outgoing: ReadonlySet<Value>): ResultValue {
  const [reader, ...more] = readers.get(mixed) ?? [];
  const alone = more.length === 0 && !outgoing.has(mixed.results[0]!);
  return alone && reader?.op === "transpose" ? reader.results[0]! : mixed.results[0]!;
}

/** The members, and copies of what is before them and costs nothing to repeat: movement of the operands, conditions of masks. */
function bodyOf(graph: Graph, { members, scores, mixed, side }: Attention, output: ResultValue): readonly Node[] {
  const body = new Set<Node>([...members, output.node]);
  const absorb = (value: Value, cheap: boolean): void => {
    if (value.kind !== "result" || body.has(value.node)) return;
    const role = roleOf(value.node);
    if (role !== "movement" && !(cheap && role === "element" && isCheap(value.node))) return;
    body.add(value.node);
    for (const input of value.node.inputs) absorb(input, cheap);
  };
  for (const member of members) {
    const values = member === mixed ? member.inputs.filter((_, i) => i !== side) : member.inputs;
    for (const value of values) absorb(value, member !== mixed && member !== scores);
  }
  return graph.nodes.filter((node) => body.has(node));
}
