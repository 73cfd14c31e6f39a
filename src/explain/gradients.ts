// The gradients of a training step by themselves, for those who want to look at them: the graph `train_step` as the language
// made it, up to its last `gradient`, before clipping and without any update.

import type { Graph } from "../ir/graph.ts";

/** A graph with one output for each trained parameter, by its name; undefined where the graph has no gradient. */
export function gradientGraph(trainStep: Graph, name = "gradients"): Graph | undefined {
  const last = trainStep.nodes.findLastIndex(({ op }) => op === "gradient");
  const node = trainStep.nodes[last];
  if (!node) return undefined;
  const [, ...parameters] = node.inputs;
  const outputs = parameters.flatMap((parameter, i) =>
    parameter.kind === "global" ? [{ name: parameter.name, value: node.results[i]! }] : [],
  );
  return { name, inputs: trainStep.inputs, nodes: trainStep.nodes.slice(0, last + 1), outputs, updates: [] };
}
