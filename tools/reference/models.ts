// Larger pieces: attention and transformer layers by primitives, recurrent cells, small networks, whole training runs, and
// second derivatives.

import { numberOf, type ReferenceCase, shapeOf, textOf } from "./case.ts";
import { float, formula, missing, type Program, type Recipe, typeText, type Weights } from "./program.ts";

/** PyTorch keeps the three projections of attention in one matrix [3·D, D], and all matrices as [out, in]. */
const attention = `
block attend(q: f32[N, H, T, E], k: f32[N, H, S, E], v: f32[N, H, S, E], causal: bool = false) {
  scores = q @ swapaxes(k, -1, -2) / sqrt(E)
  if causal {
    scores = where(lower_triangle(T), scores, -1e9)
  }
  weights = softmax(scores)
  (weights @ v, weights)
}

block multi_head(x: f32[N, T, D], memory: f32[N, S, D], w: f32[3 * D, D], b: f32[3 * D], out_w: f32[D, D],
                 out_b: f32[D], heads: int, causal: bool = false) {
  wq, wk, wv = split(w, 3, axis: 0)
  bq, bk, bv = split(b, 3, axis: 0)
  q = rearrange(x @ transpose(wq) + bq, "n t (h e) -> n h t e", h: heads)
  k = rearrange(memory @ transpose(wk) + bk, "n s (h e) -> n h s e", h: heads)
  v = rearrange(memory @ transpose(wv) + bv, "n s (h e) -> n h s e", h: heads)
  mixed, weights = attend(q, k, v, causal: causal)
  (rearrange(mixed, "n h t e -> n t (h e)") @ transpose(out_w) + out_b, weights)
}

block normed(x: f32[...B, D], w: f32[D], b: f32[D]) {
  away = x - mean(x, axis: -1, keepdims: true)
  away / sqrt(mean(away * away, axis: -1, keepdims: true) + 1e-5) * w + b
}
`;

/** Arguments of multi_head from parameters called `prefix_in_proj_weight` and so on. */
const projections = (prefix: string): string =>
  ["in_proj_weight", "in_proj_bias", "out_proj_weight", "out_proj_bias"].map((name) => `${prefix}_${name}`).join(", ");

const feedForward = (x: string, p: string, act: string): string =>
  `${act}(${x} @ transpose(${p}linear1_weight) + ${p}linear1_bias) @ transpose(${p}linear2_weight) + ${p}linear2_bias`;

const norm = (x: string, p: string): string => `normed(${x}, ${p}_weight, ${p}_bias)`;

function selfAttention(c: ReferenceCase): Program {
  const heads = numberOf(c, "heads", 1);
  return formula(
    [
      "sequence = swapaxes(x, 0, 1)",
      `mixed, weights = multi_head(sequence, sequence, ${projections("param")}, heads: ${heads})`,
      "y = swapaxes(mixed, 0, 1)",
      "w = mean(weights, axis: 1)",
    ].join("\n"),
    attention,
  );
}

function encoderLayer(c: ReferenceCase): Program {
  if (c.attributes.norm_first === true) return missing("only the layer that normalises afterwards is in the table");
  const attended = `multi_head(x, x, ${projections("param_self_attn")}, heads: ${numberOf(c, "heads", 1)})`;
  return formula(
    [
      `mixed, weights = ${attended}`,
      `first = ${norm("x + mixed", "param_norm1")}`,
      `y = ${norm(`first + ${feedForward("first", "param_", textOf(c, "act", "relu"))}`, "param_norm2")}`,
    ].join("\n"),
    attention,
  );
}

function decoderLayer(c: ReferenceCase): Program {
  const heads = numberOf(c, "heads", 1);
  return formula(
    [
      `mixed, weights = multi_head(x, x, ${projections("param_self_attn")}, heads: ${heads})`,
      `first = ${norm("x + mixed", "param_norm1")}`,
      `crossed, cross_weights = multi_head(first, mem, ${projections("param_multihead_attn")}, heads: ${heads})`,
      `second = ${norm("first + crossed", "param_norm2")}`,
      `y = ${norm(`second + ${feedForward("second", "param_", textOf(c, "act", "relu"))}`, "param_norm3")}`,
    ].join("\n"),
    attention,
  );
}

