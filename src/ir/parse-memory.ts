// Reads the memory plan that stands after a graph in the text form.

import type { Graph } from "./graph.ts";
import type { MemoryPlan, Place, PlannedBuffer } from "./memory-plan.ts";
import { readDim, readInteger, readName, type Scanner } from "./scan.ts";

/** The plan of `graph`, if one comes next. */
export function readMemory(scanner: Scanner, graph: Graph): MemoryPlan | undefined {
  if (!scanner.take("memory @")) return undefined;
  const name = readName(scanner, "the graph's name");
  if (name !== graph.name) throw scanner.error(`this memory plan belongs to ${name}, and stands after ${graph.name}`);
  scanner.expect("{");
  const buffers: PlannedBuffer[] = [];
  const places: Place[] = [];
  const inputs: Place[] = [];
  const inPlace: string[] = [];
  while (!scanner.take("}")) {
    if (scanner.take("buffer ")) buffers.push(readBuffer(scanner, buffers.length));
    else if (scanner.take("in_place")) {
      do {
        scanner.expect("@");
        inPlace.push(readName(scanner, "a name"));
      } while (scanner.take(","));
    } else if (scanner.take("given %")) {
      if (readName(scanner, "a name") !== graph.inputs[inputs.length]?.name)
        throw scanner.error("inputs are planned out of order");
      scanner.expect(":");
      inputs.push(readPlace(scanner));
    } else {
      scanner.expect("%");
      if (readInteger(scanner) !== places.length) throw scanner.error("results are planned out of order");
      scanner.expect(":");
      places.push(readPlace(scanner));
    }
  }
  const count = graph.nodes.reduce((sum, node) => sum + node.results.length, 0);
  if (places.length !== count) throw scanner.error(`${places.length} results are planned, and ${name} has ${count}`);
  let next = 0;
  const results = graph.nodes.map((node) => node.results.map(() => places[next++]!));
  return { buffers, results, ...(inputs.length > 0 ? { inputs } : {}), inPlace };
}

function readBuffer(scanner: Scanner, position: number): PlannedBuffer {
  if (readInteger(scanner) !== position) throw scanner.error("buffers are numbered out of order");
  scanner.expect(":");
  const bytes = readDim(scanner);
  scanner.expect("from");
  const first = readInteger(scanner);
  scanner.expect("to");
  return { bytes, first, last: readInteger(scanner) };
}

function readPlace(scanner: Scanner): Place {
  const offset = () => (scanner.take("at ") ? readDim(scanner) : 0);
  if (scanner.take("arena ")) return { kind: "arena", buffer: readInteger(scanner), offset: offset() };
  if (scanner.take("input %")) return { kind: "input", name: readName(scanner, "a name"), offset: offset() };
  scanner.expect("global @");
  return { kind: "global", name: readName(scanner, "a name"), offset: offset() };
}
