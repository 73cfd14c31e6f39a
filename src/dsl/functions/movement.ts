// Functions that move elements about: shapes, axes, joining and splitting. NumPy's names.

import { addDims, type Dim, divideExactly, equalDims, formatDim, productOf } from "../../ir/dim.ts";
import type { Value } from "../../ir/graph.ts";
import { type Context, make } from "../context.ts";
import { broadcastTo, commonType } from "../tensors.ts";
import { type CompileValue, formatShape, formatType, tensor, tuple } from "../values.ts";
import { type Arguments, type Builtin, define } from "./define.ts";

/** A shape with at most one -1, which is what the other sizes leave. */
function reshape(a: Arguments, c: Context): Value {
  const x = a.tensor("x");
  const shape = a.dims("shape");
  const total = productOf(x.type.shape);
  const open = shape.indexOf(-1);
  if (open < 0) {
    if (!equalDims(total, productOf(shape)))
      throw a.wrong(
        "shape",
        `${formatType(x.type)} has ${formatDim(total)} elements, and ${formatShape(shape)} has ${formatDim(productOf(shape))}`,
      );
    return make(c, "reshape", [x], { shape });
  }
  const others = productOf(shape.filter((_, i) => i !== open));
  const rest = divideExactly(total, others);
  if (rest === undefined || shape.indexOf(-1, open + 1) >= 0)
    throw a.wrong(
      "shape",
      `-1 in ${formatShape(shape)} cannot be told: ${formatType(x.type)} has ${formatDim(total)} elements`,
    );
  return make(c, "reshape", [x], { shape: shape.map((dim, i) => (i === open ? rest : dim)) });
}

function permute(a: Arguments, c: Context): Value {
  const x = a.tensor("x");
  const rank = x.type.shape.length;
  if (!a.given("axes")) return make(c, "transpose", [x], { permutation: x.type.shape.map((_, i) => rank - 1 - i) });
  const permutation = a.ints("axes").map((axis) => (axis < 0 ? axis + rank : axis));
  const complete = permutation.length === rank && x.type.shape.every((_, i) => permutation.includes(i));
  if (!complete) throw a.wrong("axes", `axes should name each of the ${rank} axes of ${formatType(x.type)} once`);
  return make(c, "transpose", [x], { permutation });
}

function swap(a: Arguments, c: Context): Value {
  const x = a.tensor("x");
  const rank = x.type.shape.length;
  const [p, q] = [a.axis("first", rank), a.axis("second", rank)];
  return make(c, "transpose", [x], { permutation: x.type.shape.map((_, i) => (i === p ? q : i === q ? p : i)) });
}

function sliceAxis(c: Context, x: Value, axis: number, start: Dim, limit: Dim, stride = 1): Value {
  const { shape } = x.type;
  return make(c, "slice", [x], {
    start: shape.map((_, i) => (i === axis ? start : 0)),
    limit: shape.map((dim, i) => (i === axis ? limit : dim)),
    stride: shape.map((_, i) => (i === axis ? stride : 1)),
  });
}

function split(a: Arguments, c: Context): CompileValue {
  const x = a.tensor("x");
  const axis = a.axis("axis", x.type.shape.length);
  const size = x.type.shape[axis]!;
  const parts: Dim[] = [];
  if (a.value("parts").kind === "list") {
    parts.push(...a.dims("parts"));
    const sum = parts.reduce<Dim>(addDims, 0);
    if (!equalDims(sum, size))
      throw a.wrong("parts", `the parts add up to ${formatDim(sum)}, and axis ${axis} has ${formatDim(size)}`);
  } else {
    const count = a.int("parts");
    const part = count > 0 ? divideExactly(size, count) : undefined;
    if (part === undefined) throw a.wrong("parts", `${formatDim(size)} does not split into ${count} equal parts`);
    for (let i = 0; i < count; i++) parts.push(part);
  }
  let start: Dim = 0;
  return tuple(
    parts.map((part) => {
      const limit = addDims(start, part);
      const piece = sliceAxis(c, x, axis, start, limit);
      start = limit;
      return tensor(piece);
    }),
  );
}

function join(a: Arguments, c: Context): Value {
  const parts = a.tensors("tensors");
  const [first] = parts;
  if (!first) throw a.wrong("tensors", "there is nothing to join");
  commonType(c, parts.map(tensor), "concatenate");
  const axis = a.axis("axis", first.type.shape.length);
  return parts.length === 1 ? first : make(c, "concatenate", parts, { axis });
}

/** x with a new axis of length 1, which becomes axis `at` of the result. */
function unsqueeze(c: Context, x: Value, at: number): Value {
  return make(c, "reshape", [x], { shape: [...x.type.shape.slice(0, at), 1, ...x.type.shape.slice(at)] });
}

