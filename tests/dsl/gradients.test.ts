// Every block of the library that gradients flow through: its gradient against central differences in float64.

import { describe, expect, it } from "vitest";
import { std } from "../../src/dsl/std.generated.ts";
import type { Module } from "../../src/ir/graph.ts";
import { initialOf, moduleOf, runGraph, type Tensors } from "./elaborated.ts";

/** A loss with a distinct weight for each element, so that no error cancels out. */
const weighted = (value: string): string => `z = ${value}
  weights = sin(reshape(arange(size(z)), shape(z)) + 1)
  loss = sum(z * weights)`;

/** `x` is a parameter; with the optimizer w - g, what an update takes off is the gradient. */
const program = (shape: string, body: string): string => `
optimizer plain(w, g) = w - g
model M(unused: f32[1]) -> (loss: f32[]) {
  param x: f32${shape} ~ normal(0, 1)
  ${body}
}
train M {
  data: rows(unused: [[0]])
  loss: loss
  optimizer: plain
}`;

const inputs = { unused: { dtype: "f32", shape: [1], data: Float64Array.of(0) } } as const;

const lossAt = (module: Module, globals: Tensors): number =>
  runGraph(module, "train_step", inputs, globals).outputs.loss!.data[0]!;

/** The relative error of each parameter's gradient, in the Euclidean norm. */
function gradientErrors(text: string): Map<string, number> {
  const module = moduleOf(text);
  const globals = initialOf(module, 3);
  const { updates } = runGraph(module, "train_step", inputs, globals);
  const errors = new Map<string, number>();
  for (const [name, { role }] of module.globals) {
    if (role !== "parameter") continue;
    const present = globals.get(name)!;
    let difference = 0;
    let size = 0;
    present.data.forEach((value, i) => {
      const exact = value - updates.get(name)!.data[i]!;
      const at = (shift: number): number => {
        const data = Float64Array.from(present.data);
        data[i] = value + shift;
        return lossAt(module, new Map([...globals, [name, { ...present, data }]]));
      };
      const step = 1e-4;
      // Fourth order, so that the error of the difference stays far below the tolerance.
      const central = (8 * (at(step) - at(-step)) - (at(2 * step) - at(-2 * step))) / (12 * step);
      difference += (exact - central) ** 2;
      size += central ** 2;
    });
    errors.set(name, Math.sqrt(difference) / Math.max(Math.sqrt(size), 1e-3));
  }
  return errors;
}

const expectRight = (text: string): void => {
  for (const [name, error] of gradientErrors(text)) expect(error, name).toBeLessThan(1e-6);
};

