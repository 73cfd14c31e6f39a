// Making nodes: operands and attributes are checked and results typed by the operation's definition. Gradient rules, rewrite
// rules, the language and the TypeScript builder all make nodes through an Emit.

import type { Attributes } from "./attributes.ts";
import type { Dim } from "./dim.ts";
import type { DType } from "./dtype.ts";
import {
  type Graph,
  type GraphInput,
  type GraphOutput,
  literal,
  makeNode,
  type Node,
  type ResultValue,
  type TensorType,
  type Update,
  type Value,
} from "./graph.ts";
import type { Location } from "./location.ts";
import { checkAttributes, InferenceError } from "./op.ts";
import { operation } from "./ops/index.ts";

/** A value, or a number that takes the element type of the first operand that is a value. */
export type Operand = Value | number;

export interface Emit {
  /** Makes a node of any operation; throws an InferenceError where it cannot be. */
  node(op: string, inputs: readonly Operand[], attributes?: Attributes, body?: Graph): readonly ResultValue[];
  /** The same, for operations with one result. */
  value(op: string, inputs: readonly Operand[], attributes?: Attributes): Value;

  add(x: Operand, y: Operand): Value;
  subtract(x: Operand, y: Operand): Value;
  multiply(x: Operand, y: Operand): Value;
  divide(x: Operand, y: Operand): Value;
  power(x: Operand, y: Operand): Value;
  negate(x: Value): Value;
  compare(direction: "eq" | "ne" | "lt" | "le" | "gt" | "ge", x: Operand, y: Operand): Value;
  select(condition: Value, x: Operand, y: Operand): Value;
  convert(x: Value, dtype: DType): Value;
  reduce(kind: "sum" | "product" | "max" | "min", x: Value, axes: readonly number[]): Value;
  reshape(x: Value, shape: readonly Dim[]): Value;
  transpose(x: Value, permutation: readonly number[]): Value;
  /** Axis i of x becomes axis `axes[i]` of `shape`; an axis of size 1 is spread. */
  broadcast(x: Value, shape: readonly Dim[], axes: readonly number[]): Value;
  /** A tensor of one number. */
  full(value: number, type: TensorType): Value;
}

export function createEmit(sink: (node: Node) => void, location: () => Location | undefined): Emit {
  function node(op: string, inputs: readonly Operand[], attributes: Attributes = {}, body?: Graph) {
    const definition = operation(op);
    if (!definition) throw new InferenceError(`there is no operation ${op}`);
    checkAttributes(op, definition.schema, attributes);
    const partner = inputs.find((input) => typeof input !== "number");
    const dtype = typeof partner === "object" ? partner.type.dtype : "f32";
    const values = inputs.map((input) => (typeof input === "number" ? literal(input, dtype) : input));
    const fixed = definition.inputs.length;
    if (!definition.inputs.some((name) => name.startsWith("...")) && values.length !== fixed)
      throw new InferenceError(`${op} takes ${fixed} operands, not ${values.length}`);
    const given = values.map((value) => value.type);
    const outputs = body?.outputs.map((output) => output.value.type);
    const types =
      outputs && definition.body
        ? definition.body.results(given, attributes, outputs)
        : definition.infer(given, attributes);
    const made = makeNode(op, values, attributes, types, location(), body);
    sink(made);
    return made.results;
  }

  function value(op: string, inputs: readonly Operand[], attributes: Attributes = {}): Value {
    const [first] = node(op, inputs, attributes);
    if (!first) throw new InferenceError(`${op} has no result`);
    return first;
  }

  /** Literal operands beside a condition take the type of the other branch, or f32. */
  function select(condition: Value, x: Operand, y: Operand): Value {
    const typed = typeof x !== "number" ? x : typeof y !== "number" ? y : undefined;
    const dtype = typed?.type.dtype ?? "f32";
    const branch = (v: Operand): Value => (typeof v === "number" ? literal(v, dtype) : v);
    return value("select", [condition, branch(x), branch(y)]);
  }

  return {
    node,
    value,
    select,
    add: (x, y) => value("add", [x, y]),
    subtract: (x, y) => value("subtract", [x, y]),
    multiply: (x, y) => value("multiply", [x, y]),
    divide: (x, y) => value("divide", [x, y]),
    power: (x, y) => value("power", [x, y]),
    negate: (x) => value("negate", [x]),
    compare: (direction, x, y) => value("compare", [x, y], { direction }),
    convert: (x, dtype) => (x.type.dtype === dtype ? x : value("convert", [x], { dtype })),
    reduce: (kind, x, axes) => (axes.length === 0 ? x : value("reduce", [x], { kind, axes })),
    reshape: (x, shape) => value("reshape", [x], { shape }),
    transpose: (x, permutation) => value("transpose", [x], { permutation }),
    broadcast: (x, shape, axes) => value("broadcast", [x], { shape, axes }),
    full: (number, type) =>
      type.shape.length === 0
        ? literal(number, type.dtype)
        : value("broadcast", [literal(number, type.dtype)], { shape: type.shape, axes: [] }),
  };
}

/** Collects nodes in the order in which they are made. */
export interface GraphBuilder {
  readonly emit: Emit;
  input(name: string, type: TensorType): GraphInput;
  /** Nodes made from here on carry this location. */
  locate(location: Location | undefined): void;
  build(outputs: readonly GraphOutput[], updates?: readonly Update[]): Graph;
}

export function createGraphBuilder(name: string): GraphBuilder {
  const nodes: Node[] = [];
  const inputs: GraphInput[] = [];
  let here: Location | undefined;
  return {
    emit: createEmit(
      (node) => nodes.push(node),
      () => here,
    ),
    input(inputName, type) {
      const made: GraphInput = { kind: "input", name: inputName, type };
      inputs.push(made);
      return made;
    },
    locate(location) {
      here = location;
    },
    build: (outputs, updates = []) => ({ name, inputs, nodes, outputs, updates }),
  };
}
