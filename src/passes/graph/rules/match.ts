// What rules look at: who made an operand, which number it is, and attributes with their static types.

import type { Attribute, AttributeKind } from "../../../ir/attributes.ts";
import { attribute } from "../../../ir/attributes.ts";
import { type Dim, equalDims, equalShapes } from "../../../ir/dim.ts";
import type { Emit } from "../../../ir/emit.ts";
import type { Node, Value } from "../../../ir/graph.ts";

/** The node that made `value`, where it is one of this operation. */
export function producer(value: Value | undefined, op: string): Node | undefined {
  return value?.kind === "result" && value.node.op === op ? value.node : undefined;
}

/** The number that all elements of `value` are, where it is a literal or a broadcast of one. */
export function splatOf(value: Value | undefined): number | undefined {
  if (value?.kind === "literal") return value.value;
  const source = producer(value, "broadcast")?.inputs[0];
  return source?.kind === "literal" ? source.value : undefined;
}

/** The two operands, where the right one is the literal `value`; it then has no say in the result's shape. */
export function rightIs(node: Node, value: number): { x: Value } | undefined {
  const [x, y] = node.inputs;
  return x && y?.kind === "literal" && Object.is(y.value + 0, value + 0) ? { x } : undefined;
}

/** The right operand, where it is a literal and the left one is none. */
export const rightLiteral = (node: Node): { x: Value; c: number } | undefined => {
  const [x, y] = node.inputs;
  return x && x.kind !== "literal" && y?.kind === "literal" ? { x, c: y.value } : undefined;
};

/** Whether two operands are one value: inputs and globals are known by their names. */
export function isSame(x: Value, y: Value | undefined): boolean {
  if (x === y) return true;
  return (x.kind === "input" || x.kind === "global") && x.kind === y?.kind && x.name === y.name;
}

/** The one operand of a node that has one. */
export const only = (node: Node): Value => node.inputs[0]!;

/** `broadcast`, but for one that would change nothing. */
export const spread = (emit: Emit, x: Value, shape: readonly Dim[], axes: readonly number[]): Value =>
  equalShapes(x.type.shape, shape) && isRange(axes) ? x : emit.broadcast(x, shape, axes);

export const shapeOf = (node: Node): readonly Dim[] => node.results[0]!.type.shape;

function read<T extends Attribute>(node: Node, key: string, kind: AttributeKind<T>): T {
  const value = node.attributes[key];
  if (value === undefined || !kind.is(value)) throw new Error(`${node.op} has no ${key} that is ${kind.expected}`);
  return value;
}

export const intOf = (node: Node, key: string): number => read(node, key, attribute.int);
export const intsOf = (node: Node, key: string): readonly number[] => read(node, key, attribute.ints);
export const dimsOf = (node: Node, key: string): readonly Dim[] => read(node, key, attribute.dims);
export const textOf = (node: Node, key: string): string => read(node, key, attribute.text);
export const floatOf = (node: Node, key: string): number => read(node, key, attribute.float);

/** An attribute that is a pair of lists, for the left and the right operand. */
export function sidesOf(node: Node, key: string): readonly [readonly number[], readonly number[]] {
  const [left = [], right = []] = read(node, key, attribute.intLists);
  return [left, right];
}

export const dimListsOf = (node: Node, key: string): readonly (readonly Dim[])[] => read(node, key, attribute.dimLists);

export const isRange = (axes: readonly number[]): boolean => axes.every((axis, i) => axis === i);

export const isAscending = (axes: readonly number[]): boolean =>
  axes.every((axis, i) => i === 0 || axes[i - 1]! < axis);

export const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

export const allEqual = (dims: readonly Dim[], to: Dim): boolean => dims.every((dim) => equalDims(dim, to));
