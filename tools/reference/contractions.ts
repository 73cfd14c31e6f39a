// Products of tensors: matmul in all its shapes, einsum by `@`-free sums of products, and convolutions, plain and transposed.
// The reference keeps channels on axis 1 (NCHW, OIHW); the language keeps them last, so the programs turn the axes.

import { numberOf, numbersOf, type ReferenceCase, shapeOf } from "./case.ts";
import { formula, listText, missing, type Program, type Recipe } from "./program.ts";

const spatialAxes = (rank: number, from: number): number[] => Array.from({ length: rank }, (_, i) => from + i);
/** [N, C, …S] to [N, …S, C]. */
export const channelsLast = (rank: number): string => listText([0, ...spatialAxes(rank, 2), 1]);
/** [N, …S, C] to [N, C, …S]. */
export const channelsFirst = (rank: number): string => listText([0, rank + 1, ...spatialAxes(rank, 1)]);
/** [O, I, …S] to [S…, I, O], and [I, O, …S] to [S…, O, I]. */
const kernelLast = (rank: number): string => listText([...spatialAxes(rank, 2), 1, 0]);

function convolution(c: ReferenceCase): Program {
  const rank = shapeOf(c, "x").length - 2;
  const { padding } = c.attributes;
  const around = typeof padding === "string" ? `"${padding}"` : listText(numbersOf(c, "padding", rank, 0));
  const options = [
    `stride: ${listText(numbersOf(c, "stride", rank, 1))}`,
    `padding: ${around}`,
    `dilation: ${listText(numbersOf(c, "dilation", rank, 1))}`,
    `groups: ${numberOf(c, "groups", 1)}`,
  ].join(", ");
  return formula(
    [
      `kernel = transpose(w, ${kernelLast(rank)})`,
      `image = transpose(x, ${channelsLast(rank)})`,
      `map = convolution(image, kernel, ${options})${"b" in c.inputs ? " + b" : ""}`,
      `y = transpose(map, ${channelsFirst(rank)})`,
    ].join("\n"),
  );
}

/** A transposed convolution is the gradient of the convolution that goes the other way, with respect to its image. */
function transposedConvolution(c: ReferenceCase): Program {
  const rank = shapeOf(c, "x").length - 2;
  const [n, channels, ...sizes] = c.outputs.y?.shape ?? [];
  const options = [
    `stride: ${listText(numbersOf(c, "stride", rank, 1))}`,
    `padding: ${listText(numbersOf(c, "padding", rank, 0))}`,
    `dilation: ${listText(numbersOf(c, "dilation", rank, 1))}`,
    `groups: ${numberOf(c, "groups", 1)}`,
  ].join(", ");
  return formula(
    [
      `kernel = transpose(w, ${kernelLast(rank)})`,
      `image = transpose(x, ${channelsLast(rank)})`,
      `wide = zeros(${listText([n ?? 1, ...sizes, channels ?? 1])})`,
      `map = grad(sum(convolution(wide, kernel, ${options}) * image), wide)${"b" in c.inputs ? " + b" : ""}`,
      `y = transpose(map, ${channelsFirst(rank)})`,
    ].join("\n"),
  );
}

/** Each operand is spread over all indices of the equation; their product is summed over those that the result lacks. */
function einsum(c: ReferenceCase): Program {
  const { equation } = c.attributes;
  if (typeof equation !== "string") return missing("the equation is not given");
  const [left = "", right = ""] = equation.replaceAll(" ", "").split("->");
  const terms = left.split(",");
  const names = Object.keys(c.inputs);
  const indices = (letters: string): string => [...letters].join(", ");
  const factors = terms.map((term, k) => `${names[k]!}[${indices(term)}]`);
  const summed = [...new Set(left.replaceAll(",", ""))].filter((letter) => !right.includes(letter));
  const over = summed.length > 0 ? `sum(${summed.join(", ")}) ` : "";
  return formula(`y${right === "" ? "" : `[${indices(right)}]`} = ${over}${factors.join(" * ")}`);
}

function tensordot(c: ReferenceCase): Program {
  const { dims } = c.attributes;
  if (!Array.isArray(dims)) return missing("the axes are not given");
  const [p, q] = dims.map((axes: unknown) => (Array.isArray(axes) ? axes.map(Number) : []));
  const [x, z] = [shapeOf(c, "x"), shapeOf(c, "z")];
  const inner = p!.reduce((product, axis) => product * x[axis]!, 1);
  const outer = (axes: readonly number[], shape: readonly number[]): number[] =>
    shape.map((_, i) => i).filter((i) => !axes.includes(i));
  return formula(
    [
      `left = reshape(transpose(x, ${listText([...outer(p!, x), ...p!])}), [-1, ${inner}])`,
      `right = reshape(transpose(z, ${listText([...q!, ...outer(q!, z)])}), [${inner}, -1])`,
      `y = reshape(left @ right, ${listText(c.outputs.y?.shape ?? [])})`,
    ].join("\n"),
  );
}

/** `x @ w`, or `x @ wᵀ` where the shapes say so. */
function matmul(c: ReferenceCase): Program {
  const [x, w, y] = [shapeOf(c, "x"), shapeOf(c, "w"), c.outputs.y?.shape ?? []];
  const turned = w.length === 2 && x.at(-1) === w[1] && y.at(-1) === w[0] && x.at(-1) !== w[0];
  return formula(`y = x @ ${turned ? "transpose(w)" : "w"}`);
}

export const contractions: Readonly<Record<string, Recipe>> = {
  matmul,
  bmm: () => formula("y = x @ w"),
  linear: (c) => formula(`y = x @ transpose(w)${"b" in c.inputs ? " + b" : ""}`),
  baddbmm: () => formula("y = b + x @ w"),
  addmm: () => formula("y = b + x @ w"),
  outer: () => formula("y = expand_dims(x, 1) * z"),
  dot: () => formula("y = sum(x * z)"),
  mv: () => formula("y = x @ w"),
  einsum,
  tensordot,
  bilinear: (c) => {
    const [o, i, j] = shapeOf(c, "w");
    const n = shapeOf(c, "x")[0];
    const product = `reshape(x, [${n}, 1, ${i}, 1]) * w * reshape(z, [${n}, 1, 1, ${j}])`;
    return formula(`y = reshape(sum(${product}, axis: [2, 3]), [${n}, ${o}])${"b" in c.inputs ? " + b" : ""}`);
  },
  conv1d: convolution,
  conv2d: convolution,
  conv3d: convolution,
  conv_transpose1d: transposedConvolution,
  conv_transpose2d: transposedConvolution,
  conv_transpose3d: transposedConvolution,
  cosine_similarity: (c) => {
    const axis = numberOf(c, "dim", 1);
    const norm = (name: string): string => `maximum(sqrt(sum(${name} * ${name}, axis: ${axis})), 1e-8)`;
    return formula(`y = sum(x * z, axis: ${axis}) / (${norm("x")} * ${norm("z")})`);
  },
  cdist: (c) => {
    if (numberOf(c, "p", 2) !== 2) return missing("only the Euclidean distance is in the table");
    return formula("away = expand_dims(x, 1) - expand_dims(z, 0)\ny = sqrt(sum(away * away, axis: -1))");
  },
  // The index does not tell: the matrix is made of x such that it is regular.
  solve: (c) =>
    formula(
      `y = solve(x @ transpose(x) + 3.0 * one_hot(arange(${shapeOf(c, "x")[0]}, dtype: i32), ${shapeOf(c, "x")[0]}), b)`,
    ),
};
