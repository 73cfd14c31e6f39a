// Index notation: `scores[n, h, t, s] = sum(e) q[n, t, h, e] * k[n, s, h, e]`. The second reading of a statement makes nodes;
// every value has one axis for each of its indices. The language reaches this folder through the two functions at the end.

import type { Value } from "../../ir/graph.ts";
import { operation } from "../../ir/ops/index.ts";
import type {
  CallExpression,
  Expression,
  IndexedAssignStatement,
  PipeExpression,
  ReductionExpression,
} from "../ast.ts";
import { applyFunction } from "../call.ts";
import { type Context, make, mistake } from "../context.ts";
import { type Environment, evaluate } from "../evaluate.ts";
import { binary, unary } from "../operators.ts";
import { assign } from "../scope.ts";
import { type CompileValue, calleeName, describe, type GivenArgument, kindOf, tensor } from "../values.ts";
import { bracket } from "./bracket.ts";
import { type Index, type Indexed, ordered, single, sizeOf, spread, textOf, unionOf } from "./indexed.ts";
import { reduction } from "./reduction.ts";
import { createReading, type Indices, mentions, openIndices, type Reading, readSizes } from "./sizes.ts";

/** The value of an expression, one axis for each index that it depends on. */
export function indexed(r: Reading, expression: Expression, indices: Indices): Indexed {
  const { c, env } = r;
  const { span } = expression;
  if (!mentions(expression, indices)) return single(c, evaluate(c, env, expression), expression);
  switch (expression.kind) {
    case "name":
      return {
        value: tensor(positions(c, indices.get(expression.name)!, expression)),
        indices: [indices.get(expression.name)!],
        span,
      };
    case "index":
      return bracket(r, expression, indices);
    case "reduction":
      return reduction(r, expression, indices);
    case "unary": {
      const operand = indexed(r, expression.operand, indices);
      c.frame.span = span;
      return { ...operand, value: unary(c, expression.operator, operand.value), span };
    }
    case "binary": {
      if (expression.operator === "@") {
        c.frame.span = expression.operatorSpan;
        throw mistake(c, "syntax", "@ contracts whole axes, and in index notation axes have names", {
          help: "sum(e) x[n, e] * y[e, k] is the same as x @ y",
        });
      }
      const sides = [expression.left, expression.right].map((side) => indexed(r, side, indices));
      c.frame.span = span;
      return combined(c, sides, span, ([left, right]) => binary(c, expression.operator, left!, right!));
    }
    case "call":
    case "pipe":
      return call(r, expression, indices);
    default:
      c.frame.span = span;
      throw mistake(c, "syntax", "index notation is made of operators, functions of elements, and reductions", {
        label: "this cannot stand among indices",
      });
  }
}

/** An index as a number: 0, 1, … along its axis. */
function positions(c: Context, index: Index, { span }: Expression): Value {
  c.frame.span = span;
  if (!index.size)
    throw mistake(c, "shape", `nothing tells how far the index ${index.name} runs`, {
      help: `it must stand in a bracket, as in x[${index.name}]`,
    });
  return make(c, "iota", [], { shape: [sizeOf(index)], axis: 0, dtype: "i32" });
}

/** Brings operands to the same axes and computes on them. */
function combined(
  c: Context,
  operands: readonly Indexed[],
  span: Indexed["span"],
  compute: (values: readonly CompileValue[]) => CompileValue,
): Indexed {
  const indices = unionOf(operands);
  return { value: compute(operands.map((operand) => spread(c, operand, indices))), indices, span };
}

/** A call of a function that works element by element: `exp(x[n])`, `where(s <= t, x[t, s], 0)`, `x[n] |> relu`. */
function call(r: Reading, expression: CallExpression | PipeExpression, indices: Indices): Indexed {
  const { c, env } = r;
  const { span } = expression;
  const written = expression.kind === "call" ? expression : expression.stage;
  const callee = written.kind === "call" ? written.callee : written;
  if (expression.kind === "pipe" && expression.as) {
    c.frame.span = expression.as.span;
    throw mistake(c, "syntax", "`as` names whole tensors, and this is one element", { help: "define it first" });
  }
  const fn = evaluate(c, env, callee);
  const parts: { readonly name?: string; readonly written: Expression }[] = [];
  if (expression.kind === "pipe") parts.push({ written: expression.input });
  if (written.kind === "call")
    for (const { name, value } of written.arguments)
      parts.push({ written: value, ...(name ? { name: name.name } : {}) });
  const operands = parts.map((part) =>
    mentions(part.written, indices)
      ? indexed(r, part.written, indices)
      : { value: evaluate(c, env, part.written), indices: [], span: part.written.span },
  );
  c.frame.span = span;
  const before = c.graph.nodes.length;
  const result = combined(c, operands, span, (values) => {
    const given = values.map((value, i): GivenArgument => {
      const { name, written } = parts[i]!;
      return { value, written, place: { file: c.frame.file, span: written.span }, ...(name ? { name } : {}) };
    });
    c.frame.span = span;
    return applyFunction(c, env, fn, given);
  });
  requireElementwise(c, fn, result, operands, c.graph.nodes.slice(before));
  return result;
}

