// Rules for slices, concatenation and padding: those that take or add nothing vanish, and two in a row become one.

import { addDims, type Dim, equalDims, equalShapes, subtractDims } from "../../../ir/dim.ts";
import type { Node, Value } from "../../../ir/graph.ts";
import { type Rule, rule } from "../../rewrite.ts";
import { allEqual, dimsOf, floatOf, intOf, intsOf, only, producer, range, shapeOf } from "./match.ts";

/** Zeros put around something along one axis alone: where it lies then. */
function placed(value: Value | undefined) {
  const node = producer(value, "pad");
  if (!node || floatOf(node, "value") !== 0 || !allEqual(intsOf(node, "interior"), 0)) return undefined;
  const [low, high] = [dimsOf(node, "low"), dimsOf(node, "high")];
  const moved = range(low.length).filter((axis) => low[axis] !== 0 || high[axis] !== 0);
  const [axis] = moved;
  if (axis === undefined || moved.length > 1) return undefined;
  const [before, after] = [low[axis]!, high[axis]!];
  const isCrop = [before, after].some((dim) => typeof dim === "number" && dim < 0);
  const x = only(node);
  return isCrop ? undefined : { x, axis, before, after, end: addDims(before, x.type.shape[axis]!) };
}

/** The gradient of a tensor that was split: each part among zeros, added up. */
function neighbours(node: Node) {
  const [a, b] = node.inputs.map(placed);
  if (!a || !b || a.axis !== b.axis) return undefined;
  if (equalDims(a.end, b.before)) return { first: a, second: b };
  return equalDims(b.end, a.before) ? { first: b, second: a } : undefined;
}

