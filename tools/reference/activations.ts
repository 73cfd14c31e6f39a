// Activations: blocks of the standard library where it has them, their formulas where it has not.

import { numberOf, shapeOf, textOf } from "./case.ts";
import { float, formula, listText, type Recipe } from "./program.ts";

/** The axis of a softmax, moved to where the library's block takes it. */
const alongAxis =
  (block: string): Recipe =>
  (c) =>
    formula(`y = ${block}(x, axis: ${numberOf(c, "dim", -1)})`);

export const activations: Readonly<Record<string, Recipe>> = {
  relu: () => formula("y = relu(x)"),
  relu6: () => formula("y = relu6(x)"),
  leaky_relu: (c) => formula(`y = leaky_relu(x, slope: ${float(numberOf(c, "negative_slope", 0.01))})`),
  elu: (c) => formula(`y = elu(x, alpha: ${float(numberOf(c, "alpha", 1))})`),
  gelu: (c) => formula(`y = gelu(x, approximate: ${textOf(c, "approximate", "none") === "tanh"})`),
  gelu_tanh: () => formula("y = gelu(x, approximate: true)"),
  silu: () => formula("y = silu(x)"),
  swish: () => formula("y = silu(x)"),
  sigmoid: () => formula("y = sigmoid(x)"),
  tanh: () => formula("y = tanh(x)"),
  softplus: (c) => {
    const beta = float(numberOf(c, "beta", 1));
    return formula(`y = softplus(${beta} * x) / ${beta}`);
  },
  softmax: alongAxis("softmax"),
  log_softmax: alongAxis("log_softmax"),
  softmin: (c) => formula(`y = softmax(-x, axis: ${numberOf(c, "dim", -1)})`),
  logsigmoid: () => formula("y = log_sigmoid(x)"),
  mish: () => formula("y = mish(x)"),
  softsign: () => formula("y = softsign(x)"),
  selu: () => formula("y = selu(x)"),
  celu: (c) => formula(`y = celu(x, alpha: ${float(numberOf(c, "alpha", 1))})`),
  hardtanh: (c) => {
    const [low, high] = [float(numberOf(c, "min_val", -1)), float(numberOf(c, "max_val", 1))];
    return formula(`y = clip(x, ${low}, ${high})`);
  },
  hardsigmoid: () => formula("y = hard_sigmoid(x)"),
  hardswish: () => formula("y = hard_silu(x)"),
  hardshrink: (c) => formula(`y = hard_shrink(x, edge: ${float(numberOf(c, "lambd", 0.5))})`),
  softshrink: (c) => formula(`y = soft_shrink(x, edge: ${float(numberOf(c, "lambd", 0.5))})`),
  tanhshrink: () => formula("y = x - tanh(x)"),
  threshold: (c) =>
    formula(`y = where(x > ${float(numberOf(c, "threshold", 0))}, x, ${float(numberOf(c, "value", 0))})`),
  glu: (c) => formula(`y = glu(x, axis: ${numberOf(c, "dim", -1)})`),
  // One slope for each channel, which is axis 1.
  prelu: (c) => {
    const shape = shapeOf(c, "x").map((_, axis) => (axis === 1 ? shapeOf(c, "w")[0]! : 1));
    return formula(`slope = reshape(w, ${listText(shape)})\ny = where(x > 0, x, slope * x)`);
  },
  normalize: (c) => {
    const norm = `sqrt(sum(x * x, axis: ${numberOf(c, "dim", 1)}, keepdims: true))`;
    return formula(`y = x / maximum(${norm}, ${numberOf(c, "eps", 1e-12)})`);
  },
};
