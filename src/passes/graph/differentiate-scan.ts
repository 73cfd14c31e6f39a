// The gradient of a scan: a scan in the other direction, whose body is reverse mode over the body. It carries the gradients of what
// was carried, and walks what the steps left behind: `yieldResiduals` lets them yield it beforehand.

import type { Attributes } from "../../ir/attributes.ts";
import { isFloat } from "../../ir/dtype.ts";
import { createEmit, type Emit } from "../../ir/emit.ts";
import { type Graph, type GraphInput, keyOf, type Node, type Value, type ValueKey } from "../../ir/graph.ts";
import { partsOfScan, type ScanParts } from "../../ir/ops/scan.ts";
import { copyNodes, mapGraph } from "../map-graph.ts";
import { PassError } from "../pass.ts";
import { freshName, type PulledBody, pullBody } from "./pull-body.ts";
import type { BodyGradient } from "./reverse.ts";

/** The graph in which all scans among the first `count` nodes yield what their gradients need. Nobody else minds the further results. */
export function yieldResiduals(graph: Graph, count = graph.nodes.length): Graph {
  let position = 0;
  return mapGraph(graph, (node, writer) => {
    if (position++ >= count || node.op !== "scan" || !node.body) return writer.keep(node);
    const body = yieldResiduals(node.body);
    const outputs = [...body.outputs];
    const taken = new Set(outputs.map(({ name }) => name));
    const everything = node.results.map(({ type }) => isFloat(type.dtype));
    for (const value of pullBody(
      body,
      partsOfScan(node),
      everything,
      node.inputs.map(() => true),
      options(node),
    ).residuals)
      if (!outputs.slice(partsOfScan(node).first.length).some((output) => keyOf(output.value) === keyOf(value)))
        outputs.push({ name: freshName("kept", taken), value });
    if (outputs.length === node.body.outputs.length && body === node.body) return writer.keep(node);
    return writer.emit.node(node.op, node.inputs, node.attributes, { ...body, outputs }).slice(0, node.results.length);
  });
}

const options = ({ attributes }: Node) => ({ recompute: attributes.recompute === true, ofBody: gradientOfScan });

export const gradientOfScan: BodyGradient = (node, cotangents, wanted, { emit }) => {
  const parts = partsOfScan(node);
  const known = cotangents.map(Boolean);
  const pulled = pullBody(parts.body, parts, known, wanted, options(node));
  const inner = new Map<ValueKey, Value>();
  const taken = new Set<string>();
  const input = (of: Value | undefined, stem: string, like: Value): GraphInput => {
    const made: GraphInput = { kind: "input", name: freshName(stem, taken), type: like.type };
    if (of) inner.set(keyOf(of), made);
    return made;
  };
  const walked = sequencesOf(node, parts, pulled, cotangents);
  const sequences = walked.map(({ of, stem }) => input(of, stem, of));
  const first = parts.first.map((value, i) => {
    const gradient = pulled.incoming.get(i);
    return (
      gradient && { value: cotangents[i] ?? emit.full(0, value.type), input: input(gradient, gradient.name, gradient) }
    );
  });
  const sums = accumulated(parts, pulled).map((value) => ({
    value: emit.full(0, value.type),
    input: input(undefined, "sum", value),
    part: value,
  }));
  const seen = parts.shared.flatMap((operand, i) => {
    const of = parts.body.inputs[parts.axes.length + parts.first.length + i]!;
    return pulled.reads(of) ? [{ operand, input: input(of, of.name, of) }] : [];
  });

  const nodes: Node[] = [];
  const inside = createEmit(
    (each) => nodes.push(each),
    () => node.location,
  );
  copyNodes(pulled.nodes, inner, (copy) => nodes.push(copy));
  const within = (value: Value): Value => inner.get(keyOf(value)) ?? value;
  const total = (list: readonly Value[]): Value | undefined =>
    list.length === 0 ? undefined : list.map(within).reduce((a, b) => inside.add(a, b));
  const { axes } = parts;
  const next = parts.first.flatMap((value, i) =>
    first[i] ? [total(pulled.gradients[axes.length + i]!) ?? inside.full(0, value.type)] : [],
  );
  const added = sums.map((sum) => inside.add(sum.input, within(sum.part)));
  const ofSequences = axes.map((_, i) => (wanted[i] ? total(pulled.gradients[i]!) : undefined));
  const ofShared = parts.shared.map((_, i) => pulled.gradients[axes.length + parts.first.length + i]!);
  const yields = [
    ...ofSequences.flatMap((value) => value ?? []),
    ...ofShared
      .flat()
      .filter((part) => !sums.some((sum) => sum.part === part))
      .map(within),
  ];
  const carries = first.flatMap((each) => each ?? []);
  const body: Graph = {
    name: "body",
    inputs: [
      ...sequences,
      ...carries.map((each) => each.input),
      ...sums.map((sum) => sum.input),
      ...seen.map((each) => each.input),
    ],
    nodes,
    outputs: [...next, ...added, ...yields].map((value, i) => ({ name: `y${i}`, value })),
    updates: [],
  };
  const operands = [
    ...walked.map((each) => each.operand),
    ...carries.map((each) => each.value),
    ...sums.map((each) => each.value),
    ...seen.map((each) => each.operand),
  ];
  const attributes: Attributes = {
    ...node.attributes,
    axes: walked.map((each) => each.axis),
    carries: carries.length + sums.length,
    reversed: node.attributes.reversed !== true,
  };
  const results: Value[] = [...emit.node("scan", operands, attributes, body)];
  const take = (): Value => results.shift()!;
  const toFirst = first.map((each) => each && take());
  const totals = new Map(sums.map((sum) => [sum.part, take()]));
  const toSequences = ofSequences.map((value, i) => value && alongAxis(take(), axes[i]!, emit));
  const toShared = ofShared.map((list) => {
    const wholes = list.map((part) => totals.get(part) ?? emit.reduce("sum", take(), [0]));
    return wholes.length === 0 ? undefined : wholes.reduce((a, b) => emit.add(a, b));
  });
  return [...toSequences, ...toFirst, ...toShared];
};