function stack(a: Arguments, c: Context): Value {
  const parts = a.tensors("tensors");
  const [first] = parts;
  if (!first) throw a.wrong("tensors", "there is nothing to stack");
  commonType(c, parts.map(tensor), "stack");
  const axis = a.axis("axis", first.type.shape.length + 1);
  const rows = parts.map((part) => unsqueeze(c, part, axis));
  return rows.length === 1 ? rows[0]! : make(c, "concatenate", rows, { axis });
}

function squeeze(a: Arguments, c: Context): Value {
  const x = a.tensor("x");
  const { shape } = x.type;
  const axes = a.given("axis") ? a.axes("axis", shape.length) : shape.flatMap((dim, i) => (dim === 1 ? [i] : []));
  for (const axis of axes)
    if (shape[axis] !== 1) throw a.wrong("axis", `axis ${axis} of ${formatType(x.type)} does not have length 1`);
  return make(c, "reshape", [x], { shape: shape.filter((_, i) => !axes.includes(i)) });
}

function pad(a: Arguments, c: Context): Value {
  const x = a.tensor("x");
  const rank = x.type.shape.length;
  const widths = a.value("widths");
  const pairs: (readonly [Dim, Dim])[] = [];
  if (widths.kind === "int") for (let i = 0; i < rank; i++) pairs.push([widths.value, widths.value]);
  else
    for (const pair of a.list("widths")) {
      const [low, high] = pair.kind === "list" ? pair.items : [pair, pair];
      if (low?.kind !== "int" || high?.kind !== "int")
        throw a.wrong("widths", "widths should be a number, or [before, after] for each axis");
      pairs.push([low.value, high.value]);
    }
  if (pairs.length !== rank)
    throw a.wrong("widths", `widths should have ${rank} pairs, one for each axis of ${formatType(x.type)}`);
  return make(c, "pad", [x], {
    low: pairs.map(([low]) => low),
    high: pairs.map(([, high]) => high),
    interior: pairs.map(() => 0),
    value: a.number("value"),
  });
}

/** Repeats each element `times` along an axis: [a, b] → [a, a, b, b]. */
function repeatAxis(a: Arguments, c: Context): Value {
  const x = a.tensor("x");
  const { shape } = x.type;
  const axis = a.axis("axis", shape.length);
  const times = a.int("times");
  const wide = [...shape.slice(0, axis + 1), times, ...shape.slice(axis + 1)];
  const spread = make(c, "broadcast", [x], { shape: wide, axes: shape.map((_, i) => (i <= axis ? i : i + 1)) });
  return make(c, "reshape", [spread], { shape: shape.map((d, i) => (i === axis ? productOf([d, times]) : d)) });
}

export const movementFunctions: readonly Builtin[] = [
  define(
    "reshape(x: tensor, shape: ints)",
    "The same elements in another shape; one size may be -1, which is what the others leave.",
    (a, c) => tensor(reshape(a, c)),
  ),
  define(
    "transpose(x: tensor, axes: ints = none)",
    "Axis i of the result is axis `axes[i]` of `x`; all reversed unless given.",
    (a, c) => tensor(permute(a, c)),
  ),
  define("swapaxes(x: tensor, first: int, second: int)", "`x` with two axes exchanged.", (a, c) => tensor(swap(a, c))),
  define(
    "split(x: tensor, parts: ints, axis: int = -1)",
    "A tuple of equal parts along `axis`, or of parts of the given sizes.",
    (a, c) => split(a, c),
  ),
  define("concatenate(tensors: list, axis: int = 0)", "The tensors one after another along `axis`.", (a, c) =>
    tensor(join(a, c)),
  ),
  define("stack(tensors: list, axis: int = 0)", "The tensors side by side along a new axis.", (a, c) =>
    tensor(stack(a, c)),
  ),
  define("expand_dims(x: tensor, axis: int)", "`x` with a new axis of length 1.", (a, c) => {
    const x = a.tensor("x");
    return tensor(unsqueeze(c, x, a.axis("axis", x.type.shape.length + 1)));
  }),
  define(
    "squeeze(x: tensor, axis: ints = none)",
    "`x` without the axes named, or without all axes of length 1.",
    (a, c) => tensor(squeeze(a, c)),
  ),
  define("broadcast_to(x: tensor, shape: ints)", "`x` spread over `shape`, aligned at the right.", (a, c) =>
    tensor(broadcastTo(c, a.tensor("x"), a.dims("shape"))),
  ),
  define("flip(x: tensor, axis: ints = none)", "`x` in reverse order along the axes.", (a, c) => {
    const x = a.tensor("x");
    return tensor(make(c, "reverse", [x], { axes: a.axes("axis", x.type.shape.length) }));
  }),
  define(
    "repeat_elements(x: tensor, times: int, axis: int = -1)",
    "Each element `times` over along `axis`: [a, b] becomes [a, a, b, b].",
    (a, c) => tensor(repeatAxis(a, c)),
  ),
  define(
    "pad(x: tensor, widths: ints, value: float = 0)",
    "`x` with `value` around it: a number of elements for all sides, or [before, after] for each axis.",
    (a, c) => tensor(pad(a, c)),
  ),
];
