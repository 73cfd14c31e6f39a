// Scans become loops: the sequences that they walk become operands like any other, from which the body takes the slice at the step by
// itself, at a place that a name stands for. From here on a slice can fuse into what reads it, and a step is a place in memory.

import { addDims, type Dim, symbol, symbolsOf } from "../../ir/dim.ts";
import { createGraphBuilder } from "../../ir/emit.ts";
import { type Graph, keyOf, type Module, type Node, type Value, type ValueKey } from "../../ir/graph.ts";
import { partsOfScan } from "../../ir/ops/scan.ts";
import { copyNodes, mapGraph } from "../map-graph.ts";
import { definePass, mapEntryGraphs } from "../pass.ts";

const hasScans = (graph: Graph): boolean =>
  graph.nodes.some((node) => node.op === "scan" || (node.body && hasScans(node.body)));

export const openScans = definePass({
  name: "open-scans",
  doc: "Turns scans into loops, whose bodies slice the sequences at the step.",
  requires: ["differentiate"],
  options: {},
  done: (module: Module) => ![...module.graphs.values()].some(hasScans),
  run: (module) => mapEntryGraphs(module, (graph) => (hasScans(graph) ? openAll(graph, namesIn(graph)) : graph)),
});

/** Free sizes that a graph mentions, those of bodies too. */
function namesIn(graph: Graph, found = new Set<string>()): Set<string> {
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) value.forEach(visit);
    else if (isDim(value)) for (const name of symbolsOf(value)) found.add(name);
  };
  for (const { type } of graph.inputs) visit(type.shape);
  for (const node of graph.nodes) {
    for (const { type } of [...node.inputs, ...node.results]) visit(type.shape);
    for (const attribute of Object.values(node.attributes)) visit(attribute);
    if (node.body) namesIn(node.body, found);
  }
  return found;
}

const isDim = (value: unknown): value is Dim => typeof value === "object" && value !== null && "terms" in value;

function openAll(graph: Graph, taken: Set<string>): Graph {
  return mapGraph(graph, (node, writer) => {
    if (node.op !== "scan") return writer.keep(node);
    const { op, inputs, attributes, body } = opened(node, taken);
    return writer.emit.node(op, inputs, attributes, body);
  });
}

function opened(node: Node, taken: Set<string>) {
  const { body, axes, sequences, first, shared } = partsOfScan(node);
  const { carries, length, reversed } = node.attributes;
  const index = freshName(taken);
  const at = symbol(index);
  const builder = createGraphBuilder(body.name);
  const inner = new Map<ValueKey, Value>();
  const slices = body.inputs.slice(0, axes.length);
  for (const input of body.inputs.slice(axes.length, axes.length + first.length))
    inner.set(keyOf(input), builder.input(input.name, input.type));
  const wholes = slices.map((input, i) => builder.input(input.name, sequences[i]!.type));
  for (const input of body.inputs.slice(axes.length + first.length))
    inner.set(keyOf(input), builder.input(input.name, input.type));
  builder.locate(node.location);
  slices.forEach((input, i) => {
    const { shape } = wholes[i]!.type;
    const axis = axes[i]!;
    const part = builder.emit.value("slice", [wholes[i]!], {
      start: shape.map((_, a) => (a === axis ? at : 0)),
      limit: shape.map((dim, a) => (a === axis ? addDims(at, 1) : dim)),
      stride: shape.map(() => 1),
    });
    inner.set(keyOf(input), builder.emit.reshape(part, input.type.shape));
  });
  const nodes: Node[] = [];
  copyNodes(body.nodes, inner, (copy) => nodes.push(copy));
  const outputs = body.outputs.map(({ name, value }) => ({ name, value: inner.get(keyOf(value)) ?? value }));
  const head = builder.build(outputs);
  const whole: Graph = { ...head, nodes: [...head.nodes, ...nodes] };
  return {
    op: "loop",
    inputs: [...first, ...sequences, ...shared],
    attributes: { index, extent: length!, carries: carries!, reversed: reversed! },
    body: openAll(whole, taken),
  };
}

/** `t`, as one writes steps of time; `t1` and so on where that is taken. */
function freshName(taken: Set<string>): string {
  let name = "t";
  for (let i = 1; taken.has(name); i++) name = `t${i}`;
  taken.add(name);
  return name;
}
