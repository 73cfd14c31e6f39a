// Forms the groups of `fuse`: starts from single nodes and joins producers and consumers wherever one loop nest can compute both.

import type { Graph, Node, ResultValue, Value } from "../../ir/graph.ts";
import { roleOf } from "./fuse-roles.ts";
import { inOrder } from "./in-order.ts";
import { type FusionKind, iterationOf } from "./iteration.ts";

/** Nodes that become one kernel. Movement that floats is not a member: each group that reads through it takes a copy. */
export interface Group {
  readonly members: ReadonlySet<Node>;
  /** Members and the movement between them and their operands, in topological order. */
  readonly nodes: readonly Node[];
  readonly outputs: readonly ResultValue[];
  readonly kind: FusionKind | "single";
}

/** The members of each group in topological order of the groups, and which movement floats. */
export interface Grouping {
  readonly groups: readonly Group[];
  readonly floating: ReadonlySet<Node>;
}

/**
 * Groups the nodes of a graph, at most `limit` members each. Every node that does not float is in exactly one group, and the
 * groups are in an order in which operands come first.
 */
export function groupNodes(graph: Graph, limit: number): Grouping {
  const position = new Map(graph.nodes.map((node, i) => [node, i]));
  const consumers = consumersOf(graph);
  const outgoing = new Set<Node>();
  for (const { value } of [...graph.outputs, ...graph.updates]) if (value.kind === "result") outgoing.add(value.node);
  const floating = floatingNodes(graph, consumers, outgoing);
  const closed = (node: Node) => roleOf(node) === "opaque" || (roleOf(node) === "movement" && isView(node));

  /** Nodes that do not float, on which `node` depends directly or through floating movement. */
  const producers = new Map<Node, readonly Node[]>();
  const readers = new Map<Node, Node[]>();
  const behind = (node: Node): Node[] =>
    node.inputs.flatMap((input) =>
      input.kind !== "result" ? [] : floating.has(input.node) ? behind(input.node) : [input.node],
    );
  for (const node of graph.nodes) {
    if (floating.has(node)) continue;
    const found = [...new Set(behind(node))];
    producers.set(node, found);
    for (const producer of found) readers.set(producer, [...(readers.get(producer) ?? []), node]);
  }

  const groupOf = new Map<Node, Group>();
  for (const node of graph.nodes) {
    if (!floating.has(node)) groupOf.set(node, describe(new Set([node]), "single"));
  }

  function describe(members: ReadonlySet<Node>, kind: Group["kind"]): Group {
    const nodes = new Set<Node>();
    const visit = (value: Value): void => {
      if (value.kind !== "result" || !floating.has(value.node) || nodes.has(value.node)) return;
      nodes.add(value.node);
      value.node.inputs.forEach(visit);
    };
    for (const member of members) {
      nodes.add(member);
      member.inputs.forEach(visit);
    }
    const outputs = [...members]
      .sort((a, b) => position.get(a)! - position.get(b)!)
      .filter((node) => outgoing.has(node) || readers.get(node)?.some((reader) => !members.has(reader)))
      .flatMap((node) => node.results);
    return { members, nodes: [...nodes].sort((a, b) => position.get(a)! - position.get(b)!), outputs, kind };
  }

  /** For each position the last one that groups which begin up to there reach: a path back ends before that. */
  const reach = Int32Array.from(graph.nodes, (_, i) => i);
  const spanOf = (members: ReadonlySet<Node>): { first: number; last: number } => {
    const positions = [...members].map((member) => position.get(member)!);
    return { first: Math.min(...positions), last: Math.max(...positions) };
  };

  /** Whether something outside of `members` lies on a path from one of them to another: then they cannot be one node. */
  function isCyclic(members: ReadonlySet<Node>): boolean {
    const seen = new Set<Group>();
    const stack: Group[] = [];
    let horizon = spanOf(members).last;
    while (reach[horizon]! > horizon) horizon = reach[horizon]!;
    const leave = (from: ReadonlySet<Node>): void => {
      for (const node of from) {
        for (const reader of readers.get(node) ?? []) {
          const group = groupOf.get(reader)!;
          if (position.get(reader)! > horizon || seen.has(group) || members.has(reader)) continue;
          seen.add(group);
          stack.push(group);
        }
      }
    };
    leave(members);
    for (let group = stack.pop(); group; group = stack.pop()) {
      for (const node of group.members) {
        if (readers.get(node)?.some((reader) => members.has(reader))) return true;
      }
      leave(group.members);
    }
    return false;
  }

  const refused = new WeakMap<Group, WeakSet<Group>>();

  function join(first: Group, second: Group): boolean {
    if (first === second || first.members.size + second.members.size > limit) return false;
    // Groups never change, and paths between them only grow: what failed once fails again.
    if (refused.get(first)?.has(second)) return false;
    if (tryJoin(first, second)) return true;
    const others = refused.get(first) ?? new WeakSet();
    refused.set(first, others.add(second));
    return false;
  }

  function tryJoin(first: Group, second: Group): boolean {
    const members = new Set([...first.members, ...second.members]);
    const joined = describe(members, "single");
    if (joined.outputs.length === 0) return false;
    const iteration = iterationOf(joined.nodes, joined.outputs);
    if (!iteration || isCyclic(members)) return false;
    const group: Group = { ...joined, kind: iteration.kind };
    for (const member of members) groupOf.set(member, group);
    const { first: begin, last } = spanOf(members);
    for (let at = begin; at < reach.length && reach[at]! < last; at++) reach[at] = last;
    return true;
  }

  for (let changed = true; changed; ) {
    changed = false;
    for (const node of graph.nodes) {
      if (floating.has(node) || closed(node)) continue;
      for (const producer of producers.get(node)!) {
        if (!closed(producer) && join(groupOf.get(producer)!, groupOf.get(node)!)) changed = true;
      }
    }
  }

  const groups = inOrder(
    graph.nodes.flatMap((node) => groupOf.get(node) ?? []),
    ({ members }) => [...members].flatMap((member) => producers.get(member) ?? []).map((node) => groupOf.get(node)!),
  ).map((group) => withMovement(group));
  return { groups, floating };
}

/** A single node that reads through floating movement becomes a fusion as well, so that the movement costs no kernel. */
function withMovement(group: Group): Group {
  if (group.kind !== "single" || group.nodes.length === 1) return group;
  const iteration = iterationOf(group.nodes, group.outputs);
  return iteration ? { ...group, kind: iteration.kind } : group;
}

function consumersOf(graph: Graph): ReadonlyMap<Node, readonly Node[]> {
  const consumers = new Map<Node, Node[]>();
  for (const node of graph.nodes) {
    for (const input of node.inputs) {
      if (input.kind === "result") consumers.set(input.node, [...(consumers.get(input.node) ?? []), node]);
    }
  }
  return consumers;
}

const isView = (node: Node): boolean => node.op === "reshape";

/** Movement that only feeds nodes which can take it in; the rest is computed for itself. */
function floatingNodes(
  graph: Graph,
  consumers: ReadonlyMap<Node, readonly Node[]>,
  outgoing: ReadonlySet<Node>,
): Set<Node> {
  const floating = new Set<Node>();
  for (const node of [...graph.nodes].reverse()) {
    if (roleOf(node) !== "movement" || outgoing.has(node)) continue;
    const readers = consumers.get(node) ?? [];
    if (readers.every((r) => roleOf(r) !== "opaque" && (roleOf(r) !== "movement" || floating.has(r))))
      floating.add(node);
  }
  return floating;
}
