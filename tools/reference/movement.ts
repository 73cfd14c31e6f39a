// Moving elements: shapes, axes, slices, padding, and looking up by index.

import { numberOf, numbersOf, type ReferenceCase, shapeOf } from "./case.ts";
import { float, formula, identifier, listText, missing, type Program, pairsText, type Recipe } from "./program.ts";

const outputShape = (c: ReferenceCase, name = "y"): string => listText(c.outputs[name]?.shape ?? []);

/** `[:, 1:3]`: the slice along one axis. */
function along(rank: number, axis: number, slice: string): string {
  return `[${Array.from({ length: rank }, (_, i) => (i === axis ? slice : ":")).join(", ")}]`;
}

/** Consecutive parts along an axis, as outputs y0, y1 … */
function parts(c: ReferenceCase): Program {
  const axis = numberOf(c, "dim", 0);
  const names = Object.keys(c.outputs);
  const sizes = names.map((name) => c.outputs[name]!.shape[axis]!);
  return formula(`${names.map(identifier).join(", ")} = split(x, ${listText(sizes)}, axis: ${axis})`);
}

function roll(c: ReferenceCase): Program {
  const axes = numbersOf(c, "dims", 1, 0);
  const lines = numbersOf(c, "shifts", 1, 0).map((shift, i) => `y = roll(y, ${shift}, axis: ${axes[i]})`);
  return formula(["y = x", ...lines].join("\n"));
}

/** PyTorch lists padding from the last axis on: [left, right, top, bottom]. Each side is made of slices of the tensor. */
function padded(c: ReferenceCase): Program {
  const rank = shapeOf(c, "x").length;
  const pad = numbersOf(c, "pad", 0, 0);
  const mode = c.attributes.mode ?? "constant";
  if (mode === "constant") {
    const widths = shapeOf(c, "x").map((_, axis) => {
      const at = 2 * (rank - 1 - axis);
      return [pad[at] ?? 0, pad[at + 1] ?? 0];
    });
    return formula(`y = pad(x, ${pairsText(widths)}, value: ${float(numberOf(c, "value", 0))})`);
  }
  const lines: string[] = ["y = x"];
  for (let at = 0; at < pad.length; at += 2) {
    const axis = rank - 1 - at / 2;
    const size = shapeOf(c, "x")[axis]!;
    const [low, high] = [pad[at]!, pad[at + 1]!];
    const piece = (from: number, to: number): string => `y${along(rank, axis, `${from}:${to}`)}`;
    const repeated = (text: string, count: number): string[] => Array.from({ length: count }, () => text);
    const before =
      mode === "reflect"
        ? [`flip(${piece(1, 1 + low)}, axis: ${axis})`]
        : mode === "circular"
          ? [piece(size - low, size)]
          : repeated(piece(0, 1), low);
    const after =
      mode === "reflect"
        ? [`flip(${piece(size - 1 - high, size - 1)}, axis: ${axis})`]
        : mode === "circular"
          ? [piece(0, high)]
          : repeated(piece(size - 1, size), high);
    lines.push(`y = concatenate([${[...(low ? before : []), "y", ...(high ? after : [])].join(", ")}], axis: ${axis})`);
  }
  return formula(lines.join("\n"));
}

/** [N, C·r², H, W] to [N, C, H·r, W·r], and back. */
/** A block of images, whose channels PyTorch has before height and width. */
const ofImages =
  (block: string): Recipe =>
  (c) =>
    formula(`y = transpose(${block}(transpose(x, [0, 2, 3, 1]), ${numberOf(c, "r", 2)}), [0, 3, 1, 2])`);

/** Which positions of axis `dim` of `target` each index means: [..., indices, positions], with `dim` moved to the end. */
function hits(
  c: ReferenceCase,
  target: string,
): { readonly lines: string[]; readonly back: string; readonly order: string } {
  const shape = shapeOf(c, target);
  const axis = (numberOf(c, "dim", 0) + shape.length) % shape.length;
  const order = [...shape.map((_, i) => i).filter((i) => i !== axis), axis];
  const back = order.map((_, i) => order.indexOf(i));
  const lines = [`hit = one_hot(transpose(i, ${listText(order)}), ${shape[axis]})`];
  return { lines, back: listText(back), order: listText(order) };
}

function gather(c: ReferenceCase): Program {
  const { order, back } = hits(c, "x");
  return formula(`y = transpose(take_along(transpose(x, ${order}), transpose(i, ${order})), ${back})`);
}

/** The sum of the updates at each position, by a product with one-hot rows. */
function scatterAdd(c: ReferenceCase): Program {
  const { lines, order, back } = hits(c, "x");
  const sum = `sum(hit * expand_dims(transpose(s, ${order}), -1), axis: -2)`;
  return formula([...lines, `y = x + transpose(${sum}, ${back})`].join("\n"));
}

function scatter(c: ReferenceCase): Program {
  const { lines, order, back } = hits(c, "x");
  return formula(
    [
      ...lines,
      `written = transpose(sum(hit * expand_dims(transpose(s, ${order}), -1), axis: -2), ${back})`,
      `there = transpose(sum(hit, axis: -2), ${back})`,
      "y = where(there > 0, written, x)",
    ].join("\n"),
  );
}