const smooth: Record<string, string> = {
  square: "square(x)",
  "elu below 0": "elu(-square(x) - 0.1)",
  gelu: "gelu(x)",
  "gelu, approximate": "gelu(x, approximate: true)",
  sigmoid: "sigmoid(x)",
  log_sigmoid: "log_sigmoid(x)",
  mish: "mish(x)",
  glu: "glu(x)",
  silu: "silu(x)",
  softplus: "softplus(x)",
  softmax: "softmax(x)",
  "softmax over axis 0": "softmax(x, axis: 0)",
  log_softmax: "log_softmax(x)",
  dense: "dense(x, 3)",
  layer_norm: "layer_norm(x)",
  batch_norm: "batch_norm(x)",
  cross_entropy: "reshape(cross_entropy(x, array([1, 0, 3], dtype: i32)), [1])",
  "cross_entropy, ignore": "reshape(cross_entropy(x, array([1, -1, 3], dtype: i32), ignore: -1), [1])",
  "cross_entropy, one-hot": "reshape(cross_entropy(x, one_hot(array([1, 0, 3], dtype: i32), 4)), [1])",
  binary_cross_entropy: "reshape(binary_cross_entropy(x, sigmoid(sin(x))), [1])",
  mean_squared_error: "reshape(mean_squared_error(x, sin(x)), [1])",
  "cross_entropy, smoothed and weighted":
    "reshape(cross_entropy(x, array([1, 0, 3], dtype: i32), smoothing: 0.1, class_weights: arange(4) + 1), [1])",
  "cross_entropy, rows weighted":
    "reshape(cross_entropy(x, array([1, -1, 3], dtype: i32), ignore: -1, row_weights: arange(3) + 1), [1])",
  focal_loss: "reshape(focal_loss(x, array([1, 0, 3], dtype: i32)), [1])",
  "binary_cross_entropy, weighted": "reshape(binary_cross_entropy(x, sigmoid(sin(x)), positive_weight: 3), [1])",
  log_cosh: "reshape(log_cosh(x, sin(x)), [1])",
  poisson_loss: "reshape(poisson_loss(x, cos(x)), [1])",
  dice_loss: "reshape(dice_loss(x, sigmoid(sin(x))), [1])",
  weighted_mean: "reshape(weighted_mean(x[0], square(x[1])), [1])",
  smoothed: "smoothed(square(x), 0.2)",
  l2: "reshape(l2(0.3), [1])",
  orthogonal_penalty: "reshape(orthogonal_penalty(0.3), [1])",
  sharpness: "reshape(sharpness(sum(sin(x)), 0.3), [1])",
  logsumexp: "logsumexp(x)",
  "logsumexp over axis 0": "logsumexp(x, axis: 0)",
  lgamma: "lgamma(x)",
  digamma: "digamma(square(x) + 0.1)",
  erfinv: "erfinv(0.8 * tanh(x))",
  normal_cdf: "normal_cdf(x)",
  rms_norm: "rms_norm(x)",
  standardized: "standardized(x, [0])",
  unit_length: "unit_length(x)",
  kl_divergence: "reshape(kl_divergence(log_softmax(x), log_softmax(sin(x))), [1])",
  cosine_similarity: "cosine_similarity(x, x[::-1])",
  cosine_loss: "reshape(cosine_loss(x, x[::-1]), [1])",
  distance: "distance(x, sin(3 * x))",
  info_nce: "reshape(info_nce(x, cos(x)), [1])",
  contrastive_loss: "reshape(contrastive_loss(x, cos(x), array([1, 0, 1]), margin: 9), [1])",
  solve: "solve(x[:, :3], x[:, 3:])",
  linear_along: "linear_along(x, 7, axis: 1) + linear_along(x, 7, axis: 1, align_corners: true)",
  ctc_loss: "reshape(ctc_loss(reshape(x, [1, 4, 3]), array([[1, 1]], dtype: i32)), [1])",
  "ctc_loss, shorter":
    "reshape(ctc_loss(reshape(x, [2, 3, 2]), array([[1, 0], [1, 1]], dtype: i32), times: array([2, 3], dtype: i32), lengths: array([1, 2], dtype: i32)), [1])",
  "attend, masked":
    "attend(reshape(x, [1, 3, 2, 2]), reshape(sin(x), [1, 3, 2, 2]), reshape(cos(x), [1, 3, 2, 2]), mask: array([[1, 1, 0]]) > 0)",
  "attend, causal":
    "attend(reshape(x, [1, 3, 2, 2]), reshape(sin(x), [1, 3, 2, 2]), reshape(cos(x), [1, 3, 2, 2]), causal: true)",
  multi_head_attention: "multi_head_attention(reshape(x, [1, 3, 4]), heads: 2, causal: true, rotary: true)",
  "multi_head_attention, cross":
    "multi_head_attention(reshape(x, [1, 3, 4]), memory: reshape(cos(x), [1, 3, 4]), heads: 2, bias: false)",
  rotary_positions: "rotary_positions(reshape(x, [1, 3, 1, 4]), start: 2)",
  gaussian_noise: "gaussian_noise(x, 0.3)",
  roll: "roll(x, 1, axis: 0)",
  tile: "tile(x, 2)",
  cumsum: "cumsum(x)",
  average_pool1d: 'average_pool1d(reshape(x, [1, 6, 2]), 3, stride: 2, padding: "same")',
  global_average_pool1d: "global_average_pool1d(reshape(x, [2, 3, 2]))",
  conv1d: 'conv1d(reshape(x, [1, 6, 2]), 3, kernel: 2, padding: "causal", dilation: 2)',
  affine_grid: "affine_grid(reshape(x, [2, 2, 3]), 2)",
  "grid_sample, of places":
    "grid_sample(reshape(sin(arange(9) + 1), [1, 3, 3, 1]), reshape(0.1 * tanh(x) + 0.2, [1, 3, 2, 2]))",
};

