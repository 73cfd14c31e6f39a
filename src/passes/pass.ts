// A pass as a value: a named step from module to module with documented options, which pipelines put in order by its
// name.

import type { Graph, Module } from "../ir/graph.ts";
import type { Location } from "../ir/location.ts";
import { mapBodies } from "./map-graph.ts";
import type { Rule } from "./rewrite.ts";

export type OptionValue = number | boolean | string;

export interface PassOption<T extends OptionValue = OptionValue> {
  readonly default: T;
  readonly doc: string;
}

export type OptionSchema = Readonly<Record<string, PassOption>>;
export type Options = Readonly<Record<string, OptionValue>>;

type Widened<T extends OptionValue> = T extends number ? number : T extends boolean ? boolean : string;
export type OptionsOf<S extends OptionSchema> = { readonly [K in keyof S]: Widened<S[K]["default"]> };

/** What a pass did at one place, from which "why" is answered later. */
export interface Event {
  readonly pass: string;
  readonly rule: string;
  readonly graph: string;
  /** The node as it was, in IR text. */
  readonly before: string;
  /** The nodes that came in its place; empty where another value stands for it. */
  readonly after: readonly string[];
  readonly location: Location | undefined;
}

export interface PassContext<O> {
  readonly options: O;
  /** Whether anyone reads the events; their text costs time. */
  readonly recording: boolean;
  record(event: Omit<Event, "pass">): void;
}

export interface PassDefinition<O> {
  readonly name: string;
  readonly doc: string;
  /** Passes whose work must be done before: by their `done`, or by having run. */
  readonly requires: readonly string[];
  readonly options: OptionSchema;
  /** The rewrite rules that the pass applies, for its documentation and the tests of their examples. */
  readonly rules?: readonly Rule[];
  /** Whether nothing is left for this pass to do; lets a pipeline leave it out where it has no work. */
  done?(module: Module): boolean;
  /** The module after the pass. Throws a PassError where it cannot do its work. */
  run(module: Module, context: PassContext<O>): Module;
}

export type Pass = PassDefinition<Options>;

/** A module that a pass cannot work on: never the user's mistake, since front-ends make none such. */
export class PassError extends Error {
  override readonly name = "PassError";
}

export function definePass<const S extends OptionSchema>(
  definition: Omit<PassDefinition<OptionsOf<S>>, "options"> & { readonly options: S },
): Pass {
  // The one place where options lose their static types: `pipeline.ts` checks them against the schema before a pass
  // runs.
  return definition as unknown as Pass;
}

/** The module with each of its graphs replaced, after the bodies of loops in it; the same module where none changes. */
export function mapGraphs(module: Module, map: (graph: Graph) => Graph): Module {
  const inwards = (graph: Graph): Graph => map(mapBodies(graph, inwards));
  return mapEntryGraphs(module, inwards);
}

/** The same without looking into bodies. */
export function mapEntryGraphs(module: Module, map: (graph: Graph) => Graph): Module {
  const graphs = new Map([...module.graphs].map(([name, graph]) => [name, map(graph)]));
  return [...graphs].every(([name, graph]) => graph === module.graphs.get(name)) ? module : { ...module, graphs };
}
