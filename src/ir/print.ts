// The text form of the graph IR, as architecture.md shows it. `parse.ts` reads it back to the same bytes.

import { type Attribute, type AttributeKind, type Attributes, attribute } from "./attributes.ts";
import { type Dim, formatDim } from "./dim.ts";
import type { DType } from "./dtype.ts";
import { formatType, type Global, type Graph, type Module, type Node, type ResultValue, type Value } from "./graph.ts";
import type { Location } from "./location.ts";
import type { MemoryPlan, Place } from "./memory-plan.ts";
import { operation } from "./ops/index.ts";
import { formatName, formatNumber } from "./scan.ts";

export interface PrintOptions {
  /** Whether nodes and globals carry the place in the source as a comment. Default true. */
  readonly locations?: boolean;
}

export { formatType };

/** `mlp.dlm:6:22 dense/relu [gradient of dot]`. */
export function formatLocation({ file, line, column, scope, note }: Location): string {
  return `${file}:${line}:${column}${scope === "" ? "" : ` ${scope}`}${note === undefined ? "" : ` [${note}]`}`;
}

/** The whole module: documentation, parameters and states, then each graph with its memory plan. */
export function printModule(module: Module, options: PrintOptions = {}): string {
  const doc = module.doc === "" ? [] : module.doc.split("\n").map((line) => (line === "" ? "///" : `/// ${line}`));
  const globals = [...module.globals.values()].map((global) => `  ${formatGlobal(global, options)}`);
  const graphs = [...module.graphs.values()].map((graph) => indent(printGraph(graph, options), "  "));
  return `${[...doc, `module @${formatName(module.name)} {`, ...globals, ...graphs, "}"].join("\n")}\n`;
}

/** How roles are written: `param @dense.kernel: …`. */
export const roleWords = { parameter: "param", state: "state", optimizer: "optimizer", metric: "metric" } as const;

/** Initializers that read back without quotes: `he`, `normal(0, 1)`. */
export const plainInitializer = /[\p{ID_Start}_][\p{ID_Continue}.]*(?:\([^()"\n/]*\))?/uy;
const wholeInitializer = new RegExp(`^(?:${plainInitializer.source})$`, "u");

function formatGlobal({ name, type, role, initializer, owner, location }: Global, options: PrintOptions): string {
  const start = wholeInitializer.test(initializer) ? initializer : JSON.stringify(initializer);
  const from = owner ? ` from @${formatName(owner.model)} @${formatName(owner.name)}` : "";
  const text = `${roleWords[role]} @${formatName(name)}: ${formatType(type)} ~ ${start}${from}`;
  return text + formatComment(location, options);
}

/** One graph, and its memory plan where it has one. Results are numbered in order. */
export function printGraph(graph: Graph, options: PrintOptions = {}): string {
  const names = numberResults(graph);
  const nameOf = (value: ResultValue): string => `%${names.get(value) ?? "?"}`;
  const lines = [`graph ${formatHeader(graph)} {`];
  for (const { anyOf, text } of graph.requirements ?? [])
    lines.push(`  require ${anyOf.map((dim) => `${formatDim(dim)} >= 0`).join(" or ")}, ${JSON.stringify(text)}`);
  for (const node of graph.nodes) lines.push(indent(printNode(node, nameOf, options), "  "));
  for (const { target, value } of graph.updates) {
    const text = value.kind === "literal" ? formatTyped(value.value, value.type.dtype) : formatValue(value, nameOf);
    lines.push(`  update @${formatName(target)} = ${text}`);
  }
  if (graph.outputs.length > 0)
    lines.push(`  return ${graph.outputs.map(({ value }) => formatValue(value, nameOf, value.type.dtype)).join(", ")}`);
  lines.push("}");
  if (graph.memory) lines.push(...formatMemory(graph, graph.memory));
  return lines.join("\n");
}

function formatHeader({ name, inputs, outputs }: Graph): string {
  const taken = inputs.map((input) => `%${formatName(input.name)}: ${formatType(input.type)}`);
  const given = outputs.map((output) => `%${formatName(output.name)}: ${formatType(output.value.type)}`);
  return `@${formatName(name)}(${taken.join(", ")}) -> (${given.join(", ")})`;
}

/** Numbers of the results of a graph's nodes, in order; those of bodies are numbered by themselves. */
export function numberResults(graph: Graph): Map<ResultValue, number> {
  const numbers = new Map<ResultValue, number>();
  for (const node of graph.nodes) for (const result of node.results) numbers.set(result, numbers.size);
  return numbers;
}

/** Names for results in the order in which they are first asked for: for single nodes, out of their graph. */
export function createNames(): (value: ResultValue) => string {
  const names = new Map<ResultValue, string>();
  return (value) => {
    const name = names.get(value) ?? `%${names.size}`;
    names.set(value, name);
    return name;
  };
}

/** `%2: f32[N, 10] = add(%1, @bias)   // mlp.dlm:6:3`; its body on the lines below where it has one. */
export function printNode(node: Node, nameOf: (value: ResultValue) => string, options: PrintOptions = {}): string {
  const results = node.results.map((result) => `${nameOf(result)}: ${formatType(result.type)}`);
  const dtype = literalType(node.inputs);
  const operands = node.inputs.map((value) => formatValue(value, nameOf, dtype));
  const attributes = formatAttributes(node.op, node.attributes);
  const text = `${results.join(", ")} = ${node.op}(${operands.join(", ")})${attributes === "" ? "" : ` ${attributes}`}`;
  const line = text + formatComment(node.location, options);
  return node.body ? `${line}\n${indent(printGraph(node.body, options), "  ")}` : line;
}

/** The element type that a node's literals have unless they say otherwise: that of the first operand that is none. */
export const literalType = (inputs: readonly Value[]): DType =>
  inputs.find((value) => value.kind !== "literal")?.type.dtype ?? "f32";

function formatValue(value: Value, nameOf: (value: ResultValue) => string, dtype?: DType): string {
  switch (value.kind) {
    case "input":
      return `%${formatName(value.name)}`;
    case "global":
      return `@${formatName(value.name)}`;
    case "literal":
      return value.type.dtype === dtype ? formatNumber(value.value) : formatTyped(value.value, value.type.dtype);
    case "result":
      return nameOf(value);
  }
}

const formatTyped = (value: number, dtype: DType): string => `${formatNumber(value)}:${dtype}`;

/** `{kind: sum, axes: [0]}`, in the order of the operation's schema; empty where there are none. */
export function formatAttributes(op: string, attributes: Attributes): string {
  const schema = operation(op)?.schema ?? {};
  const keys = [...new Set([...Object.keys(schema), ...Object.keys(attributes)])];
  const parts: string[] = [];
  for (const key of keys) {
    const value = attributes[key];
    if (value !== undefined) parts.push(`${key}: ${formatAttribute(value, schema[key])}`);
  }
  return parts.length === 0 ? "" : `{${parts.join(", ")}}`;
}

function formatAttribute(value: Attribute, kind: AttributeKind | undefined): string {
  if (typeof value === "number") return formatNumber(value);
  if (typeof value === "boolean") return String(value);
  if (typeof value === "string") return kind === attribute.text ? JSON.stringify(value) : formatName(value);
  if ("terms" in value) return formatDim(value);
  return `[${value.map((item) => formatAttribute(item, kind)).join(", ")}]`;
}

const formatComment = (location: Location | undefined, { locations = true }: PrintOptions): string =>
  location && locations ? `   // ${formatLocation(location)}` : "";

/** Buffers with their sizes in bytes and the nodes between which they live, then where each result lives. */
function formatMemory(graph: Graph, { buffers, results, inputs, inPlace }: MemoryPlan): string[] {
  const lines = [`memory @${formatName(graph.name)} {`];
  buffers.forEach(({ bytes, first, last }, i) => {
    lines.push(`  buffer ${i}: ${formatDim(bytes)} from ${first} to ${last}`);
  });
  inputs?.forEach((place, i) => {
    lines.push(`  given %${formatName(graph.inputs[i]?.name ?? "?")}: ${formatPlace(place)}`);
  });
  results.flat().forEach((place, i) => {
    lines.push(`  %${i}: ${formatPlace(place)}`);
  });
  if (inPlace.length > 0) lines.push(`  in_place ${inPlace.map((target) => `@${formatName(target)}`).join(", ")}`);
  return [...lines, "}"];
}

function formatPlace(place: Place): string {
  const at = isZero(place.offset) ? "" : ` at ${formatDim(place.offset)}`;
  switch (place.kind) {
    case "arena":
      return `arena ${place.buffer}${at}`;
    case "input":
      return `input %${formatName(place.name)}${at}`;
    case "global":
      return `global @${formatName(place.name)}${at}`;
  }
}

const isZero = (dim: Dim): boolean => dim === 0;

const indent = (text: string, by: string): string =>
  text
    .split("\n")
    .map((line) => by + line)
    .join("\n");
