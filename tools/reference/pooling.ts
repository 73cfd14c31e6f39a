// Pooling over windows, and resampling where it is a pooling.

import { flagOf, numbersOf, type ReferenceCase, shapeOf } from "./case.ts";
import { channelsFirst, channelsLast } from "./contractions.ts";
import { float, formula, listText, missing, type Program, pairsText, type Recipe } from "./program.ts";

interface Window {
  readonly rank: number;
  readonly size: readonly number[];
  readonly stride: readonly number[];
  readonly padding: readonly number[];
  readonly dilation: readonly number[];
  readonly options: string;
}

function windowOf(c: ReferenceCase): Window {
  const rank = shapeOf(c, "x").length - 2;
  const size = numbersOf(c, "kernel_size", rank, 2);
  const stride = "stride" in c.attributes ? numbersOf(c, "stride", rank, 1) : size;
  const padding = numbersOf(c, "padding", rank, 0);
  const dilation = numbersOf(c, "dilation", rank, 1);
  const options = `${listText(size)}, stride: ${listText(stride)}, padding: ${listText(padding)}`;
  return { rank, size, stride, padding, dilation, options };
}

/** All positions of a window, as offsets. */
const offsets = (size: readonly number[]): number[][] =>
  size.reduce<number[][]>((all, n) => all.flatMap((at) => Array.from({ length: n }, (_, i) => [...at, i])), [[]]);

/** The image, channels last, with as much of `value` behind it as the last windows need (ceil_mode). */
function beyondEdge(c: ReferenceCase, value: number, tensor = "x"): string {
  const { rank, size, stride, padding } = windowOf(c);
  const outputs = Object.values(c.outputs)[0]?.shape.slice(2) ?? [];
  const widths = shapeOf(c, "x")
    .slice(2)
    .map((length, i) => {
      const low = padding[i]!;
      return [low, Math.max(0, (outputs[i]! - 1) * stride[i]! + size[i]! - length - low)];
    });
  return `pad(transpose(${tensor}, ${channelsLast(rank)}), ${pairsText([[0, 0], ...widths, [0, 0]])}, value: ${float(value)})`;
}

function maxPool(c: ReferenceCase): Program {
  const { rank, size, stride, padding, dilation, options } = windowOf(c);
  if (flagOf(c, "ceil_mode", false)) {
    if (dilation.some((step) => step !== 1)) return missing("no window with holes that reaches over the edge");
    // Beyond the edge lies the least number.
    const around = beyondEdge(c, -3.4e38);
    return formula(
      `y = transpose(window_max(${around}, ${listText(size)}, stride: ${listText(stride)}), ${channelsFirst(rank)})`,
    );
  }
  if ("y1" in c.outputs) return maxPoolWithPositions(c);
  const image = `image = transpose(x, ${channelsLast(rank)})`;
  if (dilation.every((step) => step === 1)) {
    const block = rank === 2 ? "max_pool2d" : "window_max";
    return formula(`${image}\ny = transpose(${block}(image, ${options}), ${channelsFirst(rank)})`);
  }
  // Windows with holes: the greatest of shifted copies.
  if (padding.some((n) => n !== 0)) return missing("no window with holes and padding");
  const sizes = (c.outputs.y?.shape ?? []).slice(2);
  const shifted = offsets(size).map((at) => {
    const slices = at.map((i, axis) => {
      const start = i * dilation[axis]!;
      return `${start}:${start + (sizes[axis]! - 1) * stride[axis]! + 1}:${stride[axis]}`;
    });
    return `x[:, :, ${slices.join(", ")}]`;
  });
  return formula(shifted.map((part, i) => (i === 0 ? `y = ${part}` : `y = maximum(y, ${part})`)).join("\n"));
}

/** Positions in the flattened plane: windows laid out along an axis of their own, then argmax. */
function maxPoolWithPositions(c: ReferenceCase): Program {
  const { rank, size, stride, padding } = windowOf(c);
  if (rank !== 2 || padding.some((n) => n !== 0)) return missing("positions of maxima only in 2-D without padding");
  const [height, width] = (c.outputs.y0?.shape ?? []).slice(2);
  const columns = shapeOf(c, "x")[3]!;
  const cut = ([i, j]: readonly number[]): string =>
    `[..., ${i}:${i! + (height! - 1) * stride[0]! + 1}:${stride[0]}, ${j}:${j! + (width! - 1) * stride[1]! + 1}:${stride[1]}]`;
  const places = offsets(size);
  return formula(
    [
      `where_it_is = iota(${listText(shapeOf(c, "x").slice(2))}, 0) * ${columns} + iota(${listText(shapeOf(c, "x").slice(2))}, 1)`,
      `windows = stack([${places.map((at) => `x${cut(at)}`).join(", ")}], axis: -1)`,
      `places = stack([${places.map((at) => `where_it_is${cut(at)}`).join(", ")}], axis: -1)`,
      "best = argmax(windows, axis: -1)",
      "y0 = take_along(windows, best)",
      `y1 = take_along(broadcast_to(places, ${listText([...(c.outputs.y0?.shape ?? []), places.length])}), best)`,
    ].join("\n"),
  );
}

