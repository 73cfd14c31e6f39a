// A model as people draw it: one box for each call in its body, what flows between them, and how much each was trained.
// Works on the graph as the language made it, before any pass.

import { addDims, formatDim, productOf } from "../ir/dim.ts";
import { formatType, type Graph, isImplicitInput, type Node, type Value } from "../ir/graph.ts";

export interface OutlineBox {
  readonly id: string;
  /** The call's name, `dense_1`, or an input's or output's. */
  readonly label: string;
  readonly kind: "input" | "call" | "output";
  /** How many numbers it keeps, trained or counted: its parameters and states. Text, because sizes may be free. */
  readonly parameters?: string;
}

export interface OutlineArrow {
  readonly from: string;
  readonly to: string;
  /** The type of what flows. */
  readonly label: string;
}

export interface Outline {
  readonly boxes: readonly OutlineBox[];
  readonly arrows: readonly OutlineArrow[];
}

/** What stands in the model's own body, outside of any call, is one box for each operation. */
export function outlineOf(graph: Graph): Outline {
  const boxes = new Map<string, OutlineBox>();
  const arrows = new Map<string, OutlineArrow>();
  const trained = new Map<string, Set<Value>>();
  const heldBy = new Map<Value, readonly Value[]>();
  const boxOfValue = new Map<Value, string>();
  const join = (from: string | undefined, to: string, value: Value): void => {
    const arrow = `${from} → ${to}`;
    if (from !== undefined && from !== to && !arrows.has(arrow))
      arrows.set(arrow, { from, to, label: formatType(value.type) });
  };
  for (const input of graph.inputs) {
    if (isImplicitInput(input.name)) continue;
    const id = `input ${input.name}`;
    boxes.set(id, { id, label: input.name, kind: "input" });
    boxOfValue.set(input, id);
  }
  for (const [index, node] of graph.nodes.entries()) {
    const box = boxFor(node, index);
    const held = node.inputs.flatMap((value) => (value.kind === "global" ? [value] : (heldBy.get(value) ?? [])));
    // Constants, and what is made of weights alone, are part of whoever uses them.
    if (!node.inputs.some((value) => boxOfValue.has(value))) {
      for (const result of node.results) heldBy.set(result, held);
      continue;
    }
    if (!boxes.has(box.id)) boxes.set(box.id, box);
    for (const value of node.inputs) join(boxOfValue.get(value), box.id, value);
    trained.set(box.id, new Set([...(trained.get(box.id) ?? []), ...held]));
    for (const result of node.results) boxOfValue.set(result, box.id);
  }
  for (const { name, value } of graph.outputs) {
    const id = `output ${name}`;
    boxes.set(id, { id, label: name, kind: "output" });
    join(boxOfValue.get(value), id, value);
  }
  const counted = [...boxes.values()].map((box): OutlineBox => {
    const held = [...(trained.get(box.id) ?? [])];
    if (held.length === 0) return box;
    return { ...box, parameters: formatDim(held.map(({ type }) => productOf(type.shape)).reduce(addDims)) };
  });
  return { boxes: counted, arrows: [...arrows.values()] };
}

function boxFor(node: Node, index: number): OutlineBox {
  const [call] = (node.location?.scope ?? "").split("/");
  return call
    ? { id: `call ${call}`, label: call, kind: "call" }
    : { id: `node ${index}`, label: node.op, kind: "call" };
}
