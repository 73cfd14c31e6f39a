// A graph under construction: its nodes and inputs so far, what states have become in it, and how it is finished.

import { equalShapes } from "../ir/dim.ts";
import {
  type Graph,
  type GraphInput,
  type GraphOutput,
  literal,
  type Node,
  type TensorType,
  type Value,
} from "../ir/graph.ts";
import type { Requirement } from "../ir/requirement.ts";
import type { Context } from "./context.ts";
import type { DiagnosticNote } from "./diagnostics.ts";

/** run: computes outputs from inputs. init and metrics see tensors of other graphs by their types only. */
export type GraphMode = "run" | "init" | "metrics";

export interface GraphState {
  readonly name: string;
  readonly mode: GraphMode;
  readonly training: boolean;
  readonly nodes: Node[];
  readonly members: Set<Value>;
  readonly inputs: GraphInput[];
  /** Values that states have by now, by full name, where an `update` changed them. */
  readonly current: Map<string, Value>;
  /** Globals declared by statements run for this graph. */
  readonly declared: Set<string>;
  /** What the program asserts of free sizes. */
  readonly requirements: Requirement[];
  /** Uses of randomness so far: the next stream number. */
  streams: number;
  /** The first dense layer of the model on more than rows of features, and the usual mend: where too many axes come from. */
  unflattened?: { readonly note: DiagnosticNote; readonly help: string };
}

export function createGraphState(name: string, mode: GraphMode, training: boolean): GraphState {
  return {
    name,
    mode,
    training,
    nodes: [],
    members: new Set(),
    inputs: [],
    current: new Map(),
    declared: new Set(),
    requirements: [],
    streams: 0,
  };
}

/** The graph input that randomness comes from; made when it is first needed. */
export function keyInput(c: Context): GraphInput {
  return implicitInput(c, "key", { dtype: "i32", shape: [2] });
}

/** The number of updates done before this one. */
export function stepInput(c: Context): GraphInput {
  return implicitInput(c, "step", { dtype: "f32", shape: [] });
}

/** What the last epoch gave, by the name of the metric, or `count`: how many epochs there were before. Known to training steps alone. */
export function epochInput(c: Context, name: string): Value {
  const scalar: TensorType = { dtype: "f32", shape: [] };
  return c.graph.training ? implicitInput(c, `epoch.${name}`, scalar) : literal(0, "f32");
}

function implicitInput(c: Context, name: string, type: TensorType): GraphInput {
  return c.graph.inputs.find((input) => input.name === name) ?? addInput(c.graph, name, type);
}

export function addInput(graph: GraphState, name: string, type: TensorType): GraphInput {
  const made: GraphInput = { kind: "input", name, type };
  graph.inputs.push(made);
  graph.members.add(made);
  return made;
}

/** Adds a requirement, once. */
export function addRequirement(graph: GraphState, { anyOf, text }: Requirement): void {
  const known = graph.requirements.some((other) => other.text === text && equalShapes(other.anyOf, anyOf));
  if (!known) graph.requirements.push({ anyOf, text });
}

/** The finished graph. In `init` and `metrics`, nodes that only carried types are dropped. */
export function finishGraph(graph: GraphState, outputs: readonly GraphOutput[], updates: Map<string, Value>): Graph {
  const results = [...updates].map(([target, value]) => ({ target, value }));
  const { name, inputs } = graph;
  const reached = reachable([...outputs, ...results].map((o) => o.value));
  // What the names of the last epoch stand for is asked for only where it is used.
  const used = inputs.filter((input) => !input.name.startsWith("epoch.") || reached.has(input));
  const nodes = graph.mode === "run" ? graph.nodes : graph.nodes.filter((n) => n.results.some((r) => reached.has(r)));
  const requirements = graph.requirements.length > 0 ? { requirements: graph.requirements } : {};
  return { name, inputs: used, nodes, outputs, updates: results, ...requirements };
}

/** Everything that the values are computed from, themselves included. */
export function reachable(values: readonly Value[]): Set<Value> {
  const seen = new Set<Value>();
  const open = [...values];
  for (let value = open.pop(); value; value = open.pop()) {
    if (seen.has(value)) continue;
    seen.add(value);
    if (value.kind === "result") open.push(...value.node.inputs, ...value.node.results);
  }
  return seen;
}
