// Solving for the named dimensions of a signature: the declared shapes of all parameters against the shapes of the arguments,
// as one system of linear equations. `f32[...B, D]` splits a shape, `f32[N, 4 * H]` gives an equation in H.

import { type Dim, divideExactly, equalDims, equalShapes, formatDim, multiplyDims, subtractDims } from "../ir/dim.ts";
import type { DimExpression, Expression } from "./ast.ts";
import {
  type Binding,
  type DimEnvironment,
  formatExpression,
  isList,
  type Linear,
  linear,
  UnifyError,
} from "./linear-dims.ts";

/** A declared shape and the shape that it is to match. `name` says whose it is, for messages. */
export interface ShapeEquation {
  readonly name: string;
  readonly pattern: readonly DimExpression[];
  readonly actual: readonly Dim[];
}

export type Bindings = Map<string, Binding>;

interface AxisEquation {
  readonly equation: number;
  readonly axis: number;
  readonly expression: Expression;
  readonly actual: Dim;
}

const countAxes = (count: number): string => (count === 1 ? "1 axis" : `${count} axes`);

/** Sizes for all names in the patterns; throws a UnifyError that names the first place where there are none. */
export function solveShapes(equations: readonly ShapeEquation[], environment: DimEnvironment): Bindings {
  const bindings: Bindings = new Map();
  const origins = new Map<string, string>();
  const known = (name: string): Binding | undefined => bindings.get(name) ?? environment.known(name);
  const axes = splitShapes(equations, bindings, known, origins);
  solveAxes(axes, equations, bindings, known, origins, environment);
  return bindings;
}

/** Finds out which axes each `...S` stands for, until every shape is a list of single axes. */
function splitShapes(
  equations: readonly ShapeEquation[],
  bindings: Bindings,
  known: DimEnvironment["known"],
  origins: Map<string, string>,
): AxisEquation[] {
  const axes: AxisEquation[] = [];
  let open = equations.map((_, i) => i);
  while (open.length > 0) {
    const rest = open.filter((i) => !splitShape(equations[i]!, i, bindings, known, origins, axes));
    if (rest.length === open.length) {
      const stuck = rest[0]!;
      throw new UnifyError(`it is not clear which axes of ${equations[stuck]!.name} each of its \`...\` takes`, stuck);
    }
    open = rest;
  }
  return axes;
}

function splitShape(
  { name, pattern, actual }: ShapeEquation,
  equation: number,
  bindings: Bindings,
  known: DimEnvironment["known"],
  origins: Map<string, string>,
  axes: AxisEquation[],
): boolean {
  const spread = (dim: DimExpression): readonly Dim[] | undefined => {
    if (dim.kind !== "spread") return undefined;
    const binding = known(dim.name.name);
    if (binding !== undefined && !isList(binding))
      throw new UnifyError(`${dim.name.name} is one size, and cannot stand for several`, equation);
    return binding;
  };
  const unknown = pattern.filter((dim) => dim.kind === "spread" && !spread(dim));
  const names = new Set(unknown.map((dim) => (dim.kind === "spread" ? dim.name.name : "")));
  if (names.size > 1 || unknown.length > 1) return false;
  const fixed = pattern.reduce((sum, dim) => sum + (dim.kind === "size" ? 1 : (spread(dim)?.length ?? 0)), 0);
  if (unknown.length === 0 ? actual.length !== fixed : actual.length < fixed) {
    const wanted = unknown.length === 0 ? countAxes(fixed) : `at least ${countAxes(fixed)}`;
    throw new UnifyError(`${name} has ${countAxes(actual.length)}, and should have ${wanted}`, equation);
  }
  let axis = 0;
  for (const dim of pattern) {
    if (dim.kind === "size") {
      axes.push({ equation, axis, expression: dim.value, actual: actual[axis]! });
      axis++;
      continue;
    }
    const present = spread(dim);
    const taken = actual.slice(axis, axis + (present?.length ?? actual.length - fixed));
    if (!present) {
      bindings.set(dim.name.name, taken);
      origins.set(dim.name.name, name);
    } else if (!equalShapes(present, taken)) {
      const show = (dims: readonly Dim[]): string => `[${dims.map(formatDim).join(", ")}]`;
      const origin = origins.get(dim.name.name);
      const where = origin ? ` in ${origin}` : "";
      throw new UnifyError(`${dim.name.name} is ${show(present)}${where} and ${show(taken)} in ${name}`, equation);
    }
    axis += taken.length;
  }
  return true;
}

