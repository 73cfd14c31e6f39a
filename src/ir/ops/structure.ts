// Operations that stand for graphs: gradients before they are worked out, and groups of nodes that become one kernel.

import { attribute } from "../attributes.ts";
import { isFloat } from "../dtype.ts";
import { defineOp, InferenceError } from "../op.ts";
import { formatType } from "./checks.ts";

const gradient = defineOp({
  name: "gradient",
  doc:
    "The gradients of `loss`, a floating-point scalar, with respect to each of `wrt`. The pass `differentiate` puts the nodes that " +
    "compute them in its place; it may be nested.",
  inputs: ["loss", "...wrt"],
  attributes: {},
  infer: ([loss, ...wrt]) => {
    if (loss!.shape.length > 0 || !isFloat(loss!.dtype))
      throw new InferenceError(`a gradient is taken of a floating-point scalar, not of ${formatType(loss!)}`, 0);
    wrt.forEach((type, i) => {
      if (!isFloat(type.dtype))
        throw new InferenceError(
          `there is no gradient with respect to ${formatType(type)}: it is not made of floats`,
          i + 1,
        );
    });
    return wrt;
  },
  evaluate: () => {
    throw new Error("gradient has no meaning of its own: run the pass `differentiate` first");
  },
  lower: { kind: "removed", by: "differentiate" },
  flops: () => 0,
  samples: [],
});

const fusion = defineOp({
  name: "fusion",
  doc:
    "A group of nodes, its body, that becomes one kernel: an elementwise loop, a reduction with what precedes and follows it, a " +
    "contraction with its epilogue, passes over rows, attention, or a mixture: products with a matrix that is computed block by block. The passes `fuse` and `fuse-attention` make them.",
  inputs: ["...operands"],
  attributes: { kind: attribute.oneOf("loop", "reduction", "contraction", "row", "attention", "mixture") },
  infer: () => {
    throw new InferenceError("fusion takes its types from its body");
  },
  evaluate: () => {
    throw new Error("the interpreter runs the body of a fusion");
  },
  body: {
    differentiable: false,
    inputs: (operands) => operands,
    results: (_operands, _attributes, outputs) => outputs,
    evaluate: (operands, _attributes, _results, run) => run(operands, {}),
  },
  lower: { kind: "removed", by: "lower" },
  samples: [],
});

export const structureOperations = [gradient, fusion];
