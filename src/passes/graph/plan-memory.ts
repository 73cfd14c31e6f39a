// The last graph pass: decides where every result lives. Views cost nothing, results take over the buffers of operands
// that die, updates are written into their parameter where nobody reads the old value afterwards, and the rest share an arena.
// Sizes stay polynomials in the free dimensions: one plan serves every batch.

import { addDims, type Dim, equalDims, evaluateDim, multiplyDims, productOf, symbolsOf } from "../../ir/dim.ts";
import { bytesOf } from "../../ir/dtype.ts";
import { type Graph, makeNode, type Node, type ResultValue, type TensorType, type Value } from "../../ir/graph.ts";
import type { MemoryPlan, Place, PlannedBuffer } from "../../ir/memory-plan.ts";
import { operation } from "../../ir/ops/index.ts";
import { definePass } from "../pass.ts";
import { canWriteInPlace } from "./in-place.ts";

/** What every free size is taken to be when buffers are ordered and peaks are compared: a usual batch. */
export const representativeSize = 32;

export const planMemory = definePass({
  name: "plan-memory",
  doc: "Places every result: as a view, in the buffer of an operand that dies, in the parameter it updates, or in the arena.",
  requires: [],
  options: {},
  run: (module) => ({
    ...module,
    graphs: new Map([...module.graphs].map(([name, graph]) => [name, planGraph(graph)])),
  }),
});

/** A buffer under construction: the arena buffer or global that results write to and views look into. */
interface Storage {
  readonly home: { readonly kind: "arena"; bytes: Dim } | { readonly kind: "input" | "global"; readonly name: string };
  first: number;
  last: number;
}

interface Spot {
  readonly storage: Storage;
  readonly offset: Dim;
}

export function planGraph(original: Graph): Graph {
  const graph = materializeLiterals(original);
  const { nodes } = graph;
  const uses = lastUses(graph);
  const updateOf = updatesInPlace(graph);
  const spots = new Map<ResultValue, Spot>();
  const storages: Storage[] = [];

  const outside = new Map<string, Storage>();
  const outsideStorage = (kind: "input" | "global", name: string): Storage => {
    const key = `${kind} ${name}`;
    const storage = outside.get(key) ?? { home: { kind, name }, first: -1, last: nodes.length };
    outside.set(key, storage);
    return storage;
  };
  const spotOf = (value: Value): Spot | undefined => {
    switch (value.kind) {
      case "literal":
        return undefined;
      case "input":
      case "global":
        return { storage: outsideStorage(value.kind, value.name), offset: 0 };
      case "result":
        return spots.get(value);
    }
  };

  for (const [position, node] of nodes.entries()) {
    const view = viewOf(node);
    const base = view && spotOf(view.operand);
    if (view && base && !updateOf.has(node.results[0]!)) {
      spots.set(node.results[0]!, { storage: base.storage, offset: addDims(base.offset, view.offset) });
      continue;
    }
    const taken = new Set<Storage>();
    for (const [index, result] of node.results.entries()) {
      const target = updateOf.get(result);
      const inherited = target === undefined ? dyingOperand(node, index, position, spotOf, taken) : undefined;
      const storage: Storage =
        target !== undefined
          ? outsideStorage("global", target)
          : (inherited ?? {
              home: { kind: "arena", bytes: bytesOfType(result.type) },
              first: position,
              last: position,
            });
      if (target === undefined && !inherited) storages.push(storage);
      taken.add(storage);
      storage.last = Math.max(storage.last, uses.get(result) ?? position);
      spots.set(result, { storage, offset: 0 });
    }
  }

  // A large buffer that is placed late finds only gaps too small for it: the largest go first.
  const weight = (storage: Storage): number => (storage.home.kind === "arena" ? sizeAt(storage.home.bytes) : 0);
  const ordered = [...storages].sort((a, b) => weight(b) - weight(a) || a.first - b.first);
  const positions = new Map(ordered.map((storage, i) => [storage, i]));
  const placeOf = ({ storage, offset }: Spot): Place =>
    storage.home.kind === "arena"
      ? { kind: "arena", buffer: positions.get(storage)!, offset }
      : { kind: storage.home.kind, name: storage.home.name, offset };
  const memory: MemoryPlan = {
    buffers: ordered.map((storage) => ({
      bytes: storage.home.kind === "arena" ? storage.home.bytes : 0,
      first: storage.first,
      last: storage.last,
    })),
    results: nodes.map((node) => node.results.map((result) => placeOf(spots.get(result)!))),
    inPlace: [...updateOf.values()],
  };
  return { ...graph, memory };
}

const bytesOfType = (type: TensorType): Dim => multiplyDims(bytesOf[type.dtype], productOf(type.shape));

const sizeAt = (dim: Dim): number =>
  evaluateDim(dim, Object.fromEntries(symbolsOf(dim).map((name) => [name, representativeSize])));

