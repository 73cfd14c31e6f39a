// Sizes in signatures as linear forms: `4 * H + 1` is 1 + 4·H, `D / heads` is D over the value of heads.

import { addDims, type Dim, divideExactly, equalDims, multiplyDims } from "../ir/dim.ts";
import type { DimExpression, Expression } from "./ast.ts";

export type Binding = Dim | readonly Dim[];

/** What the solver needs of its surroundings. */
export interface DimEnvironment {
  /** The size or sizes that a name stands for already; undefined for an unknown of the system. */
  known(name: string): Binding | undefined;
  /** The value of an expression without unknowns that is not plain arithmetic, such as `widths[0]`. */
  evaluate(expression: Expression): Dim;
}

/** Why a system has no solution: `equation` is the position of the shape at fault. */
export class UnifyError extends Error {
  constructor(
    message: string,
    readonly equation: number,
  ) {
    super(message);
  }
}

/** constant + Σ coefficient · unknown, all over `divisor`. */
export interface Linear {
  readonly constant: Dim;
  readonly coefficients: ReadonlyMap<string, Dim>;
  readonly divisor: Dim;
}

export const isList = (binding: Binding): binding is readonly Dim[] => Array.isArray(binding);

/** The expression as a linear form in the unknowns; undefined where unknowns are multiplied. */
export function linear(
  expression: Expression,
  known: DimEnvironment["known"],
  environment: DimEnvironment,
  equation: number,
): Linear | undefined {
  const of = (e: Expression): Linear | undefined => linear(e, known, environment, equation);
  const constant = (value: Dim): Linear => ({ constant: value, coefficients: new Map(), divisor: 1 });
  if (expression.kind === "number" && expression.integer) return constant(expression.value);
  if (expression.kind === "name") {
    const value = known(expression.name);
    if (value === undefined) return { constant: 0, coefficients: new Map([[expression.name, 1]]), divisor: 1 };
    if (isList(value)) throw new UnifyError(`${expression.name} stands for several sizes, not one`, equation);
    return constant(value);
  }
  if (expression.kind === "unary" && expression.operator === "-")
    return combine(constant(0), of(expression.operand), -1);
  if (expression.kind === "binary") {
    const left = of(expression.left);
    const right = of(expression.right);
    if (!left || !right) return undefined;
    if (expression.operator === "+") return combine(left, right, 1);
    if (expression.operator === "-") return combine(left, right, -1);
    if (expression.operator === "*") return product(left, right);
    if (expression.operator === "/") {
      if (right.coefficients.size > 0) return undefined;
      if (equalDims(right.constant, 0)) throw new UnifyError("a size is divided by 0", equation);
      return normalize({
        constant: multiplyDims(left.constant, right.divisor),
        coefficients: scale(left.coefficients, right.divisor),
        divisor: multiplyDims(left.divisor, right.constant),
      });
    }
  }
  return constant(environment.evaluate(expression));
}

const scale = (coefficients: ReadonlyMap<string, Dim>, by: Dim): Map<string, Dim> =>
  new Map([...coefficients].map(([name, value]) => [name, multiplyDims(value, by)]));

/** Quotients that come out even lose their divisor. */
function normalize(form: Linear): Linear {
  if (form.coefficients.size > 0) return form;
  const whole = divideExactly(form.constant, form.divisor);
  return whole === undefined ? form : { ...form, constant: whole, divisor: 1 };
}

function combine(left: Linear, right: Linear | undefined, sign: 1 | -1): Linear | undefined {
  if (!right) return undefined;
  const coefficients = scale(left.coefficients, right.divisor);
  for (const [name, value] of scale(right.coefficients, multiplyDims(left.divisor, sign))) {
    const sum = addDims(coefficients.get(name) ?? 0, value);
    if (equalDims(sum, 0)) coefficients.delete(name);
    else coefficients.set(name, sum);
  }
  const a = multiplyDims(left.constant, right.divisor);
  const b = multiplyDims(multiplyDims(right.constant, left.divisor), sign);
  return normalize({ constant: addDims(a, b), coefficients, divisor: multiplyDims(left.divisor, right.divisor) });
}

function product(left: Linear, right: Linear): Linear | undefined {
  const [fixed, other] = left.coefficients.size === 0 ? [left, right] : [right, left];
  if (fixed.coefficients.size > 0) return undefined;
  return normalize({
    constant: multiplyDims(fixed.constant, other.constant),
    coefficients: scale(other.coefficients, fixed.constant),
    divisor: multiplyDims(fixed.divisor, other.divisor),
  });
}

/** The value of a dimension without unknowns; undefined where a division does not come out even. */
export function dimOf(expression: Expression, environment: DimEnvironment): Dim | undefined {
  const form = linear(expression, (name) => environment.known(name), environment, 0);
  if (!form || form.coefficients.size > 0) return undefined;
  return divideExactly(form.constant, form.divisor);
}

/** Names that stand in a dimension, for finding out which are unknown. */
export function namesInDim(expression: Expression): string[] {
  switch (expression.kind) {
    case "name":
      return [expression.name];
    case "unary":
      return namesInDim(expression.operand);
    case "binary":
      return [...namesInDim(expression.left), ...namesInDim(expression.right)];
    default:
      return [];
  }
}

/** A dimension as it was written, with plain spacing. */
export function formatExpression(expression: Expression): string {
  switch (expression.kind) {
    case "number":
      return String(expression.value);
    case "name":
      return expression.name;
    case "unary":
      return `${expression.operator}${formatExpression(expression.operand)}`;
    case "binary": {
      const wrap = (e: Expression): string => {
        const loose = e.kind === "binary" && (e.operator === "+" || e.operator === "-");
        return loose && !["+", "-"].includes(expression.operator) ? `(${formatExpression(e)})` : formatExpression(e);
      };
      return `${wrap(expression.left)} ${expression.operator} ${wrap(expression.right)}`;
    }
    default:
      return "…";
  }
}

/** A declared shape as it was written: `[...B, D]`. */
export const formatPattern = (pattern: readonly DimExpression[]): string =>
  `[${pattern.map((d) => (d.kind === "spread" ? `...${d.name.name}` : formatExpression(d.value))).join(", ")}]`;
