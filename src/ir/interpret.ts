// Runs a graph by the reference meaning of its operations, in float64, one node after the other. What it computes is
// right by definition: passes, kernels and back-ends are compared with it.

import { evaluateDim, type Sizes } from "./dim.ts";
import type { Graph, Node, TensorType, Value } from "./graph.ts";
import type { ReferenceTensor } from "./op.ts";
import { operation } from "./ops/index.ts";
import { stored } from "./reference.ts";
import { unfulfilled } from "./requirement.ts";
import { evaluateAttributes, evaluateShape, type ShapePair, solveSizes } from "./sizes.ts";

/** Something that the interpreter cannot run: an input that is missing or does not fit, or a node without a meaning. */
export class InterpretError extends Error {
  override readonly name = "InterpretError";
}

export interface Interpretation {
  readonly outputs: Record<string, ReferenceTensor>;
  /** New values of parameters and states, by full name. */
  readonly updates: Map<string, ReferenceTensor>;
}

/** Sees every node's results as soon as they are known; nodes of bodies too. */
export type Observer = (node: Node, results: readonly ReferenceTensor[]) => void;

/**
 * Runs `graph`. Free sizes are read off the shapes of the inputs and taken from `sizes` where no input has them.
 * Throws an InterpretError or a SizeError for what is missing or does not fit.
 */
export function interpretGraph(
  graph: Graph,
  inputs: Readonly<Record<string, ReferenceTensor>>,
  globals: ReadonlyMap<string, ReferenceTensor>,
  sizes: Sizes = {},
  observe?: Observer,
): Interpretation {
  const pairs: ShapePair[] = [];
  for (const { name, type } of graph.inputs) {
    const given = inputs[name];
    if (!given) throw new InterpretError(`${graph.name} takes an input ${name}, which is not given`);
    if (given.dtype !== type.dtype)
      throw new InterpretError(`${name} holds ${given.dtype}, and should hold ${type.dtype}`);
    pairs.push({ name, declared: type.shape, given: given.shape });
  }
  const solved = solveSizes(pairs, sizes);
  const wrong = unfulfilled(graph.requirements ?? [], solved, Object.keys(solved));
  if (wrong !== undefined) throw new InterpretError(wrong);
  return runGraph(graph, inputs, globals, solved, observe);
}

/** `inRegisters`: what the nodes give is not stored, and keeps all its digits. */
function runGraph(
  graph: Graph,
  inputs: Readonly<Record<string, ReferenceTensor>>,
  globals: ReadonlyMap<string, ReferenceTensor>,
  sizes: Sizes,
  observe: Observer | undefined,
  inRegisters = false,
): Interpretation {
  const values = new Map<Value, ReferenceTensor>();
  const read = (value: Value): ReferenceTensor => {
    switch (value.kind) {
      case "literal":
        return { dtype: value.type.dtype, shape: [], data: Float64Array.of(value.value) };
      case "input":
        return found(inputs[value.name], `%${value.name}`, value.type, sizes);
      case "global":
        return found(globals.get(value.name), `@${value.name}`, value.type, sizes);
      case "result": {
        const tensor = values.get(value);
        if (!tensor) throw new InterpretError(`a result of ${value.node.op} is used before it is computed`);
        return tensor;
      }
    }
  };
  const lastUse = findLastUses(graph);
  graph.nodes.forEach((node, position) => {
    const computed = runNode(node, node.inputs.map(read), globals, sizes, observe);
    const results = inRegisters ? computed : computed.map(stored);
    results.forEach((tensor, i) => {
      values.set(node.results[i]!, tensor);
    });
    observe?.(node, results);
    for (const value of lastUse.get(position) ?? []) values.delete(value);
  });
  return {
    outputs: Object.fromEntries(graph.outputs.map(({ name, value }) => [name, read(value)])),
    updates: new Map(graph.updates.map(({ target, value }) => [target, read(value)])),
  };
}

function runNode(
  node: Node,
  operands: readonly ReferenceTensor[],
  globals: ReadonlyMap<string, ReferenceTensor>,
  sizes: Sizes,
  observe: Observer | undefined,
): readonly ReferenceTensor[] {
  const definition = operation(node.op);
  if (!definition) throw new InterpretError(`there is no operation ${node.op}`);
  if (node.op === "gradient")
    throw new InterpretError("gradient has no meaning of its own: run the pass `differentiate` first");
  const types = node.results.map(({ type }) => ({ dtype: type.dtype, shape: evaluateShape(type.shape, sizes) }));
  const attributes = evaluateAttributes(node.attributes, sizes);
  const { body } = node;
  if (!body || !definition.body) return definition.evaluate(operands, attributes, types);
  return definition.body.evaluate(operands, attributes, types, (inputs, more) => {
    const named = Object.fromEntries(body.inputs.map(({ name }, i) => [name, inputs[i]!]));
    const inRegisters = node.op === "fusion";
    const results = runGraph(body, named, globals, { ...sizes, ...more }, observe, inRegisters).outputs;
    return body.outputs.map(({ name }) => results[name]!);
  });
}

/**
 * The results that nothing needs after the node at each position, so that large graphs do not hold every tensor to the
 * end.
 */
function findLastUses(graph: Graph): Map<number, Value[]> {
  const last = new Map<Value, number>();
  graph.nodes.forEach((node, position) => {
    for (const value of [...node.results, ...node.inputs]) if (value.kind === "result") last.set(value, position);
  });
  for (const { value } of [...graph.outputs, ...graph.updates]) last.delete(value);
  const byPosition = new Map<number, Value[]>();
  for (const [value, position] of last) byPosition.set(position, [...(byPosition.get(position) ?? []), value]);
  return byPosition;
}

function found(tensor: ReferenceTensor | undefined, name: string, type: TensorType, sizes: Sizes): ReferenceTensor {
  if (!tensor) throw new InterpretError(`${name} has no value`);
  const fits =
    tensor.shape.length === type.shape.length && type.shape.every((d, i) => evaluateDim(d, sizes) === tensor.shape[i]);
  if (tensor.dtype !== type.dtype || !fits)
    throw new InterpretError(`${name} is ${tensor.dtype}[${tensor.shape.join(", ")}], which does not fit its type`);
  return tensor;
}
