// Attention as one kernel: the scores of a few queries are computed, turned into weights and used up, block by block of the keys,
// so that the matrix of all scores is never held. Its gradients compute the weights anew, where these would take much memory.

import { bytesOf } from "../../ir/dtype.ts";
import type { Graph, Node, ResultValue, Value } from "../../ir/graph.ts";
import { mostOf, type Requirement } from "../../ir/requirement.ts";
import { mapGraph, withoutDeadNodes } from "../map-graph.ts";
import { definePass, mapGraphs } from "../pass.ts";
import { type Attention, attentionOf, type Mixture, productsIn } from "./attention.ts";
import { gradientOf, together, type Uses } from "./attention-gradient.ts";
import { type FusedGroup, rebuild } from "./fuse.ts";
import { isCheap, numbers, roleOf } from "./fuse-roles.ts";
import { inOrder } from "./in-order.ts";
import { emitRowProduct, rowProductOf } from "./row-products.ts";

/** Weights of all heads of a sample, in bytes, that a training step holds: less work than to compute them anew. */
const defaultHeld = 2 ** 20;

export const fuseAttention = definePass({
  name: "fuse-attention",
  doc:
    "Makes one node of queries · keys, a softmax over the keys, and the product with the values, where nothing else needs the " +
    "scores or the weights: memory then grows with the length of the sequence, not with its square. Gradients of large attentions " +
    "become nodes that compute the weights anew.",
  requires: ["differentiate"],
  options: {
    held: {
      default: defaultHeld,
      doc: "bytes of weights, of all heads of a sample, that are held for gradients; a free length that no `assert` bounds counts as long",
    },
  },
  run: (module, { options }) =>
    mapGraphs(module, (graph) => fuseGraph(withoutRowProducts(graph, options.held), options.held)),
});

/** An attention, and what else becomes of its weights. */
interface Found {
  readonly attention: Attention;
  readonly mixtures: readonly Mixture[];
  readonly rows: readonly Node[];
}

function attentionsIn({ nodes, requirements = [] }: Graph, uses: Uses, held: number): readonly Found[] {
  const taken = new Set<Node>();
  return nodes.flatMap((node): Found[] => {
    const attention = attentionOf(node);
    if (!attention || taken.has(node) || !isFusible(attention.mixture)) return [];
    const gradient = gradientOf(attention, uses);
    if (!gradient?.mixtures.every(isFusible)) return [];
    const { mixtures, rows } = gradient;
    if (mixtures.length + rows.length > 0 && !isLarge(attention, requirements, held)) return [];
    if (!rows.every((row) => rowProductOf(row, attention.mixture))) return [];
    for (const mixture of mixtures) taken.add(mixture.node);
    return [{ attention, mixtures, rows }];
  });
}

/** What waits in scratch memory for each row is as wide as a value. */
const mostFeatures = 512;

function isFusible({ node, feature, matrix, summed }: Mixture): boolean {
  const { dtype, shape } = node.results[0]!.type;
  const width = shape[feature]!;
  return dtype === "f32" && matrix.type.shape[summed] !== 0 && typeof width === "number" && width <= mostFeatures;
}

/** Whether the weights of all heads of a sample, at the greatest length that the program allows, are too many to be held. */
function isLarge({ mixture }: Attention, requirements: readonly Requirement[], held: number): boolean {
  const { matrix, summed, row } = mixture;
  const { shape, dtype } = matrix.type;
  const bytes = shape.reduce<number>((product, size, axis) => {
    const isLength = axis === summed || axis === row;
    return product * (isLength ? mostOf(size, requirements) : typeof size === "number" ? size : 1);
  }, bytesOf[dtype]);
  return bytes > held;
}

function usesIn(graph: Graph): Uses {
  const readers = new Map<Node, Node[]>();
  for (const node of graph.nodes) {
    for (const input of new Set(node.inputs)) {
      if (input.kind === "result") readers.set(input.node, [...(readers.get(input.node) ?? []), node]);
    }
  }
  const outgoing = new Set<Value>([...graph.outputs, ...graph.updates].map(({ value }) => value));
  return {
    readersOf: (node) => readers.get(node) ?? [],
    leaves: (node) => node.results.some((result) => outgoing.has(result)),
  };
}

