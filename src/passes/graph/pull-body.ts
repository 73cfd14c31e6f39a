// Reverse mode over the body of a scan, as far as it can be told without its surroundings, and what the steps must leave behind for
// it. What is computed element by element is computed again, and what is the same at every step, which a later pass
// moves out of both loops: that costs less than writing it down and reading it back.

import { isFloat } from "../../ir/dtype.ts";
import { createEmit } from "../../ir/emit.ts";
import { type Graph, type GraphInput, keyOf, type Node, type Value, type ValueKey } from "../../ir/graph.ts";
import type { Location } from "../../ir/location.ts";
import type { ScanParts } from "../../ir/ops/scan.ts";
import { neededNodes } from "../map-graph.ts";
import { roleOf } from "./fuse-roles.ts";
import { type BodyGradient, reverse } from "./reverse.ts";

export interface PulledBody {
  /** Nodes of the body that are computed again, then those of the gradient; over values of the body and the inputs below. */
  readonly nodes: readonly Node[];
  /** Gradients that come in, by position of the result: of all carries, and of the yields that have one. */
  readonly incoming: ReadonlyMap<number, GraphInput>;
  /** For each input of the body, what adds up to its gradient. */
  readonly gradients: readonly (readonly Value[])[];
  /** What a step leaves behind: carries as they were before it, and results of nodes. */
  readonly residuals: readonly Value[];
  /** Whether a value of the body is read by the nodes, or is itself a gradient. */
  reads(value: Value): boolean;
}

export interface PullOptions {
  /** Whether everything but the carries is computed again. */
  readonly recompute: boolean;
  readonly ofBody: BodyGradient;
}

/** `known` says which results have a gradient, `wanted` for which operands one is wanted. */
export function pullBody(
  body: Graph,
  { axes, first }: Pick<ScanParts, "axes" | "first">,
  known: readonly boolean[],
  wanted: readonly boolean[],
  { recompute, ofBody }: PullOptions,
): PulledBody {
  const carries = body.inputs.slice(axes.length, axes.length + first.length);
  const made: Node[] = [];
  let here: Location | undefined;
  const emit = createEmit(
    (node) => made.push(node),
    () => here,
  );
  const incoming = new Map<number, GraphInput>();
  const taken = new Set(body.inputs.map(({ name }) => name));
  body.outputs.forEach(({ value: { type } }, i) => {
    if (!isFloat(type.dtype) || (!known[i] && i >= carries.length)) return;
    incoming.set(i, { kind: "input", name: freshName(`d_${carries[i]?.name ?? "y"}`, taken), type });
  });
  // What is carried may depend on any target through earlier steps.
  const targets = body.inputs.filter((input, i) => isFloat(input.type.dtype) && (wanted[i] || carries.includes(input)));
  const seeds = [...incoming].map(([i, gradient]) => ({ value: body.outputs[i]!.value, gradient }));
  const tape = {
    emit,
    locate(location: Location | undefined) {
      here = location;
    },
  };
  const parts = reverse({ nodes: body.nodes, targets, seeds, ofBody }, tape);
  const gradients = body.inputs.map((input) => (targets.includes(input) ? (parts.get(keyOf(input)) ?? []) : []));
  const roots = gradients.flat();
  const needed = new Set(neededNodes([...body.nodes, ...made], roots));
  const own = made.filter((node) => needed.has(node));
  const moving = body.inputs.slice(0, axes.length + first.length);
  const { again, residuals } = splitForward(
    body,
    carries,
    moving,
    [...own.flatMap(({ inputs }) => inputs), ...roots],
    recompute,
  );
  const nodes = [...body.nodes.filter((node) => again.has(node)), ...own];
  const read = new Set([...nodes.flatMap(({ inputs }) => inputs), ...roots].map(keyOf));
  return { nodes, incoming, gradients, residuals, reads: (value) => read.has(keyOf(value)) };
}

/** Of what `values` are computed from: the nodes of the body that run again, and the values that are kept for it. */
function splitForward(
  body: Graph,
  carries: readonly GraphInput[],
  moving: readonly GraphInput[],
  values: readonly Value[],
  recompute: boolean,
): { readonly again: ReadonlySet<Node>; readonly residuals: readonly Value[] } {
  const own = new Set(body.nodes);
  const fixed = sameAtEachStep(body, moving);
  const again = new Set<Node>();
  const residuals = new Map<ValueKey, Value>();
  const open = [...values];
  for (let value = open.pop(); value; value = open.pop()) {
    const key = keyOf(value);
    if (value.kind === "input" && carries.some((carry) => keyOf(carry) === key)) residuals.set(key, value);
    if (value.kind !== "result" || !own.has(value.node) || again.has(value.node)) continue;
    if (recompute || isLight(value.node) || fixed.has(value.node)) {
      again.add(value.node);
      open.push(...value.node.inputs);
    } else residuals.set(key, value);
  }
  const position = new Map(body.nodes.map((node, i) => [node, i]));
  const order = (value: Value): number => (value.kind === "result" ? position.get(value.node)! : -1);
  return { again, residuals: [...residuals.values()].sort((a, b) => order(a) - order(b)) };
}

const isLight = (node: Node): boolean => {
  const role = roleOf(node);
  return role === "element" || role === "movement" || node.op === "reshape" || node.op === "constant";
};

/** Nodes that compute the same at every step, from nothing that moves. */
export function sameAtEachStep(body: Graph, moving: readonly GraphInput[]): ReadonlySet<Node> {
  const moved = new Set<ValueKey>(moving.map(keyOf));
  const fixed = new Set<Node>();
  for (const node of body.nodes) {
    if (!node.inputs.some((value) => moved.has(keyOf(value)))) fixed.add(node);
    else for (const result of node.results) moved.add(result);
  }
  return fixed;
}

export function freshName(stem: string, taken: Set<string>): string {
  let name = stem;
  for (let i = 1; taken.has(name); i++) name = `${stem}_${i}`;
  taken.add(name);
  return name;
}
