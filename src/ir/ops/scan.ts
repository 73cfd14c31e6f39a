// Loops over the steps of sequences, as nodes with a body. `scan` says which sequences are walked, so that gradients and other
// rewrites know; `loop` is what becomes of it before lowering: a body that reads and writes whole tensors at the step's place.

import { attribute } from "../attributes.ts";
import { equalShapes } from "../dim.ts";
import { formatType, type Graph, type Node, type TensorType, type Value } from "../graph.ts";
import { defineOp, InferenceError, type ReferenceTensor } from "../op.ts";
import { countOf, makeTensor, numberOf } from "../reference.ts";
import { requireAxis, requireEqual } from "./checks.ts";

const sliced = ({ dtype, shape }: TensorType, axis: number): TensorType => ({
  dtype,
  shape: shape.filter((_, at) => at !== axis),
});

/** What is carried keeps its type from step to step. */
function requireCarries(op: string, first: readonly TensorType[], next: readonly TensorType[]): void {
  if (next.length < first.length) throw new InferenceError(`${op}: the body gives back less than is carried`);
  first.forEach((type, i) => {
    const after = next[i]!;
    if (type.dtype !== after.dtype || !equalShapes(type.shape, after.shape))
      throw new InferenceError(`${op}: what is carried begins as ${formatType(type)} and becomes ${formatType(after)}`);
  });
}

function sliceAt({ dtype, shape, data }: ReferenceTensor, axis: number, at: number): ReferenceTensor {
  const [outer, inner] = [countOf(shape.slice(0, axis)), countOf(shape.slice(axis + 1))];
  const part = new Float64Array(outer * inner);
  for (let i = 0; i < outer; i++) {
    const from = (i * shape[axis]! + at) * inner;
    part.set(data.subarray(from, from + inner), i * inner);
  }
  return { dtype, shape: shape.filter((_, i) => i !== axis), data: part };
}

/** Runs the steps in order; gives the last carries, then the stacked yields, of the types `results`. */
function runSteps(
  first: readonly ReferenceTensor[],
  results: readonly { readonly dtype: TensorType["dtype"]; readonly shape: readonly number[] }[],
  order: { readonly length: number; readonly reversed: boolean },
  step: (at: number, carries: readonly ReferenceTensor[]) => readonly ReferenceTensor[],
): readonly ReferenceTensor[] {
  const stacks = results.slice(first.length).map(({ dtype, shape }) => makeTensor(dtype, shape, () => 0));
  let carries = first;
  for (let i = 0; i < order.length; i++) {
    const at = order.reversed ? order.length - 1 - i : i;
    const given = step(at, carries);
    carries = given.slice(0, first.length);
    given.slice(first.length).forEach(({ data }, y) => {
      stacks[y]!.data.set(data, at * data.length);
    });
  }
  return [...carries, ...stacks];
}

const scan = defineOp({
  name: "scan",
  doc:
    "Runs its body once for each step of one or more sequences, in order or, `reversed`, from the last step to the first. Operands: as " +
    "many sequences as there are `axes`, of which the body sees the slice at the step; the first values of what is carried (`carries` of " +
    "them); then what every step sees alike. The body gives back the new carries, then what it yields. Results: the last carries, then " +
    "the yields of all `length` steps, stacked along a new first axis in the order of the sequence. The gradient is a scan in the other " +
    "direction over what the steps left behind; with `recompute` it keeps what was carried alone and computes the rest anew.",
  inputs: ["...operands"],
  attributes: {
    axes: attribute.ints,
    carries: attribute.int,
    length: attribute.dim,
    reversed: attribute.bool,
    recompute: attribute.bool,
  },
  infer: () => {
    throw new InferenceError("scan takes its types from its body");
  },
  evaluate: () => {
    throw new Error("the interpreter runs the body of a scan");
  },
  body: {
    differentiable: true,
    inputs: (operands, { axes, length }) =>
      operands.map((type, i) => {
        const axis = axes[i];
        if (axis === undefined) return type;
        requireAxis("scan", type, axis, i);
        requireEqual("scan", "the lengths of a sequence and of the scan", type.shape[axis]!, length, i);
        return sliced(type, axis);
      }),
    results: (operands, { axes, carries, length }, outputs) => {
      const first = operands.slice(axes.length, axes.length + carries);
      requireCarries("scan", first, outputs);
      return outputs.map((type, i) => (i < carries ? type : { dtype: type.dtype, shape: [length, ...type.shape] }));
    },
    evaluate: (operands, { axes, carries, length, reversed }, results, run) => {
      const first = operands.slice(axes.length, axes.length + carries);
      const shared = operands.slice(axes.length + carries);
      return runSteps(first, results, { length: numberOf(length), reversed }, (at, now) =>
        run([...axes.map((axis, i) => sliceAt(operands[i]!, axis, at)), ...now, ...shared], {}),
      );
    },
  },
  lower: { kind: "removed", by: "open-scans" },
  samples: [],
});

const loop = defineOp({
  name: "loop",
  doc:
    "Runs its body `extent` times. In the body the name `index` is a size, from 0 up to `extent` - 1, or down to 0 where `reversed`: " +
    "slices take their place from it. Operands: the first values of what is carried, then what every step sees alike. What the body gives " +
    "back and the results are those of scan. The pass `open-scans` makes them of scans.",
  inputs: ["...operands"],
  attributes: {
    index: attribute.name,
    extent: attribute.dim,
    carries: attribute.int,
    reversed: attribute.bool,
  },
  infer: () => {
    throw new InferenceError("loop takes its types from its body");
  },
  evaluate: () => {
    throw new Error("the interpreter runs the body of a loop");
  },
  body: {
    differentiable: false,
    inputs: (operands) => operands,
    results: (operands, { carries, extent }, outputs) => {
      requireCarries("loop", operands.slice(0, carries), outputs);
      return outputs.map((type, i) => (i < carries ? type : { dtype: type.dtype, shape: [extent, ...type.shape] }));
    },
    evaluate: (operands, { index, extent, carries, reversed }, results, run) => {
      const shared = operands.slice(carries);
      return runSteps(operands.slice(0, carries), results, { length: numberOf(extent), reversed }, (at, now) =>
        run([...now, ...shared], { [index]: at }),
      );
    },
  },
  lower: { kind: "removed", by: "lower" },
  samples: [],
});

export const scanOperations = [scan, loop];

/** Whether the node runs its body again and again. */
export const isLoop = ({ op }: Node): boolean => op === "scan" || op === "loop";

/** The parts of a scan or loop; a loop has no sequences. */
export interface ScanParts {
  readonly body: Graph;
  readonly axes: readonly number[];
  readonly sequences: readonly Value[];
  /** First values of the carries. */
  readonly first: readonly Value[];
  /** What every step sees alike. */
  readonly shared: readonly Value[];
}

export function partsOfScan({
  op,
  inputs,
  attributes,
  body,
}: Pick<Node, "op" | "inputs" | "attributes" | "body">): ScanParts {
  const { axes = [], carries } = attributes;
  if (!body || !attribute.ints.is(axes) || !attribute.int.is(carries ?? "")) throw new TypeError(`${op} is no scan`);
  const from = axes.length;
  const to = from + Number(carries);
  return { body, axes, sequences: inputs.slice(0, from), first: inputs.slice(from, to), shared: inputs.slice(to) };
}
