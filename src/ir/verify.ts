// Checks that a module is well formed: operands before their uses, types as the operations infer them, names that exist
// and are not given twice. Pipelines run it after each pass, so that a mistake is found at the pass that made it.

import { equalShapes } from "./dim.ts";
import type { Graph, Module, Node, TensorType, Value } from "./graph.ts";
import type { MemoryPlan } from "./memory-plan.ts";
import { checkAttributes, InferenceError, type Operation } from "./op.ts";
import { operation } from "./ops/index.ts";
import { formatLocation, formatType, numberResults, printNode } from "./print.ts";

export interface Problem {
  readonly graph: string;
  readonly message: string;
  /** The node in IR text, where there is one to blame. */
  readonly node?: string;
}

/** IR that is not well formed. Never the user's mistake: a front-end or a pass made it. */
export class VerifyError extends Error {
  override readonly name = "VerifyError";
  constructor(
    readonly problems: readonly Problem[],
    when = "",
  ) {
    const shown = problems.slice(0, 5).map(({ graph, message, node }) => {
      return `\n  graph ${graph}: ${message}${node === undefined ? "" : `\n    ${node}`}`;
    });
    super(`the IR is not well formed${when === "" ? "" : ` ${when}`} (problems: ${problems.length})${shown.join("")}`);
  }
}

export const equalTypes = (a: TensorType, b: TensorType): boolean =>
  a.dtype === b.dtype && equalShapes(a.shape, b.shape);

/**
 * Throws a VerifyError where a graph of the module, or what it says of the module's globals, is not well formed. Nodes never change: those
 * in `checked` agree with their operations, and those that were found to are added.
 */
export function verifyModule(module: Module, checked: WeakSet<Node> = new WeakSet()): void {
  const problems: Problem[] = [];
  for (const [name, graph] of module.graphs) {
    if (graph.name !== name) problems.push({ graph: name, message: `the graph is named ${graph.name}` });
    problems.push(...findProblems(graph, module, checked));
  }
  for (const [name, global] of module.globals)
    if (global.name !== name) problems.push({ graph: "", message: `@${name} is named ${global.name}` });
  if (problems.length > 0) throw new VerifyError(problems);
}

/** The same for one graph; globals are checked only where the module is given. */
export function verifyGraph(graph: Graph, module?: Module): void {
  const problems = findProblems(graph, module, new WeakSet());
  if (problems.length > 0) throw new VerifyError(problems);
}

function findProblems(
  graph: Graph,
  module: Module | undefined,
  checked: WeakSet<Node>,
  buffers = graph.memory?.buffers,
): Problem[] {
  const problems: Problem[] = [];
  const report = (message: string, node?: Node): void => {
    const numbers = numberResults(graph);
    const text = node && printNode(node, (value) => `%${numbers.get(value) ?? "?"}`, { locations: false });
    const place = node?.location ? ` (${formatLocation(node.location)})` : "";
    problems.push({ graph: graph.name, message: message + place, ...(text === undefined ? {} : { node: text }) });
  };
  const inputs = new Map(graph.inputs.map((input) => [input.name, input]));
  if (inputs.size !== graph.inputs.length) report("two inputs have one name");
  const defined = new Set<Value>();

  function checkValue(value: Value, node?: Node): void {
    switch (value.kind) {
      case "literal":
        if (value.type.shape.length > 0) report("a literal has a shape", node);
        return;
      case "input": {
        const input = inputs.get(value.name);
        if (!input) report(`%${value.name} is not an input of the graph`, node);
        else if (!equalTypes(input.type, value.type)) report(`%${value.name} does not have its input's type`, node);
        return;
      }
      case "global": {
        if (!module) return;
        const global = module.globals.get(value.name);
        if (!global) report(`@${value.name} is not declared`, node);
        else if (!equalTypes(global.type, value.type)) report(`@${value.name} does not have its declared type`, node);
        return;
      }
      case "result":
        if (!defined.has(value)) report("an operand is used before it is defined, or belongs to another graph", node);
    }
  }

  for (const node of graph.nodes) {
    for (const value of node.inputs) checkValue(value, node);
    if (!checked.has(node)) {
      const found = checkNode(node);
      for (const message of found) report(message, node);
      if (found.length === 0) checked.add(node);
    }
    if (node.body) problems.push(...findProblems(node.body, module, checked, buffers));
    node.results.forEach((result, index) => {
      if (result.node !== node || result.index !== index) report(`result ${index} does not know its node`, node);
      if (defined.has(result)) report("the node stands in the graph twice", node);
      defined.add(result);
    });
  }
  const outputs = new Set<string>();
  for (const { name, value } of graph.outputs) {
    checkValue(value);
    if (outputs.has(name)) report(`two outputs are named ${name}`);
    outputs.add(name);
  }
  const targets = new Set<string>();
  for (const { target, value } of graph.updates) {
    checkValue(value);
    if (targets.has(target)) report(`@${target} is updated twice`);
    targets.add(target);
    const global = module?.globals.get(target);
    if (module && !global) report(`@${target} is updated, and not declared`);
    if (global && !equalTypes(global.type, value.type))
      report(`@${target} is ${formatType(global.type)}, and its update ${formatType(value.type)}`);
  }
  if (graph.memory) for (const message of checkPlan(graph, buffers ?? [])) report(message);
  return problems;
}