function scaledDotProduct(c: ReferenceCase): Program {
  if (!("mask" in c.inputs)) return formula("y, weights = attend(q, k, v)", attention);
  return formula(
    [
      `scores = q @ swapaxes(k, -1, -2) / ${float(Math.sqrt(shapeOf(c, "q").at(-1)!))}`,
      "y = softmax(where(mask > 0, scores, -1e9)) @ v",
    ].join("\n"),
  );
}

/** Pairs (i, i + D/2) are turned by position · base^(-2i/D). */
function rotaryEmbedding(c: ReferenceCase): Program {
  const [length, width] = shapeOf(c, "x").slice(-2);
  const half = width! / 2;
  return formula(
    [
      `rate = exp(arange(${half}) * ${-Math.log(numberOf(c, "base", 10000)) / half})`,
      `angle = expand_dims(arange(${length}), 1) * rate`,
      "low, high = split(x, 2, axis: -1)",
      "y = concatenate([low * cos(angle) - high * sin(angle), high * cos(angle) + low * sin(angle)], axis: -1)",
    ].join("\n"),
  );
}

const cellSum = (state: string): string =>
  `x @ transpose(param_weight_ih) + param_bias_ih + ${state} @ transpose(param_weight_hh) + param_bias_hh`;

const lstmCell = (): Program =>
  formula(
    [
      `i, f, g, o = split(${cellSum("h")}, 4, axis: -1)`,
      "y1 = sigmoid(f) * c + sigmoid(i) * tanh(g)",
      "y0 = sigmoid(o) * tanh(y1)",
    ].join("\n"),
  );

/** LeNet: conv 5×5, tanh, mean pooling, twice, then two dense layers; the dense weights count channels first. */
const lenetWeights: Weights = {
  "conv2d.kernel": { tensor: "param.0.weight", permutation: [2, 3, 1, 0] },
  "conv2d.bias": { tensor: "param.0.bias" },
  "conv2d_1.kernel": { tensor: "param.3.weight", permutation: [2, 3, 1, 0] },
  "conv2d_1.bias": { tensor: "param.3.bias" },
};

const lenet = (): Program => ({
  kind: "layers",
  weights: {
    ...lenetWeights,
    "dense.kernel": { tensor: "param.7.weight", permutation: [1, 0] },
    "dense.bias": { tensor: "param.7.bias" },
    "dense_1.kernel": { tensor: "param.9.weight", permutation: [1, 0] },
    "dense_1.bias": { tensor: "param.9.bias" },
  },
  body: [
    "image = transpose(x, [0, 2, 3, 1])",
    "map = image |> conv2d(6, kernel: 5, padding: 2) |> tanh |> average_pool2d(2)",
    "map = map |> conv2d(16, kernel: 5) |> tanh |> average_pool2d(2)",
    "logits = transpose(map, [0, 3, 1, 2]) |> flatten |> dense(32) |> relu |> dense(10)",
    "loss = cross_entropy(logits, t)",
  ].join("\n"),
});

const normalised = (x: string, layer: string): string => {
  const p = `param_${layer}`;
  return `(${x} - ${p}_running_mean) / sqrt(${p}_running_var + 1e-5) * ${p}_weight + ${p}_bias`;
};

const residualBlock = (c: ReferenceCase): Program =>
  c.attributes.training === true
    ? missing("only the residual block in evaluation is in the table")
    : formula(
        [
          "image = transpose(x, [0, 2, 3, 1])",
          "first = convolution(image, transpose(param_c1_weight, [2, 3, 1, 0]), padding: 1)",
          `first = relu(${normalised("first", "b1")})`,
          "second = convolution(first, transpose(param_c2_weight, [2, 3, 1, 0]), padding: 1)",
          `second = ${normalised("second", "b2")}`,
          "y = transpose(relu(second + image), [0, 3, 1, 2])",
        ].join("\n"),
      );

const fullBatch = (c: ReferenceCase): Pick<Extract<Program, { kind: "trajectory" }>, "inputs" | "feed" | "steps"> => ({
  inputs: { x: typeText(c.inputs.x!), t: typeText(c.inputs.t!) },
  feed: () => ({ x: c.inputs.x!, t: c.inputs.t! }),
  steps: numberOf(c, "steps", 1),
});