function solveAxes(
  all: readonly AxisEquation[],
  equations: readonly ShapeEquation[],
  bindings: Bindings,
  known: DimEnvironment["known"],
  origins: Map<string, string>,
  environment: DimEnvironment,
): void {
  let open = all;
  const nameOf = (axis: AxisEquation): string => equations[axis.equation]!.name;
  while (open.length > 0) {
    const rest: AxisEquation[] = [];
    for (const axis of open) {
      const form = linear(axis.expression, known, environment, axis.equation);
      if (!form || form.coefficients.size > 1) {
        rest.push(axis);
        continue;
      }
      const right = subtractDims(multiplyDims(axis.actual, form.divisor), form.constant);
      const [unknown] = form.coefficients;
      if (!unknown) {
        if (!equalDims(right, 0)) throw new UnifyError(misfit(axis, form, nameOf(axis), origins), axis.equation);
        continue;
      }
      const [name, coefficient] = unknown;
      const value = divideExactly(right, coefficient);
      if (value === undefined || (typeof value === "number" && value < 0))
        throw new UnifyError(
          `axis ${axis.axis} of ${nameOf(axis)} is ${formatDim(axis.actual)}, and no whole ${name} makes it ${formatExpression(axis.expression)}`,
          axis.equation,
        );
      bindings.set(name, value);
      origins.set(name, nameOf(axis));
    }
    if (rest.length === open.length && !eliminate(rest, bindings, known, environment)) {
      const stuck = rest[0]!;
      const text = formatExpression(stuck.expression);
      throw new UnifyError(`the sizes in ${text} cannot be told from ${formatDim(stuck.actual)} alone`, stuck.equation);
    }
    open = rest;
  }
}

function misfit(axis: AxisEquation, form: Linear, name: string, origins: ReadonlyMap<string, string>): string {
  const { expression } = axis;
  const wanted = divideExactly(form.constant, form.divisor);
  const found = formatDim(axis.actual);
  const size =
    wanted === undefined
      ? `${formatDim(form.constant)} / ${formatDim(form.divisor)}, which is not whole`
      : formatDim(wanted);
  if (expression.kind !== "name") {
    const text = formatExpression(expression);
    return `axis ${axis.axis} of ${name} is ${found}, and should be ${text === size ? size : `${text} = ${size}`}`;
  }
  const origin = origins.get(expression.name);
  if (origin) return `${expression.name} is ${size} in ${origin} and ${found} in ${name}`;
  return `axis ${axis.axis} of ${name} is ${found}, and should be ${expression.name}${expression.name === size ? "" : ` = ${size}`}`;
}

/** One step of Gauss's elimination over equations with several unknowns; true if a name was found. */
function eliminate(
  axes: readonly AxisEquation[],
  bindings: Bindings,
  known: DimEnvironment["known"],
  environment: DimEnvironment,
): boolean {
  let rows: { coefficients: Map<string, number>; right: Dim }[] = [];
  for (const axis of axes) {
    const form = linear(axis.expression, known, environment, axis.equation);
    if (!form) continue;
    const coefficients = new Map<string, number>();
    for (const [name, value] of form.coefficients) if (typeof value === "number") coefficients.set(name, value);
    if (coefficients.size < form.coefficients.size) continue;
    rows.push({ coefficients, right: subtractDims(multiplyDims(axis.actual, form.divisor), form.constant) });
  }
  const names = [...new Set(rows.flatMap((row) => [...row.coefficients.keys()]))];
  for (const name of names) {
    const pivot = rows.find((row) => row.coefficients.get(name));
    if (!pivot) continue;
    if (pivot.coefficients.size === 1) {
      const value = divideExactly(pivot.right, pivot.coefficients.get(name)!);
      if (value === undefined) return false;
      bindings.set(name, value);
      return true;
    }
    const p = pivot.coefficients.get(name)!;
    rows = rows
      .filter((row) => row !== pivot)
      .map((row) => {
        const factor = row.coefficients.get(name) ?? 0;
        if (factor === 0) return row;
        const coefficients = new Map<string, number>();
        for (const key of new Set([...row.coefficients.keys(), ...pivot.coefficients.keys()])) {
          const value = p * (row.coefficients.get(key) ?? 0) - factor * (pivot.coefficients.get(key) ?? 0);
          if (value !== 0) coefficients.set(key, value);
        }
        return { coefficients, right: subtractDims(multiplyDims(p, row.right), multiplyDims(factor, pivot.right)) };
      });
  }
  return false;
}
