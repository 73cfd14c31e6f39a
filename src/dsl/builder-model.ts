// Models built in TypeScript: their inputs, and a callback that runs once for each graph.

import { symbol } from "../ir/dim.ts";
import type { Graph, Module, TensorType } from "../ir/graph.ts";
import { type Builder, builders, tensorOf, wrap } from "./builder.ts";
import type { InputType, Scope, Tensor } from "./builder-types.ts";
import { createContext, rootFrame } from "./context.ts";
import { seenFrom } from "./evaluate.ts";
import { addInput, createGraphState, finishGraph } from "./graph-state.ts";
import type { FileScope } from "./resolve.ts";
import { lookup, openScope } from "./scope.ts";
import type { ModelSource } from "./training-source.ts";
import { tensor } from "./values.ts";

export type Inputs = Readonly<Record<string, InputType>>;
export type Tensors<Name extends string = string> = Readonly<Record<Name, Tensor>>;
export type Body<Name extends string, Result extends string = string> = (
  inputs: Tensors<Name>,
  scope: Scope,
) => Tensors<Result>;

/** A program of one model without text. */
export function emptyProgram(name: string): { readonly builder: Builder; readonly file: FileScope } {
  const source = { name: `${name}.ts`, text: "" };
  const file: FileScope = {
    doc: undefined,
    file: source,
    library: false,
    declarations: new Map(),
    constants: new Map(),
    trains: [],
    models: [],
  };
  const c = createContext(source);
  addInput(c.init, "key", { dtype: "i32", shape: [2] });
  return { builder: { c, env: { scope: openScope(), file } }, file };
}

/** The type of a tensor whose free sizes are given by their names. */
export const typeOf = ({ dtype, shape }: InputType): TensorType => ({
  dtype,
  shape: shape.map((size) => (typeof size === "number" ? size : symbol(size))),
});

/** What a callback gets: the tensors of these names in the present graph. */
export function tensorsNamed<Name extends string>(builder: Builder, names: readonly Name[]): Tensors<Name> {
  const found = names.flatMap((name) => {
    const value = lookup(builder.env.scope, name);
    return value?.kind === "tensor" ? [[name, wrap(builder, seenFrom(builder.c, value.value))] as const] : [];
  });
  // Object.fromEntries forgets the names of the keys.
  return Object.fromEntries(found) as Tensors<Name>;
}

/** The inputs and the body of a model, as graphs take them; what the body gives is bound to its names. */
export function bodySource<Name extends string>(
  builder: Builder,
  file: FileScope,
  inputs: Readonly<Record<Name, InputType>>,
  body: Body<Name>,
): ModelSource & { readonly outputs: () => readonly string[] } {
  const names = Object.keys(inputs) as Name[];
  let outputs: readonly string[] = [];
  return {
    file,
    inputs: names,
    open: (c) => {
      const scope = openScope();
      for (const name of names) scope.names.set(name, tensor(addInput(c.graph, name, typeOf(inputs[name]))));
      return { scope, file, train: true };
    },
    run: (c, env) => {
      builder.env = env;
      const handle: Scope = { training: c.graph.training };
      builders.set(handle, builder);
      const results = Object.entries(body(tensorsNamed(builder, names), handle));
      for (const [name, result] of results) env.scope.names.set(name, tensor(tensorOf(result)));
      outputs = results.map(([name]) => name);
    },
    outputs: () => outputs,
  };
}

/** The graph `infer` of a model, which has the outputs that are wanted. */
export function inferOf(
  { c }: Builder,
  source: ReturnType<typeof bodySource>,
  wanted: (name: string) => boolean = () => true,
): Graph {
  const graph = createGraphState("infer", "run", false);
  c.graph = graph;
  c.frame = rootFrame(source.file.file);
  const env = source.open(c);
  source.run(c, env);
  const outputs = source.outputs().flatMap((name) => {
    const value = env.scope.names.get(name);
    return value?.kind === "tensor" && wanted(name) ? [{ name, value: value.value }] : [];
  });
  return finishGraph(graph, outputs, graph.current);
}

/** The module of finished graphs, with `init` in front. */
export function moduleOf({ c }: Builder, name: string, doc: string, graphs: readonly Graph[]): Module {
  c.graph = c.init;
  const init = finishGraph(c.init, [], new Map([...c.init.current].filter(([global]) => c.globals.has(global))));
  return {
    name,
    doc,
    globals: new Map(c.globals),
    graphs: new Map([init, ...graphs].map((made) => [made.name, made])),
  };
}

/**
 * Builds a model. `body` gets a tensor for each input and gives the outputs by name. The module holds the graphs `infer` and
 * `init`. Throws a BuilderError for what does not fit.
 */
export function model<const I extends Inputs>(
  name: string,
  inputs: I,
  body: Body<keyof I & string>,
  options: { readonly doc?: string } = {},
): Module {
  const { builder, file } = emptyProgram(name);
  const infer = inferOf(builder, bodySource<keyof I & string>(builder, file, inputs, body));
  return moduleOf(builder, name, options.doc ?? "", [infer]);
}
