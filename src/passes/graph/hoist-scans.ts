// Work leaves scans: what is the same at every step is computed once, products of what is known before the scan are one product over
// all steps before it, and products that only yields wait for are one product behind it. What the loop keeps is what needs its order.

import type { Dim } from "../../ir/dim.ts";
import type { Emit } from "../../ir/emit.ts";
import { type Graph, type GraphInput, keyOf, type Node, type Value, type ValueKey } from "../../ir/graph.ts";
import { partsOfScan, type ScanParts } from "../../ir/ops/scan.ts";
import { copyNodes, mapGraph, neededNodes } from "../map-graph.ts";
import { definePass, mapGraphs } from "../pass.ts";
import { type Batched, batchNode, canBatch, lengthOf } from "./batch-node.ts";
import { freshName, sameAtEachStep } from "./pull-body.ts";
import { isAscending } from "./rules/match.ts";
import { lateNodes } from "./scan-order.ts";

export const hoistScans = definePass({
  name: "hoist-scans",
  doc: "Moves work out of scans: what is the same at every step, products of sequences, and products that only yields wait for.",
  requires: ["differentiate"],
  options: {},
  run: (module) =>
    mapGraphs(module, (graph) =>
      mapGraph(graph, (node, { emit, keep }) => {
        if (node.op !== "scan") return keep(node);
        const raised = raise(node, emit);
        return sink(raised, emit) ?? (raised === node ? keep(node) : emitScan(raised, emit));
      }),
    ),
});

/** A scan that is not in the graph yet. */
type Draft = Pick<Node, "op" | "inputs" | "attributes" | "body">;

const emitScan = ({ op, inputs, attributes, body }: Draft, emit: Emit): readonly Value[] =>
  emit.node(op, inputs, attributes, body);

/** What costs nothing to repeat. */
const trivial: ReadonlySet<string> = new Set(["broadcast", "iota", "size_of", "constant"]);

/** Moves before the scan what is the same at every step, and products of sequences. */
function raise<D extends Draft>(node: D, emit: Emit): D | Draft {
  const parts = partsOfScan(node);
  const { body, axes, sequences, first, shared } = parts;
  const moving = body.inputs.slice(0, axes.length + first.length);
  const fixed = sameAtEachStep(body, moving);
  const early = sameAtEachStep(body, moving.slice(axes.length));
  const products = body.nodes.filter(
    (each) =>
      each.op === "dot" &&
      early.has(each) &&
      !fixed.has(each) &&
      neededNodes(body.nodes, each.results).every((one) => fixed.has(one) || canBatch(one)),
  );
  const once = body.nodes.filter((each) => fixed.has(each) && !trivial.has(each.op));
  const gone = [...products, ...once];
  if (gone.length === 0) return node;

  const outside = outsideOf(parts, emit);
  const length = lengthOf(node);
  const results = gone.flatMap((each) => each.results);
  computeOutside(neededNodes(body.nodes, results), outside, length, emit);
  const taken = new Set(body.inputs.map(({ name }) => name));
  const inner = new Map<ValueKey, Value>();
  const opened = results.map((result) => {
    const input: GraphInput = { kind: "input", name: freshName(result.node.op, taken), type: result.type };
    inner.set(result, input);
    return { input, ...outside.get(result)! };
  });
  const nodes: Node[] = [];
  copyNodes(
    body.nodes.filter((each) => !gone.includes(each)),
    inner,
    (copy) => nodes.push(copy),
  );
  const stacks = opened.filter(({ stacked }) => stacked);
  const others = opened.filter(({ stacked }) => !stacked);
  const [from, to] = [axes.length, axes.length + first.length];
  return {
    op: node.op,
    inputs: [
      ...sequences,
      ...stacks.map(({ value }) => value),
      ...first,
      ...shared,
      ...others.map(({ value }) => value),
    ],
    attributes: { ...node.attributes, axes: [...axes, ...stacks.map(() => 0)] },
    body: {
      ...body,
      inputs: [
        ...body.inputs.slice(0, from),
        ...stacks.map(({ input }) => input),
        ...body.inputs.slice(from, to),
        ...body.inputs.slice(to),
        ...others.map(({ input }) => input),
      ],
      nodes,
      outputs: body.outputs.map(({ name, value }) => ({ name, value: inner.get(keyOf(value)) ?? value })),
    },
  };
}

