// Lowering: each node of a planned graph becomes one call of a kernel, with explicit loops over the buffers of its operands and
// results. Views become nothing.

import { attribute } from "../../ir/attributes.ts";
import { type Dim, equalDims, floorDivideDim, productOf } from "../../ir/dim.ts";
import { bytesOf, type DType } from "../../ir/dtype.ts";
import type { Graph, Module, Node, TensorType, Value } from "../../ir/graph.ts";
import type { Loop, Program, ProgramModule, Step } from "../../ir/kernel/program.ts";
import type { Kernel } from "../../ir/kernel/types.ts";
import type { MemoryPlan, Place } from "../../ir/memory-plan.ts";
import { isLoop } from "../../ir/ops/scan.ts";
import { jsTarget, type Target } from "../../ir/target.ts";
import { viewOf } from "../graph/views.ts";
import { optimizeKernel } from "../kernel/index.ts";
import { tilesFor } from "../schedule/tiles.ts";
import { createAheadWork, createKept, isSelf, type Kept } from "./ahead.ts";
import { type Known, likeBefore, operandsOf } from "./alike.ts";
import { loopInGroup } from "./group-loop.ts";
import { createFresh } from "./names.ts";
import { lowerNode } from "./node.ts";
import { requirementsOf } from "./requirements.ts";
import { sizesIn } from "./sizes.ts";

export interface LowerOptions {
  /** What the kernels are for; default a machine without vectors. */
  readonly target?: Target;
  /** Names that kernels may not take any more; those of this graph are added. */
  readonly names?: Set<string>;
  /** What was lowered before for this target; what is lowered is added. */
  readonly known?: Known;
  /** What other graphs of the module keep; what this one keeps is added. */
  readonly kept?: Kept;
}

/** A graph, and what it makes ahead of its runs. */
export interface LoweredGraph {
  readonly program: Program;
  readonly ahead: Program | undefined;
}

/** Lowers every graph of a module whose memory is planned. */
export function lowerModule(module: Module, options: LowerOptions = {}): ProgramModule {
  const kept = options.kept ?? createKept();
  const shared = { ...options, names: options.names ?? new Set<string>(), known: options.known ?? new Map(), kept };
  const lowered = [...module.graphs.values()].map((graph) => lowerGraph(graph, shared));
  const programs = lowered.flatMap(({ program, ahead }) => (ahead ? [program, ahead] : [program]));
  return {
    name: module.name,
    doc: module.doc,
    globals: module.globals,
    kept: kept.types,
    programs: new Map(programs.map((program) => [program.name, program])),
  };
}

/** For what nodes are lowered, what was lowered so before, and names of kernels. */
interface Lowering {
  readonly target: Target;
  readonly known: Known;
  readonly fresh: (stem: string) => string;
}