/** The graph with sums over rows of the matrices as sums over features. */
function withoutRowProducts(graph: Graph, held: number): Graph {
  const uses = usesIn(graph);
  const mixtureOfRow = new Map<Node, Mixture>();
  for (const { attention, rows } of attentionsIn(graph, uses, held)) {
    for (const row of rows) mixtureOfRow.set(row, attention.mixture);
  }
  if (mixtureOfRow.size === 0) return graph;
  /** What has become of the nodes so far. */
  const written = new Map<Node, Node>();
  let position = 0;
  return mapGraph(graph, (node, writer) => {
    const before = graph.nodes[position++]!;
    written.set(before, node);
    const old = mixtureOfRow.get(before);
    const mixture = old && attentionOf(written.get(old.node)!)?.mixture;
    const product = mixture && rowProductOf(node, mixture);
    if (!product) return writer.keep(node);
    const output = turned(old.node, uses);
    const mixed = written.get(output.node)!.results[0]!;
    return [emitRowProduct(product, mixture, mixed, permutationOf(output, old.node), writer.emit)];
  });
}

/** For each axis of the result of `node` where it lies in `output`, its transpose or the result itself. */
function permutationOf(output: ResultValue, node: Node): readonly number[] {
  const permutation = numbers(output.node.attributes.permutation);
  return node.results[0]!.type.shape.map((_, axis) => (output.node === node ? axis : permutation.indexOf(axis)));
}

/** The transpose that the result goes into, where it goes nowhere else: it costs nothing where the result is stored. */
function turned(node: Node, { readersOf, leaves }: Uses): ResultValue {
  const [reader, ...more] = readersOf(node);
  const alone = more.length === 0 && !leaves(node);
  return alone && reader?.op === "transpose" ? reader.results[0]! : node.results[0]!;
}

function fuseGraph(graph: Graph, held: number): Graph {
  const uses = usesIn(graph);
  const groups = new Map<Node, FusedGroup>();
  const gone = new Set<Node>();
  const add = (kind: "attention" | "mixture", members: ReadonlySet<Node>, results: readonly Node[], more: Node[]) => {
    const outputs = results.map((node) => turned(node, uses));
    const body = bodyOf(graph, members, results, outputs);
    const group: FusedGroup = { nodes: body, outputs: [...outputs, ...more.flatMap(({ results }) => results)], kind };
    for (const node of [...members, ...results, ...outputs.map((output) => output.node)]) gone.add(node);
    for (const { node } of outputs) groups.set(node, group);
  };
  for (const { attention, mixtures, rows } of attentionsIn(graph, uses, held)) {
    if (rows.length > 0) continue;
    const { max, sum, mixture, members } = attention;
    add("attention", members, [mixture.node], mixtures.length > 0 ? [max, sum] : []);
    for (const list of together(mixtures)) {
      const matrices = new Set<Node>();
      for (const { matrix } of list) productsIn(matrix, matrices);
      add(
        "mixture",
        matrices,
        list.map(({ node }) => node),
        [],
      );
    }
  }
  if (groups.size === 0) return graph;
  const order = graph.nodes.flatMap((node): FusedGroup[] => {
    const group = groups.get(node);
    if (group) return [group];
    return gone.has(node) ? [] : [{ nodes: [node], outputs: node.results, kind: "single" }];
  });
  const ordered = sorted(order);
  return ordered ? withoutDeadNodes(rebuild(graph, ordered)) : graph;
}

/** The groups, each once and after those that make its operands; undefined where they need each other. */
function sorted(groups: readonly FusedGroup[]): readonly FusedGroup[] | undefined {
  const makers = new Map<Value, FusedGroup>(groups.flatMap((group) => group.outputs.map((output) => [output, group])));
  const needs = (group: FusedGroup): readonly FusedGroup[] => {
    const inside = new Set(group.nodes);
    const operands = group.nodes.flatMap((node) => node.inputs);
    return operands.flatMap((value) =>
      value.kind === "result" && !inside.has(value.node) ? (makers.get(value) ?? []) : [],
    );
  };
  const order = inOrder(groups, needs);
  const done = new Set<FusedGroup>();
  return order.every((group) => done.add(group) && needs(group).every((other) => done.has(other))) ? order : undefined;
}

/** The members, and copies of what is before them and costs nothing to repeat: movement of the operands, conditions of masks. */
function bodyOf(
  graph: Graph,
  members: ReadonlySet<Node>,
  results: readonly Node[],
  outputs: readonly ResultValue[],
): readonly Node[] {
  const body = new Set<Node>([...members, ...results, ...outputs.map(({ node }) => node)]);
  const absorb = (value: Value, cheap: boolean): void => {
    if (value.kind !== "result" || body.has(value.node)) return;
    const role = roleOf(value.node);
    if (role !== "movement" && !(cheap && role === "element" && isCheap(value.node))) return;
    body.add(value.node);
    for (const input of value.node.inputs) absorb(input, cheap);
  };
  for (const member of [...members, ...results]) {
    for (const input of member.inputs) absorb(input, member.op !== "dot");
  }
  return graph.nodes.filter((node) => body.has(node));
}
