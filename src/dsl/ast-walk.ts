// Walking the syntax tree: the parts of an expression, whatever it is.

import type { Expression, IndexItem } from "./ast.ts";

const itemExpressions = (item: IndexItem): Expression[] => {
  if (item.kind === "at") return [item.value];
  if (item.kind === "ellipsis") return [];
  return [item.from, item.to, item.step].flatMap((bound) => bound ?? []);
};

/** The expressions directly in an expression; not what stands in the body of a scan. */
export function childrenOf(expression: Expression): readonly Expression[] {
  switch (expression.kind) {
    case "number":
    case "string":
    case "boolean":
    case "name":
      return [];
    case "member":
      return [expression.target];
    case "call":
      return [expression.callee, ...expression.arguments.map((argument) => argument.value)];
    case "pipe":
      return [expression.input, expression.stage];
    case "reduction":
      return [expression.body];
    case "unary":
      return [expression.operand];
    case "binary":
      return [expression.left, expression.right];
    case "range":
      return [expression.from, expression.to];
    case "list":
    case "tuple":
      return expression.items;
    case "index":
      return [expression.target, ...expression.items.flatMap(itemExpressions)];
    case "scan":
      return [...expression.sources, expression.axis];
  }
}
