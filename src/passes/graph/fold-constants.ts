// Computes at compile time what depends on no input: nodes over literals and small constants become literals,
// constants, or broadcasts of literals. Values are computed in float64, as the interpreter does.

import type { DType } from "../../ir/dtype.ts";
import type { Emit } from "../../ir/emit.ts";
import { type Graph, literal, type Node, type Value } from "../../ir/graph.ts";
import type { ReferenceTensor } from "../../ir/op.ts";
import { operation } from "../../ir/ops/index.ts";
import { createNames, printNode } from "../../ir/print.ts";
import { stored } from "../../ir/reference.ts";
import { type GraphWriter, mapGraph, withoutDeadNodes } from "../map-graph.ts";
import { definePass, mapGraphs } from "../pass.ts";

export const foldConstants = definePass({
  name: "fold-constants",
  doc: "Computes nodes whose operands are all known at compile time.",
  requires: ["differentiate"],
  options: { limit: { default: 256, doc: "the most elements that a folded result, or an operand, may have" } },
  run: (module, { options, recording, record }) =>
    mapGraphs(module, (graph) =>
      fold(graph, options.limit, (node, text) => {
        if (!recording) return;
        const before = printNode(node, createNames(), { locations: false });
        record({ rule: "fold", graph: graph.name, before, after: [text], location: node.location });
      }),
    ),
});

/** Operations that are themselves the form of a constant. */
const forms = new Set(["constant", "broadcast", "iota"]);

/** A value known at compile time. */
interface Known {
  readonly tensor: ReferenceTensor;
  /** Comes from an `iota`: computing it again inside a kernel costs less than reading it from memory. */
  readonly counted: boolean;
}

function fold(graph: Graph, limit: number, report: (node: Node, text: string) => void): Graph {
  const known = new Map<Value, Known>();
  const find = (value: Value): Known | undefined =>
    value.kind === "literal"
      ? { tensor: scalarTensor(value.value, value.type.dtype), counted: false }
      : known.get(value);

  function visit(node: Node, writer: GraphWriter): readonly Value[] {
    const operands = node.inputs.map(find).filter((operand) => operand !== undefined);
    if (operands.length < node.inputs.length) return writer.keep(node);
    const tensor = evaluate(
      node,
      operands.map((operand) => operand.tensor),
      limit,
    );
    if (!tensor) return writer.keep(node);
    const counted = node.op === "iota" || operands.some((operand) => operand.counted);
    const stays = isSplat(tensor) ? node.op === "broadcast" && tensor.shape.length > 0 : counted || forms.has(node.op);
    const [result] = stays ? writer.keep(node) : [constantOf(tensor, writer.emit)];
    known.set(result!, { tensor, counted: counted && !isSplat(tensor) });
    if (!stays) report(node, `${tensor.dtype}[${tensor.shape.join(", ")}]`);
    return [result!];
  }
  return withoutDeadNodes(mapGraph(graph, visit));
}

/**
 * The result of a node over operands that are known; undefined where it has none, depends on free sizes, or is too
 * large.
 */
function evaluate(node: Node, operands: readonly ReferenceTensor[], limit: number): ReferenceTensor | undefined {
  const definition = operation(node.op);
  const [result, ...others] = node.results;
  if (!definition || !result || others.length > 0 || node.body || node.op === "size_of") return undefined;
  const { dtype, shape: dims } = result.type;
  const shape = dims.filter((dim) => typeof dim === "number");
  if (shape.length < dims.length || shape.reduce((a, b) => a * b, 1) > limit) return undefined;
  if (operands.some(({ data }) => data.length > limit)) return undefined;
  const [value] = definition.evaluate(operands, node.attributes, [{ dtype, shape }]);
  return value && stored(value);
}

const scalarTensor = (value: number, dtype: DType): ReferenceTensor => ({
  dtype,
  shape: [],
  data: Float64Array.of(value),
});

const isSplat = ({ data }: ReferenceTensor): boolean => data.every((value) => Object.is(value, data[0]));

/** The shortest form of a tensor that is known. */
function constantOf(tensor: ReferenceTensor, emit: Emit): Value {
  const { dtype, shape, data } = tensor;
  const [first = 0] = data;
  if (shape.length === 0) return literal(first, dtype);
  if (isSplat(tensor)) return emit.full(first, { dtype, shape });
  return emit.value("constant", [], { values: [...data], shape, dtype });
}