/** Lowers one graph. Throws a TypeError if no pass has planned its memory. */
export function lowerGraph(graph: Graph, options: LowerOptions = {}): LoweredGraph {
  const { memory } = graph;
  if (!memory) throw new TypeError(`the memory of graph ${graph.name} is not planned: run plan-memory before lowering`);
  const fresh = createFresh(options.names ?? new Set());
  const target = options.target ?? jsTarget;
  const tiles = tilesFor(target);
  const known: Known = options.known ?? new Map();
  const work = createAheadWork(graph, options.kept ?? createKept());
  const lowerLevel = (level: Graph, lowering: Lowering): readonly Step[] => {
    const placeOf = placesOf(level);
    return level.nodes.flatMap((node): Step[] => {
      if (node.body && isLoop(node))
        return [inOneGroup(node, node.body) ?? loopOf(node, lowerLevel(node.body, lowering))];
      if (isFree(node, placeOf)) return [];
      const isSettled = (operand: Value): boolean => operand.kind !== "literal" && work.isSettled(placeOf(operand));
      const { buffers, kernels, ahead } = likeBefore(node, lowering.known, lowering.fresh, isSettled, () => {
        const { kernel, ahead } = lowerNode(node, { tiles, freshKernel: lowering.fresh, isSettled });
        const optimize = (one: Kernel): readonly Kernel[] => optimizeKernel(one, lowering.target, lowering.fresh);
        return {
          buffers: kernel.buffers.map(({ name }) => name),
          kernels: optimize(kernel),
          ahead: ahead.flatMap(optimize),
        };
      });
      const byName = new Map([...operandsOf(node), ...node.results].map((value, i) => [buffers[i]!, placeOf(value)]));
      for (const kernel of ahead) {
        const reads = kernel.buffers.slice(0, -1).map(({ name }) => byName.get(name)!);
        byName.set(kernel.buffers.at(-1)!.name, work.make(kernel, reads));
      }
      return kernels.map(
        (kernel): Step => ({ kind: "call", kernel, places: kernel.buffers.map(({ name }) => byName.get(name)!) }),
      );
    });
  };
  const lengthOf = lengthsIn(graph, memory);
  /** The loop in the smallest group of threads that can do each step. */
  function inOneGroup(node: Node, body: Graph): Step | undefined {
    const { groups } = target;
    for (let threads = groups?.threads; groups && threads && threads <= groups.mostThreads; threads *= 2) {
      const smaller: Lowering = {
        target: { ...target, groups: { ...groups, threads } },
        known: new Map(),
        fresh: (stem) => stem,
      };
      const loop = loopInGroup(loopOf(node, lowerLevel(body, smaller)), lengthOf, fresh);
      if (loop) return loop;
    }
    return undefined;
  }
  const placeOf = placesOf(graph);
  const steps = lowerLevel(graph, { target, known, fresh });
  const program: Program = {
    name: graph.name,
    inputs: graph.inputs.map(({ name, type }) => ({ name, type })),
    outputs: graph.outputs.map(({ name, value }) => ({ name, type: value.type, place: placeOf(value) })),
    steps,
    copies: graph.updates
      .filter(({ target, value }) => !memory.inPlace.includes(target) && !isSelf(target, value))
      .map(({ target, value }) => ({ target, source: placeOf(value), length: productOf(value.type.shape) })),
    buffers: memory.buffers,
    sizes: [...freeSizesOf(graph)],
    requirements: requirementsOf(graph),
  };
  const ahead = work.program(program);
  return { program: ahead ? { ...program, ahead: ahead.name } : program, ahead };
}

/** Where the values of a graph, or of a loop's body, lie. */
function placesOf({ name, nodes, inputs, memory }: Graph): (value: Value) => Place {
  if (!memory) throw new TypeError(`the memory of ${name} is not planned`);
  const places = new Map<Value, Place>();
  nodes.forEach((node, position) => {
    node.results.forEach((result, i) => {
      places.set(result, memory.results[position]![i]!);
    });
  });
  const given = new Map(memory.inputs?.map((place, i) => [inputs[i]!.name, place]));
  return (value) => {
    switch (value.kind) {
      case "literal":
        throw new TypeError("a literal has no place in memory");
      case "input":
        return given.get(value.name) ?? { kind: "input", name: value.name, offset: 0 };
      case "global":
        return { kind: "global", name: value.name, offset: 0 };
      case "result":
        return places.get(value)!;
    }
  };
}

/** How many elements of a type the arena buffer, input or global has that a place lies in. */
function lengthsIn(graph: Graph, memory: MemoryPlan): (place: Place, dtype: DType) => Dim {
  const types = new Map<string, TensorType>();
  const visit = ({ nodes }: Graph): void => {
    for (const { inputs, body } of nodes) {
      for (const value of inputs) if (value.kind === "global") types.set(value.name, value.type);
      if (body) visit(body);
    }
  };
  visit(graph);
  return (place, dtype) => {
    switch (place.kind) {
      case "arena":
        return floorDivideDim(memory.buffers[place.buffer]!.bytes, bytesOf[dtype]);
      case "input":
        return productOf(graph.inputs.find(({ name }) => name === place.name)!.type.shape);
      case "global":
        return productOf(types.get(place.name)!.shape);
    }
  };
}

function loopOf({ op, attributes: { index, extent, reversed } }: Node, steps: readonly Step[]): Loop {
  if (typeof index !== "string" || extent === undefined || !attribute.dim.is(extent))
    throw new TypeError(`${op} is no loop`);
  return { kind: "loop", index, extent, reversed: reversed === true, steps };
}

/** The free sizes that a graph mentions; the indices of its loops are none. */
function freeSizesOf(graph: Graph): Set<string> {
  const values = [...graph.inputs, ...graph.nodes.flatMap((node) => node.results)];
  const sizes = new Set(values.flatMap((value) => sizesIn(value.type.shape)));
  for (const { attributes, body } of graph.nodes) {
    for (const value of Object.values(attributes)) for (const size of sizesIn(value)) sizes.add(size);
    if (!body) continue;
    for (const size of freeSizesOf(body)) if (size !== attributes.index) sizes.add(size);
  }
  return sizes;
}

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