/** Moves behind the scan the products that only yields wait for, with what follows them; undefined where there are none. */
function sink(node: Draft, emit: Emit): readonly Value[] | undefined {
  const parts = partsOfScan(node);
  const { body, first } = parts;
  const late = lateNodes(body, first.length, canBatch);
  const gone = new Set<Node>();
  for (const each of body.nodes) {
    if (!late.has(each)) continue;
    const follows = each.inputs.some((value) => value.kind === "result" && gone.has(value.node));
    if (each.op === "dot" || follows) gone.add(each);
  }
  if (gone.size === 0) return undefined;
  const isGone = (value: Value): boolean => value.kind === "result" && gone.has(value.node);

  const kept = body.outputs.filter((output, i) => i < first.length || !isGone(output.value));
  const fixed = sameAtEachStep(body, body.inputs.slice(0, parts.axes.length + first.length));
  const taken = new Set(kept.map(({ name }) => name));
  const at = new Map<ValueKey, number>();
  const needed = [...gone].flatMap(({ inputs }) => inputs).filter((value) => !isGone(value));
  const outputs = [...kept];
  const isStack = (value: Value): boolean =>
    value.kind === "result"
      ? !fixed.has(value.node)
      : body.inputs
          .slice(parts.axes.length, parts.axes.length + first.length)
          .some((carry) => keyOf(carry) === keyOf(value));
  for (const value of needed) {
    if (!isStack(value) || at.has(keyOf(value))) continue;
    const present = kept.findIndex((output, i) => i >= first.length && keyOf(output.value) === keyOf(value));
    at.set(keyOf(value), present < 0 ? outputs.push({ name: freshName("kept", taken), value }) - 1 : present);
  }
  const roots = outputs.map(({ value }) => value);
  const left: Graph = { ...body, nodes: neededNodes(body.nodes, roots), outputs };
  const results = emitScan({ ...node, body: left }, emit);
  const outside = outsideOf(parts, emit);
  const length = lengthOf(node);
  for (const value of needed) {
    const position = at.get(keyOf(value));
    if (position !== undefined) outside.set(keyOf(value), { value: results[position]!, stacked: true });
  }
  const again = neededNodes(body.nodes, needed).filter((each) => fixed.has(each));
  computeOutside([...again, ...body.nodes.filter((each) => gone.has(each))], outside, length, emit);
  let next = 0;
  return body.outputs.map((output, i) => {
    if (i < first.length || !isGone(output.value)) return results[next++]!;
    return outside.get(keyOf(output.value))!.value;
  });
}

type Outside = Map<ValueKey, Batched>;

/** The inputs of the body that are known outside of it: its sequences as stacks, and what every step sees. */
function outsideOf({ body, axes, sequences, first, shared }: ScanParts, emit: Emit): Outside {
  const outside: Outside = new Map();
  sequences.forEach((value, i) => {
    outside.set(keyOf(body.inputs[i]!), { value: stepsFirst(value, axes[i]!, emit), stacked: true });
  });
  shared.forEach((value, i) => {
    outside.set(keyOf(body.inputs[axes.length + first.length + i]!), { value, stacked: false });
  });
  return outside;
}

function computeOutside(nodes: readonly Node[], outside: Outside, length: Dim, emit: Emit): void {
  for (const node of nodes) {
    const operands = node.inputs.map((value) => outside.get(keyOf(value)) ?? { value, stacked: false });
    batchNode(node, operands, length, emit).forEach((made, i) => {
      outside.set(node.results[i]!, made);
    });
  }
}

/** A sequence as a stack: its steps along the first axis. */
function stepsFirst(value: Value, axis: number, emit: Emit): Value {
  const others = value.type.shape.map((_, i) => i).filter((i) => i !== axis);
  const permutation = [axis, ...others];
  return isAscending(permutation) ? value : emit.transpose(value, permutation);
}