interface Walked {
  /** The value of the body that it is a stack of. */
  readonly of: Value;
  readonly stem: string;
  readonly operand: Value;
  readonly axis: number;
}

/** The sequences of the reverse scan: those of the scan that are needed, what its steps left behind, and gradients of its yields. */
function sequencesOf(
  node: Node,
  { body, axes, sequences, first }: ScanParts,
  pulled: PulledBody,
  cotangents: readonly (Value | undefined)[],
): readonly Walked[] {
  const own = sequences.flatMap((operand, i): Walked[] => {
    const of = body.inputs[i]!;
    return pulled.reads(of) ? [{ of, stem: of.name, operand, axis: axes[i]! }] : [];
  });
  const left = pulled.residuals.map((of): Walked => {
    const at = body.outputs.findIndex(({ value }, i) => i >= first.length && keyOf(value) === keyOf(of));
    const operand = node.results[at];
    if (!operand) throw new PassError("a scan does not yield what its gradient needs");
    return { of, stem: of.kind === "input" ? of.name : of.kind === "result" ? of.node.op : "kept", operand, axis: 0 };
  });
  const incoming = [...pulled.incoming].flatMap(([i, of]): Walked[] => {
    const operand = cotangents[i];
    return i >= first.length && operand ? [{ of, stem: of.name, operand, axis: 0 }] : [];
  });
  return [...own, ...left, ...incoming];
}

/**
 * Parts of gradients of what every step sees that are summed up in a carry. Sums and products are yielded instead: outside, the sum
 * over all steps is one contraction, since nothing else in the loop waits for them.
 */
function accumulated({ axes, first }: ScanParts, { gradients }: PulledBody): readonly Value[] {
  const parts = gradients.slice(axes.length + first.length).flat();
  return parts.filter((part) => !["dot", "reduce"].includes(sourceOf(part)));
}

/** The operation that a value comes from, but for a change of its shape or of the order of its axes. */
function sourceOf(value: Value): string {
  if (value.kind !== "result") return value.kind;
  const { op, inputs } = value.node;
  return op === "transpose" || op === "reshape" ? sourceOf(inputs[0]!) : op;
}

/** A stack with its first axis, the steps, put at `axis`. */
function alongAxis(stack: Value, axis: number, emit: Emit): Value {
  const others = stack.type.shape.slice(1).map((_, i) => i + 1);
  return axis === 0 ? stack : emit.transpose(stack, [...others.slice(0, axis), 0, ...others.slice(axis)]);
}