export const sliceRules: readonly Rule[] = [
  rule(
    "sum-of-neighbours",
    {
      before:
        "add(pad(%x: f32[2, 3]) {low: [0, 0], high: [0, 4], interior: [0, 0], value: 0}, pad(%y: f32[2, 4]) {low: [0, 3], high: [0, 0], interior: [0, 0], value: 0})",
      after: "concatenate(%x, %y) {axis: 1}",
    },
    neighbours,
    ({ first, second }, emit) => {
      // Sums of more than two come one after the other: what they have put together so far stays one concatenation.
      const parts = [first.x, second.x].flatMap((x) => {
        const inner = producer(x, "concatenate");
        return inner && intOf(inner, "axis") === first.axis ? inner.inputs : [x];
      });
      const joined = emit.value("concatenate", parts, { axis: first.axis });
      const { before } = first;
      const { after } = second;
      if (before === 0 && after === 0) return joined;
      const at = (dim: Dim): Dim[] => joined.type.shape.map((_, axis) => (axis === first.axis ? dim : 0));
      const interior = joined.type.shape.map(() => 0);
      return emit.value("pad", [joined], { low: at(before), high: at(after), interior, value: 0 });
    },
  ),
  rule(
    "slice-everything",
    { before: "slice(%x) {start: [0, 0], limit: [2, 3], stride: [1, 1]}", after: "%x" },
    (node) => {
      const x = only(node);
      const whole =
        allEqual(dimsOf(node, "start"), 0) &&
        equalShapes(dimsOf(node, "limit"), x.type.shape) &&
        allEqual(intsOf(node, "stride"), 1);
      return whole ? { x } : undefined;
    },
    ({ x }) => x,
  ),
  rule(
    "slice-twice",
    {
      before: "slice(slice(%x: f32[9]) {start: [2], limit: [8], stride: [1]}) {start: [1], limit: [5], stride: [2]}",
      after: "slice(%x) {start: [3], limit: [7], stride: [2]}",
    },
    (node) => {
      const inner = producer(only(node), "slice");
      return inner && allEqual(intsOf(inner, "stride"), 1) ? inner : undefined;
    },
    (inner, emit, node) => {
      const offset = dimsOf(inner, "start");
      const moved = (key: string): Dim[] => dimsOf(node, key).map((dim, axis) => addDims(dim, offset[axis]!));
      return emit.value("slice", [only(inner)], {
        start: moved("start"),
        limit: moved("limit"),
        stride: intsOf(node, "stride"),
      });
    },
  ),
  rule(
    "slice-of-concatenate",
    {
      before: "slice(concatenate(%x, %y: f32[4, 3]) {axis: 0}) {start: [3, 0], limit: [5, 3], stride: [1, 1]}",
      after: "slice(%y) {start: [1, 0], limit: [3, 3], stride: [1, 1]}",
    },
    (node) => {
      const inner = producer(only(node), "concatenate");
      if (!inner) return undefined;
      const axis = intOf(inner, "axis");
      const [start, limit] = [dimsOf(node, "start")[axis], dimsOf(node, "limit")[axis]];
      if (typeof start !== "number" || typeof limit !== "number") return undefined;
      let low = 0;
      for (const part of inner.inputs) {
        const size = part.type.shape[axis];
        if (typeof size !== "number") return undefined;
        if (low <= start && limit <= low + size) return { part, axis, low };
        low += size;
      }
      return undefined;
    },
    ({ part, axis, low }, emit, node) => {
      const moved = (key: string): Dim[] => dimsOf(node, key).map((dim, i) => (i === axis ? addDims(dim, -low) : dim));
      return emit.value("slice", [part], {
        start: moved("start"),
        limit: moved("limit"),
        stride: intsOf(node, "stride"),
      });
    },
  ),
  rule(
    "concatenate-one",
    { before: "concatenate(%x) {axis: 0}", after: "%x" },
    ({ inputs }) => (inputs.length === 1 ? { x: inputs[0]! } : undefined),
    ({ x }) => x,
  ),
  rule(
    "concatenate-empty",
    { before: "concatenate(%x, %y: f32[0, 3], %x) {axis: 0}", after: "concatenate(%x, %x) {axis: 0}" },
    (node) => {
      const axis = intOf(node, "axis");
      const parts = node.inputs.filter((value) => value.type.shape[axis] !== 0);
      return parts.length > 0 && parts.length < node.inputs.length ? { axis, parts } : undefined;
    },
    ({ axis, parts }, emit) => emit.value("concatenate", parts, { axis }),
  ),
  rule(
    "pad-nothing",
    { before: "pad(%x) {low: [0, 0], high: [0, 0], interior: [0, 0], value: 0}", after: "%x" },
    (node) => {
      const none = allEqual([...dimsOf(node, "low"), ...dimsOf(node, "high"), ...intsOf(node, "interior")], 0);
      return none ? { x: only(node) } : undefined;
    },
    ({ x }) => x,
  ),
  rule(
    "pad-that-crops",
    {
      before: "pad(%x) {low: [0, -1], high: [-1, 0], interior: [0, 0], value: 0}",
      after: "slice(%x) {start: [0, 1], limit: [1, 3], stride: [1, 1]}",
    },
    (node) => {
      const [low, high] = [dimsOf(node, "low"), dimsOf(node, "high")];
      const crops = [...low, ...high].every((dim) => typeof dim === "number" && dim <= 0);
      // Cropped by more than there is: `pad` gives nothing, and a slice would end before it starts.
      const whole = shapeOf(node).every((dim) => typeof dim !== "number" || dim > 0);
      return crops && whole && allEqual(intsOf(node, "interior"), 0) ? { low, high } : undefined;
    },
    ({ low, high }, emit, node) => {
      const { shape } = only(node).type;
      return emit.value("slice", [only(node)], {
        start: low.map((dim) => subtractDims(0, dim)),
        limit: shape.map((dim, axis) => addDims(dim, high[axis]!)),
        stride: range(shape.length).map(() => 1),
      });
    },
  ),
  rule(
    "pad-twice",
    {
      before:
        "pad(pad(%x: f32[3]) {low: [1], high: [0], interior: [0], value: 0}) {low: [1], high: [2], interior: [0], value: 0}",
      after: "pad(%x) {low: [2], high: [2], interior: [0], value: 0}",
    },
    (node) => {
      const inner = producer(only(node), "pad");
      if (!inner || !Object.is(floatOf(node, "value"), floatOf(inner, "value"))) return undefined;
      const amounts = [node, inner].flatMap((pad) => [...dimsOf(pad, "low"), ...dimsOf(pad, "high")]);
      const grows = amounts.every((dim) => typeof dim === "number" && dim >= 0);
      return grows && allEqual(intsOf(node, "interior"), 0) ? inner : undefined;
    },
    (inner, emit, node) => {
      const sum = (key: string): Dim[] => dimsOf(node, key).map((dim, axis) => addDims(dim, dimsOf(inner, key)[axis]!));
      return emit.value("pad", [only(inner)], { ...inner.attributes, low: sum("low"), high: sum("high") });
    },
  ),
];
