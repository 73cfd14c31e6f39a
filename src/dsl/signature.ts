// The signature of a block or model against what it is called with: arguments go into the scope of its body, the sizes in declared
// shapes are solved for, and the result is checked.

import { type Dim, equalShapes } from "../ir/dim.ts";
import type { BlockDeclaration, ModelDeclaration, Parameter } from "./ast.ts";
import { type Context, type Frame, mistake } from "./context.ts";
import { type Environment, evaluate } from "./evaluate.ts";
import { UnifyError } from "./linear-dims.ts";
import { lookup } from "./scope.ts";
import { convertArgument, describeArgument, dimEnvironment, formatTypeExpression, tensorArgument } from "./types.ts";
import { type Bindings, type ShapeEquation, solveShapes } from "./unify.ts";
import { type CompileValue, type GivenArgument, int, kindOf, list } from "./values.ts";

/**
 * Puts arguments, defaults and solved sizes into the scope of a body. Arguments are judged in the caller's frame, so that
 * mistakes stand at the call.
 */
export function bindParameters(
  c: Context,
  declaration: BlockDeclaration | ModelDeclaration,
  bound: ReadonlyMap<string, GivenArgument>,
  frame: Frame,
  env: Environment,
): void {
  const callee = declaration.name.name;
  const caller = c.frame;
  const { names } = env.scope;
  const tensors: { parameter: Parameter; argument: GivenArgument; equation: ShapeEquation }[] = [];
  for (const parameter of declaration.parameters) {
    const name = parameter.name.name;
    let argument = bound.get(name);
    if (!argument) {
      // Defaults see the parameters before them.
      c.frame = { ...frame, parent: caller };
      const value = evaluate(c, env, parameter.default!);
      c.frame = caller;
      argument = { value, place: { file: frame.file, span: parameter.span } };
    }
    if (argument.value.kind === "poison" || parameter.type?.kind !== "tensor" || argument.value.kind === "none") {
      names.set(name, convertArgument(c, env, callee, parameter, argument));
      continue;
    }
    const value = tensorArgument(c, env, callee, parameter, parameter.type, argument);
    names.set(name, value);
    if (value.kind !== "tensor") continue;
    const equation = {
      name: describeName(argument, name),
      pattern: parameter.type.dims,
      actual: value.value.type.shape,
    };
    tensors.push({ parameter, argument, equation });
  }
  solveInto(
    c,
    env,
    tensors.map((t) => t.equation),
    (error) => {
      const at = tensors[error.equation]!;
      const type = at.parameter.type ? formatTypeExpression(at.parameter.type) : "";
      const { name } = at.parameter.name;
      return mistake(c, "shape", `${callee} expects ${name}: ${type}, and ${error.message}`, {
        label: describeArgument(at.argument, name),
        help:
          flattenHelp(callee, at.equation) ??
          columnHelp(
            at.equation,
            tensors.map((t) => t.equation),
          ),
      });
    },
  );
}

const describeName = (argument: GivenArgument, parameter: string): string =>
  argument.written?.kind === "name" ? argument.written.name : parameter;

/** The usual mend where images meet a layer for vectors. */
function flattenHelp(callee: string, { pattern, actual }: ShapeEquation): string | undefined {
  const flat = pattern.length === 2 && pattern.every((dim) => dim.kind === "size");
  return flat && actual.length > 2 ? `put \`flatten\` before \`${callee}\`` : undefined;
}

/** The usual mend where numbers meet columns of one: what `dense(1)` gives, and the labels of a table. */
function columnHelp({ name, actual }: ShapeEquation, all: readonly ShapeEquation[]): string | undefined {
  const isColumn = (longer: readonly Dim[], shorter: readonly Dim[]): boolean =>
    longer.at(-1) === 1 && equalShapes(longer.slice(0, -1), shorter);
  const other = all.find((one) => isColumn(one.actual, actual) || isColumn(actual, one.actual));
  if (!other) return undefined;
  const [column, plain] = isColumn(actual, other.actual) ? [name, other.name] : [other.name, name];
  return `${column}[..., 0] takes the axis of 1 away; or declare ${plain} with it: the columns of data fit both`;
}

/** Solves for the sizes in declared shapes and binds their names; `explain` words what has no solution. */
export function solveInto(
  c: Context,
  env: Environment,
  equations: readonly ShapeEquation[],
  explain: (error: UnifyError) => Error,
): void {
  let bindings: Bindings;
  try {
    bindings = solveShapes(equations, dimEnvironment(c, env));
  } catch (error) {
    if (error instanceof UnifyError) throw explain(error);
    throw error;
  }
  for (const [name, binding] of bindings)
    env.scope.names.set(name, Array.isArray(binding) ? list(binding.map(int)) : int(toDim(binding)));
}

const toDim = (binding: Bindings extends Map<string, infer B> ? B : never) => {
  if (typeof binding === "number" || "terms" in binding) return binding;
  return 0;
};

/** Checks what a block gives against the result that it declares. */
export function checkResult(
  c: Context,
  env: Environment,
  { name, result }: BlockDeclaration,
  value: CompileValue,
): void {
  if (!result) return;
  const items = result.kind === "tuple" ? result.items : [result];
  const values = result.kind === "tuple" && value.kind === "list" ? value.items : [value];
  const declared = `${name.name} declares its result as ${formatTypeExpression(result)}`;
  const place = { file: c.frame.file, span: result.span };
  if (items.length !== values.length)
    throw mistake(c, "type", `${declared}, and gives ${values.length} values`, { place });
  items.forEach((type, i) => {
    const item = values[i]!;
    if (type.kind !== "tensor") return;
    if (item.kind !== "tensor") throw mistake(c, "type", `${declared}, and gives ${kindOf(item)}`, { place });
    const wanted = elementWanted(c, env, type.element.name);
    if (wanted && wanted !== item.value.type.dtype)
      throw mistake(c, "type", `${declared}, and gives elements ${item.value.type.dtype}`, { place });
    const equation = { name: "the result", pattern: type.dims, actual: item.value.type.shape };
    solveInto(c, env, [equation], (error) => mistake(c, "shape", `${declared}, and ${error.message}`, { place }));
  });
}

function elementWanted(_: Context, env: Environment, name: string): string | undefined {
  const bound = lookup(env.scope, name);
  if (bound?.kind === "dtype") return bound.value;
  return /^[A-Z]$/.test(name) ? undefined : name;
}