export const movement: Readonly<Record<string, Recipe>> = {
  permute: (c) => formula(`y = transpose(x, ${listText(numbersOf(c, "dims", 0, 0))})`),
  transpose: (c) => formula(`y = swapaxes(x, ${numberOf(c, "dim0", 0)}, ${numberOf(c, "dim1", 1)})`),
  reshape: (c) => formula(`y = reshape(x, ${outputShape(c)})`),
  reshape_of_transpose: (c) => formula(`y = reshape(transpose(x), ${outputShape(c)})`),
  flip: (c) => formula(`y = flip(x, axis: ${listText(numbersOf(c, "dims", 1, 0))})`),
  roll,
  split: parts,
  chunk: parts,
  unbind: (c) => {
    const axis = numberOf(c, "dim", 0);
    const rank = shapeOf(c, "x").length;
    return formula(
      Object.keys(c.outputs)
        .map((name, i) => `${name} = x${along(rank, axis, String(i))}`)
        .join("\n"),
    );
  },
  cat: (c) => formula(`y = concatenate([${Object.keys(c.inputs).join(", ")}], axis: ${numberOf(c, "dim", 0)})`),
  stack: (c) => formula(`y = stack([${Object.keys(c.inputs).join(", ")}], axis: ${numberOf(c, "dim", 0)})`),
  tile: (c) => {
    const reps = numbersOf(c, "reps", 0, 1);
    const lines = reps.map((times, i) => `y = tile(y, ${times}, axis: ${i - reps.length})`);
    const shape = [...reps.slice(shapeOf(c, "x").length).map(() => 1), ...shapeOf(c, "x")];
    return formula([`y = reshape(x, ${listText(shape)})`, ...lines].join("\n"));
  },
  expand: (c) => formula(`y = broadcast_to(x, ${outputShape(c)})`),
  repeat_interleave: (c) =>
    formula(`y = repeat_elements(x, ${numberOf(c, "repeats", 2)}, axis: ${numberOf(c, "dim", 0)})`),
  slice_step: (c) => {
    const { slices } = c.attributes;
    return typeof slices === "string" ? formula(`y = ${slices}`) : missing("the slices are not given");
  },
  diagonal: (c) => {
    const [rows, columns] = shapeOf(c, "x");
    const offset = numberOf(c, "offset", 0);
    const first = offset >= 0 ? offset : -offset * columns!;
    const count = c.outputs.y?.shape[0] ?? Math.min(rows!, columns!);
    const limit = first + (count - 1) * (columns! + 1) + 1;
    return formula(`y = reshape(x, [-1])[${first}:${limit}:${columns! + 1}]`);
  },
  tril: (c) => {
    const [rows, columns] = shapeOf(c, "x").slice(-2);
    const offset = numberOf(c, "diagonal", 0);
    return formula(`y = where(iota([${rows}, ${columns}], 1) <= iota([${rows}, ${columns}], 0) + ${offset}, x, 0.0)`);
  },
  triu: (c) => {
    const [rows, columns] = shapeOf(c, "x").slice(-2);
    const offset = numberOf(c, "diagonal", 0);
    return formula(`y = where(iota([${rows}, ${columns}], 1) >= iota([${rows}, ${columns}], 0) + ${offset}, x, 0.0)`);
  },
  pad_constant: padded,
  pad_reflect: padded,
  pad_replicate: padded,
  pad_circular: padded,
  pixel_shuffle: ofImages("pixel_shuffle"),
  pixel_unshuffle: ofImages("pixel_unshuffle"),
  masked_fill: (c) => formula(`y = where(m > 0, ${float(numberOf(c, "value", 0))}, x)`),
  embedding: () => formula("y = take(w, i)"),
  embedding_bag_sum: () => formula("y = sum(take(w, i), axis: 1)"),
  index_select: (c) => formula(`y = take(x, i, axis: ${numberOf(c, "dim", 0)})`),
  index_adv: (c) => formula(`y = take(reshape(x, [-1]), i * ${shapeOf(c, "x")[1]} + j)`),
  gather,
  scatter,
  scatter_add: scatterAdd,
  bincount: (c) => formula(`y = cast(sum(one_hot(i, ${c.outputs.y?.shape[0]}), axis: 0), i32)`),
  narrow: (c) => {
    const axis = numberOf(c, "dim", 0);
    const start = numberOf(c, "start", 0);
    const length = c.outputs.y?.shape[axis] ?? 1;
    return formula(`y = x${along(shapeOf(c, "x").length, axis, `${start}:${start + length}`)}`);
  },
  select: (c) =>
    formula(`y = x${along(shapeOf(c, "x").length, numberOf(c, "dim", 0), String(numberOf(c, "index", 0)))}`),
  squeeze: (c) => formula(`y = reshape(x, ${outputShape(c)})`),
  unsqueeze: (c) => formula(`y = reshape(x, ${outputShape(c)})`),
  flatten: (c) => formula(`y = reshape(x, ${outputShape(c)})`),
  view: (c) => formula(`y = reshape(x, ${outputShape(c)})`),
  take: () => formula("y = take(reshape(x, [-1]), i)"),
  one_hot: (c) => formula(`y = one_hot(i, ${c.outputs.y?.shape.at(-1)}, i32)`),
};
