// The iteration space of a group of nodes: whether one loop nest can compute them all, and at which index it reads each value.
// Fusion asks it of groups it would like to form, lowering of the bodies it got, the memory plan of operands it would overwrite.

import { type Dim, equalDims } from "../../ir/dim.ts";
import type { Node, ResultValue, Value } from "../../ir/graph.ts";
import { isCheap, isElementwise, numbers, type Role, reducedAxes, roleOf } from "./fuse-roles.ts";

export type FusionKind = "loop" | "reduction" | "contraction" | "row";

/**
 * Where a value is read: for each of its axes the axis of the iteration space that runs along it (-1 where it has size 1), or
 * `free`: at some other place, once or so for each point; `spread`: at another place, many times; `inner`: inside the loops of a
 * contraction or window.
 */
export type Access = readonly number[] | "free" | "spread" | "inner";

export interface Iteration {
  readonly kind: FusionKind;
  /** The whole space, reduced axes included. */
  readonly shape: readonly Dim[];
  /** The axes that reductions run over (those of contractions and windows are their own). */
  readonly reduced: readonly number[];
  /** The other axes: what a reduced value is indexed by. */
  readonly outer: readonly number[];
  /** Nodes of role reduce, contraction or window, in order. */
  readonly reductions: readonly Node[];
  readonly access: ReadonlyMap<Value, Access>;
}

const all = (shape: readonly Dim[]): number[] => shape.map((dim, axis) => (dim === 1 ? -1 : axis));

const sameAccess = (a: Access, b: Access): boolean =>
  typeof a === "string" || typeof b === "string"
    ? a === b
    : a.length === b.length && a.every((axis, i) => axis === b[i]);

const significant = (access: readonly number[]): string => access.filter((axis) => axis >= 0).join();

const sameShape = (a: readonly Dim[], b: readonly Dim[]): boolean =>
  a.length === b.length && a.every((dim, i) => equalDims(dim, b[i]!));

/**
 * The iteration space of `nodes` (in topological order, movement included) with results `outputs`, or undefined if one loop nest
 * cannot compute them, or only by repeating expensive work.
 */
export function iterationOf(nodes: readonly Node[], outputs: readonly ResultValue[]): Iteration | undefined {
  const roles = new Map<Node, Role>(nodes.map((node) => [node, roleOf(node)]));
  const reductions = nodes.filter((node) => roles.get(node) !== "element" && roles.get(node) !== "movement");
  if (reductions.some((node) => roles.get(node) === "opaque")) return undefined;
  const space = spaceOf(reductions, roles, outputs);
  if (!space) return undefined;

  const { shape, reduced } = space;
  const identity = all(shape);
  const outer = shape.map((_, axis) => axis).filter((axis) => !reduced.includes(axis));
  const outerKey = significant(outer.map((axis) => identity[axis]!));
  const fullKey = significant(identity);
  const isOuter = (access: Access) => typeof access !== "string" && significant(access) === outerKey;

  const access = new Map<Value, Access>();
  const inside = new Set(nodes);
  const read = (value: Value, at: Access): void => {
    if (value.kind === "literal") return;
    const here: Access = value.type.shape.length === 0 ? [] : at;
    const before = access.get(value);
    if (before === undefined || sameAccess(before, here)) access.set(value, here);
    else access.set(value, [before, here].includes("inner") ? "inner" : "spread");
  };

  for (const output of outputs) {
    const at = outputAccess(output.type.shape, shape, reduced, identity);
    if (!at || !inside.has(output.node)) return undefined;
    const before = access.get(output);
    if (before && !sameAccess(before, at)) return undefined;
    access.set(output, at);
  }
  const given = new Map(access);

  for (const node of [...nodes].reverse()) {
    const result = node.results[0];
    const at = result && access.get(result);
    if (!result || at === undefined) continue;
    if (given.has(result) && !sameAccess(given.get(result)!, at)) return undefined;
    const role = roles.get(node)!;
    if (at === "inner" && role !== "movement") return undefined;
    switch (role) {
      case "reduce":
        if (!isOuter(at)) return undefined;
        for (const input of node.inputs) read(input, identity);
        break;
      case "contraction":
      case "window":
        if (!isOuter(at)) return undefined;
        for (const input of node.inputs) read(input, "inner");
        break;
      case "element": {
        const once = typeof at === "string" ? at === "free" : isOuter(at) || significant(at) === fullKey;
        if (!once && !isCheap(node)) return undefined;
        node.inputs.forEach((input, i) => {
          read(input, isElementwise(node) ? at : node.op === "gather" && i === 0 ? "spread" : "free");
        });
        break;
      }
      case "movement":
        for (const input of node.inputs) read(input, moved(node, input, at));
        break;
      case "opaque":
        return undefined;
    }
  }

  const kind = kindOf(nodes, outputs, { reductions, roles, reduced, access, shape });
  return kind && { kind, shape, reduced, outer, reductions, access };
}

