// One node of a graph as one kernel: a buffer for each distinct operand and each result, and the body by the kind of its loops.

import { addDims, type Dim, multiplyDims, productOf } from "../../ir/dim.ts";
import { bytesOf } from "../../ir/dtype.ts";
import type { Node, ResultValue, Value } from "../../ir/graph.ts";
import { k } from "../../ir/kernel/build.ts";
import type { BufferParameter, Expr, Kernel, Stmt } from "../../ir/kernel/types.ts";
import { eachPartIn } from "../../ir/kernel/visit.ts";
import { operation } from "../../ir/ops/index.ts";
import { type Iteration, iterationOf } from "../graph/iteration.ts";
import type { TileTable } from "../schedule/tiles.ts";
import { identityOf, operandsOf } from "./alike.ts";
import { attentionIn, lowerAttention } from "./attention.ts";
import type { Ahead, Draft } from "./draft.ts";
import { createElements, linearIndex } from "./elements.ts";
import { isFlatLoop, lowerCopy, lowerLoop, lowerStatements } from "./loop.ts";
import { lowerMixtures, mixturesIn } from "./mixture.ts";
import { bufferName, createFresh, describe, kernelName } from "./names.ts";
import { lowerReduction } from "./reduction.ts";
import { lowerRow } from "./row.ts";
import { sizesIn } from "./sizes.ts";

/** A kernel, and those that run before it whenever what it is given by them has changed. */
export interface LoweredNode {
  readonly kernel: Kernel;
  /** Each writes one buffer, the last of its own, which the kernel reads under the same name. */
  readonly ahead: readonly Kernel[];
}

export interface LowerNodeOptions {
  readonly tiles: TileTable;
  /** Makes names of kernels, unique in the module. */
  readonly freshKernel: (stem: string) => string;
  /** Which operands are the same from run to run; without it, nothing is made ahead of runs. */
  readonly isSettled?: (operand: Value) => boolean;
}

/**
 * The kernel of a node, with a buffer for each of `operandsOf(node)`, then one for each result, then those that are made ahead of runs.
 */
export function lowerNode(node: Node, { tiles, freshKernel, isSettled }: LowerNodeOptions): LoweredNode {
  const nodes = node.body?.nodes ?? [node];
  const outputs = (node.body?.outputs.map((output) => output.value) ?? node.results).map((value): ResultValue => {
    if (value.kind === "result") return value;
    throw new TypeError(`${node.op} gives back ${value.kind === "literal" ? "a literal" : value.name} as it is`);
  });
  const attention = node.attributes.kind === "attention" ? attentionIn(nodes) : undefined;
  const mixtures = node.attributes.kind === "mixture" ? mixturesIn(nodes) : undefined;
  const iteration = attention || mixtures ? undefined : iterationOf(nodes, outputs);
  const copies = !iteration && operation(node.op)?.lower.kind === "view";
  const flat = copies || (iteration?.kind === "loop" && isFlatLoop(nodes, iteration));

  const sizes = sizesOf(node, nodes);
  const fresh = createFresh(new Set(sizes));
  const buffers: { name: string; value: Value }[] = [];
  const byValue = new Map<string | Value, string>();
  node.inputs.forEach((operand, i) => {
    if (operand.kind === "literal") return;
    const key = identityOf(operand);
    let name = byValue.get(key);
    if (name === undefined) {
      name = fresh(node.body ? bufferName(node.body.inputs[i]!) : bufferName(operand));
      byValue.set(key, name);
      buffers.push({ name, value: operand });
    }
    const inner = node.body?.inputs[i];
    byValue.set(operand, name);
    if (inner) byValue.set(inner, name);
  });
  const literals = new Map<Value, Expr>();
  node.body?.inputs.forEach((input, i) => {
    const operand = node.inputs[i];
    if (operand?.kind === "literal") literals.set(input, k.constant(operand.value, operand.type.dtype));
  });
  const results = node.results.map((result) => ({
    name: fresh(node.results.length === 1 ? "y" : `y${result.index}`),
    value: result,
  }));

  const position = (index: readonly Expr[], shape: readonly Dim[]): Expr =>
    flat && shape.length > 0 ? index[0]! : linearIndex(index, shape);
  const elements = createElements((value, index) => {
    const name = byValue.get(value);
    if (name === undefined) return literals.get(value);
    return k.load(name, position(index, value.type.shape), value.type.dtype);
  });
  let readsBack = false;
  const schedule: string[] = [];
  const arrays: Ahead[] = [];
  const settled = new Set(isSettled ? buffers.filter(({ value }) => isSettled(value)).map(({ name }) => name) : []);
  const draft: Draft = {
    note: (line) => schedule.push(line),
    nodes,
    outputs,
    elements,
    tiles,
    flat,
    ...(settled.size > 0 ? { isSettled: (name: string) => settled.has(name) } : {}),
    makeAhead: (array) => arrays.push(array),
    fresh,
    store: (i, index, value) => k.store(results[i]!.name, position(index, results[i]!.value.type.shape), value),
    stored: (i, index) => {
      readsBack = true;
      const { name, value } = results[i]!;
      return k.load(name, position(index, value.type.shape), value.type.dtype);
    },
  };
  const body = attention
    ? lowerAttention(draft, attention)
    : mixtures
      ? lowerMixtures(draft, mixtures)
      : iteration
        ? lowerBody(draft, iteration)
        : copies
          ? lowerCopy(draft, node)
          : lowerStatements(draft);

  const parameter = (name: string, value: Value, access: BufferParameter["access"]): BufferParameter => ({
    name,
    dtype: value.type.dtype,
    length: productOf(value.type.shape),
    access,
  });
  const common = { doc: describe(node), location: node.location, sizes };
  const reads = buffers.map(({ name, value }) => parameter(name, value, "read"));
  const kernel: Kernel = {
    ...common,
    name: freshKernel(kernelName(node)),
    buffers: [
      ...reads,
      ...results.map(({ name, value }) => parameter(name, value, readsBack ? "read_write" : "write")),
      ...arrays.map(({ name, dtype, length }): BufferParameter => ({ name, dtype, length, access: "read" })),
    ],
    body,
    cost: { flops: flopsOf(nodes), bytes: bytesOfAll([...readBy(node), ...node.results]) },
    ...(schedule.length === 0 ? {} : { schedule }),
  };
  const ahead = arrays.map(({ name, dtype, length, fill }): Kernel => {
    const used = new Set<string>();
    eachPartIn(fill, (part) => part.kind === "load" && used.add(part.buffer));
    return {
      ...common,
      sizes: [],
      name: freshKernel(`${kernelName(node)}_${name}`),
      doc: `ahead of ${kernel.name}`,
      buffers: [...reads.filter((read) => used.has(read.name)), { name, dtype, length, access: "write" }],
      body: fill,
      cost: { flops: 0, bytes: 2 * bytesOf[dtype] * length },
    };
  });
  return { kernel, ahead };
}