function trainCnn(c: ReferenceCase): Program {
  const weights: Weights = {
    ...lenetWeights,
    "dense.kernel": { tensor: "param.6.weight", permutation: [1, 0] },
    "dense.bias": { tensor: "param.6.bias" },
  };
  return {
    kind: "trajectory",
    ...fullBatch(c),
    body: [
      "image = transpose(x, [0, 2, 3, 1])",
      "map = image |> conv2d(4, kernel: 3) |> relu |> max_pool2d(2) |> conv2d(8, kernel: 3) |> relu",
      "logits = transpose(map, [0, 3, 1, 2]) |> flatten |> dense(10)",
    ].join("\n"),
    loss: "cross_entropy(logits, t)",
    optimizer: `adam(lr: ${float(numberOf(c, "lr", 0.001))}, epsilon: 1e-8)`,
    weights,
    record: { losses: { kind: "loss" } },
    last: weights,
  };
}

/** A decoder of one pre-norm layer over characters; every parameter is declared as PyTorch keeps it. */
function trainTinyGpt(c: ReferenceCase): Program {
  const names = Object.keys(c.inputs).filter((name) => name.startsWith("param."));
  const short = (name: string): string => name.slice("param.".length).replaceAll(".", "_");
  const weights = Object.fromEntries(names.map((name) => [short(name), { tensor: name }]));
  return {
    kind: "trajectory",
    ...fullBatch(c),
    declarations: attention,
    body: [
      ...names.map((name) => `param ${short(name)}: ${typeText(c.inputs[name]!)} ~ zeros`),
      "h = take(e_weight, x) + p_weight",
      `inner = ${norm("h", "b_norm1")}`,
      `mixed, weights = multi_head(inner, inner, ${projections("b_self_attn")}, heads: 2, causal: true)`,
      "h = h + mixed",
      `h = h + ${feedForward(norm("h", "b_norm2"), "b_", "gelu")}`,
      `logits = ${norm("h", "n")} @ transpose(o_weight)`,
    ].join("\n"),
    loss: "cross_entropy(logits, t)",
    optimizer: `adamw(lr: ${float(numberOf(c, "lr", 0.001))}, epsilon: 1e-8, weight_decay: ${float(numberOf(c, "weight_decay", 0))})`,
    weights,
    record: { losses: { kind: "loss" } },
    last: weights,
    undetermined: {
      output: "param.b.self_attn.in_proj_bias",
      from: 8,
      to: 16,
      why: "the bias of the keys shifts all scores of a query alike, so its gradient is 0, and AdamW divides the rounding error that is left by its own size",
    },
  };
}

function training(c: ReferenceCase): Program {
  const model = textOf(c, "model", "");
  if (model.startsWith("conv4 3x3 relu maxpool2 conv8 3x3 relu flatten dense10")) return trainCnn(c);
  if (model.startsWith("tok ") && model.includes("pre-norm block (2 heads, ff16 gelu, causal)")) return trainTinyGpt(c);
  return missing(model.includes("gru") || model.includes("lstm") ? "needs scan" : "this model is not in the table");
}

function secondDerivative(c: ReferenceCase): Program {
  if ("v" in c.inputs) return formula("y = sum(grad(sum(tanh(x @ transpose(x))), x) * v)");
  return formula(
    [
      "image = transpose(x, [0, 2, 3, 1])",
      "map = convolution(image, transpose(w, [2, 3, 1, 0]), padding: 1)",
      "slope = grad(sum(map ** 3), x)",
      "y = sum(slope ** 2)",
    ].join("\n"),
  );
}

export const models: Readonly<Record<string, Recipe>> = {
  attention: scaledDotProduct,
  MultiheadAttention: selfAttention,
  TransformerEncoderLayer: encoderLayer,
  TransformerDecoderLayer: decoderLayer,
  rotary_embedding: rotaryEmbedding,
  LSTMCell: lstmCell,
  RNN: () => missing("needs scan"),
  LSTM: () => missing("needs scan"),
  GRU: () => missing("needs scan"),
  cnn: lenet,
  residual_block: residualBlock,
  train_trajectory: training,
  double_backward: secondDerivative,
};
