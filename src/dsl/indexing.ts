// Square brackets: items of lists at compile time, Python's slices of tensors.

import { addDims, type Dim, formatDim, subtractDims } from "../ir/dim.ts";
import type { Value } from "../ir/graph.ts";
import type { AtItem, EllipsisItem, Expression, IndexExpression, IndexItem, SliceItem } from "./ast.ts";
import { type Context, make, mistake } from "./context.ts";
import { type Environment, evaluate, visibleNames } from "./evaluate.ts";
import { take } from "./functions/gather.ts";
import { type CompileValue, describe, formatType, kindOf, type ListValue, list, tensor } from "./values.ts";

export function indexValue(c: Context, env: Environment, target: CompileValue, written: IndexExpression): CompileValue {
  if (target.kind === "list") return indexList(c, env, target, written);
  if (target.kind === "tensor") return tensor(indexTensor(c, env, target.value, written));
  c.frame.span = written.span;
  throw mistake(c, "type", `lists and tensors can be indexed, not ${kindOf(target)}`);
}

function indexList(c: Context, env: Environment, target: ListValue, written: IndexExpression): CompileValue {
  const [item, more] = written.items;
  const { length } = target.items;
  if (!item || more || item.kind === "ellipsis") {
    c.frame.span = written.span;
    throw mistake(c, "type", "a list takes one index");
  }
  if (item.kind === "slice") {
    const [from, to, stride] = bounds(c, env, item, length);
    if (typeof from !== "number" || typeof to !== "number") throw mistake(c, "type", "the bounds must be known here");
    const items = target.items.slice(Math.min(from, to), Math.max(from, to));
    if (stride < 0) items.reverse();
    return list(items.filter((_, i) => i % Math.abs(stride) === 0));
  }
  const index = indexOf(c, env, item.value);
  c.frame.span = item.span;
  const at = typeof index === "number" && index < 0 ? index + length : index;
  const found = typeof at === "number" ? target.items[at] : undefined;
  if (!found)
    throw mistake(c, "type", `there is no item ${formatDim(index)} in ${describe(target)}, which has ${length}`);
  return found;
}

function indexOf(c: Context, env: Environment, expression: Expression): Dim {
  const value = evaluate(c, env, expression);
  if (value.kind === "int") return value.value;
  c.frame.span = expression.span;
  throw mistake(c, "type", `an index is an integer, not ${kindOf(value)}`, {
    help: value.kind === "float" ? "a division that does not come out even gives a fraction" : undefined,
  });
}

/** Start, limit and stride, counted from the front; numbers beyond the ends are brought to them, as in Python. */
function bounds(c: Context, env: Environment, item: SliceItem, size: Dim): [from: Dim, to: Dim, stride: number] {
  const stride = item.step ? indexOf(c, env, item.step) : 1;
  const given = (e: Expression | undefined): Dim | undefined => (e ? indexOf(c, env, e) : undefined);
  const [from, to] = [given(item.from), given(item.to)];
  c.frame.span = item.span;
  if (typeof stride !== "number" || stride === 0)
    throw mistake(c, "type", "the step of a slice is a number, but not 0");
  const fromFront = (dim: Dim): Dim => {
    const front = typeof dim === "number" && dim < 0 ? addDims(size, dim) : dim;
    if (typeof front !== "number") return front;
    return typeof size === "number" ? Math.min(Math.max(front, 0), size) : Math.max(front, 0);
  };
  if (stride > 0) return [fromFront(from ?? 0), fromFront(to ?? size), stride];
  // Walking backwards from `from` (included) down to `to` (excluded): the same elements as the slice (to, from] reversed.
  const high = from === undefined ? size : addDims(fromFront(from), 1);
  const low = to === undefined ? 0 : addDims(fromFront(to), 1);
  return [low, typeof high === "number" && typeof size === "number" ? Math.min(high, size) : high, stride];
}

