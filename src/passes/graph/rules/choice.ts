// Rules for comparison, selection, conversion, and for scalars that were spread over a shape.

import { equalShapes } from "../../../ir/dim.ts";
import { type DType, isFloat } from "../../../ir/dtype.ts";
import type { Value } from "../../../ir/graph.ts";
import { operations } from "../../../ir/ops/index.ts";
import { type Rule, rule } from "../../rewrite.ts";
import { dimsOf, intsOf, isSame, only, producer, shapeOf, splatOf } from "./match.ts";

/** Comparisons of which exactly one holds, for NaN too. */
const opposite = new Map([
  ["eq", "ne"],
  ["ne", "eq"],
]);

const integerOpposite = new Map([...opposite, ["lt", "ge"], ["ge", "lt"], ["gt", "le"], ["le", "gt"]]);

/** Element types that hold every value of another. */
const widened: Readonly<Record<DType, readonly DType[]>> = {
  bool: ["u8", "i8", "i32", "f16", "f32"],
  u8: ["i32", "f16", "f32"],
  i8: ["i32", "f16", "f32"],
  i32: [],
  f16: ["f32"],
  f32: [],
};

const elementwise: readonly string[] = operations()
  .filter((op) => op.elementwise)
  .map((op) => op.name);

/** The scalar that `value` spreads over its shape, where it does nothing else. */
function spreadScalar(value: Value): Value | undefined {
  const source = producer(value, "broadcast")?.inputs[0];
  return source?.type.shape.length === 0 ? source : undefined;
}

export const choiceRules: readonly Rule[] = [
  rule(
    "not-equal",
    {
      before: "not(compare(%x, %y) {direction: eq})",
      after: "compare(%x, %y) {direction: ne}",
    },
    (node) => {
      const compare = producer(only(node), "compare");
      const table = compare && isFloat(only(compare).type.dtype) ? opposite : integerOpposite;
      const direction = compare && table.get(String(compare.attributes.direction));
      return direction === undefined ? undefined : { inputs: compare!.inputs, direction };
    },
    ({ inputs, direction }, emit) => emit.value("compare", inputs, { direction }),
  ),
  rule(
    "compare-with-itself",
    {
      before: "compare(%x: i32[2, 3], %x) {direction: le}",
      after: "broadcast(1:bool) {shape: [2, 3], axes: []}",
    },
    (node) => {
      const [x, y] = node.inputs;
      // A NaN is not equal to itself.
      return x && isSame(x, y) && !isFloat(x.type.dtype) ? node : undefined;
    },
    (found, emit, node) => {
      const holds = ["eq", "le", "ge"].includes(String(found.attributes.direction));
      return emit.full(holds ? 1 : 0, node.results[0]!.type);
    },
  ),
  rule(
    "select-equal-arms",
    { before: "select(%c: bool[2, 3], %x, %x)", after: "%x" },
    (node) => {
      const [, x, y] = node.inputs;
      return x && isSame(x, y) && equalShapes(x.type.shape, shapeOf(node)) ? { x } : undefined;
    },
    ({ x }) => x,
  ),
  rule(
    "select-known",
    { before: "select(1:bool, %x, %y)", after: "%x" },
    (node) => {
      const [condition, x, y] = node.inputs;
      const known = splatOf(condition);
      const chosen = known === undefined ? undefined : known !== 0 ? x : y;
      return chosen && { chosen };
    },
    ({ chosen }, emit, node) =>
      equalShapes(chosen.type.shape, shapeOf(node)) ? chosen : emit.broadcast(chosen, shapeOf(node), []),
  ),
  rule(
    "select-by-not",
    { before: "select(not(%c: bool[2, 3]), %x, %y)", after: "select(%c, %y, %x)" },
    ({ inputs: [condition, x, y] }) => {
      const not = producer(condition, "not");
      return not && x && y && { c: only(not), x, y };
    },
    ({ c, x, y }, emit) => emit.value("select", [c, y, x]),
  ),
  rule(
    "convert-to-itself",
    { before: "convert(%x) {dtype: f32}", after: "%x" },
    (node) => (only(node).type.dtype === node.attributes.dtype ? { x: only(node) } : undefined),
    ({ x }) => x,
  ),
  rule(
    "convert-twice",
    {
      before: "convert(convert(%x: u8[2, 3]) {dtype: i32}) {dtype: f32}",
      after: "convert(%x) {dtype: f32}",
    },
    (node) => {
      const inner = producer(only(node), "convert");
      if (!inner) return undefined;
      const x = only(inner);
      const [from, over, to] = [x.type.dtype, only(node).type.dtype, node.results[0]!.type.dtype];
      const truncates = isFloat(over) && !isFloat(to) && to !== from;
      return widened[from].includes(over) && !truncates ? { x, to } : undefined;
    },
    ({ x, to }, emit) => emit.convert(x, to),
  ),
  rule(
    "spread-scalar",
    {
      before: "add(%x, broadcast(%s: f32[]) {shape: [2, 3], axes: []})",
      after: "add(%x, %s)",
      on: elementwise,
    },
    (node) => {
      const scalars = node.inputs.map(spreadScalar);
      const shaped = node.inputs.some((value, i) => !scalars[i] && equalShapes(value.type.shape, shapeOf(node)));
      return shaped && scalars.some((value) => value) ? { scalars } : undefined;
    },
    ({ scalars }, emit, node) =>
      emit.value(
        node.op,
        node.inputs.map((value, i) => scalars[i] ?? value),
        node.attributes,
      ),
  ),
  rule(
    "compute-before-reshape",
    {
      before: "add(reshape(%x) {shape: [6]}, reshape(%y) {shape: [6]})",
      after: "reshape(add(%x, %y)) {shape: [6]}",
      on: elementwise,
    },
    (node) => {
      const made = node.inputs.map((value) => producer(value, "reshape"));
      const first = made.find((reshape) => reshape !== undefined);
      if (!first || shapeOf(first).length === 0) return undefined;
      const { shape } = only(first).type;
      const alike = node.inputs.every((value, i) =>
        made[i] ? equalShapes(only(made[i]).type.shape, shape) : value.type.shape.length === 0,
      );
      return alike && equalShapes(shapeOf(first), shapeOf(node)) ? { made } : undefined;
    },
    ({ made }, emit, node) => {
      const operands = node.inputs.map((value, i) => (made[i] ? only(made[i]) : value));
      return emit.reshape(emit.value(node.op, operands, node.attributes), shapeOf(node));
    },
  ),
  rule(
    "compute-before-broadcast",
    {
      before: "exponential(broadcast(%x: f32[3]) {shape: [2, 3], axes: [1]})",
      after: "broadcast(exponential(%x)) {shape: [2, 3], axes: [1]}",
      on: elementwise,
    },
    (node) => {
      const made = node.inputs.map((value) => producer(value, "broadcast"));
      const [first] = made.filter((broadcast) => broadcast !== undefined);
      if (!first) return undefined;
      const axes = intsOf(first, "axes");
      const alike = node.inputs.every((value, i) => {
        const broadcast = made[i];
        if (!broadcast) return value.type.shape.length === 0;
        const same = String(intsOf(broadcast, "axes")) === String(axes);
        return same && equalShapes(only(broadcast).type.shape, only(first).type.shape);
      });
      return alike ? { made, shape: dimsOf(first, "shape"), axes } : undefined;
    },
    ({ made, shape, axes }, emit, node) => {
      const operands = node.inputs.map((value, i) => (made[i] ? only(made[i]) : value));
      return emit.broadcast(emit.value(node.op, operands, node.attributes), shape, axes);
    },
  ),
];
