// Models as graphs: their inputs become inputs of a graph with free sizes, their body runs, and their outputs are checked.

import { symbol } from "../ir/dim.ts";
import type { TensorType } from "../ir/graph.ts";
import type { Identifier, ModelDeclaration, TypeExpression } from "./ast.ts";
import { attempt, type Context, mistake, rootFrame } from "./context.ts";
import { closest } from "./diagnostics.ts";
import type { Environment } from "./evaluate.ts";
import { addInput } from "./graph-state.ts";
import type { FileScope } from "./resolve.ts";
import { lookup, namesIn, openScope } from "./scope.ts";
import { solveInto } from "./signature.ts";
import { runBody } from "./statements.ts";
import { asOperand } from "./tensors.ts";
import { formatTypeExpression, tensorType } from "./types.ts";
import { type CompileValue, describe, int, kindOf, poison, tensor } from "./values.ts";

export interface NamedValue {
  readonly name: string;
  readonly value: CompileValue;
}

/** Opens the present graph for a model: its inputs, and its free sizes by name. */
export function openModel(c: Context, file: FileScope, model: ModelDeclaration): Environment {
  const env: Environment = { scope: openScope(), file };
  c.frame = rootFrame(file.file);
  for (const { name, type, default: fallback } of model.parameters) {
    const bound = attempt(c, () => {
      c.frame.span = name.span;
      if (fallback) throw mistake(c, "type", `an input of a model has no default value`);
      if (!type) throw mistake(c, "type", `the input ${name.name} needs a type`, { help: `${name.name}: f32[N, 784]` });
      return tensor(addInput(c.graph, name.name, freeType(c, env, name, type)));
    });
    env.scope.names.set(name.name, bound ?? poison);
  }
  return env;
}

/** The type of an input or target. Sizes that nothing binds are free until run time, and known by their names from here on. */
export function freeType(c: Context, env: Environment, name: Identifier, type: TypeExpression): TensorType {
  c.frame.span = name.span;
  if (name.name === "key" || name.name === "step")
    throw mistake(c, "name", `${name.name} is the name of an input that graphs have by themselves`, {
      help: "choose another name",
    });
  if (lookup(env.scope, name.name)) throw mistake(c, "name", `${name.name} is declared twice`);
  return tensorType(c, env, type, (size) => env.scope.names.set(size, int(symbol(size))));
}

/** Runs the body of a model whose inputs are bound. */
export function runModel(c: Context, env: Environment, model: ModelDeclaration): readonly NamedValue[] {
  runBody(c, env, model.body);
  return checkOutputs(c, env, model);
}

/** The outputs that a model declares, as its body bound them; poison where it did not. */
export function checkOutputs(c: Context, env: Environment, model: ModelDeclaration): readonly NamedValue[] {
  return model.outputs.map(({ name, type, span }) => {
    const value = attempt(c, () => {
      const place = { file: env.file.file, span };
      const bound = lookup(env.scope, name.name);
      if (!bound) {
        const near = closest(name.name, namesIn(env.scope));
        throw mistake(c, "name", `${model.name.name} declares the output ${name.name}, and its body does not bind it`, {
          place,
          help: near ? `did you mean \`${near}\`?` : `end the body with ${name.name} = …`,
        });
      }
      if (bound.kind === "poison") return bound;
      const declared = `${model.name.name} declares ${name.name}: ${formatTypeExpression(type)}`;
      if (type.kind !== "tensor") throw mistake(c, "type", `${declared}, which is not the type of a tensor`, { place });
      const found = bound.kind === "int" || bound.kind === "float" ? tensor(asOperand(c, bound, undefined)) : bound;
      if (found.kind !== "tensor") throw mistake(c, "type", `${declared}, and it is ${kindOf(bound)}`, { place });
      const { dtype, shape } = found.value.type;
      if (type.element.name !== dtype)
        throw mistake(c, "type", `${declared}, and its elements are ${dtype}`, {
          place,
          help: `cast(…, ${type.element.name}) converts it`,
        });
      const unflattened = shape.length > type.dims.length ? c.graph.unflattened : undefined;
      solveInto(c, env, [{ name: name.name, pattern: type.dims, actual: shape }], (error) =>
        mistake(c, "shape", `${declared}, and ${error.message}`, {
          place,
          label: `${name.name}: ${describe(found)}`,
          ...(unflattened ? { notes: [unflattened.note], help: unflattened.help } : {}),
        }),
      );
      return found;
    });
    return { name: name.name, value: value ?? poison };
  });
}
