// Rules for operations that only move elements: those that move nothing vanish, two in a row become one, and what can
// be had by reading the same memory under another shape becomes a reshape.

import { type Dim, equalDims, equalShapes, productOf } from "../../../ir/dim.ts";
import type { Node } from "../../../ir/graph.ts";
import { type Rule, rule } from "../../rewrite.ts";
import { allEqual, intOf, intsOf, isAscending, isRange, only, producer, shapeOf } from "./match.ts";

/** Where each axis of `from` lies in `to`, where `to` differs by axes of size 1 put in between. */
function insertedUnits(from: readonly Dim[], to: readonly Dim[]): number[] | undefined {
  const axes: number[] = [];
  for (const [axis, dim] of to.entries()) {
    const next = from[axes.length];
    if (next !== undefined && equalDims(dim, next)) axes.push(axis);
    else if (dim !== 1) return undefined;
  }
  return axes.length === from.length ? axes : undefined;
}

const unchanged = (node: Node): boolean => equalShapes(shapeOf(node), only(node).type.shape);

export const movementRules: readonly Rule[] = [
  rule(
    "reshape-to-itself",
    { before: "reshape(%x) {shape: [2, 3]}", after: "%x" },
    (node) => (unchanged(node) ? { x: only(node) } : undefined),
    ({ x }) => x,
  ),
  rule(
    "reshape-twice",
    { before: "reshape(reshape(%x) {shape: [6]}) {shape: [3, 2]}", after: "reshape(%x) {shape: [3, 2]}" },
    (node) => producer(only(node), "reshape"),
    (inner, emit, node) => emit.reshape(only(inner), shapeOf(node)),
  ),
  rule(
    "reshape-of-splat",
    {
      before: "reshape(broadcast(%s: f32[]) {shape: [2, 3], axes: []}) {shape: [6]}",
      after: "broadcast(%s) {shape: [6], axes: []}",
      on: ["reshape", "slice", "reverse"],
    },
    (node) => {
      const source = producer(only(node), "broadcast")?.inputs[0];
      return source?.type.shape.length === 0 ? { source } : undefined;
    },
    ({ source }, emit, node) => emit.broadcast(source, shapeOf(node), []),
  ),
  rule(
    "transpose-nothing",
    { before: "transpose(%x) {permutation: [0, 1]}", after: "%x" },
    (node) => (isRange(intsOf(node, "permutation")) ? { x: only(node) } : undefined),
    ({ x }) => x,
  ),
  rule(
    "transpose-twice",
    {
      before: "transpose(transpose(%x: f32[2, 3, 4]) {permutation: [1, 2, 0]}) {permutation: [0, 2, 1]}",
      after: "transpose(%x) {permutation: [1, 0, 2]}",
    },
    (node) => producer(only(node), "transpose"),
    (inner, emit, node) => {
      const first = intsOf(inner, "permutation");
      return emit.transpose(
        only(inner),
        intsOf(node, "permutation").map((axis) => first[axis]!),
      );
    },
  ),
  rule(
    "transpose-of-broadcast",
    {
      before: "transpose(broadcast(%x: f32[3]) {shape: [2, 3], axes: [1]}) {permutation: [1, 0]}",
      after: "broadcast(%x) {shape: [3, 2], axes: [0]}",
    },
    (node) => producer(only(node), "broadcast"),
    (inner, emit, node) => {
      const permutation = intsOf(node, "permutation");
      const axes = intsOf(inner, "axes").map((axis) => permutation.indexOf(axis));
      return emit.broadcast(only(inner), shapeOf(node), axes);
    },
  ),
  rule(
    "transpose-units",
    { before: "transpose(%x: f32[4, 1, 3]) {permutation: [1, 0, 2]}", after: "reshape(%x) {shape: [1, 4, 3]}" },
    (node) => {
      const { shape } = only(node).type;
      const moved = intsOf(node, "permutation").filter((axis) => shape[axis] !== 1);
      return isAscending(moved) ? { x: only(node) } : undefined;
    },
    ({ x }, emit, node) => emit.reshape(x, shapeOf(node)),
  ),
  rule(
    "broadcast-to-itself",
    { before: "broadcast(%x) {shape: [2, 3], axes: [0, 1]}", after: "%x" },
    (node) => (unchanged(node) && isRange(intsOf(node, "axes")) ? { x: only(node) } : undefined),
    ({ x }) => x,
  ),
  rule(
    "broadcast-twice",
    {
      before: "broadcast(broadcast(%x: f32[3]) {shape: [2, 3], axes: [1]}) {shape: [4, 2, 3], axes: [1, 2]}",
      after: "broadcast(%x) {shape: [4, 2, 3], axes: [2]}",
    },
    (node) => producer(only(node), "broadcast"),
    (inner, emit, node) => {
      const outer = intsOf(node, "axes");
      const axes = intsOf(inner, "axes").map((axis) => outer[axis]!);
      return emit.broadcast(only(inner), shapeOf(node), axes);
    },
  ),
  rule(
    "broadcast-of-units",
    {
      before: "broadcast(reshape(%x: f32[3]) {shape: [1, 3]}) {shape: [2, 3], axes: [0, 1]}",
      after: "broadcast(%x) {shape: [2, 3], axes: [1]}",
    },
    (node) => {
      const inner = producer(only(node), "reshape");
      const inserted = inner && insertedUnits(only(inner).type.shape, shapeOf(inner));
      return inserted && { x: only(inner), inserted };
    },
    ({ x, inserted }, emit, node) => {
      const outer = intsOf(node, "axes");
      return emit.broadcast(
        x,
        shapeOf(node),
        inserted.map((axis) => outer[axis]!),
      );
    },
  ),
  rule(
    "broadcast-units-only",
    { before: "broadcast(%x) {shape: [2, 1, 3], axes: [0, 2]}", after: "reshape(%x) {shape: [2, 1, 3]}" },
    (node) => {
      const x = only(node);
      if (x.kind === "literal") return undefined;
      const axes = intsOf(node, "axes");
      const kept = axes.every((axis, i) => equalDims(shapeOf(node)[axis]!, x.type.shape[i]!));
      const others = shapeOf(node).filter((_, axis) => !axes.includes(axis));
      return kept && isAscending(axes) && allEqual(others, 1) ? { x } : undefined;
    },
    ({ x }, emit, node) => emit.reshape(x, shapeOf(node)),
  ),
  rule(
    "reverse-nothing",
    { before: "reverse(%x: f32[2, 1]) {axes: [1]}", after: "%x" },
    (node) => {
      const x = only(node);
      return intsOf(node, "axes").every((axis) => x.type.shape[axis] === 1) ? { x } : undefined;
    },
    ({ x }) => x,
  ),
  rule(
    "reverse-twice",
    { before: "reverse(reverse(%x) {axes: [0, 1]}) {axes: [1]}", after: "reverse(%x) {axes: [0]}" },
    (node) => producer(only(node), "reverse"),
    (inner, emit, node) => {
      const [first, second] = [intsOf(inner, "axes"), intsOf(node, "axes")];
      const once = [...first, ...second].filter((axis) => first.includes(axis) !== second.includes(axis));
      return emit.value("reverse", [only(inner)], { axes: once.sort((a, b) => a - b) });
    },
  ),
  rule(
    "iota-of-one",
    { before: "iota() {shape: [3, 1], axis: 1, dtype: i32}", after: "broadcast(0:i32) {shape: [3, 1], axes: []}" },
    (node) => (shapeOf(node)[intOf(node, "axis")] === 1 && productOf(shapeOf(node)) !== 0 ? {} : undefined),
    (_, emit, node) => emit.full(0, node.results[0]!.type),
  ),
];