/** Literals that leave the graph become nodes, so that everything that leaves it has a place. */
function materializeLiterals(graph: Graph): Graph {
  const added: Node[] = [];
  const place = (value: Value): Value => {
    if (value.kind !== "literal") return value;
    const node = makeNode("broadcast", [value], { shape: [], axes: [] }, [value.type], undefined);
    added.push(node);
    return node.results[0]!;
  };
  const outputs = graph.outputs.map((output) => ({ ...output, value: place(output.value) }));
  const updates = graph.updates.map((update) => ({ ...update, value: place(update.value) }));
  return { ...graph, nodes: [...graph.nodes, ...added], outputs, updates };
}

/** The operand that the node's only result looks into, and from which element on; undefined where the node computes. */
export function viewOf(node: Node): { readonly operand: Value; readonly offset: Dim } | undefined {
  const [operand] = node.inputs;
  if (!operand || operand.kind === "literal") return undefined;
  if (operation(node.op)?.lower.kind === "view") return { operand, offset: 0 };
  if (node.op !== "slice") return undefined;
  const { start, limit, stride } = node.attributes;
  if (!Array.isArray(start) || !Array.isArray(limit) || !Array.isArray(stride)) return undefined;
  const { shape } = operand.type;
  const whole = shape.every((dim, axis) => axis === 0 || (start[axis] === 0 && equalDims(limit[axis], dim)));
  if (!whole || stride.some((step) => step !== 1) || shape.length === 0) return undefined;
  return { operand, offset: multiplyDims(start[0], productOf(shape.slice(1))) };
}

/** For each result the last position at which it is read, through views too; what leaves the graph lives to the end. */
function lastUses(graph: Graph): Map<Value, number> {
  const uses = new Map<Value, number>();
  const note = (value: Value, position: number): void => {
    if (value.kind === "result") uses.set(value, Math.max(uses.get(value) ?? -1, position));
  };
  for (const { value } of [...graph.outputs, ...graph.updates]) note(value, graph.nodes.length);
  for (let position = graph.nodes.length - 1; position >= 0; position--) {
    const node = graph.nodes[position]!;
    const view = viewOf(node);
    const read = view ? (uses.get(node.results[0]!) ?? position) : position;
    for (const input of node.inputs) note(input, read);
  }
  return uses;
}

/** The storage of an operand that nobody needs after this node and whose elements the node may overwrite as it goes. */
function dyingOperand(
  node: Node,
  result: number,
  position: number,
  spotOf: (value: Value) => Spot | undefined,
  taken: ReadonlySet<Storage>,
): Storage | undefined {
  const bytes = bytesOfType(node.results[result]!.type);
  for (const [index, operand] of node.inputs.entries()) {
    const spot = spotOf(operand);
    if (spot?.storage.home.kind !== "arena" || taken.has(spot.storage)) continue;
    const { storage } = spot;
    const alone = node.inputs.every((other, i) => i === index || spotOf(other)?.storage !== storage);
    if (!alone || storage.last > position || spot.offset !== 0) continue;
    if (storage.home.kind !== "arena" || !equalDims(storage.home.bytes, bytes)) continue;
    if (operand.type.dtype === node.results[result]!.type.dtype && canWriteInPlace(node, index, result)) return storage;
  }
  return undefined;
}

/** Updates whose value can be written over the old one: nobody reads that later, nor in another order than it is overwritten. */
function updatesInPlace(graph: Graph): Map<ResultValue, string> {
  const position = new Map(graph.nodes.map((node, i) => [node, i]));
  const reads = readsOfGlobals(graph);
  const inPlace = new Map<ResultValue, string>();
  for (const { target, value } of graph.updates) {
    if (value.kind !== "result" || inPlace.has(value) || viewOf(value.node)) continue;
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

/** Bytes for one choice of the free sizes: what the plan takes, and the largest sum of what lives at one time, below which none can go. */
export function peakOf(
  buffers: readonly PlannedBuffer[],
  sizes: Readonly<Record<string, number>>,
): { readonly peak: number; readonly lowerBound: number } {
  const align = (bytes: number): number => Math.ceil(bytes / 16) * 16;
  const placed: { offset: number; bytes: number; first: number; last: number }[] = [];
  for (const { bytes: dim, first, last } of buffers) {
    const bytes = align(evaluateDim(dim, sizes));
    const neighbours = placed
      .filter((other) => other.first <= last && first <= other.last)
      .sort((a, b) => a.offset - b.offset);
    let offset = 0;
    for (const other of neighbours) {
      if (other.offset >= offset + bytes) break;
      offset = Math.max(offset, other.offset + other.bytes);
    }
    placed.push({ offset, bytes, first, last });
  }
  const ends = Math.max(0, ...buffers.map((buffer) => buffer.last));
  const living = new Float64Array(ends + 2);
  for (const { bytes, first, last } of placed) {
    living[first] = living[first]! + bytes;
    living[last + 1] = living[last + 1]! - bytes;
  }
  let now = 0;
  let lowerBound = 0;
  for (const change of living) {
    now += change;
    lowerBound = Math.max(lowerBound, now);
  }
  return { peak: Math.max(0, ...placed.map((p) => p.offset + p.bytes)), lowerBound };
}
