// Which updates of parameters and states are written over the old values as they are computed.

import type { Graph, ResultValue, Value } from "../../ir/graph.ts";
import { isLoop } from "../../ir/ops/scan.ts";
import { canWriteInPlace } from "./in-place.ts";
import { viewOf } from "./views.ts";

/** Updates whose value can be written over the old one: nobody reads that later, nor in another order than it is overwritten. */
export function updatesInPlace(graph: Graph): Map<ResultValue, string> {
  const position = new Map(graph.nodes.map((node, i) => [node, i]));
  const reads = readsOfGlobals(graph);
  const inPlace = new Map<ResultValue, string>();
  for (const { target, value } of graph.updates) {
    if (value.kind !== "result" || inPlace.has(value) || viewOf(value.node) || isLoop(value.node)) continue;
    const at = position.get(value.node)!;
    const safe = (reads.get(target) ?? []).every(
      (read) =>
        read.position < at ||
        (read.position === at &&
          read.operand !== undefined &&
          read.direct &&
          canWriteInPlace(value.node, read.operand, value.index)),
    );
    if (safe) inPlace.set(value, target);
  }
  return inPlace;
}

interface GlobalRead {
  readonly position: number;
  readonly operand?: number;
  /** Not through a view. */
  readonly direct: boolean;
}

function readsOfGlobals(graph: Graph): Map<string, GlobalRead[]> {
  const reads = new Map<string, GlobalRead[]>();
  const viewed = new Map<Value, string>();
  const globalOf = (value: Value): string | undefined => (value.kind === "global" ? value.name : viewed.get(value));
  const note = (name: string, read: GlobalRead): void => {
    const list = reads.get(name) ?? [];
    list.push(read);
    reads.set(name, list);
  };
  for (const [position, node] of graph.nodes.entries()) {
    const view = viewOf(node);
    const base = view && globalOf(view.operand);
    if (base !== undefined) viewed.set(node.results[0]!, base);
    for (const [operand, input] of node.inputs.entries()) {
      const name = globalOf(input);
      if (name !== undefined && base === undefined) note(name, { position, operand, direct: input.kind === "global" });
    }
  }
  for (const { value } of graph.outputs) {
    const name = globalOf(value);
    if (name !== undefined) note(name, { position: graph.nodes.length, direct: false });
  }
  for (const { target, value } of graph.updates) {
    const name = globalOf(value);
    if (name !== undefined && (name !== target || value.kind !== "global"))
      note(name, { position: graph.nodes.length, direct: false });
  }
  return reads;
}
