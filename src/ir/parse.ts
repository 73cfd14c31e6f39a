// Reads the text form of the graph IR: modules, graphs, and the expressions in which rewrite rules show their examples.
// It reads what is there; whether types are right is for `verify.ts` to say.

import type { Dim } from "./dim.ts";
import {
  type Global,
  type GlobalRole,
  type Graph,
  type GraphInput,
  type GraphOutput,
  type Module,
  makeNode,
  type Node,
  type TensorType,
  type Update,
} from "./graph.ts";
import type { Location } from "./location.ts";
import { readMemory } from "./parse-memory.ts";
import { type Globals, readAttributes, readOperands, readOperation, readValue, type Scope } from "./parse-value.ts";
import { plainInitializer, roleWords } from "./print.ts";
import type { Requirement } from "./requirement.ts";
import {
  createScanner,
  readDim,
  readInteger,
  readList,
  readName,
  readText,
  readType,
  readWord,
  type Scanner,
} from "./scan.ts";

/** Reads a module as `printModule` writes it. Throws an IrSyntaxError. */
export function parseModule(text: string): Module {
  const scanner = createScanner(text);
  const doc = scanner.documentation().join("\n");
  scanner.expect("module");
  scanner.expect("@");
  const name = readName(scanner, "the module's name");
  scanner.expect("{");
  const globals = new Map<string, Global>();
  const graphs = new Map<string, Graph>();
  while (!scanner.take("}")) {
    const start = scanner.position();
    const word = readWord(scanner);
    if (word === "graph") {
      const graph = readGraph(scanner, globals);
      if (graphs.has(graph.name)) throw scanner.error(`there are two graphs ${graph.name}`, start);
      graphs.set(graph.name, graph);
      continue;
    }
    const role = roles.get(word ?? "");
    if (!role) throw scanner.error("expected a parameter, a state or a graph", start);
    const global = readGlobal(scanner, role);
    if (globals.has(global.name)) throw scanner.error(`@${global.name} is declared twice`, start);
    globals.set(global.name, global);
  }
  if (!scanner.atEnd()) throw scanner.error("expected the end of the text");
  return { name, doc, globals, graphs };
}

const roles = new Map<string, GlobalRole>([
  [roleWords.parameter, "parameter"],
  [roleWords.state, "state"],
  [roleWords.optimizer, "optimizer"],
  [roleWords.metric, "metric"],
]);

/** Reads one graph as `printGraph` writes it; `globals` tells the types of the parameters and states it reads. */
export function parseGraph(text: string, globals: Globals = new Map()): Graph {
  const scanner = createScanner(text);
  scanner.expect("graph");
  const graph = readGraph(scanner, globals);
  if (!scanner.atEnd()) throw scanner.error("expected the end of the text");
  return graph;
}

function readGlobal(scanner: Scanner, role: GlobalRole): Global {
  scanner.expect("@");
  const name = readName(scanner, "a name");
  scanner.expect(":");
  const type = readType(scanner);
  scanner.expect("~");
  const initializer = scanner.match(plainInitializer) ?? readText(scanner);
  if (initializer === undefined) throw scanner.error("expected an initializer");
  let owner: Global["owner"];
  if (scanner.take("from")) {
    scanner.expect("@");
    const model = readName(scanner, "a model's name");
    scanner.expect("@");
    owner = { model, name: readName(scanner, "a name") };
  }
  const location = readLocation(scanner);
  return { name, type, role, initializer, ...(owner ? { owner } : {}), location };
}

/** A graph, after the word `graph`. */
function readGraph(scanner: Scanner, globals: Globals): Graph {
  const scope: Scope = { globals, inputs: new Map(), results: new Map(), read: new Map() };
  const start = scanner.position();
  scanner.expect("@");
  const name = readName(scanner, "the graph's name");
  const typed = (): { name: string; type: TensorType } => {
    scanner.expect("%");
    const input = readName(scanner, "a name");
    scanner.expect(":");
    return { name: input, type: readType(scanner) };
  };
  const inputs: GraphInput[] = readList(scanner, typed, "(", ")").map((input) => ({ kind: "input", ...input }));
  for (const input of inputs) scope.inputs.set(input.name, input);
  scanner.expect("->");
  const outputs = readList(scanner, typed, "(", ")");
  scanner.expect("{");
  const nodes: Node[] = [];
  const updates: Update[] = [];
  let returned: GraphOutput[] = [];
  const requirements: Requirement[] = [];
  while (!scanner.take("}")) {
    if (scanner.take("require")) requirements.push(readRequirement(scanner));
    else if (scanner.take("update")) {
      scanner.expect("@");
      const target = readName(scanner, "a name");
      scanner.expect("=");
      updates.push({ target, value: readValue(scanner, scope)("f32") });
    } else if (scanner.take("return")) {
      returned = outputs.map((output, i) => {
        if (i > 0) scanner.expect(",");
        return { name: output.name, value: readValue(scanner, scope)(output.type.dtype) };
      });
    } else nodes.push(readNode(scanner, scope));
  }
  if (returned.length !== outputs.length) throw scanner.error(`${name} returns nothing for its outputs`, start);
  const required = requirements.length > 0 ? { requirements } : {};
  const graph: Graph = { name, inputs, nodes, outputs: returned, updates, ...required };
  const memory = readMemory(scanner, graph);
  return memory ? { ...graph, memory } : graph;
}

/** `4 - N >= 0 or T >= 0, "text"`, after the word `require`. */
function readRequirement(scanner: Scanner): Requirement {
  const anyOf: Dim[] = [];
  do {
    anyOf.push(readDim(scanner));
    scanner.expect(">=");
    if (readInteger(scanner) !== 0) throw scanner.error("a requirement compares with 0");
  } while (scanner.take("or"));
  scanner.expect(",");
  const text = readText(scanner);
  if (text === undefined) throw scanner.error("expected what is wrong where the requirement is not met");
  return { anyOf, text };
}

/** `%0: f32[N] = add(%x, 1)   // place`. */
function readNode(scanner: Scanner, scope: Scope): Node {
  const names: string[] = [];
  const types: TensorType[] = [];
  do {
    scanner.expect("%");
    names.push(String(readInteger(scanner)));
    scanner.expect(":");
    types.push(readType(scanner));
  } while (scanner.take(","));
  scanner.expect("=");
  const definition = readOperation(scanner);
  const inputs = readOperands(readList(scanner, () => readValue(scanner, scope), "(", ")"));
  const attributes = readAttributes(scanner, definition);
  const location = readLocation(scanner);
  const body = scanner.take("graph") ? readGraph(scanner, scope.globals) : undefined;
  const node = makeNode(definition.name, inputs, attributes, types, location, body);
  node.results.forEach((result, i) => {
    scope.results.set(names[i]!, result);
  });
  return node;
}

const place = /^(.*):(\d+):(\d+)(?: (?!\[)(\S+))?(?: \[(.*)\])?$/u;

/** The place in the source, from the comment in the rest of the line. */
function readLocation(scanner: Scanner): Location | undefined {
  const found = scanner.comment()?.match(place);
  if (!found) return undefined;
  const [, file, line, column, scope, note] = found;
  return {
    file: file!,
    line: Number(line),
    column: Number(column),
    scope: scope ?? "",
    ...(note === undefined ? {} : { note }),
  };
}
