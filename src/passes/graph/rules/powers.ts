// Rules for powers, bounds and truth values. Like those for arithmetic they hold for every number a float can be.

import { isFloat } from "../../../ir/dtype.ts";
import type { Node, Value } from "../../../ir/graph.ts";
import { type Rule, rule } from "../../rewrite.ts";
import { isSame, only, producer, rightIs, rightLiteral } from "./match.ts";

const keepsType = (node: Node, value: Value): boolean =>
  node.results[0]!.type.shape.length === value.type.shape.length && node.results[0]!.type.dtype === value.type.dtype;

export const powerRules: readonly Rule[] = [
  rule(
    "power-zero",
    { before: "power(%x, 0)", after: "broadcast(1) {shape: [2, 3], axes: []}" },
    (node) => rightIs(node, 0),
    (_, emit, node) => emit.full(1, node.results[0]!.type),
  ),
  rule(
    "power-one",
    { before: "power(%x, 1)", after: "%x" },
    (node) => rightIs(node, 1),
    ({ x }) => x,
  ),
  rule(
    "power-two",
    { before: "power(%x, 2)", after: "multiply(%x, %x)" },
    (node) => rightIs(node, 2),
    ({ x }, emit) => emit.multiply(x, x),
  ),
  rule(
    "power-three",
    { before: "power(%x, 3)", after: "multiply(multiply(%x, %x), %x)" },
    (node) => rightIs(node, 3),
    ({ x }, emit) => emit.multiply(emit.multiply(x, x), x),
  ),
  rule(
    "power-half",
    { before: "power(%x, 0.5)", after: "sqrt(%x)" },
    (node) => rightIs(node, 0.5),
    ({ x }, emit) => emit.value("sqrt", [x]),
  ),
  rule(
    "power-minus-one",
    { before: "power(%x, -1)", after: "divide(1, %x)" },
    (node) => (isFloat(node.results[0]!.type.dtype) ? rightIs(node, -1) : undefined),
    ({ x }, emit) => emit.divide(1, x),
  ),
  rule(
    "log-of-exponential",
    { before: "log(exponential(%x))", after: "%x" },
    (node) => producer(only(node), "exponential"),
    (inner) => only(inner),
  ),
  rule(
    "same-twice",
    { before: "maximum(%x, %x)", after: "%x", on: ["maximum", "minimum", "and", "or"] },
    ({ inputs: [x, y] }) => (x && isSame(x, y) ? { x } : undefined),
    ({ x }) => x,
  ),
  rule(
    "bound-twice",
    { before: "maximum(maximum(%x, 1), 3)", after: "maximum(%x, 3)", on: ["maximum", "minimum"] },
    (node) => {
      const outer = rightLiteral(node);
      const made = outer && producer(outer.x, node.op);
      const inner = made && rightLiteral(made);
      return inner && { x: inner.x, a: inner.c, b: outer.c };
    },
    ({ x, a, b }, emit, node) => emit.value(node.op, [x, node.op === "maximum" ? Math.max(a, b) : Math.min(a, b)]),
  ),
  rule(
    "no-bound",
    { before: "maximum(%x, -inf)", after: "%x", on: ["maximum", "minimum"] },
    (node) => rightIs(node, node.op === "maximum" ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY),
    ({ x }) => x,
  ),
  rule(
    "and-true",
    { before: "and(%x: bool[2, 3], 1)", after: "%x", on: ["and", "or"] },
    (node) => {
      const found = node.results[0]!.type.dtype === "bool" ? rightIs(node, node.op === "and" ? 1 : 0) : undefined;
      return found && keepsType(node, found.x) ? found : undefined;
    },
    ({ x }) => x,
  ),
];