const recurrent: Record<string, string> = {
  simple_rnn: "simple_rnn(reshape(x, [1, 3, 4]), 2)",
  "simple_rnn, reversed": "simple_rnn(reshape(x, [2, 3, 2]), 2, reversed: true, last: true, activation: sin)",
  gru: "gru(reshape(x, [2, 3, 2]), 2, mask: array([[1, 1, 0], [1, 0, 0]]) > 0)",
  "gru, reversed": "gru(reshape(x, [1, 3, 4]), 2, reversed: true, bias: false)",
  lstm: "lstm(reshape(x, [1, 3, 4]), 2)",
  "lstm, reversed": "lstm(reshape(x, [2, 3, 2]), 2, reversed: true, mask: array([[1, 1, 0], [1, 1, 1]]) > 0)",
  bidirectional: "bidirectional(reshape(x, [2, 3, 2]), gru, 2, last: true)",
  gru_step: "gru_step(x[:, :3], sin(x[:, 1:]), x[:, :1])",
  lstm_step: "concatenate(lstm_step(x, x[:, :1]), axis: -1)",
  steps_to_keep: "steps_to_keep(reshape(x, [1, 3, 4]), none)",
  kept: "kept(x, sin(x), sin(arange(4)) > 0, true)",
  shown: "shown(x, sin(arange(4)) > 0, true)",
  last_or_all: "last_or_all(sin(x), reshape(x, [1, 3, 4]), true)",
};

const kinked: Record<string, string> = {
  relu: "relu(x)",
  relu6: "relu6(5 * x)",
  leaky_relu: "leaky_relu(x, slope: 0.2)",
  elu: "elu(x, alpha: 0.7)",
  celu: "celu(x, alpha: 0.7)",
  selu: "selu(x)",
  prelu: "prelu(x)",
  softsign: "softsign(x)",
  hard_tanh: "hard_tanh(x)",
  hard_sigmoid: "hard_sigmoid(3 * x)",
  hard_silu: "hard_silu(3 * x)",
  hard_shrink: "hard_shrink(x)",
  soft_shrink: "soft_shrink(x)",
  dropout: "dropout(x, 0.4)",
  spatial_dropout: "spatial_dropout(x, 0.4)",
  drop_path: "drop_path(x, 0.4)",
  mean_absolute_error: "reshape(mean_absolute_error(x, zeros([3, 4])), [1])",
  huber: "reshape(huber(x, zeros([3, 4]), delta: 0.5), [1])",
  quantile_loss: "reshape(quantile_loss(x, zeros([3, 4]), level: 0.3), [1])",
  elastic_net: "reshape(elastic_net(0.3, 0.2), [1])",
  triplet_loss: "reshape(triplet_loss(x, sin(x), cos(x), margin: 0.5), [1])",
  ranking_loss: "reshape(ranking_loss(x, zeros([3, 4]), ones([3, 4]), margin: 0.3), [1])",
  sort: "sort(x, axis: 0)",
  topk: "topk(x, 2)[0]",
  hinge: "reshape(hinge(x, ones([3, 4])), [1])",
  l1: "reshape(l1(0.3), [1])",
  clip: "clip(x, -0.5, 0.5)",
  max_pool1d: "max_pool1d(reshape(x, [1, 6, 2]), 2)",
  global_max_pool1d: "global_max_pool1d(reshape(x, [2, 3, 2]))",
};

const images: Record<string, string> = {
  conv2d: "conv2d(x, 3, kernel: 3)",
  "conv2d, strides, same": 'conv2d(x, 2, kernel: [3, 2], stride: 2, padding: "same")',
  "conv2d, dilated, padded, grouped": "conv2d(x, 4, kernel: 2, dilation: 2, padding: 1, groups: 2)",
  depthwise_conv2d: 'depthwise_conv2d(x, kernel: 3, multiplier: 2, padding: "same")',
  max_pool2d: "max_pool2d(x, 2)",
  "max_pool2d, overlapping": 'max_pool2d(x, 3, stride: 2, padding: "same")',
  average_pool2d: "average_pool2d(x, 2)",
  "average_pool2d, same": 'average_pool2d(x, 3, stride: 2, padding: "same")',
  global_average_pool2d: "global_average_pool2d(x)",
  global_max_pool2d: "global_max_pool2d(x)",
  flatten: "flatten(x)",
  "batch_norm of images": "batch_norm(x)",
  group_norm: "group_norm(x, 2)",
  instance_norm: "instance_norm(x)",
  separable_conv2d: 'separable_conv2d(x[:1], 3, kernel: 3, padding: "same")',
  conv2d_transpose: "conv2d_transpose(x[:1, :3, :2], 2, kernel: 3, stride: 2)",
  "conv2d_transpose, same": 'conv2d_transpose(x[:1, :3, :2], 2, kernel: 3, stride: 2, padding: "same")',
  "conv2d_transpose, padded": "conv2d_transpose(x[:1], 2, kernel: [3, 2], padding: 1)",
  "resize2d, nearest": 'resize2d(x, [3, 7], method: "nearest")',
  "resize2d, bilinear": "resize2d(x, [7, 3])",
  upsample2d: "upsample2d(x, 2)",
  pixel_shuffle: "pixel_shuffle(concatenate([x, x], axis: 3), 2)",
  pixel_unshuffle: "pixel_unshuffle(x[:, :4, :4], 2)",
  adaptive_average_pool2d: "adaptive_average_pool2d(x, [3, 3])",
  adaptive_max_pool2d: "adaptive_max_pool2d(x, [3, 3])",
  grid_sample: "grid_sample(x, reshape(sin(2 * arange(24)), [2, 3, 2, 2]), border: true)",
  "grid_sample, zeros": "grid_sample(x, reshape(1.5 * sin(2 * arange(24)), [2, 3, 2, 2]), align_corners: true)",
};

