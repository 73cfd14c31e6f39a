// Named rewrite rules and the driver that applies them to a fixed point. A rule carries an example in IR text, which is
// its documentation and its test: `before` must become `after`, and both must compute the same.

import type { Emit } from "../ir/emit.ts";
import type { Graph, Node, Value } from "../ir/graph.ts";
import { createNames, printNode } from "../ir/print.ts";
import { type GraphWriter, mapGraph, withInputs, withoutDeadNodes } from "./map-graph.ts";
import { PassError } from "./pass.ts";

/** Expressions as `parseExpression` reads them. */
export interface RuleExample {
  readonly before: string;
  readonly after: string;
}

export interface Rule {
  readonly name: string;
  readonly example: RuleExample;
  /** Operations at whose nodes the rule is tried: by default the outermost of the example. */
  readonly on: readonly string[];
  /** The values that stand for the node's results, or undefined where the rule does not apply. */
  apply(node: Node, emit: Emit): readonly Value[] | undefined;
}

/**
 * A rule for nodes with one result. `match` finds what `rewrite` needs, or undefined; it must make no nodes. Nodes that
 * `rewrite` makes are themselves rewritten before anything else.
 */
export function rule<M extends object>(
  name: string,
  example: RuleExample & { readonly on?: readonly string[] },
  match: (node: Node) => M | undefined,
  rewrite: (found: M, emit: Emit, node: Node) => Value,
): Rule {
  const outermost = /^[a-z_0-9]+/.exec(example.before)?.[0] ?? "";
  return {
    name,
    example: { before: example.before, after: example.after },
    on: example.on ?? [outermost],
    apply(node, emit) {
      const found = match(node);
      return found && [rewrite(found, emit, node)];
    },
  };
}

/** What a rule did at a node; texts are made when asked for. */
export interface Rewrite {
  readonly rule: string;
  readonly node: Node;
  readonly before: () => string;
  readonly after: () => readonly string[];
}

/** More of them at one place, or more walks through a graph, than rules that converge could need. */
const limits = { chain: 200, walks: 50 };

/**
 * Applies rules until none applies any more, one walk through the graph after the other; each walk is linear in the
 * nodes, since rules are looked up by operation, and what a rule makes is rewritten on the spot. Nodes that nothing
 * needs are dropped. Throws a PassError where the rules do not come to an end.
 */
export function applyRules(graph: Graph, rules: readonly Rule[], observe?: (rewrite: Rewrite) => void): Graph {
  const byOperation = new Map<string, Rule[]>();
  for (const each of rules) {
    for (const op of each.on) byOperation.set(op, [...(byOperation.get(op) ?? []), each]);
  }
  let current = withoutDeadNodes(graph);
  for (let walk = 0; walk < limits.walks; walk++) {
    const next = withoutDeadNodes(rewriteOnce(current, byOperation, observe));
    if (next === current) return current;
    current = next;
  }
  throw new PassError(`the rules ${rules.map(({ name }) => name).join(", ")} do not come to an end on ${graph.name}`);
}

type Rules = ReadonlyMap<string, readonly Rule[]>;

function rewriteOnce(graph: Graph, rules: Rules, observe: ((rewrite: Rewrite) => void) | undefined): Graph {
  const nameOf = observe ? createNames() : () => "";
  return mapGraph(graph, (node, writer) => simplify(node, writer, 0));

  function simplify(node: Node, writer: GraphWriter, depth: number): readonly Value[] {
    if (depth > limits.chain)
      throw new PassError(`the rules do not come to an end at a node ${node.op} of ${graph.name}`);
    for (const each of rules.get(node.op) ?? []) {
      const start = writer.nodes.length;
      const values = each.apply(node, writer.emit);
      if (!values) continue;
      const made = writer.takeBack(start);
      observe?.({
        rule: each.name,
        node,
        before: () => printNode(node, nameOf, { locations: false }),
        after: () => made.map((each) => printNode(each, nameOf, { locations: false })),
      });
      return settle(made, values, writer, depth + 1);
    }
    return writer.keep(node);
  }

  /** Rewrites the nodes that a rule made, in order, and gives what its values have become. */
  function settle(made: readonly Node[], values: readonly Value[], writer: GraphWriter, depth: number): Value[] {
    const settled = new Map<Value, Value>();
    const resolve = (value: Value): Value => settled.get(value) ?? value;
    for (const node of made) {
      const become = simplify(withInputs(node, node.inputs.map(resolve)), writer, depth);
      node.results.forEach((result, i) => {
        settled.set(result, become[i]!);
      });
    }
    return values.map(resolve);
  }
}
