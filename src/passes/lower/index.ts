// Lowering: each node of a planned graph becomes one call of a kernel, with explicit loops over the buffers of its operands and
// results. Views become nothing.

import { equalDims, productOf } from "../../ir/dim.ts";
import type { Graph, Module, Node, Value } from "../../ir/graph.ts";
import type { Program, ProgramModule, Step } from "../../ir/kernel/program.ts";
import type { Place } from "../../ir/memory-plan.ts";
import { jsTarget, type Target } from "../../ir/target.ts";
import { viewOf } from "../graph/plan-memory.ts";
import { optimizeKernel } from "../kernel/index.ts";
import { tilesFor } from "../schedule/tiles.ts";
import { createFresh } from "./names.ts";
import { lowerNode } from "./node.ts";
import { requirementsOf } from "./requirements.ts";
import { sizesIn } from "./sizes.ts";

export interface LowerOptions {
  /** What the kernels are for; default a machine without vectors. */
  readonly target?: Target;
  /** Names that kernels may not take any more; those of this graph are added. */
  readonly names?: Set<string>;
}

/** Lowers every graph of a module whose memory is planned. */
export function lowerModule(module: Module, options: LowerOptions = {}): ProgramModule {
  const names = options.names ?? new Set<string>();
  const programs = new Map([...module.graphs].map(([name, graph]) => [name, lowerGraph(graph, { ...options, names })]));
  return { name: module.name, doc: module.doc, globals: module.globals, programs };
}

/** Lowers one graph. Throws a TypeError if no pass has planned its memory. */
export function lowerGraph(graph: Graph, options: LowerOptions = {}): Program {
  const { memory } = graph;
  if (!memory) throw new TypeError(`the memory of graph ${graph.name} is not planned: run plan-memory before lowering`);
  const fresh = createFresh(options.names ?? new Set());
  const target = options.target ?? jsTarget;
  const tiles = tilesFor(target);
  const places = new Map<Value, Place>();
  graph.nodes.forEach((node, position) => {
    node.results.forEach((result, i) => {
      places.set(result, memory.results[position]![i]!);
    });
  });
  const placeOf = (value: Value): Place => {
    switch (value.kind) {
      case "literal":
        throw new TypeError("a literal has no place in memory");
      case "input":
      case "global":
        return { kind: value.kind, name: value.name, offset: 0 };
      case "result":
        return places.get(value)!;
    }
  };

  const steps: Step[] = [];
  for (const node of graph.nodes) {
    if (isFree(node, placeOf)) continue;
    const { kernel, operands } = lowerNode(node, fresh, tiles);
    const byName = new Map([...operands, ...node.results].map((value, i) => [kernel.buffers[i]!.name, placeOf(value)]));
    for (const part of optimizeKernel(kernel, target, fresh)) {
      steps.push({ kind: "call", kernel: part, places: part.buffers.map(({ name }) => byName.get(name)!) });
    }
  }

  const values = [...graph.inputs, ...graph.nodes.flatMap((node) => node.results)];
  const sizes = new Set(values.flatMap((value) => sizesIn(value.type.shape)));
  for (const node of graph.nodes) {
    for (const attribute of Object.values(node.attributes)) for (const size of sizesIn(attribute)) sizes.add(size);
  }
  return {
    name: graph.name,
    inputs: graph.inputs.map(({ name, type }) => ({ name, type })),
    outputs: graph.outputs.map(({ name, value }) => ({ name, type: value.type, place: placeOf(value) })),
    steps,
    copies: graph.updates
      .filter(({ target, value }) => !memory.inPlace.includes(target) && !isSelf(target, value))
      .map(({ target, value }) => ({ target, source: placeOf(value), length: productOf(value.type.shape) })),
    buffers: memory.buffers,
    sizes: [...sizes],
    requirements: requirementsOf(graph),
  };
}

const isSelf = (target: string, value: Value): boolean => value.kind === "global" && value.name === target;

/** A view that lies where its operand does: nothing is to be done. */
function isFree(node: Node, placeOf: (value: Value) => Place): boolean {
  const view = viewOf(node);
  if (!view) return false;
  const [to, from] = [placeOf(node.results[0]!), placeOf(view.operand)];
  if (to.kind === "arena") return from.kind === "arena" && from.buffer === to.buffer && sharesOffset(node, from, to);
  return from.kind === to.kind && from.name === to.name;
}

const sharesOffset = (node: Node, from: Place, to: Place): boolean =>
  node.op !== "reshape" || equalDims(from.offset, to.offset);
