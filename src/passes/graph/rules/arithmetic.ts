// Rules for arithmetic. They hold for every number a float can be, NaN and infinities included, up to the sign of zero:
// so `multiply(%x, 0)` stays unless the elements are integers.

import { isFloat } from "../../../ir/dtype.ts";
import { literal, type Value } from "../../../ir/graph.ts";
import { type Rule, rule } from "../../rewrite.ts";
import { only, producer, rightIs, rightLiteral } from "./match.ts";

const commutative = ["add", "multiply", "maximum", "minimum", "and", "or", "xor"];

/** A number whose reciprocal is exact, and products with which are, in the float type of `like`. */
function isPowerOfTwo(value: number, like: Value): boolean {
  const exponent = Math.log2(Math.abs(value));
  const most = like.type.dtype === "f32" ? 24 : like.type.dtype === "f16" ? 8 : -1;
  return Number.isInteger(exponent) && Math.abs(exponent) <= most && 2 ** exponent === Math.abs(value);
}

export const arithmeticRules: readonly Rule[] = [
  rule(
    "literal-on-the-right",
    { before: "add(2, %x)", after: "add(%x, 2)", on: commutative },
    ({ inputs: [x, y] }) => (x?.kind === "literal" && y && y.kind !== "literal" ? { x, y } : undefined),
    ({ x, y }, emit, node) => emit.value(node.op, [y, x]),
  ),
  rule(
    "add-zero",
    { before: "add(%x, 0)", after: "%x", on: ["add", "subtract"] },
    (node) => rightIs(node, 0),
    ({ x }) => x,
  ),
  rule(
    "subtract-from-zero",
    { before: "subtract(0, %x)", after: "negate(%x)" },
    ({ inputs: [x, y] }) => (x?.kind === "literal" && x.value === 0 && y ? { y } : undefined),
    ({ y }, emit) => emit.negate(y),
  ),
  rule(
    "add-negated",
    { before: "add(%x, negate(%y))", after: "subtract(%x, %y)" },
    ({ inputs: [x, y] }) => {
      const right = producer(y, "negate");
      if (x && right) return { x, y: only(right) };
      const left = producer(x, "negate");
      return y && left && { x: y, y: only(left) };
    },
    ({ x, y }, emit) => emit.subtract(x, y),
  ),
  rule(
    "subtract-negated",
    { before: "subtract(%x, negate(%y))", after: "add(%x, %y)" },
    ({ inputs: [x, y] }) => {
      const negated = producer(y, "negate");
      return x && negated && { x, y: only(negated) };
    },
    ({ x, y }, emit) => emit.add(x, y),
  ),
  rule(
    "multiply-by-one",
    { before: "multiply(%x, 1)", after: "%x", on: ["multiply", "divide"] },
    (node) => rightIs(node, 1),
    ({ x }) => x,
  ),
  rule(
    "multiply-by-minus-one",
    { before: "multiply(%x, -1)", after: "negate(%x)", on: ["multiply", "divide"] },
    (node) => rightIs(node, -1),
    ({ x }, emit) => emit.negate(x),
  ),
  rule(
    "multiply-integer-by-zero",
    { before: "multiply(%x: i32[2, 3], 0)", after: "broadcast(0:i32) {shape: [2, 3], axes: []}" },
    (node) => (isFloat(node.results[0]!.type.dtype) ? undefined : rightIs(node, 0)),
    (_, emit, node) => emit.full(0, node.results[0]!.type),
  ),
  rule(
    "divide-by-power-of-two",
    { before: "divide(%x, 8)", after: "multiply(%x, 0.125)" },
    (node) => {
      const found = rightLiteral(node);
      return found && isPowerOfTwo(found.c, found.x) ? found : undefined;
    },
    ({ x, c }, emit) => emit.multiply(x, 1 / c),
  ),
  rule(
    "scale-twice",
    { before: "multiply(multiply(%x, 0.3), 4)", after: "multiply(%x, 1.2)" },
    (node) => {
      const outer = rightLiteral(node);
      const made = outer && producer(outer.x, "multiply");
      const inner = made && rightLiteral(made);
      if (!inner || !isFloat(inner.x.type.dtype)) return undefined;
      const exact = isPowerOfTwo(inner.c, inner.x) || isPowerOfTwo(outer.c, inner.x);
      return exact ? { x: inner.x, c: inner.c * outer.c } : undefined;
    },
    ({ x, c }, emit) => emit.multiply(x, c),
  ),
  rule(
    "scale-quotient",
    { before: "multiply(divide(3, %x), 2)", after: "divide(6, %x)" },
    (node) => {
      const outer = rightLiteral(node);
      const [above, below] = (outer && producer(outer.x, "divide")?.inputs) ?? [];
      if (!outer || above?.kind !== "literal" || !below) return undefined;
      return isPowerOfTwo(outer.c, below) ? { c: above.value * outer.c, below } : undefined;
    },
    ({ c, below }, emit) => emit.divide(c, below),
  ),
  rule(
    "multiply-negated",
    { before: "multiply(negate(%x), 2)", after: "multiply(%x, -2)", on: ["multiply", "divide"] },
    (node) => {
      const found = rightLiteral(node);
      const negated = found && producer(found.x, "negate");
      return negated && isFloat(found.x.type.dtype) ? { x: only(negated), c: found.c } : undefined;
    },
    ({ x, c }, emit, node) => emit.value(node.op, [x, -c]),
  ),
  rule(
    "multiply-both-negated",
    { before: "multiply(negate(%x), negate(%y))", after: "multiply(%x, %y)", on: ["multiply", "divide"] },
    (node) => {
      const [x, y] = node.inputs.map((value) => producer(value, "negate"));
      return x && y && isFloat(node.results[0]!.type.dtype) ? { x: only(x), y: only(y) } : undefined;
    },
    ({ x, y }, emit, node) => emit.value(node.op, [x, y]),
  ),
  rule(
    "negate-scaled",
    { before: "negate(multiply(%x, 3))", after: "multiply(%x, -3)" },
    (node) => {
      const made = producer(only(node), "multiply");
      return made && isFloat(only(node).type.dtype) ? rightLiteral(made) : undefined;
    },
    ({ x, c }, emit) => emit.multiply(x, -c),
  ),
  rule(
    "negate-quotient",
    { before: "negate(divide(3, %x))", after: "divide(-3, %x)" },
    (node) => {
      const [above, below] = producer(only(node), "divide")?.inputs ?? [];
      return above?.kind === "literal" && below && isFloat(below.type.dtype) ? { c: -above.value, below } : undefined;
    },
    ({ c, below }, emit) => emit.divide(c, below),
  ),
  rule(
    "negate-difference",
    { before: "negate(subtract(%x, %y))", after: "subtract(%y, %x)" },
    (node) => producer(only(node), "subtract"),
    ({ inputs: [x, y] }, emit) => emit.subtract(y!, x!),
  ),
  rule(
    "double-negation",
    { before: "negate(negate(%x))", after: "%x", on: ["negate", "not"] },
    (node) => producer(only(node), node.op),
    (inner) => only(inner),
  ),
  rule(
    "abs-of-sign-change",
    { before: "abs(negate(%x))", after: "abs(%x)" },
    (node) => producer(only(node), "negate") ?? producer(only(node), "abs"),
    (inner, emit) => emit.value("abs", [only(inner)]),
  ),
  rule(
    "stop-gradient",
    { before: "stop_gradient(%x)", after: "%x" },
    (node) => ({ x: only(node) }),
    ({ x }) => x,
  ),
  rule(
    "size-of-number",
    { before: "size_of() {dim: [7]}", after: "7:i32" },
    (node) => {
      const [dim] = Array.isArray(node.attributes.dim) ? node.attributes.dim : [];
      return typeof dim === "number" ? { dim } : undefined;
    },
    ({ dim }) => literal(dim, "i32"),
  ),
];
