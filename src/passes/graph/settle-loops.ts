// Before memory is planned: copies that loops need. What is carried has a place of its own, which the first value must come to and
// each step's value too; where that cannot be computed right there, it is copied. Views and what has two places are copied as well.

import { type Graph, keyOf, makeNode, type Node, type ResultValue, type Value, type ValueKey } from "../../ir/graph.ts";
import { isLoop, partsOfScan } from "../../ir/ops/scan.ts";
import { canWriteInPlace } from "./in-place.ts";
import { viewOf } from "./views.ts";

export interface Settled {
  readonly graph: Graph;
  /** Reshapes that are copies: their results have places of their own. */
  readonly copies: ReadonlySet<Node>;
}

/** Whether the value of carry `i` lies in the stack of a yield: in the one of its values after the steps, or in that of those before. */
export function ridesOn(body: Graph, carries: number, i: number): { readonly after: number; readonly before: number } {
  const yields = body.outputs.slice(carries);
  const find = (value: Value): number => {
    const at = yields.findIndex((output) => keyOf(output.value) === keyOf(value));
    return at < 0 ? -1 : at + carries;
  };
  return { after: find(body.outputs[i]!.value), before: find(body.inputs[i]!) };
}

export function settleLoops(graph: Graph): Settled {
  const copies = new Set<Node>();
  return { graph: settle(materializeLiterals(graph), copies), copies };
}

/** Literals that leave the graph become nodes, so that everything that leaves it has a place. */
function materializeLiterals(graph: Graph): Graph {
  const added: Node[] = [];
  const place = (value: Value): Value => {
    if (value.kind !== "literal") return value;
    const node = numberNode(value);
    added.push(node);
    return node.results[0]!;
  };
  const outputs = graph.outputs.map((output) => ({ ...output, value: place(output.value) }));
  const updates = graph.updates.map((update) => ({ ...update, value: place(update.value) }));
  return { ...graph, nodes: [...graph.nodes, ...added], outputs, updates };
}

const numberNode = (value: Value): Node =>
  makeNode("broadcast", [value], { shape: [], axes: [] }, [value.type], undefined);

/** Whether a node fills its result with one number: what takes no longer than a copy of it. */
const isFill = ({ op, inputs }: Node): boolean => op === "broadcast" && inputs[0]?.kind === "literal";

function copyOf(value: Value, copies: Set<Node>): Node {
  if (value.kind === "literal") return numberNode(value);
  if (value.kind === "result" && isFill(value.node)) {
    const { op, inputs, attributes, location } = value.node;
    return makeNode(op, inputs, attributes, [value.type], location);
  }
  const node = makeNode("reshape", [value], { shape: value.type.shape }, [value.type], undefined);
  copies.add(node);
  return node;
}

function settle(graph: Graph, copies: Set<Node>): Graph {
  if (!graph.nodes.some(isLoop)) return graph;
  const reads = new Map<ValueKey, number>();
  const roots = [...graph.outputs, ...graph.updates].map(({ value }) => value);
  for (const value of [...graph.nodes.flatMap((node) => node.inputs), ...roots])
    reads.set(keyOf(value), (reads.get(keyOf(value)) ?? 0) + 1);
  const nodes: Node[] = [];
  const replaced = new Map<Value, Value>();
  const current = (value: Value): Value => replaced.get(value) ?? value;
  for (const node of graph.nodes) {
    const { first } = isLoop(node) ? partsOfScan(node) : { first: [] };
    const inputs = node.inputs.map((value, i) => {
      const given = current(value);
      const own = isFresh(given, copies) && reads.get(keyOf(value)) === 1;
      if (!isLoop(node) || (i < first.length ? own : value.kind !== "literal")) return given;
      const copy = copyOf(given, copies);
      nodes.push(copy);
      return copy.results[0]!;
    });
    const body = isLoop(node) && node.body ? settleBody(node.body, first.length, copies) : node.body;
    const same = body === node.body && inputs.every((value, i) => value === node.inputs[i]);
    const types = node.results.map((result) => result.type);
    const made = same ? node : makeNode(node.op, inputs, node.attributes, types, node.location, body);
    node.results.forEach((result, i) => {
      if (!same) replaced.set(result, made.results[i]!);
    });
    nodes.push(made);
  }
  const used = new Set(nodes.flatMap(({ inputs }) => inputs));
  for (const value of roots) used.add(current(value));
  return {
    ...graph,
    nodes: nodes.filter((node) => !isFill(node) || used.has(node.results[0]!)),
    outputs: graph.outputs.map((output) => ({ ...output, value: current(output.value) })),
    updates: graph.updates.map((update) => ({ ...update, value: current(update.value) })),
  };
}

/** Whether a node computes the value into a place that may be chosen. */
const isFresh = (value: Value, copies: ReadonlySet<Node>): value is ResultValue =>
  value.kind === "result" && !isLoop(value.node) && (copies.has(value.node) || !viewOf(value.node));

/** The body with every output in one place alone: each carry's next value where it is carried, each yield in its stack. */
function settleBody(original: Graph, carries: number, copies: Set<Node>): Graph {
  const graph = settle(materializeLiterals(original), copies);
  const early: Node[] = [];
  const late: Node[] = [];
  const carried = new Map(graph.inputs.slice(0, carries).map((input, i) => [keyOf(input), i]));
  const claimed = new Map<ValueKey, { carry: boolean; stack: boolean }>();
  const outputs = graph.outputs.map((output, i) => {
    const { value } = output;
    const claim = claimed.get(keyOf(value)) ?? { carry: false, stack: false };
    const isCarry = i < carries;
    const before = !isCarry && carried.has(keyOf(value));
    const free = isCarry ? !claim.carry : !claim.stack;
    if (free && (before || isFresh(value, copies))) {
      claimed.set(keyOf(value), { carry: claim.carry || isCarry, stack: claim.stack || !isCarry });
      return output;
    }
    const copy = copyOf(value, copies);
    // What is carried may be overwritten by its next value before the step ends.
    (value.kind === "input" ? early : late).push(copy);
    return { ...output, value: copy.results[0]! };
  });
  const whole: Graph = { ...graph, nodes: [...early, ...graph.nodes, ...late], outputs };
  const kept: Node[] = [];
  const committed = outputs.map((output, i) => {
    if (i >= carries || isSettled(whole, carries, i)) return output;
    const copy = copyOf(output.value, copies);
    kept.push(copy);
    return { ...output, value: copy.results[0]! };
  });
  return { ...whole, nodes: [...whole.nodes, ...kept], outputs: committed };
}

/** Whether the next value of a carry can be computed where the carry lies, or lies in a stack, where each step has its own place. */
function isSettled(body: Graph, carries: number, i: number): boolean {
  const { after, before } = ridesOn(body, carries, i);
  if (after >= 0 || before >= 0) return true;
  const { value } = body.outputs[i]!;
  if (value.kind !== "result") return false;
  const at = body.nodes.indexOf(value.node);
  const lies = new Set<ValueKey>([keyOf(body.inputs[i]!)]);
  return body.nodes.every((node, position) => {
    const read = node.inputs.flatMap((input, operand) => (lies.has(keyOf(input)) ? [operand] : []));
    if (read.length === 0) return true;
    if (viewOf(node)) {
      // A copy reads at once; what else looks into the carry is read by others, later.
      for (const result of node.results) lies.add(result);
      return position < at;
    }
    if (position !== at) return position < at;
    return read.every(
      (operand) =>
        keyOf(node.inputs[operand]!) === keyOf(body.inputs[i]!) && canWriteInPlace(node, operand, value.index),
    );
  });
}
