// Losses: the library's blocks where they say the same, formulas where PyTorch has options that the library lacks.

import { numberOf, numbersOf, type ReferenceCase, shapeOf, textOf } from "./case.ts";
import { channelsLast } from "./contractions.ts";
import { float, formula, listText, missing, type Program, type Recipe } from "./program.ts";

const reduced = (c: ReferenceCase, elements: string): Program => {
  switch (textOf(c, "reduction", "mean")) {
    case "sum":
      return formula(`y = sum(${elements})`);
    case "none":
      return formula(`y = ${elements}`);
    case "batchmean":
      return formula(`y = sum(${elements}) / ${float(shapeOf(c, "x")[0] ?? 1)}`);
    default:
      return formula(`y = mean(${elements})`);
  }
};

/** A block of the library takes the mean; other reductions take the formula of one element. */
const meanBlock =
  (block: (c: ReferenceCase) => string, element: (c: ReferenceCase) => string): Recipe =>
  (c) =>
    textOf(c, "reduction", "mean") === "mean" ? formula(`y = ${block(c)}`) : reduced(c, element(c));

function crossEntropy(c: ReferenceCase): Program {
  if ("p" in c.inputs) return formula("y = cross_entropy(x, softmax(p))");
  const rank = shapeOf(c, "x").length;
  const smoothing = numberOf(c, "label_smoothing", 0);
  if (smoothing > 0 && !("w" in c.inputs) && rank === 2)
    return formula(`y = cross_entropy(x, t, smoothing: ${float(smoothing)})`);
  if ("w" in c.inputs)
    return rank === 2 && smoothing === 0
      ? formula("y = cross_entropy(x, t, class_weights: w)")
      : missing("class weights only with one label a row");
  const logits = rank === 2 ? "x" : `transpose(x, ${channelsLast(rank - 2)})`;
  const ignore = "ignore_index" in c.attributes ? `, ignore: ${numberOf(c, "ignore_index", -100)}` : "";
  if (textOf(c, "reduction", "mean") === "mean") return formula(`y = cross_entropy(${logits}, t${ignore})`);
  return ignore ? missing("ignored labels only with the mean") : reduced(c, `-take_along(log_softmax(${logits}), t)`);
}

const logisticLoss = (weight: string): string => `(1 - t) * x + (1 + (${weight} - 1) * t) * softplus(-x)`;

export const losses: Readonly<Record<string, Recipe>> = {
  mse_loss: meanBlock(
    () => "mean_squared_error(x, t)",
    () => "(x - t) ** 2",
  ),
  l1_loss: meanBlock(
    () => "mean_absolute_error(x, t)",
    () => "abs(x - t)",
  ),
  // Huber's loss, divided by its threshold.
  smooth_l1_loss: meanBlock(
    (c) => `huber(x, t, delta: ${float(numberOf(c, "beta", 1))}) / ${float(numberOf(c, "beta", 1))}`,
    (c) => {
      const beta = float(numberOf(c, "beta", 1));
      return `where(abs(x - t) < ${beta}, 0.5 * (x - t) ** 2 / ${beta}, abs(x - t) - 0.5 * ${beta})`;
    },
  ),
  huber_loss: meanBlock(
    (c) => `huber(x, t, delta: ${float(numberOf(c, "delta", 1))})`,
    (c) => {
      const delta = float(numberOf(c, "delta", 1));
      return `where(abs(x - t) < ${delta}, 0.5 * (x - t) ** 2, ${delta} * (abs(x - t) - 0.5 * ${delta}))`;
    },
  ),
  cross_entropy: crossEntropy,
  nll_loss: (c) => reduced(c, "-take_along(x, t)"),
  binary_cross_entropy: (c) => reduced(c, "-(t * log(x) + (1 - t) * log(1 - x))"),
  binary_cross_entropy_with_logits: (c) =>
    "w" in c.inputs
      ? reduced(c, logisticLoss("w"))
      : meanBlock(
          () => "binary_cross_entropy(x, t)",
          () => logisticLoss("1.0"),
        )(c),
  kl_div: (c) =>
    textOf(c, "reduction", "mean") === "batchmean"
      ? formula("y = kl_divergence(log_softmax(t), log_softmax(x))")
      : reduced(c, "softmax(t) * (log_softmax(t) - log_softmax(x))"),
  hinge_embedding_loss: (c) => reduced(c, `where(t == 1, x, maximum(${float(numberOf(c, "margin", 1))} - x, 0))`),
  margin_ranking_loss: (c) => reduced(c, `maximum(-cast(t, f32) * (x - z) + ${float(numberOf(c, "margin", 0))}, 0)`),
  soft_margin_loss: (c) => reduced(c, "softplus(-cast(t, f32) * x)"),
  poisson_nll_loss: meanBlock(
    () => "poisson_loss(x, t)",
    () => "exp(x) - t * x",
  ),
  cosine_embedding_loss: (c) => {
    const margin = float(numberOf(c, "margin", 0));
    return formula(
      [
        "alike = sum(x * z, axis: -1) / sqrt(sum(x * x, axis: -1) * sum(z * z, axis: -1))",
        `y = mean(where(t == 1, 1 - alike, maximum(alike - ${margin}, 0)))`,
      ].join("\n"),
    );
  },
  triplet_margin_loss: (c) => formula(`y = triplet_loss(a, p, n, margin: ${float(numberOf(c, "margin", 1))})`),
  ctc_loss: (c) => {
    const [rows, times, lengths] = [shapeOf(c, "t")[0]!, "input_lengths", "target_lengths"];
    const list = (name: string): string => `array(${listText(numbersOf(c, name, rows, 0))}, dtype: i32)`;
    const options = `times: ${list(times)}, lengths: ${list(lengths)}, blank: ${numberOf(c, "blank", 0)}`;
    const mean = `ctc_loss(transpose(x, [1, 0, 2]), t, ${options})`;
    return textOf(c, "reduction", "mean") === "sum"
      ? formula(`y = ${mean} * ${float(rows)}`)
      : missing("the library's mean does not divide by the lengths");
  },
};
