// The last graph pass: decides where every result lives. Views cost nothing, results take over the buffers of operands
// that die, updates are written into their parameter where nobody reads the old value afterwards, and the rest share an arena.
// Sizes stay polynomials in the free dimensions: one plan serves every batch.

import { addDims, type Dim, equalDims, evaluateDim, multiplyDims, productOf, symbolsOf } from "../../ir/dim.ts";
import type { Graph, Node, ResultValue, Value } from "../../ir/graph.ts";
import type { MemoryPlan, Place } from "../../ir/memory-plan.ts";
import { isLoop } from "../../ir/ops/scan.ts";
import { mapBodies } from "../map-graph.ts";
import { definePass } from "../pass.ts";
import { bytesOfType, carriesOf, type Slots, stepOf } from "./carries.ts";
import { canWriteInPlace } from "./in-place.ts";
import { settleLoops } from "./settle-loops.ts";
import { updatesInPlace } from "./updates-in-place.ts";
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

interface Carry extends Slots {
  readonly storage: Storage;
}

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
