// Larger pieces: recurrent cells, small networks, whole training runs, and second derivatives.

import { attention, feedForward, norm, projections } from "./attention.ts";
import { numberOf, type ReferenceCase, textOf } from "./case.ts";
import { float, formula, missing, type Program, type Recipe, typeText, type Weights } from "./program.ts";

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

/** The candidate sees the state after the reset gate, bias and all (linear before reset). */
const gruCell = (): Program =>
  formula(
    [
      "xr, xz, xn = split(x @ transpose(param_weight_ih) + param_bias_ih, 3, axis: -1)",
      "hr, hz, hn = split(h @ transpose(param_weight_hh) + param_bias_hh, 3, axis: -1)",
      "z = sigmoid(xz + hz)",
      "n = tanh(xn + sigmoid(xr + hr) * hn)",
      "y = (1 - z) * n + z * h",
    ].join("\n"),
  );

/** What a step computes, from the product of the input `g` and the states, over the weights of a layer. */
const steps: Readonly<Record<string, (suffix: string) => string>> = {
  RNN: (suffix) => `h = tanh(g + h @ transpose(param_weight_hh_${suffix}) + param_bias_hh_${suffix})`,
  LSTM: (suffix) =>
    [
      `i, f, z, o = split(g + h @ transpose(param_weight_hh_${suffix}) + param_bias_hh_${suffix}, 4, axis: -1)`,
      "c = sigmoid(f) * c + sigmoid(i) * tanh(z)",
      "h = sigmoid(o) * tanh(c)",
    ].join("\n"),
  GRU: (suffix) =>
    [
      `hr, hz, hn = split(h @ transpose(param_weight_hh_${suffix}) + param_bias_hh_${suffix}, 3, axis: -1)`,
      "gr, gz, gn = split(g, 3, axis: -1)",
      "z = sigmoid(gz + hz)",
      "h = (1 - z) * tanh(gn + sigmoid(gr + hr) * hn) + z * h",
    ].join("\n"),
};

/** Layers of a recurrent network, one after the other, in one direction or both, each a scan over its sequence. */
function recurrent(c: ReferenceCase): Program {
  const step = steps[c.operation];
  if (!step) return missing("this recurrent network is not in the table");
  const along = c.attributes.batch_first === true ? 1 : 0;
  const lengths = c.attributes.lengths;
  const [batch, units] = [c.inputs.x!.shape[1 - along]!, numberOf(c, "hidden", 0)];
  const names = c.operation === "LSTM" ? ["h", "c"] : ["h"];
  const lines = ["y = x"];
  const last: Record<string, string[]> = { h: [], c: [] };
  for (let layer = 0; layer < numberOf(c, "layers", 1); layer++) {
    const directions = c.attributes.bidirectional === true ? ["", "_reverse"] : [""];
    directions.forEach((direction, i) => {
      const suffix = `l${layer}${direction}`;
      const number = layer * directions.length + i;
      lines.push(`xw = y @ transpose(param_weight_ih_${suffix}) + param_bias_ih_${suffix}`);
      for (const name of names)
        lines.push(`${name} = ${`${name}0` in c.inputs ? `${name}0[${number}]` : `zeros([${batch}, ${units}])`}`);
      const order = direction === "" ? "" : " reversed";
      if (Array.isArray(lengths)) {
        // Steps behind the end of a sequence leave its state as it is, and show 0.
        const first = names.map((name) => `before_${name} = ${name}`);
        const kept = names.map((name) => `${name} = where(keep, ${name}, before_${name})`);
        lines.push(
          `keep = reshape(cast(arange(${c.inputs.x!.shape[along]}), f32), [${c.inputs.x!.shape[along]}, 1, 1]) < reshape(${lengthsOf(lengths)}, [1, ${batch}, 1])`,
          `y${i} = scan g, keep in xw, keep along ${along}${order} carry ${names.join(", ")} {`,
          ...first,
          step(suffix),
          ...kept,
          "yield where(keep, h, 0)",
          "}",
        );
      } else
        lines.push(
          `y${i} = scan g in xw along ${along}${order} carry ${names.join(", ")} {`,
          step(suffix),
          "yield h",
          "}",
        );
      for (const name of names) {
        lines.push(`${name}_${number} = ${name}`);
        last[name]!.push(`${name}_${number}`);
      }
    });
    lines.push(directions.length > 1 ? "y = concatenate([y0, y1], axis: -1)" : "y = y0");
  }
  for (const name of names) lines.push(`${name} = stack([${last[name]!.join(", ")}], axis: 0)`);
  return formula(lines.join("\n"));
}

const lengthsOf = (lengths: readonly unknown[]): string =>
  `concatenate([${lengths.map((length) => `ones([1]) * ${Number(length)}`).join(", ")}], axis: 0)`;

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
    record: { losses: { kind: "output", name: "loss" } },
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
    record: { losses: { kind: "output", name: "loss" } },
    last: weights,
    undetermined: {
      output: "param.b.self_attn.in_proj_bias",
      from: 8,
      to: 16,
      why: "the bias of the keys shifts all scores of a query alike, so its gradient is 0, and AdamW divides the rounding error that is left by its own size",
    },
  };
}

/** A character model; PyTorch has the gates in the order reset, update, candidate. */
function trainGru(c: ReferenceCase): Program {
  const names = Object.keys(c.inputs).filter((name) => name.startsWith("param."));
  const short = (name: string): string => name.replaceAll(".", "_");
  const weights = Object.fromEntries(names.map((name) => [short(name), { tensor: name }]));
  return {
    kind: "trajectory",
    ...fullBatch(c),
    body: [
      ...names.map((name) => `param ${short(name)}: ${typeText(c.inputs[name]!)} ~ zeros`),
      "xw = take(param_e_weight, x) @ transpose(param_r_weight_ih_l0) + param_r_bias_ih_l0",
      `h = zeros([${c.inputs.x!.shape[0]}, 12])`,
      "states = scan g in xw along 1 carry h {",
      steps.GRU!("l0").replaceAll("param_", "param_r_"),
      "yield h",
      "}",
      "logits = states @ transpose(param_o_weight) + param_o_bias",
    ].join("\n"),
    loss: "cross_entropy(logits, t)",
    optimizer: `adam(lr: ${float(numberOf(c, "lr", 0.001))}, epsilon: 1e-8)`,
    weights,
    record: { losses: { kind: "output", name: "loss" } },
    last: weights,
  };
}

function training(c: ReferenceCase): Program {
  const model = textOf(c, "model", "");
  if (model.startsWith("conv4 3x3 relu maxpool2 conv8 3x3 relu flatten dense10")) return trainCnn(c);
  if (model.startsWith("tok ") && model.includes("pre-norm block (2 heads, ff16 gelu, causal)")) return trainTinyGpt(c);
  if (model === "embedding 11x6, gru 12, dense 11, cross entropy") return trainGru(c);
  return missing("this model is not in the table");
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
  LSTMCell: lstmCell,
  GRUCell: gruCell,
  RNNCell: () => formula(`y = tanh(${cellSum("h")})`),
  RNN: recurrent,
  LSTM: recurrent,
  GRU: recurrent,
  cnn: lenet,
  residual_block: residualBlock,
  train_trajectory: training,
  double_backward: secondDerivative,
};
