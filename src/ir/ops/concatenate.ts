// Tensors put one after the other.

import { attribute } from "../attributes.ts";
import { addDims, type Dim, equalDims, subtractDims } from "../dim.ts";
import { k } from "../kernel/build.ts";
import type { Expr } from "../kernel/types.ts";
import { defineOp, InferenceError } from "../op.ts";
import { elementAt, makeTensor } from "../reference.ts";
import { formatType, requireAxis, requireSameDType } from "./checks.ts";
import { integers, normal } from "./samples.ts";

const concatenate = defineOp({
  name: "concatenate",
  doc: "The parts one after the other along `axis`; their other axes agree.",
  inputs: ["...parts"],
  attributes: { axis: attribute.int },
  infer: (parts, { axis }) => {
    const [first] = parts;
    if (!first) throw new InferenceError("concatenate takes at least one part");
    requireAxis("concatenate", first, axis);
    parts.forEach((part, i) => {
      requireSameDType("concatenate", first, part, i);
      const fits =
        part.shape.length === first.shape.length &&
        part.shape.every((dim, at) => at === axis || equalDims(dim, first.shape[at]!));
      if (!fits)
        throw new InferenceError(
          `concatenate: ${formatType(part)} differs from ${formatType(first)} in more than axis ${axis}`,
          i,
        );
    });
    const total = parts.map((part) => part.shape[axis]!).reduce<Dim>(addDims, 0);
    return [{ dtype: first.dtype, shape: first.shape.with(axis, total) }];
  },
  evaluate: (parts, { axis }, [type]) => [
    makeTensor(type!.dtype, type!.shape, (index) => {
      let at = index[axis]!;
      for (const part of parts) {
        if (at < part.shape[axis]!) return elementAt(part, index.with(axis, at));
        at -= part.shape[axis]!;
      }
      throw new RangeError("an index past the last part");
    }),
  ],
  differentiate: ({ inputs, cotangents: [d], attributes: { axis }, emit }) => {
    let at: Dim = 0;
    return inputs.map(({ type: { shape } }) => {
      const start = shape.map((_, i): Dim => (i === axis ? at : 0));
      at = addDims(at, shape[axis]!);
      const limit = shape.with(axis, at);
      return d && emit.value("slice", [d], { start, limit, stride: shape.map(() => 1) });
    });
  },
  lower: {
    kind: "element",
    element: (context, index) => {
      const { axis } = context.attributes;
      const at = index[axis]!;
      const sizes = context.inputTypes.map(({ shape }) => shape[axis]!);
      const starts = sizes.map((_, i) => k.fromDim(sizes.slice(0, i).reduce<Dim>(addDims, 0)));
      // From the last part backwards, so that each part asks only whether the index lies before the next one. The indices of
      // parts that are not chosen are kept in range, for targets that load from all of them.
      const part = (i: number): Expr => {
        const local = k.subtract(at, starts[i]!);
        const last = k.fromDim(subtractDims(sizes[i]!, 1));
        const clamped = k.maximum(k.minimum(local, last), 0);
        return context.input(i, index.with(axis, sizes.length === 1 ? local : clamped));
      };
      const present = sizes.map((_, i) => i).filter((i) => sizes[i] !== 0 || sizes.length === 1);
      const [final = 0, ...before] = present.toReversed();
      return before.reduce((rest, i) => {
        const end = k.add(starts[i]!, k.fromDim(sizes[i]!));
        return k.select(k.lt(at, end), part(i), rest);
      }, part(final));
    },
  },
  flops: () => 0,
  samples: [
    { inputs: [normal(3), normal(2)], attributes: { axis: 0 } },
    { inputs: [normal(2, 3), normal(2, 1), normal(2, 4)], attributes: { axis: 1 } },
    { inputs: [normal(2, 3, 2), normal(1, 3, 2)], attributes: { axis: 0 } },
    { inputs: [normal(2, 0), normal(2, 3)], attributes: { axis: 1 } },
    { inputs: [normal(4)], attributes: { axis: 0 } },
    { inputs: [integers(-9, 9, [2]), integers(-9, 9, [3])], attributes: { axis: 0 } },
  ],
});

export const concatenateOperations = [concatenate];