function indexTensor(c: Context, env: Environment, x: Value, written: IndexExpression): Value {
  const items = expandEllipsis(c, x, written);
  const { shape } = x.type;
  const start: Dim[] = shape.map(() => 0);
  const limit: Dim[] = [...shape];
  const stride = shape.map(() => 1);
  const reversed: number[] = [];
  const dropped: number[] = [];
  let gathered: { axis: number; indices: Value } | undefined;
  items.forEach((item, axis) => {
    const size = shape[axis]!;
    if (item.kind === "slice") {
      const [from, to, by] = bounds(c, env, item, size);
      const empty = subtractDims(to, from);
      start[axis] = from;
      limit[axis] = typeof empty === "number" && empty < 0 ? from : to;
      stride[axis] = Math.abs(by);
      if (by < 0) reversed.push(axis);
      return;
    }
    const value = evaluate(c, env, item.value);
    c.frame.span = item.span;
    if (value.kind === "tensor" && value.value.type.dtype === "i32" && !gathered) {
      gathered = { axis, indices: value.value };
      return;
    }
    if (value.kind !== "int") throw mistake(c, "type", `an index is an integer or a slice, not ${kindOf(value)}`);
    const at = typeof value.value === "number" && value.value < 0 ? addDims(size, value.value) : value.value;
    if (typeof at === "number" && (at < 0 || (typeof size === "number" && at >= size)))
      throw mistake(c, "shape", `there is no index ${describe(value)} along axis ${axis} of ${formatType(x.type)}`);
    start[axis] = at;
    limit[axis] = addDims(at, 1);
    dropped.push(axis);
  });
  c.frame.span = written.span;
  // Backwards with a stride: turned round first, so that the stride counts from the far end.
  let y = x;
  if (reversed.length > 0) {
    y = make(c, "reverse", [y], { axes: reversed });
    for (const axis of reversed)
      [start[axis], limit[axis]] = [subtractDims(shape[axis]!, limit[axis]!), subtractDims(shape[axis]!, start[axis]!)];
  }
  const whole = shape.every((dim, i) => start[i] === 0 && limit[i] === dim && stride[i] === 1);
  if (!whole) y = make(c, "slice", [y], { start, limit, stride });
  if (gathered) y = take(c, y, gathered.indices, gathered.axis);
  const extra = gathered ? gathered.indices.type.shape.length - 1 : 0;
  const gone = dropped.map((axis) => (gathered && axis > gathered.axis ? axis + extra : axis));
  return gone.length > 0 ? make(c, "reshape", [y], { shape: y.type.shape.filter((_, i) => !gone.includes(i)) }) : y;
}

/**
 * x at `fixed[axis]`, an integer, along each axis that has one; the axis vanishes. `unknown` words a name that means nothing.
 */
export function pickElements(
  c: Context,
  env: Environment,
  x: Value,
  fixed: readonly (Expression | undefined)[],
  unknown: (name: string) => Error,
): Value {
  const { span } = c.frame;
  if (fixed.every((item) => item === undefined)) return x;
  for (const item of fixed) {
    if (item?.kind !== "name" || visibleNames(env).includes(item.name)) continue;
    c.frame.span = item.span;
    throw unknown(item.name);
  }
  const items = fixed.map(
    (value): AxisItem => (value ? { kind: "at", value, span: value.span } : { kind: "slice", span }),
  );
  return indexTensor(c, env, x, { kind: "index", target: { kind: "name", name: "", span }, items, span });
}

type AxisItem = Exclude<IndexItem, EllipsisItem>;

/** One item an axis: `...` stands for all axes that no other item takes, and axes at the end may be left away. */
function expandEllipsis(c: Context, x: Value, written: IndexExpression): AxisItem[] {
  const rank = x.type.shape.length;
  const isAxis = (item: IndexItem): item is AtItem | SliceItem => item.kind !== "ellipsis";
  const plain = written.items.filter(isAxis);
  c.frame.span = written.span;
  if (plain.length > rank)
    throw mistake(
      c,
      "shape",
      `${plain.length} indices for ${formatType(x.type)}, which has ${rank === 1 ? "1 axis" : `${rank} axes`}`,
    );
  const dots = written.items.length - plain.length;
  if (dots > 1) throw mistake(c, "syntax", "one `...` is enough");
  const all = (count: number): SliceItem[] =>
    Array.from({ length: count }, () => ({ kind: "slice", span: written.span }));
  const missing = rank - plain.length;
  if (dots === 0) return [...plain, ...all(missing)];
  return written.items.flatMap((item) => (isAxis(item) ? [item] : all(missing)));
}
