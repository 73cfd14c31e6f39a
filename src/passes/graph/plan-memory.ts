// The last graph pass: decides where every result lives. Views cost nothing, results take over the buffers of operands
// that die, updates are written into their parameter where nobody reads the old value afterwards, and the rest share an arena.
// Sizes stay polynomials in the free dimensions: one plan serves every batch.

import { attribute } from "../../ir/attributes.ts";
import { addDims, type Dim, equalDims, evaluateDim, multiplyDims, productOf, symbol, symbolsOf } from "../../ir/dim.ts";
import { bytesOf } from "../../ir/dtype.ts";
import type { Graph, Node, ResultValue, TensorType, Value } from "../../ir/graph.ts";
import type { MemoryPlan, Place, PlannedBuffer } from "../../ir/memory-plan.ts";
import { isLoop, partsOfScan } from "../../ir/ops/scan.ts";
import { mapBodies } from "../map-graph.ts";
import { definePass } from "../pass.ts";
import { canWriteInPlace } from "./in-place.ts";
import { ridesOn, settleLoops } from "./settle-loops.ts";
import { viewOf } from "./views.ts";

/** What every free size is taken to be when buffers are ordered and peaks are compared: a usual batch. */
export const representativeSize = 32;

export const planMemory = definePass({
  name: "plan-memory",
  doc: "Places every result: as a view, in the buffer of an operand that dies, in the parameter it updates, or in the arena.",
  requires: ["open-scans"],
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

/** One graph of those being planned: the whole, or the body of a loop. */
interface Level {
  readonly graph: Graph;
  /** Where each node begins and ends among all nodes of all levels; loops end after their bodies. */
  readonly spans: readonly Span[];
  /** For each result the last position at which it is read. */
  readonly uses: ReadonlyMap<Value, number>;
  /** Places that are settled before: those of what loops carry and yield. */
  readonly fixed: Map<ResultValue, Spot>;
  input(name: string): Spot;
}

interface Span {
  readonly first: number;
  readonly last: number;
}

export function planGraph(original: Graph): Graph {
  const { graph, copies } = settleLoops(original);
  const updateOf = updatesInPlace(graph);
  const spots = new Map<ResultValue, Spot>();
  const storages: Storage[] = [];
  const given = new Map<Graph, readonly Spot[]>();
  const outside = new Map<string, Storage>();
  const spans = spansOf(graph, 0);
  const end = spans.at(-1) ? spans.at(-1)!.last + 1 : 0;
  const outsideSpot = (kind: "input" | "global", name: string): Spot => {
    const key = `${kind} ${name}`;
    const storage = outside.get(key) ?? { home: { kind, name }, first: -1, last: end };
    outside.set(key, storage);
    return { storage, offset: 0 };
  };
  const reserve = (bytes: Dim, { first, last }: Span): Storage => {
    const storage: Storage = { home: { kind: "arena", bytes }, first, last };
    storages.push(storage);
    return storage;
  };
  const viewIn = (node: Node) => (copies.has(node) ? undefined : viewOf(node));

  function planLevel({ graph: { nodes }, spans, uses, fixed, input }: Level): void {
    const spotOf = (value: Value): Spot | undefined => {
      switch (value.kind) {
        case "literal":
          return undefined;
        case "input":
          return input(value.name);
        case "global":
          return outsideSpot("global", value.name);
        case "result":
          return spots.get(value);
      }
    };
    const carried = new Map(
      nodes.flatMap((node, i) => (isLoop(node) ? [[node, reserveCarries(node, spans[i]!)] as const] : [])),
    );
    for (const [i, node] of nodes.entries()) {
      const span = spans[i]!;
      const carries = carried.get(node);
      if (carries && node.body) {
        planLoop(node, node.body, carries, span, uses, spotOf);
        continue;
      }
      const view = viewIn(node);
      const base = view && spotOf(view.operand);
      if (view && base && !updateOf.has(node.results[0]!)) {
        spots.set(node.results[0]!, { storage: base.storage, offset: addDims(base.offset, view.offset) });
        continue;
      }
      const taken = new Set<Storage>();
      for (const [index, result] of node.results.entries()) {
        const target = updateOf.get(result);
        const settled = target === undefined ? fixed.get(result) : outsideSpot("global", target);
        const storage =
          settled?.storage ??
          dyingOperand(node, index, span.first, spotOf, taken) ??
          reserve(bytesOfType(result.type), span);
        taken.add(storage);
        storage.last = Math.max(storage.last, uses.get(result) ?? span.last);
        spots.set(result, settled ?? { storage, offset: 0 });
      }
    }

    /** Storage for what the loop carries, into which the first values are computed. */
    function reserveCarries(node: Node, span: Span): readonly Carry[] {
      return carriesOf(node).map((slots, i) => {
        const first = node.inputs[i]!;
        const made = first.kind === "result" ? nodes.indexOf(first.node) : -1;
        const storage = reserve(slots.bytes, { first: spans[made]?.first ?? span.first, last: span.last });
        if (first.kind === "result") fixed.set(first, { storage, offset: slots.start });
        return { ...slots, storage };
      });
    }
  }

  function planLoop(
    node: Node,
    body: Graph,
    carries: readonly Carry[],
    span: Span,
    uses: ReadonlyMap<Value, number>,
    spotOf: (value: Value) => Spot | undefined,
  ): void {
    const fixed = new Map<ResultValue, Spot>();
    const settle = (value: Value, spot: Spot): void => {
      if (value.kind === "result") fixed.set(value, spot);
    };
    const step = stepOf(node);
    body.outputs.forEach(({ value }, i) => {
      const result = node.results[i]!;
      const carry = carries[i] ?? carries.find(({ after, before }) => after === i || before === i);
      const storage = carry?.storage ?? reserve(bytesOfType(result.type), span);
      storage.last = Math.max(storage.last, uses.get(result) ?? span.last);
      if (!carry) {
        settle(value, { storage, offset: multiplyDims(step, productOf(value.type.shape)) });
        spots.set(result, { storage, offset: 0 });
      } else if (i < carries.length) {
        settle(value, { storage, offset: carry.next });
        spots.set(result, { storage, offset: carry.end });
      } else spots.set(result, { storage, offset: carry.after === i ? carry.stackAfter : carry.stackBefore });
    });
    const inputs = body.inputs.map((_, i): Spot => {
      const carry = carries[i];
      return carry ? { storage: carry.storage, offset: carry.now } : spotOf(node.inputs[i]!)!;
    });
    given.set(body, inputs);
    const spans = spansOf(body, span.first + 1);
    const names = new Map(body.inputs.map(({ name }, i) => [name, inputs[i]!]));
    planLevel({
      graph: body,
      spans,
      uses: lastUses(body, spans, viewIn, span.last),
      fixed,
      input: (name) => names.get(name)!,
    });
  }

  planLevel({
    graph,
    spans,
    uses: lastUses(graph, spans, viewIn, end),
    fixed: new Map(),
    input: (name) => outsideSpot("input", name),
  });

  // A large buffer that is placed late finds only gaps too small for it: the largest go first.
  const weight = (storage: Storage): number => (storage.home.kind === "arena" ? sizeAt(storage.home.bytes) : 0);
  const ordered = [...storages].sort((a, b) => weight(b) - weight(a) || a.first - b.first);
  const positions = new Map(ordered.map((storage, i) => [storage, i]));
  const placeOf = ({ storage, offset }: Spot): Place =>
    storage.home.kind === "arena"
      ? { kind: "arena", buffer: positions.get(storage)!, offset }
      : { kind: storage.home.kind, name: storage.home.name, offset };
  const resultsOf = ({ nodes }: Graph) =>
    nodes.map((node) => node.results.map((result) => placeOf(spots.get(result)!)));
  const withPlaces = (body: Graph): Graph => ({
    ...mapBodies(body, withPlaces),
    memory: { buffers: [], results: resultsOf(body), inPlace: [], inputs: given.get(body)!.map(placeOf) },
  });
  const memory: MemoryPlan = {
    buffers: ordered.map((storage) => ({
      bytes: storage.home.kind === "arena" ? storage.home.bytes : 0,
      first: storage.first,
      last: storage.last,
    })),
    results: resultsOf(graph),
    inPlace: [...updateOf.values()],
  };
  return { ...mapBodies(graph, withPlaces), memory };
}

/** Positions of nodes in order; a loop begins before its body and ends after it. */
function spansOf({ nodes }: Graph, start: number): Span[] {
  let next = start;
  return nodes.map((node) => {
    const first = next++;
    if (node.body && isLoop(node)) {
      next = (spansOf(node.body, next).at(-1)?.last ?? first) + 1;
      next++;
    }
    return { first, last: next - 1 };
  });
}

/** Where a carry lies: in one place, or, where it is also yielded, in a stack with one slot more than there are steps. */
interface Slots {
  readonly bytes: Dim;
  /** Offsets in elements: of the first value, of what a step reads and writes, and of the last value. */
  readonly start: Dim;
  readonly now: Dim;
  readonly next: Dim;
  readonly end: Dim;
  /** The yields that lie in the stack: the values after the steps, and those before; -1 for none. With the offsets of their first slots. */
  readonly after: number;
  readonly before: number;
  readonly stackAfter: Dim;
  readonly stackBefore: Dim;
}

interface Carry extends Slots {
  readonly storage: Storage;
}

const stepOf = ({ attributes: { index } }: Node): Dim => symbol(String(index));

function carriesOf(node: Node): readonly Slots[] {
  const { body, first } = partsOfScan(node);
  const { extent, reversed } = node.attributes;
  if (extent === undefined || !attribute.dim.is(extent))
    throw new TypeError("only loops have places: run open-scans before plan-memory");
  return first.map((value, i): Slots => {
    const { after, before } = ridesOn(body, first.length, i);
    const bytes = bytesOfType(value.type);
    if (after < 0 && before < 0)
      return { bytes, start: 0, now: 0, next: 0, end: 0, after, before, stackAfter: 0, stackBefore: 0 };
    const size = productOf(value.type.shape);
    const [lower, upper] = [stepOf(node), addDims(stepOf(node), 1)].map((slot) => multiplyDims(slot, size));
    const last = multiplyDims(extent, size);
    const whole = multiplyDims(addDims(extent, 1), bytes);
    return reversed
      ? {
          bytes: whole,
          start: last,
          now: upper!,
          next: lower!,
          end: 0,
          after,
          before,
          stackAfter: 0,
          stackBefore: size,
        }
      : {
          bytes: whole,
          start: 0,
          now: lower!,
          next: upper!,
          end: last,
          after,
          before,
          stackAfter: size,
          stackBefore: 0,
        };
  });
}

const bytesOfType = (type: TensorType): Dim => multiplyDims(bytesOf[type.dtype], productOf(type.shape));

const sizeAt = (dim: Dim): number =>
  evaluateDim(dim, Object.fromEntries(symbolsOf(dim).map((name) => [name, representativeSize])));

/**
 * For each result the last position at which it is read, through views too; what leaves the graph lives to `end`. A loop reads what it
 * is given to its own end.
 */
function lastUses(
  graph: Graph,
  spans: readonly Span[],
  viewIn: (node: Node) => { readonly operand: Value } | undefined,
  end: number,
): Map<Value, number> {
  const uses = new Map<Value, number>();
  const note = (value: Value, position: number): void => {
    if (value.kind === "result") uses.set(value, Math.max(uses.get(value) ?? -1, position));
  };
  for (const { value } of [...graph.outputs, ...graph.updates]) note(value, end);
  for (let i = graph.nodes.length - 1; i >= 0; i--) {
    const node = graph.nodes[i]!;
    const { last } = spans[i]!;
    const read = viewIn(node) ? (uses.get(node.results[0]!) ?? last) : last;
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