/** The images' blocks without a kink, whose second derivatives are tried too. */
const smoothImages = [
  "conv2d",
  "depthwise_conv2d",
  "average_pool2d",
  "global_average_pool2d",
  "flatten",
  "group_norm",
  "instance_norm",
  "conv2d_transpose",
  "resize2d, bilinear",
] as const;

describe("gradients of the library's blocks", () => {
  it.each(Object.entries({ ...smooth, ...kinked, ...recurrent }))("%s", (_, value) => {
    expectRight(program("[3, 4]", weighted(value)));
  });

  it.each(Object.entries(images))("%s", (_, value) => {
    expectRight(program("[2, 5, 4, 2]", weighted(value)));
  });

  it("embedding", () => {
    expectRight(program("[2]", `${weighted("embedding(array([1, 0, 1], dtype: i32), 3, 2)")} + sum(x)`));
  });
});

describe("far from 0", () => {
  const activations = [...std["activations.dlm"]!.matchAll(/^block (\w+)/gm)].map(([, name]) => name!);

  it.each(activations)("the gradient of %s is finite", (name) => {
    const far = program(
      "[2, 4]",
      `far = x * 0 + array([[-1000, -100, -1, 0], [0.1, 1, 100, 1000]])\n  ${weighted(`${name}(far)`)}`,
    ).replace("loss = sum(z * weights)", "at_far = grad(sum(z * weights), far)\n  loss = sum(at_far * at_far)");
    const { outputs } = runGraph(moduleOf(far), "train_step", inputs, initialOf(moduleOf(far), 3));
    expect(outputs.loss!.data[0]).toBeGreaterThanOrEqual(0);
    expect(outputs.loss!.data[0]).toBeLessThan(Number.POSITIVE_INFINITY);
  });
});

it("no layer, activation or loss of the library is left out", () => {
  const others = ["initializers", "metrics", "optimizers", "schedules", "explanations"].map((name) => `${name}.dlm`);
  const declared = Object.entries(std).flatMap(([file, text]) =>
    others.includes(file) ? [] : [...text.matchAll(/^block (\w+)/gm)].map(([, name]) => name!),
  );
  const tried = Object.values({ ...smooth, ...kinked, ...images, ...recurrent }).join("\n");
  // `embedding` and `normalize` have tests of their own; the others are parts of those that are tried, or take no tensor.
  const parts = ["average", "nearest_along", "part_weights", "grid_positions", "unnormalized"];
  const elsewhere = ["embedding", "normalize", "sinusoidal_positions", ...parts];
  expect(declared.filter((name) => !new RegExp(`\\b${name}\\(`).test(tried))).toEqual(
    declared.filter((name) => elsewhere.includes(name)),
  );
});

describe("normalize", () => {
  it("takes its statistics for constants", () => {
    const module = moduleOf(program("[5, 2]", weighted("normalize(x)")));
    const globals = initialOf(module);
    const { updates } = runGraph(module, "train_step", inputs, globals);
    const x = globals.get("x")!;
    const distance = updates.get("normalize.distance")!.data;
    x.data.forEach((value, i) => {
      const gradient = value - updates.get("x")!.data[i]!;
      expect(gradient).toBeCloseTo(Math.sin(i + 1) / Math.sqrt(distance[i % 2]! / 5), 10);
    });
  });
});

describe("second derivatives", () => {
  const twice = (value: string): string =>
    `${weighted(value).replace("loss =", "inner =")}
  slope = grad(inner, x)
  loss = sum(slope * slope * cos(reshape(arange(size(x)), shape(x))))`;

  it.each(Object.entries(smooth))("%s", (_, value) => {
    expectRight(program("[3, 4]", twice(value)));
  });

  it.each(["lstm", "gru", "simple_rnn, reversed"] as const)("%s", (name) => {
    expectRight(program("[3, 4]", twice(recurrent[name]!)));
  });

  it.each(smoothImages)("%s", (name) => {
    expectRight(program("[1, 4, 4, 2]", twice(`square(${images[name]!})`)));
  });
});