function lowerBody(draft: Draft, iteration: Iteration): readonly Stmt[] {
  switch (iteration.kind) {
    case "loop":
      return lowerLoop(draft, iteration);
    case "row":
      return lowerRow(draft, iteration);
    case "reduction":
    case "contraction":
      return lowerReduction(draft, iteration);
  }
}

/** Arithmetic of all nodes; movement costs none. */
function flopsOf(nodes: readonly Node[]): Dim {
  return nodes
    .map((node): Dim => {
      const definition = operation(node.op);
      const [inputs, results] = [node.inputs.map((v) => v.type), node.results.map((v) => v.type)];
      if (definition?.flops) return definition.flops(inputs, results, node.attributes);
      return results.map((type) => productOf(type.shape)).reduce<Dim>(addDims, 0);
    })
    .reduce<Dim>(addDims, 0);
}

/** What the node reads of its operands: the whole, or, of those that are only sliced, the slices. */
function readBy(node: Node): readonly Value[] {
  const nodes = node.body?.nodes ?? [node];
  return operandsOf(node).flatMap((operand) => {
    const own = node.body ? node.body.inputs.filter((_, i) => node.inputs[i] === operand) : [operand];
    const readers = nodes.filter(({ inputs }) => inputs.some((value) => own.includes(value)));
    return readers.length > 0 && readers.every(({ op }) => op === "slice")
      ? readers.flatMap(({ results }) => results)
      : [operand];
  });
}

const bytesOfAll = (values: readonly Value[]): Dim =>
  values.map(({ type }) => multiplyDims(bytesOf[type.dtype], productOf(type.shape))).reduce<Dim>(addDims, 0);

/** The free sizes that shapes and attributes mention. */
function sizesOf(node: Node, nodes: readonly Node[]): string[] {
  const sizes = new Set<string>();
  for (const inner of [node, ...nodes]) {
    for (const { type } of [...inner.inputs, ...inner.results]) {
      for (const name of sizesIn(type.shape)) sizes.add(name);
    }
    for (const attribute of Object.values(inner.attributes)) for (const name of sizesIn(attribute)) sizes.add(name);
  }
  return [...sizes];
}
