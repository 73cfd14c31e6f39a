// Normalisations: the library's layers where they fit, with their parameters and running means, formulas for the rest.

import { flagOf, numberOf, numbersOf, type ReferenceCase, shapeOf } from "./case.ts";
import { float, formula, listText, missing, type Program, type Recipe, type Weights } from "./program.ts";

/** The library's batch_norm, channels last. */
function batchNorm(c: ReferenceCase): Program {
  const rank = shapeOf(c, "x").length;
  const toLast = listText([0, ...Array.from({ length: rank - 2 }, (_, i) => i + 2), 1]);
  const back = listText([0, rank - 1, ...Array.from({ length: rank - 2 }, (_, i) => i + 1)]);
  const [turned, result] = rank === 2 ? ["x", "normal"] : [`transpose(x, ${toLast})`, `transpose(normal, ${back})`];
  const epsilon = float(numberOf(c, "eps", 1e-5));
  if (!flagOf(c, "training", false)) {
    return formula(
      [
        `image = ${turned}`,
        `normal = (image - rm) / sqrt(rv + ${epsilon}) * w + b`,
        `y = ${result}`,
        ...("running_mean" in c.outputs ? ["running_mean = rm", "running_var = rv"] : []),
      ].join("\n"),
    );
  }
  const weights: Weights = {
    "batch_norm.scale": { tensor: "w" },
    "batch_norm.shift": { tensor: "b" },
    "batch_norm.mean": { tensor: "rm" },
    "batch_norm.variance": { tensor: "rv" },
  };
  const momentum = float(1 - numberOf(c, "momentum", 0.1));
  return {
    kind: "layers",
    weights,
    states: { running_mean: "batch_norm.mean", running_var: "batch_norm.variance" },
    body: `normal = batch_norm(${turned}, momentum: ${momentum}, epsilon: ${epsilon})\ny = ${result}`,
  };
}

/** Over the last axes, as many as normalized_shape names. */
function layerNorm(c: ReferenceCase): Program {
  const count = numbersOf(c, "normalized_shape", 1, 1).length;
  const epsilon = float(numberOf(c, "eps", 1e-5));
  if (count === 1 && "w" in c.inputs && "b" in c.inputs) {
    return {
      kind: "layers",
      weights: { "layer_norm.scale": { tensor: "w" }, "layer_norm.shift": { tensor: "b" } },
      body: `y = layer_norm(x, epsilon: ${epsilon})`,
    };
  }
  const axes = listText(Array.from({ length: count }, (_, i) => i - count));
  const affine = `${"w" in c.inputs ? " * w" : ""}${"b" in c.inputs ? " + b" : ""}`;
  return formula(
    [
      `away = x - mean(x, axis: ${axes}, keepdims: true)`,
      `y = away / sqrt(mean(away * away, axis: ${axes}, keepdims: true) + ${epsilon})${affine}`,
    ].join("\n"),
  );
}

/** Each group of channels by itself; one channel a group is instance normalisation. */
function groupNorm(c: ReferenceCase, groups: number): Program {
  const [n, channels, ...sizes] = shapeOf(c, "x");
  const grouped = [n!, groups, (channels! / groups) * sizes.reduce((a, b) => a * b, 1)];
  const perChannel = listText([channels!, ...sizes.map(() => 1)]);
  const scale = "w" in c.inputs ? ` * reshape(w, ${perChannel})` : "";
  const shift = "b" in c.inputs ? ` + reshape(b, ${perChannel})` : "";
  return formula(
    [
      `grouped = reshape(x, ${listText(grouped)})`,
      "away = grouped - mean(grouped, axis: -1, keepdims: true)",
      `normal = away / sqrt(mean(away * away, axis: -1, keepdims: true) + ${float(numberOf(c, "eps", 1e-5))})`,
      `y = reshape(normal, ${listText(shapeOf(c, "x"))})${scale}${shift}`,
    ].join("\n"),
  );
}

export const normalization: Readonly<Record<string, Recipe>> = {
  batch_norm: batchNorm,
  layer_norm: layerNorm,
  group_norm: (c) => groupNorm(c, numberOf(c, "num_groups", 1)),
  instance_norm: (c) => groupNorm(c, shapeOf(c, "x")[1] ?? 1),
  local_response_norm: () => missing("no such block yet"),
  rms_norm: (c) =>
    formula(
      `y = x / sqrt(mean(x * x, axis: -1, keepdims: true) + ${float(numberOf(c, "eps", 1e-5))})${"w" in c.inputs ? " * w" : ""}`,
    ),
};
