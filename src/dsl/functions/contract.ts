// Contractions and windows: `@`, and the functions on which dense layers, convolutions and pooling are written.

import { addDims, type Dim, equalDims, floorDivideDim, formatDim, multiplyDims, subtractDims } from "../../ir/dim.ts";
import type { Value } from "../../ir/graph.ts";
import { type Context, make, mistake } from "../context.ts";
import { broadcastShapes, broadcastTo, commonType } from "../tensors.ts";
import { formatType, tensor } from "../values.ts";
import { type Arguments, type Builtin, define } from "./define.ts";

/** NumPy's `@`: the last axis of x with the last but one of y; axes before them are batches and broadcast. */
export function matmul(c: Context, x: Value, y: Value): Value {
  commonType(c, [tensor(x), tensor(y)], "@");
  const [p, q] = [x.type.shape.length, y.type.shape.length];
  if (p === 0 || q === 0)
    throw mistake(c, "shape", `@ takes tensors with axes, not ${formatType(p === 0 ? x.type : y.type)}`, {
      help: "`*` multiplies by a scalar",
    });
  const right = q === 1 ? 0 : q - 2;
  const [inner, outer] = [x.type.shape[p - 1]!, y.type.shape[right]!];
  if (!equalDims(inner, outer))
    throw mistake(
      c,
      "shape",
      `@ contracts the last axis of the left side with axis ${right} of the right, and they differ`,
      {
        label: `${formatType(x.type)} @ ${formatType(y.type)}: ${formatDim(inner)} and ${formatDim(outer)}`,
      },
    );
  const dot = (a: Value, b: Value, batch: number, at: number): Value => {
    const axes = Array.from({ length: batch }, (_, i) => i);
    return make(c, "dot", [a, b], { batch: [axes, axes], contract: [[a.type.shape.length - 1], [at]] });
  };
  if (q <= 2) return dot(x, y, 0, right);
  if (p === 1) {
    // A vector on the left of a batch of matrices: the contraction leaves the batch axes of y in front.
    return make(c, "dot", [y, x], { batch: [[], []], contract: [[right], [0]] });
  }
  const batch = broadcastShapes(c, [x.type.shape.slice(0, -2), y.type.shape.slice(0, -2)], "@");
  const spread = (v: Value): Value => broadcastTo(c, v, [...batch, ...v.type.shape.slice(-2)]);
  return dot(spread(x), spread(y), batch.length, batch.length);
}

/** [low, high] for each spatial axis, from "valid", "same", a number or a list of numbers. */
function paddingOf(
  a: Arguments,
  sizes: readonly Dim[],
  windows: readonly Dim[],
  strides: readonly number[],
  dilation: readonly number[],
): Dim[][] {
  const given = a.value("padding");
  if (given.kind === "int" || given.kind === "list") {
    const numbers = a.dims("padding");
    if (numbers.length !== 1 && numbers.length !== sizes.length)
      throw a.wrong("padding", `padding should have one number for each of the ${sizes.length} spatial axes`);
    return sizes.map((_, i) => {
      const pad = numbers.length === 1 ? numbers[0]! : numbers[i]!;
      return [pad, pad];
    });
  }
  const text = a.text("padding");
  if (text === "valid") return sizes.map(() => [0, 0]);
  if (text !== "same") throw a.wrong("padding", `padding should be "valid", "same" or numbers, and is "${text}"`);
  return sizes.map((size, i) => {
    // Enough zeros that ceil(size / stride) windows fit; the odd one goes behind, as in TensorFlow.
    const extent = addDims(multiplyDims(subtractDims(windows[i]!, 1), dilation[i]!), 1);
    const stride = strides[i]!;
    if (stride === 1) {
      const total = subtractDims(extent, 1);
      const low = floorDivideDim(total, 2);
      return [low, subtractDims(total, low)];
    }
    if (typeof size !== "number" || typeof extent !== "number")
      throw a.wrong("padding", `"same" with a stride needs sizes known at compile time, and one is ${formatDim(size)}`);
    const total = Math.max(0, (Math.ceil(size / stride) - 1) * stride + extent - size);
    return [Math.floor(total / 2), total - Math.floor(total / 2)];
  });
}

function perAxis(a: Arguments, name: string, count: number): readonly number[] {
  const values = a.ints(name);
  if (values.length === 1) return Array.from({ length: count }, () => values[0]!);
  if (values.length !== count) throw a.wrong(name, `${name} should have ${count} numbers, one a spatial axis`);
  return values;
}

function convolution(a: Arguments, c: Context): Value {
  const [x, kernel] = [a.tensor("x"), a.tensor("kernel")];
  const rank = x.type.shape.length - 2;
  if (rank < 1 || rank > 3 || kernel.type.shape.length !== rank + 2)
    throw a.wrong(
      "kernel",
      `x and kernel should have 1 to 3 spatial axes and two more: ${formatType(x.type)}, ${formatType(kernel.type)}`,
    );
  const strides = perAxis(a, "stride", rank);
  const dilation = perAxis(a, "dilation", rank);
  const spatial = x.type.shape.slice(1, -1);
  const padding = paddingOf(a, spatial, kernel.type.shape.slice(0, rank), strides, dilation);
  const digits = Array.from({ length: rank }, (_, i) => i).join("");
  return make(c, "convolution", [x, kernel], {
    layout: `b${digits}f,${digits}io->b${digits}f`,
    strides,
    padding,
    lhs_dilation: strides.map(() => 1),
    rhs_dilation: dilation,
    groups: a.int("groups"),
    batch_groups: 1,
  });
}

function pool(a: Arguments, c: Context, kind: "sum" | "max" | "min"): Value {
  const x = a.tensor("x");
  const rank = x.type.shape.length - 2;
  if (rank < 1) throw a.wrong("x", `x should have a batch, spatial axes and channels, and is ${formatType(x.type)}`);
  const window = perAxis(a, "size", rank);
  const strides = a.given("stride") ? perAxis(a, "stride", rank) : window;
  const ones = window.map(() => 1);
  const padding = paddingOf(a, x.type.shape.slice(1, -1), window, strides, ones);
  return make(c, "reduce_window", [x], {
    kind,
    window: [1, ...window, 1],
    strides: [1, ...strides, 1],
    padding: [[0, 0], ...padding, [0, 0]],
    dilation: [1, ...ones, 1],
  });
}

export const contractFunctions: readonly Builtin[] = [
  define("matmul(x: tensor, y: tensor)", "The matrix product, as `x @ y`.", (a, c) =>
    tensor(matmul(c, a.tensor("x"), a.tensor("y"))),
  ),
  define(
    'convolution(x: tensor, kernel: tensor, stride: ints = 1, padding: string = "valid", dilation: ints = 1, groups: int = 1)',
    "Slides `kernel` [spatial…, in / groups, out] over `x` [N, spatial…, in], 1 to 3 spatial axes, without flipping it.",
    (a, c) => tensor(convolution(a, c)),
  ),
  define(
    'window_max(x: tensor, size: ints, stride: ints = none, padding: string = "valid")',
    "The greatest element of each window over the spatial axes of `x` [N, spatial…, C]. The stride is the size unless given.",
    (a, c) => tensor(pool(a, c, "max")),
  ),
  define(
    'window_sum(x: tensor, size: ints, stride: ints = none, padding: string = "valid")',
    "The sum of each window over the spatial axes of `x` [N, spatial…, C]; padding counts as 0.",
    (a, c) => tensor(pool(a, c, "sum")),
  ),
];