function averagePool(c: ReferenceCase): Program {
  const { rank, size, stride, padding, options } = windowOf(c);
  if (flagOf(c, "ceil_mode", false)) {
    if (padding.some((n) => n !== 0)) return missing("no mean of windows that reach over a padded edge");
    const window = `${listText(size)}, stride: ${listText(stride)}`;
    const lines = [
      `total = window_sum(${beyondEdge(c, 0)}, ${window})`,
      `count = window_sum(${beyondEdge(c, 0, "ones_like(x)")}, ${window})`,
      `y = transpose(total / count, ${channelsFirst(rank)})`,
    ];
    return formula(lines.join("\n"));
  }
  const image = `image = transpose(x, ${channelsLast(rank)})`;
  // The library's block does not count padding.
  const counted = padding.some((n) => n !== 0) && flagOf(c, "count_include_pad", true);
  if (!counted && rank === 2)
    return formula(`${image}\ny = transpose(average_pool2d(image, ${options}), ${channelsFirst(rank)})`);
  const count = counted ? String(size.reduce((a, b) => a * b, 1)) : `window_sum(ones_like(image), ${options})`;
  return formula(`${image}\ny = transpose(window_sum(image, ${options}) / ${count}, ${channelsFirst(rank)})`);
}

/** Output i of n covers floor(i·size/n) to ceil((i+1)·size/n). */
function adaptive(c: ReferenceCase, name: "mean" | "max"): Program {
  const rank = shapeOf(c, "x").length - 2;
  const sizes = (c.outputs.y?.shape ?? []).slice(2);
  let text = ["y = x"];
  for (let axis = 2; axis < rank + 2; axis++) {
    const size = shapeOf(c, "x")[axis]!;
    const count = sizes[axis - 2]!;
    const parts = Array.from({ length: count }, (_, i) => {
      const slice = `${Math.floor((i * size) / count)}:${Math.ceil(((i + 1) * size) / count)}`;
      const index = Array.from({ length: rank + 2 }, (_, at) => (at === axis ? slice : ":")).join(", ");
      return `${name}(y[${index}], axis: ${axis}, keepdims: true)`;
    });
    text = [...text, `y = concatenate([${parts.join(", ")}], axis: ${axis})`];
  }
  return formula(text.join("\n"));
}

/** The same for images, by the library's block. */
const adaptiveBlock = (c: ReferenceCase, name: "average" | "max"): Program => {
  const size = listText((c.outputs.y?.shape ?? []).slice(2));
  return formula(
    `y = transpose(adaptive_${name}_pool2d(transpose(x, ${channelsLast(2)}), ${size}), ${channelsFirst(2)})`,
  );
};

function interpolate(c: ReferenceCase): Program {
  if (c.attributes.mode === "area") return adaptive(c, "mean");
  const size = listText((c.outputs.y?.shape ?? []).slice(2));
  const options = `method: "${String(c.attributes.mode)}", align_corners: ${flagOf(c, "align_corners", false)}`;
  const image = `transpose(x, ${channelsLast(2)})`;
  return formula(`y = transpose(resize2d(${image}, ${size}, ${options}), ${channelsFirst(2)})`);
}

export const pooling: Readonly<Record<string, Recipe>> = {
  max_pool1d: maxPool,
  max_pool2d: maxPool,
  max_pool3d: maxPool,
  avg_pool1d: averagePool,
  avg_pool2d: averagePool,
  avg_pool3d: averagePool,
  adaptive_avg_pool1d: (c) => adaptive(c, "mean"),
  adaptive_avg_pool2d: (c) => adaptiveBlock(c, "average"),
  adaptive_max_pool1d: (c) => adaptive(c, "max"),
  adaptive_max_pool2d: (c) => adaptiveBlock(c, "max"),
  interpolate,
  affine_grid: (c) => {
    const size = listText((c.outputs.y?.shape ?? []).slice(1, 3));
    return formula(`y = affine_grid(t, ${size}, align_corners: ${flagOf(c, "align_corners", false)})`);
  },
  grid_sample: (c) => {
    const options = `border: ${c.attributes.padding_mode === "border"}, align_corners: ${flagOf(c, "align_corners", false)}`;
    return formula(`y = transpose(grid_sample(transpose(x, ${channelsLast(2)}), g, ${options}), ${channelsFirst(2)})`);
  },
};
