// Looking elements up by integers, and one-hot vectors, which do the reverse.

import type { Value } from "../../ir/graph.ts";
import { type Context, make } from "../context.ts";
import { alikeShapes } from "../tensors.ts";
import { type CompileValue, formatType, tensor, tuple } from "../values.ts";
import { type Arguments, type Builtin, define } from "./define.ts";

function indicesOf(a: Arguments): Value {
  const given = a.value("indices");
  const indices = given.kind === "tensor" ? given.value : undefined;
  if (indices?.type.dtype !== "i32")
    throw a.wrong(
      "indices",
      `indices should be a tensor of i32${indices ? `, and is ${formatType(indices.type)}` : ""}`,
    );
  return indices;
}

export function take(c: Context, x: Value, indices: Value, axis: number): Value {
  return make(c, "gather", [x, indices], { axis, batch: 0 });
}

function takeAlong(a: Arguments, c: Context): Value {
  const x = a.tensor("x");
  const indices = indicesOf(a);
  const axis = a.axis("axis", x.type.shape.length);
  const rank = x.type.shape.length;
  if (axis !== rank - 1 || indices.type.shape.length < rank - 1 || indices.type.shape.length > rank)
    throw a.wrong("axis", "take_along looks up along the last axis, with the axes before it in common");
  return make(c, "gather", [x, indices], { axis, batch: rank - 1 });
}

/** Compares each index with the positions 0, 1, … along a new last axis. */
function oneHot(a: Arguments, c: Context): Value {
  const indices = indicesOf(a);
  const shape = [...indices.type.shape, a.dim("classes")];
  const positions = make(c, "iota", [], { shape, axis: shape.length - 1, dtype: "i32" });
  const spread = make(c, "broadcast", [indices], { shape, axes: indices.type.shape.map((_, i) => i) });
  const [x, y] = alikeShapes(c, [spread, positions], "one_hot");
  const hit = make(c, "compare", [x!, y!], { direction: "eq" });
  const dtype = a.dtype("dtype");
  return dtype === "bool" ? hit : make(c, "convert", [hit], { dtype });
}

/** x with `axis` moved to the end, or from there back to `axis`. */
function moveAxis(c: Context, x: Value, axis: number, back: boolean): Value {
  const rank = x.type.shape.length;
  if (axis === rank - 1) return x;
  const last = [...x.type.shape.keys()].filter((i) => i !== axis).concat(axis);
  return make(c, "transpose", [x], { permutation: back ? last.map((_, i) => last.indexOf(i)) : last });
}

/** The elements along `axis` in order, and where they were. */
function ordered(a: Arguments, c: Context, descending: boolean): { values: Value; indices: Value; axis: number } {
  const x = a.tensor("x");
  if (x.type.shape.length === 0) throw a.wrong("x", "x should have axes, and is one number");
  const axis = a.axis("axis", x.type.shape.length);
  const rows = moveAxis(c, x, axis, false);
  const last = rows.type.shape.length - 1;
  const indices = make(c, "argsort", [rows], { axis: last, descending });
  return { values: make(c, "gather", [rows, indices], { axis: last, batch: last }), indices, axis };
}

/** The first k of each row, and their places, with the axes in their order. */
function topK(a: Arguments, c: Context): CompileValue {
  const { values, indices, axis } = ordered(a, c, true);
  const { shape } = values.type;
  const count = a.dim("k");
  const size = shape.at(-1)!;
  if (typeof count === "number" && typeof size === "number" && (count < 1 || count > size))
    throw a.wrong("k", `k should be from 1 to ${size}, the length of the axis, and is ${count}`);
  const first = (x: Value): Value => {
    const limit = [...shape.slice(0, -1), count];
    return moveAxis(
      c,
      make(c, "slice", [x], { start: shape.map(() => 0), limit, stride: shape.map(() => 1) }),
      axis,
      true,
    );
  };
  return tuple([tensor(first(values)), tensor(first(indices))]);
}

export const gatherFunctions: readonly Builtin[] = [
  define(
    "take(x: tensor, indices: tensor, axis: int = 0)",
    "The slices of `x` at `indices` (i32) along `axis`; the axes of `indices` take its place. Indices out of range are clamped.",
    (a, c) => {
      const x = a.tensor("x");
      return tensor(take(c, x, indicesOf(a), a.axis("axis", x.type.shape.length)));
    },
  ),
  define(
    "take_along(x: tensor, indices: tensor, axis: int = -1)",
    "For each position of the axes before the last, the element of `x` [...B, K] at `indices` [...B] (or elements at [...B, M]).",
    (a, c) => tensor(takeAlong(a, c)),
  ),
  define(
    "sort(x: tensor, axis: int = -1, descending: bool = false)",
    "The elements along `axis` in order; NaN comes last.",
    (a, c) => {
      const { values, axis } = ordered(a, c, a.bool("descending"));
      return tensor(moveAxis(c, values, axis, true));
    },
  ),
  define(
    "argsort(x: tensor, axis: int = -1, descending: bool = false)",
    "Where the elements along `axis` are, in the order of their values; equal ones in the order of their places.",
    (a, c) => {
      const x = a.tensor("x");
      const axis = a.axis("axis", x.type.shape.length);
      return tensor(make(c, "argsort", [x], { axis, descending: a.bool("descending") }));
    },
  ),
  define(
    "topk(x: tensor, k: int, axis: int = -1)",
    "The `k` greatest elements along `axis`, greatest first, and their places: `values, places = topk(x, 3)`.",
    topK,
  ),
  define(
    "one_hot(indices: tensor, classes: int, dtype: dtype = f32)",
    "A new last axis of length `classes` with a 1 at each index; all zeros for an index out of range.",
    (a, c) => tensor(oneHot(a, c)),
  ),
];