/** Refuses functions that mix elements: along which axes they do would be a matter of chance here. */
function requireElementwise(
  c: Context,
  fn: CompileValue,
  result: Indexed,
  operands: readonly Indexed[],
  nodes: Context["graph"]["nodes"],
): void {
  const reached = new Set<Value>();
  for (const { value, indices } of operands)
    if (value.kind === "tensor" && indices.length > 0) reached.add(value.value);
  let mixes = result.value.kind !== "tensor" || result.value.value.type.shape.length !== result.indices.length;
  for (const node of nodes) {
    if (!node.inputs.some((input) => reached.has(input))) continue;
    if (!operation(node.op)?.elementwise && !shapeless.has(node.op)) mixes = true;
    for (const made of node.results) reached.add(made);
  }
  if (!mixes || fn.kind !== "function") return;
  const name = calleeName(fn.callee);
  c.frame.span = result.span;
  const [first] = operands.filter((operand) => operand.indices.length > 0);
  const text = first ? textOf(c, first) : "x[i]";
  throw mistake(c, "type", `${name} does not work element by element, and ${text} is one element`, {
    help: takesAxis(fn)
      ? `name the index that it goes over: ${name}(${first?.indices.at(-1)?.name ?? "i"}) ${text}`
      : `call it on the whole tensor, outside of index notation`,
  });
}

/** What leaves every element in its place, beside the elementwise operations. `spread` made the transposes and broadcasts. */
const shapeless: ReadonlySet<string> = new Set(["stop_gradient", "broadcast", "transpose"]);

export function takesAxis(fn: CompileValue): boolean {
  if (fn.kind !== "function") return false;
  const { callee } = fn;
  if (callee.kind === "builtin") return callee.builtin.parameters.some((parameter) => parameter.name === "axis");
  return callee.declaration.parameters.some((parameter) => parameter.name.name === "axis");
}

/** `y[n, k] = …`: binds the name to a tensor whose axes are the indices of the left side. */
export function assignIndexed(c: Context, env: Environment, statement: IndexedAssignStatement): void {
  const r = createReading(c, env);
  const indices = openIndices(r, statement.indices, new Map());
  readSizes(r, statement.value, indices);
  const result = indexed(r, statement.value, indices);
  for (const index of indices.values()) {
    if (result.indices.includes(index)) continue;
    c.frame.span = index.span;
    throw mistake(c, "shape", `the index ${index.name} of the left side does not appear on the right`, {
      label: "every element along it would be the same",
      help: "leave it out, or spread the result: broadcast_to(…)",
    });
  }
  if (result.value.kind !== "tensor" && !isNumber(result.value)) {
    c.frame.span = statement.value.span;
    throw mistake(c, "type", `index notation defines tensors, and this is ${kindOf(result.value)}`);
  }
  assign(env.scope, statement.name.name, ordered(c, result, [...indices.values()]));
}

const isNumber = (value: CompileValue): boolean => value.kind === "int" || value.kind === "float";

/** A reduction that stands by itself, `sum(i) x[i] * w[i]`: all its indices are its own, so that it is one number. */
export function reduceToNumber(c: Context, env: Environment, expression: ReductionExpression): CompileValue {
  const r = createReading(c, env);
  readSizes(r, expression, new Map());
  const result = indexed(r, expression, new Map());
  const [left] = result.indices;
  if (!left) return result.value;
  c.frame.span = expression.span;
  throw mistake(
    c,
    "shape",
    `${expression.name.name}(${left.name}) gives ${describe(result.value)}, whose axes need names`,
    {
      help: `name them on the left: y[${result.indices.map((index) => index.name).join(", ")}] = …`,
    },
  );
}