/** The whole space, from the reductions if there are any, else from the outputs. */
function spaceOf(
  reductions: readonly Node[],
  roles: ReadonlyMap<Node, Role>,
  outputs: readonly ResultValue[],
): { shape: readonly Dim[]; reduced: readonly number[] } | undefined {
  const [first, ...others] = reductions;
  if (!first) {
    const shape = outputs[0]?.type.shape;
    return shape && outputs.every((output) => sameShape(output.type.shape, shape)) ? { shape, reduced: [] } : undefined;
  }
  if (roles.get(first) !== "reduce") {
    return others.length === 0 ? { shape: first.results[0]!.type.shape, reduced: [] } : undefined;
  }
  const shape = first.inputs[0]!.type.shape;
  const reduced = [...reducedAxes(first)!].sort((a, b) => a - b);
  const alike = others.every(
    (node) =>
      roles.get(node) === "reduce" &&
      sameShape(node.inputs[0]!.type.shape, shape) &&
      [...reducedAxes(node)!].sort((a, b) => a - b).join() === reduced.join(),
  );
  return alike ? { shape, reduced } : undefined;
}

/** Outputs have the whole shape, or the shape without the reduced axes (dropped, or kept with size 1). */
function outputAccess(
  shape: readonly Dim[],
  space: readonly Dim[],
  reduced: readonly number[],
  identity: readonly number[],
): Access | undefined {
  if (sameShape(shape, space)) return identity;
  const dropped = identity.filter((_, axis) => !reduced.includes(axis));
  if (
    sameShape(
      shape,
      space.filter((_, axis) => !reduced.includes(axis)),
    )
  )
    return dropped;
  const kept = space.map((dim, axis): Dim => (reduced.includes(axis) ? 1 : dim));
  return sameShape(shape, kept) ? identity.map((axis) => (reduced.includes(axis) ? -1 : axis)) : undefined;
}

/** Where a movement that is read at `at` reads its operand. */
function moved(node: Node, input: Value, at: Access): Access {
  const from = input.type.shape;
  switch (node.op) {
    case "broadcast": {
      const axes = numbers(node.attributes.axes);
      if (typeof at !== "string") return from.map((dim, i) => (dim === 1 ? -1 : at[axes[i]!]!));
      const grows = node.results[0]!.type.shape.filter((dim) => dim !== 1).length > from.filter((d) => d !== 1).length;
      return at === "free" && grows ? "spread" : at;
    }
    case "transpose": {
      if (typeof at === "string") return at;
      const permutation = numbers(node.attributes.permutation);
      return from.map((_, axis) => at[permutation.indexOf(axis)]!);
    }
    case "reshape": {
      if (typeof at === "string") return at;
      const to = node.results[0]!.type.shape;
      const kept = at.filter((_, i) => to[i] !== 1);
      let next = 0;
      return from.map((dim) => (dim === 1 ? -1 : kept[next++]!));
    }
    default:
      return typeof at === "string" ? at : "free";
  }
}

interface Found {
  readonly reductions: readonly Node[];
  readonly roles: ReadonlyMap<Node, Role>;
  readonly reduced: readonly number[];
  readonly shape: readonly Dim[];
  readonly access: ReadonlyMap<Value, Access>;
}

function kindOf(nodes: readonly Node[], outputs: readonly ResultValue[], found: Found): FusionKind | undefined {
  const { reductions, roles, reduced, shape, access } = found;
  const [first] = reductions;
  if (!first) return "loop";
  if (roles.get(first) !== "reduce") return roles.get(first) === "contraction" ? "contraction" : "reduction";
  const after = new Set<Node>();
  let again = outputs.some((output) => isWhole(access.get(output), reduced));
  for (const node of nodes) {
    const depends = node.inputs.some((v) => v.kind === "result" && (after.has(v.node) || reductions.includes(v.node)));
    if (!depends) continue;
    after.add(node);
    again ||= roles.get(node) === "reduce" || isWhole(access.get(node.results[0]!), reduced);
  }
  if (!again) return "reduction";
  // Rows must lie together in memory: over other axes, each pass of the outer loop would touch every cache line anew.
  const rank = shape.length;
  const trailing = reduced.every((axis) => axis >= rank - reduced.length);
  return trailing && reduced.length < rank ? "row" : undefined;
}

const isWhole = (access: Access | undefined, reduced: readonly number[]): boolean =>
  access !== undefined && typeof access !== "string" && reduced.some((axis) => access.includes(axis));
