// Reductions, and running sums, which the language says as a product with a triangle of ones.

import { axesOf, flagOf, numberOf, type ReferenceCase, shapeOf } from "./case.ts";
import { formula, listText, type Program, type Recipe } from "./program.ts";

/** `axis: [0, 2], keepdims: true` */
const over = (c: ReferenceCase): string =>
  `axis: ${listText(axesOf(c, "dim", shapeOf(c, "x").length))}, keepdims: ${flagOf(c, "keepdim", false)}`;

const countOf = (c: ReferenceCase): number =>
  axesOf(c, "dim", shapeOf(c, "x").length).reduce((product, axis) => product * shapeOf(c, "x")[axis]!, 1);

/** Divides by n - 1 where the reference does (Bessel's correction). */
function variance(c: ReferenceCase): string {
  const n = countOf(c);
  return flagOf(c, "unbiased", true) ? `var(x, ${over(c)}) * ${n} / ${n - 1}.0` : `var(x, ${over(c)})`;
}

const stableLogSumExp = (c: ReferenceCase): string => {
  const axes = listText(axesOf(c, "dim", shapeOf(c, "x").length));
  return [
    `top = stop_gradient(max(x, axis: ${axes}, keepdims: true))`,
    `rest = log(sum(exp(x - top), ${over(c)}))`,
    `y = rest + reshape(top, ${listText(c.outputs.y?.shape ?? [])})`,
  ].join("\n");
};

/** The one element that is greatest or least, by its position: all of the gradient goes there, as in PyTorch. */
function extreme(c: ReferenceCase, name: "max" | "min"): Program {
  if (!("y0" in c.outputs)) return formula(`y = ${name}(x, ${over(c)})`);
  const rank = shapeOf(c, "x").length;
  const axis = axesOf(c, "dim", rank)[0] ?? 0;
  const order = [...Array.from({ length: rank }, (_, i) => i).filter((i) => i !== axis), axis];
  const shape = listText(c.outputs.y0?.shape ?? []);
  return formula(
    [
      `last = transpose(x, ${listText(order)})`,
      `where_it_is = arg${name}(last, axis: -1)`,
      `y0 = reshape(take_along(last, where_it_is), ${shape})`,
      `y1 = reshape(where_it_is, ${shape})`,
    ].join("\n"),
  );
}

function position(c: ReferenceCase, name: "argmax" | "argmin"): Program {
  if ("dim" in c.attributes)
    return formula(`y = ${name}(x, axis: ${numberOf(c, "dim", -1)}, keepdims: ${flagOf(c, "keepdim", false)})`);
  return formula(`y = ${name}(reshape(x, [-1]), axis: 0)`);
}

/** Moves the axis to the end, applies `step` to `last`, and moves it back. */
function running(c: ReferenceCase, step: (length: number) => string): Program {
  const rank = shapeOf(c, "x").length;
  const axis = axesOf(c, "dim", rank)[0] ?? 0;
  const order = [...Array.from({ length: rank }, (_, i) => i).filter((i) => i !== axis), axis];
  const back = order.map((_, i) => order.indexOf(i));
  const length = shapeOf(c, "x")[axis]!;
  return formula(
    [
      `last = transpose(x, ${listText(order)})`,
      `ones_up_to = cast(lower_triangle(${length}), f32)`,
      step(length),
      `y = transpose(result, ${listText(back)})`,
    ].join("\n"),
  );
}

const vectorNorm = (c: ReferenceCase): Program => {
  const { p } = c.attributes;
  if (p === "inf") return formula(`y = max(abs(x), ${over(c)})`);
  if (p === "-inf") return formula(`y = min(abs(x), ${over(c)})`);
  if (p === 1) return formula(`y = sum(abs(x), ${over(c)})`);
  if (p === 2 || p === undefined || p === "fro") return formula(`y = sqrt(sum(x * x, ${over(c)}))`);
  return formula(`y = sum(abs(x) ** ${Number(p)}, ${over(c)}) ** ${1 / Number(p)}`);
};

const topK = (c: ReferenceCase): Program =>
  formula(`y0, y1 = topk(x, ${numberOf(c, "k", 1)}, axis: ${numberOf(c, "dim", -1)})`);

export const reductions: Readonly<Record<string, Recipe>> = {
  sum: (c) => formula(`y = sum(x, ${over(c)})`),
  mean: (c) => formula(`y = mean(x, ${over(c)})`),
  amax: (c) => formula(`y = max(x, ${over(c)})`),
  amin: (c) => formula(`y = min(x, ${over(c)})`),
  max: (c) => extreme(c, "max"),
  min: (c) => extreme(c, "min"),
  prod: (c) => formula(`y = prod(x, ${over(c)})`),
  var: (c) => formula(`y = ${variance(c)}`),
  std: (c) => formula(`y = sqrt(${variance(c)})`),
  logsumexp: (c) => formula(stableLogSumExp(c)),
  norm: vectorNorm,
  norm1: vectorNorm,
  norm2: vectorNorm,
  normp: vectorNorm,
  norminf: vectorNorm,
  argmax: (c) => position(c, "argmax"),
  argmin: (c) => position(c, "argmin"),
  any: (c) => formula(`y = any(x, ${over(c)})`),
  all: (c) => formula(`y = all(x, ${over(c)})`),
  count_nonzero: (c) => formula(`y = sum(cast(x != 0, i32), ${over(c)})`),
  cumsum: (c) => formula(`y = cumsum(x, axis: ${numberOf(c, "dim", -1)})`),
  logcumsumexp: (c) =>
    running(c, () =>
      [
        "top = stop_gradient(max(last, axis: -1, keepdims: true))",
        "result = log(exp(last - top) @ transpose(ones_up_to)) + top",
      ].join("\n"),
    ),
  // Each product by itself: row i of the triangle keeps the first i + 1 factors.
  cumprod: (c) => running(c, () => "result = prod(where(ones_up_to > 0, expand_dims(last, -2), 1.0), axis: -1)"),
  sort: (c) => {
    const options = `axis: ${numberOf(c, "dim", -1)}, descending: ${flagOf(c, "descending", false)}`;
    return formula(`y0 = sort(x, ${options})\ny1 = argsort(x, ${options})`);
  },
  topk2: topK,
  topk: topK,
};
