// Reverse mode over a list of nodes: from the gradients of what they give to those of what they take. The pass `differentiate` runs
// it over graphs, and over the bodies of scans.

import { isFloat } from "../../ir/dtype.ts";
import type { Emit } from "../../ir/emit.ts";
import { keyOf, type Node, type Value, type ValueKey } from "../../ir/graph.ts";
import type { Location } from "../../ir/location.ts";
import { operation } from "../../ir/ops/index.ts";
import { formatType } from "../../ir/print.ts";
import { equalTypes } from "../../ir/verify.ts";
import { neededNodes } from "../map-graph.ts";
import { PassError } from "../pass.ts";

/** Where nodes are made; from `locate` on at a place in the source. */
export interface Tape {
  readonly emit: Emit;
  locate(location: Location | undefined): void;
}

/** The gradient of a node with a body: one for each operand that is wanted. */
export type BodyGradient = (
  node: Node,
  cotangents: readonly (Value | undefined)[],
  wanted: readonly boolean[],
  tape: Tape,
) => readonly (Value | undefined)[];

export interface Reversal {
  /** In an order in which every operand comes before its use. */
  readonly nodes: readonly Node[];
  /** What the gradients are with respect to. */
  readonly targets: readonly Value[];
  /** Values with their gradients, several for one value where it leaves several times. */
  readonly seeds: readonly { readonly value: Value; readonly gradient: Value }[];
  readonly ofBody: BodyGradient;
}

/** What adds up to the gradient of each value; nothing where the seeds do not depend on it. */
export type Parts = ReadonlyMap<ValueKey, readonly Value[]>;

/** Works backwards through the nodes. Gradients of results are sums; those of the targets are left in the parts that add up to them. */
export function reverse({ nodes, targets, seeds, ofBody }: Reversal, tape: Tape): Parts {
  const active = dependents(nodes, targets);
  const parts = new Map<ValueKey, Value[]>();
  const add = (value: Value, part: Value): void => {
    const key = keyOf(value);
    if (!active.has(key)) return;
    parts.set(key, [...(parts.get(key) ?? []), part]);
  };
  for (const { value, gradient } of seeds) add(value, gradient);
  const roots = seeds.map(({ value }) => value).filter((value) => active.has(keyOf(value)));
  for (const node of neededNodes(nodes, roots).reverse()) {
    tape.locate(noted(node.location, node.op));
    const received = node.results.map((result) => sumOf(parts, result, tape));
    if (received.every((value) => value === undefined)) continue;
    const wanted = node.inputs.map((value) => isFloat(value.type.dtype) && active.has(keyOf(value)));
    if (!wanted.includes(true)) continue;
    const gradients = gradientsOf(node, received, wanted, ofBody, tape);
    node.inputs.forEach((input, i) => {
      const part = gradients[i];
      if (part && wanted[i]) add(input, ofType(part, input, node, i, tape));
    });
  }
  return parts;
}

/** The sum of the parts, in the order in which they came. */
export function sumOf(parts: Parts, value: Value, { emit }: Tape): Value | undefined {
  const [first, ...others] = parts.get(keyOf(value)) ?? [];
  return first && others.reduce((sum, part) => emit.add(sum, part), first);
}

/** The values that depend on the targets in a way that has a gradient, the targets included. */
function dependents(nodes: readonly Node[], targets: readonly Value[]): ReadonlySet<ValueKey> {
  const active = new Set<ValueKey>(targets.map(keyOf));
  for (const node of nodes) {
    const definition = operation(node.op);
    if (!node.body && !definition?.differentiate) continue;
    if (!node.inputs.some((value) => isFloat(value.type.dtype) && active.has(keyOf(value)))) continue;
    for (const result of node.results) if (isFloat(result.type.dtype)) active.add(result);
  }
  return active;
}

function gradientsOf(
  node: Node,
  cotangents: readonly (Value | undefined)[],
  wanted: readonly boolean[],
  ofBody: BodyGradient,
  tape: Tape,
): readonly (Value | undefined)[] {
  const definition = operation(node.op);
  if (definition?.body?.differentiable) return ofBody(node, cotangents, wanted, tape);
  if (node.body)
    throw new PassError(`${node.op} has no gradient: differentiate comes before the passes that make such nodes`);
  const { inputs, results, attributes } = node;
  return definition?.differentiate?.({ inputs, results, cotangents, attributes, emit: tape.emit }) ?? [];
}

/** A part as the operand's own type: what was spread from a scalar is summed. */
function ofType(part: Value, input: Value, node: Node, operand: number, { emit }: Tape): Value {
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
      `the gradient rule of ${node.op} gives ${formatType(whole.type)} for operand ${operand}, ${formatType(input.type)}`,
    );
  return whole;
}

const noted = (location: Location | undefined, op: string): Location | undefined =>
  location && { ...location, note: `gradient of ${op}` };
