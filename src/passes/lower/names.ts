// Names of kernels and their buffers: from where the node came from and what it does, so that generated code can be read.

import type { Node, Value } from "../../ir/graph.ts";
import { roleOf } from "../graph/fuse-roles.ts";

/** Makes names that differ from each other and from those in `taken`. */
export function createFresh(taken: Set<string>): (stem: string) => string {
  const next = new Map<string, number>();
  return (stem) => {
    let name = stem;
    for (let i = next.get(stem) ?? 1; taken.has(name); i++) {
      name = `${stem}_${i}`;
      next.set(stem, i + 1);
    }
    taken.add(name);
    return name;
  };
}

const identifier = (text: string): string => text.replace(/[^A-Za-z0-9_]+/g, "_").replace(/^(?=\d)/, "_");

/** `encoder_dense_dot_tanh`: the scope, then the operations that matter. */
export function kernelName(node: Node): string {
  const scope = node.location?.scope ?? "";
  return identifier([...scope.split("/"), ...mainOps(node)].filter((part) => part !== "").join("_"));
}

/** The fused operations in order, for readers: `dot, add, maximum`. */
export const describe = (node: Node): string =>
  node.body ? `${String(node.attributes.kind)}: ${node.body.nodes.map((inner) => inner.op).join(", ")}` : node.op;

function mainOps(node: Node): string[] {
  if (!node.body) return [node.op];
  const work = node.body.nodes.filter((inner) => roleOf(inner) !== "movement");
  const reductions = work.filter((inner) => roleOf(inner) !== "element");
  const main = reductions.slice(0, 2).map((inner) => inner.op);
  const last = work.at(-1);
  if (last && !reductions.includes(last)) main.push(last.op);
  return main.length > 0 ? main : [node.body.nodes.at(-1)?.op ?? node.op];
}

/** The name of an operand's buffer: the parameter's last word, the input's name, or the operation that made it. */
export function bufferName(value: Value): string {
  switch (value.kind) {
    case "literal":
      return "literal";
    case "input":
      return identifier(value.name);
    case "global":
      return identifier(value.name.split(".").at(-1)!);
    case "result":
      return identifier(value.node.body ? mainOps(value.node).at(-1)! : value.node.op);
  }
}
