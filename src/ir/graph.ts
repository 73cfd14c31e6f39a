// The graph IR as data: a module holds parameters, states and named graphs in static single assignment form.
// Nodes and graphs are never changed in place; passes build new ones.

import type { Attributes } from "./attributes.ts";
import { type Dim, formatDim } from "./dim.ts";
import type { DType } from "./dtype.ts";
import type { Location } from "./location.ts";
import type { MemoryPlan } from "./memory-plan.ts";
import type { Requirement } from "./requirement.ts";

export interface TensorType {
  readonly dtype: DType;
  readonly shape: readonly Dim[];
}

/** What a node may take as an operand. */
export type Value = GraphInput | GlobalValue | LiteralValue | ResultValue;

/** `%x`: an input of the graph (or of a node's body). */
export interface GraphInput {
  readonly kind: "input";
  readonly name: string;
  readonly type: TensorType;
}

/** `@dense.kernel`: a parameter or a state of the module, as it was when the graph was entered. */
export interface GlobalValue {
  readonly kind: "global";
  readonly name: string;
  readonly type: TensorType;
}

/** `0.5`: a scalar known at compile time; elementwise operations spread it over the shape of their other operands. */
export interface LiteralValue {
  readonly kind: "literal";
  /** A number; booleans are 0 and 1. May be infinite or NaN. */
  readonly value: number;
  readonly type: TensorType;
}

/** `%3`: a result of a node. */
export interface ResultValue {
  readonly kind: "result";
  readonly node: Node;
  readonly index: number;
  readonly type: TensorType;
}

export interface Node {
  readonly op: string;
  readonly inputs: readonly Value[];
  readonly attributes: Attributes;
  /** Filled once, when the node is made; `results[i].node` is this node. */
  readonly results: readonly ResultValue[];
  readonly location: Location | undefined;
  /** The graph that the operation carries (`fusion`; later `scan`). Its inputs stand for the node's operands, in order. */
  readonly body?: Graph;
}

export interface Graph {
  readonly name: string;
  readonly inputs: readonly GraphInput[];
  /** In an order in which every operand comes before its use. */
  readonly nodes: readonly Node[];
  readonly outputs: readonly GraphOutput[];
  /** New values of parameters and states, taken all together when the graph ends. */
  readonly updates: readonly Update[];
  /** What the program asserts of the free sizes; absent where it is nothing, and in bodies. */
  readonly requirements?: readonly Requirement[];
  /** Set by the pass `plan-memory`. */
  readonly memory?: MemoryPlan;
}

export interface GraphOutput {
  readonly name: string;
  readonly value: Value;
}

export interface Update {
  readonly target: string;
  readonly value: Value;
}

/** A tensor that lives as long as the program: a trainable parameter, or a state (`role` says whose). */
export interface Global {
  readonly name: string;
  readonly type: TensorType;
  readonly role: GlobalRole;
  /** How it is initialised, for readers: `glorot_uniform`. The graph `init` computes it. */
  readonly initializer: string;
  /** The model that declares it and its name there, so that a file saved from that model alone can be found again. */
  readonly owner?: { readonly model: string; readonly name: string };
  readonly location: Location | undefined;
}

/** parameter: trained; state: kept between runs; optimizer: kept for training only; metric: summed over an epoch. */
export type GlobalRole = "parameter" | "state" | "optimizer" | "metric";

export interface Module {
  readonly name: string;
  readonly doc: string;
  /** By full name, in order of declaration. */
  readonly globals: ReadonlyMap<string, Global>;
  /** `init`, `infer`, and for models that train `train_step`, `eval_step`, `metrics`. */
  readonly graphs: ReadonlyMap<string, Graph>;
}

/**
 * Inputs that the runtime gives of itself: `key`, the seed and the step of random numbers; `step`, the count of training steps;
 * `epoch.count`, that of epochs, and `epoch.val_loss` and the like, metrics of the epoch before.
 */
export const isImplicitInput = (name: string): boolean =>
  name === "key" || name === "step" || name.startsWith("epoch.");

/** `f32[N, 784]`. */
export const formatType = ({ dtype, shape }: TensorType): string => `${dtype}[${shape.map(formatDim).join(", ")}]`;

/** What tells values apart: results are known by themselves, inputs and globals by their names, of which there may be several values. */
export type ValueKey = Value | string;

export function keyOf(value: Value): ValueKey {
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

const scalar = (dtype: DType): TensorType => ({ dtype, shape: [] });

export const literal = (value: number, dtype: DType): LiteralValue => ({ kind: "literal", value, type: scalar(dtype) });

/** Makes a node whose results have the given types. Checks nothing: `emit.ts` does, from the operation's definition. */
export function makeNode(
  op: string,
  inputs: readonly Value[],
  attributes: Attributes,
  types: readonly TensorType[],
  location: Location | undefined,
  body?: Graph,
): Node {
  const results: ResultValue[] = [];
  const node: Node = { op, inputs, attributes, results, location, ...(body ? { body } : {}) };
  types.forEach((type, index) => {
    results.push({ kind: "result", node, index, type });
  });
  return node;
}
