// Expands `gradient` nodes: reverse mode, from graph to graph. Earlier ones come first, so that the gradient of
// something that was made with gradients sees plain operations. What is added stands where the gradient node stood, and
// each added node has the place in the source of the node it belongs to.

import { isFloat } from "../../ir/dtype.ts";
import { type Graph, literal, type Module, type Node, type Value } from "../../ir/graph.ts";
import type { Location } from "../../ir/location.ts";
import { operation } from "../../ir/ops/index.ts";
import { formatType } from "../../ir/print.ts";
import { equalTypes } from "../../ir/verify.ts";
import { type GraphWriter, mapGraph, neededNodes } from "../map-graph.ts";
import { definePass, mapGraphs, PassError } from "../pass.ts";

const hasGradients = (graph: Graph): boolean =>
  graph.nodes.some((node) => node.op === "gradient" || (node.body && hasGradients(node.body)));

export const differentiate = definePass({
  name: "differentiate",
  doc: "Replaces each `gradient` by the nodes that compute it, in reverse mode.",
  requires: [],
  options: {},
  done: (module: Module) => ![...module.graphs.values()].some(hasGradients),
  run: (module) =>
    mapGraphs(module, (graph) =>
      mapGraph(graph, (node, writer) => (node.op === "gradient" ? expand(node, writer) : writer.keep(node))),
    ),
});

/** Results are known by themselves; inputs and globals by their names, of which there may be several values. */
type Key = Value | string;

function keyOf(value: Value): Key {
  switch (value.kind) {
    case "input":
      return `%${value.name}`;
    case "global":
      return `@${value.name}`;
    case "literal":
    case "result":
      return value;
  }
}

/** The gradients of `inputs[0]` with respect to the other operands; zeros where the loss does not depend on one. */
function expand(gradient: Node, writer: GraphWriter): readonly Value[] {
  const [loss, ...targets] = gradient.inputs;
  if (!loss) throw new PassError("gradient needs a loss");
  const start = writer.nodes.length;
  const forward = writer.nodes.slice(0, start);
  const active = dependents(forward, targets);
  const cotangents = new Map<Key, Value>();
  if (active.has(keyOf(loss))) {
    cotangents.set(keyOf(loss), literal(1, loss.type.dtype));
    for (const node of neededNodes(forward, [loss]).reverse()) {
      writer.locate(noted(node.location, node.op));
      pullBack(node, active, cotangents, writer);
    }
  }
  writer.locate(gradient.location);
  const results = targets.map((target) => cotangents.get(keyOf(target)) ?? writer.emit.full(0, target.type));
  // Rules give gradients for all operands, also for those that nobody asked for.
  for (const node of neededNodes(writer.takeBack(start), results)) writer.keep(node);
  return results;
}

/** The values that depend on the targets in a way that has a gradient, the targets included. */
function dependents(nodes: readonly Node[], targets: readonly Value[]): ReadonlySet<Key> {
  const active = new Set<Key>(targets.map(keyOf));
  for (const node of nodes) {
    if (!node.body && !operation(node.op)?.differentiate) continue;
    if (!node.inputs.some((value) => isFloat(value.type.dtype) && active.has(keyOf(value)))) continue;
    for (const result of node.results) if (isFloat(result.type.dtype)) active.add(result);
  }
  return active;
}

/** Adds what a node passes on to the gradients of its operands. */
function pullBack(node: Node, active: ReadonlySet<Key>, cotangents: Map<Key, Value>, { emit }: GraphWriter): void {
  const received = node.results.map((result) => cotangents.get(result));
  if (received.every((value) => value === undefined)) return;
  const wanted = node.inputs.map((value) => isFloat(value.type.dtype) && active.has(keyOf(value)));
  if (!wanted.includes(true)) return;
  if (node.body)
    throw new PassError(`${node.op} has no gradient: differentiate comes before the passes that make bodies`);
  const rule = operation(node.op)?.differentiate;
  if (!rule) return;
  const gradients = rule({
    inputs: node.inputs,
    results: node.results,
    cotangents: received,
    attributes: node.attributes,
    emit,
  });
  node.inputs.forEach((input, i) => {
    const part = gradients[i];
    if (!part || !wanted[i]) return;
    const whole =
      input.type.shape.length === 0
        ? emit.reduce(
            "sum",
            part,
            part.type.shape.map((_, axis) => axis),
          )
        : part;
    if (!equalTypes(whole.type, input.type))
      throw new Error(
        `the gradient rule of ${node.op} gives ${formatType(whole.type)} for operand ${i}, ${formatType(input.type)}`,
      );
    const key = keyOf(input);
    const before = cotangents.get(key);
    cotangents.set(key, before ? emit.add(before, whole) : whole);
  });
}

const noted = (location: Location | undefined, op: string): Location | undefined =>
  location && { ...location, note: `gradient of ${op}` };
