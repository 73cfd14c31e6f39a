// What the free sizes of a graph must fulfil, where the compiler cannot know it: what the program asserts; and a slice `position[0:T]` lies in its tensor only
// for some T. Kernels do not look at every index, so this is checked before they run.

import { type Dim, formatDim, subtractDims } from "../../ir/dim.ts";
import { formatType, type Graph, type Node } from "../../ir/graph.ts";
import type { Requirement } from "../../ir/requirement.ts";
import { sizesIn } from "./sizes.ts";

/** What the program asserts, and the requirements of all slices of a graph, those in fusions too. */
export function requirementsOf(graph: Graph): readonly Requirement[] {
  const found = new Map<string, Requirement>();
  /** Steps of loops lie in their sequences: `within` has the indices of the loops around a node. */
  const visit = (node: Node, within: readonly string[]): void => {
    for (const { dim, text } of ofSlice(node)) {
      if (sizesIn(dim).some((size) => within.includes(size))) continue;
      const key = formatDim(dim);
      if (!found.has(key)) found.set(key, { anyOf: [dim], text });
    }
    const inner = typeof node.attributes.index === "string" ? [...within, node.attributes.index] : within;
    for (const each of node.body?.nodes ?? []) visit(each, inner);
  };
  for (const node of graph.nodes) visit(node, []);
  return [...(graph.requirements ?? []), ...found.values()];
}

function ofSlice({
  op,
  inputs: [x],
  attributes: { start, limit },
  location,
}: Node): { readonly dim: Dim; readonly text: string }[] {
  if (op !== "slice" || !x || !Array.isArray(start) || !Array.isArray(limit)) return [];
  const place = location ? `${location.file}:${location.line}:${location.column}: ` : "";
  return x.type.shape.flatMap((size, axis) => {
    const [from, to]: readonly Dim[] = [start[axis], limit[axis]];
    if (from === undefined || to === undefined) return [];
    const text = `${place}${formatDim(from)} to ${formatDim(to)} does not lie in axis ${axis} of ${formatType(x.type)}`;
    const dims = [from, subtractDims(to, from), subtractDims(size, to)];
    return dims.filter((dim) => !neverNegative(dim)).map((dim) => ({ dim, text }));
  });
}

/** Whether a dimension is 0 or more whatever the free sizes are: sizes are never negative. */
const neverNegative = (dim: Dim): boolean =>
  typeof dim === "number" ? dim >= 0 : dim.terms.every(({ coefficient }) => coefficient >= 0);