/** The node against its operation: attributes, number of operands, types of the results. */
function checkNode(node: Node): string[] {
  const definition = operation(node.op);
  if (!definition) return [`there is no operation ${node.op}`];
  const variadic = definition.inputs.some((name) => name.startsWith("..."));
  if (!variadic && node.inputs.length !== definition.inputs.length)
    return [`${node.op} takes ${definition.inputs.length} operands`];
  try {
    checkAttributes(node.op, definition.schema, node.attributes);
    if (node.body) return checkBody(node, definition, node.body);
    if (definition.body) return [`${node.op} has no body`];
    const types = definition.infer(
      node.inputs.map((value) => value.type),
      node.attributes,
    );
    return compareTypes(
      node.results.map((result) => result.type),
      types,
    );
  } catch (error) {
    if (error instanceof InferenceError) return [error.message];
    throw error;
  }
}

function checkBody(node: Node, { body: rules }: Operation, body: Graph): string[] {
  if (!rules) return [`${node.op} has a body`];
  if (body.inputs.length !== node.inputs.length)
    return [`the body takes ${body.inputs.length} operands, and the node has ${node.inputs.length}`];
  const operands = node.inputs.map((value) => value.type);
  const wanted = rules.inputs(operands, node.attributes);
  const problems = body.inputs.flatMap(({ name, type }, i) => {
    const given = wanted[i]!;
    return equalTypes(type, given)
      ? []
      : [`%${name} of the body is ${formatType(type)}, and given ${formatType(given)}`];
  });
  if (body.updates.length > 0) problems.push("a body has updates");
  return [
    ...problems,
    ...compareTypes(
      node.results.map((result) => result.type),
      rules.results(
        operands,
        node.attributes,
        body.outputs.map((output) => output.value.type),
      ),
    ),
  ];
}

function compareTypes(found: readonly TensorType[], inferred: readonly TensorType[]): string[] {
  if (found.length !== inferred.length)
    return [`the node has ${found.length} results, and should have ${inferred.length}`];
  return found.flatMap((type, i) =>
    equalTypes(type, inferred[i]!)
      ? []
      : [`a result is ${formatType(type)}, and should be ${formatType(inferred[i]!)}`],
  );
}

function checkPlan({ inputs, nodes, memory, updates }: Graph, buffers: MemoryPlan["buffers"]): string[] {
  if (!memory) return [];
  const { results, inPlace } = memory;
  const problems: string[] = [];
  if (results.length !== nodes.length || results.some((places, n) => places.length !== nodes[n]?.results.length))
    problems.push("the memory plan does not place each result once");
  if (memory.inputs && memory.inputs.length !== inputs.length)
    problems.push("the memory plan does not place each input once");
  for (const place of [...results.flat(), ...(memory.inputs ?? [])])
    if (place.kind === "arena" && !buffers[place.buffer]) problems.push(`there is no buffer ${place.buffer}`);
  for (const target of inPlace)
    if (!updates.some((update) => update.target === target)) problems.push(`@${target} is in place, and not updated`);
  return problems;
}
