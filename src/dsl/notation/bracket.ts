// `x[n, t, 0]` in index notation: numbers pick, repeated indices take diagonals, and tensors of integers look up.

import { formatDim } from "../../ir/dim.ts";
import { literal } from "../../ir/graph.ts";
import type { AtItem, IndexExpression } from "../ast.ts";
import { type Context, make, mistake } from "../context.ts";
import { closest } from "../diagnostics.ts";
import { pickElements } from "../indexing.ts";
import { formatType, tensor } from "../values.ts";
import { indexed } from "./evaluate.ts";
import { type Index, type Indexed, ordered, sizeOf, tensorOf, textOf } from "./indexed.ts";
import { type Indices, mentions, plainIndex, type Reading } from "./sizes.ts";

/** The elements of a tensor, one axis for each index in the bracket. */
export function bracket(r: Reading, written: IndexExpression, indices: Indices): Indexed {
  const { c } = r;
  const target = r.targets.get(written);
  // Without an index of ours in it, what is inside may still be: (x[n])[0].
  if (!target) {
    c.frame.span = written.span;
    throw mistake(c, "syntax", "index notation takes elements of tensors that have a name", {
      help: "define the tensor first, in a statement of its own",
    });
  }
  const items = written.items.filter((item): item is AtItem => item.kind === "at");
  const axes = items.map((item) => plainIndex(item.value, indices));
  const lookups = items.flatMap((item, axis) => (!axes[axis] && mentions(item.value, indices) ? [axis] : []));
  const fixed = items.map((item, axis) => (axes[axis] || lookups.includes(axis) ? undefined : item.value));
  c.frame.span = written.span;
  const picked = pickElements(c, r.env, target, fixed, (name) => unknownIndex(c, name, written, indices));
  const kept = axes.filter((_, axis) => fixed[axis] === undefined);
  const own = kept.filter((index) => index !== undefined);
  const { span } = written;
  const [lookup, more] = lookups;
  if (lookup === undefined) return diagonals(c, { value: tensor(picked), indices: own, span });
  if (more !== undefined) {
    c.frame.span = items[more]!.span;
    throw mistake(c, "syntax", "one index of a bracket may be looked up from a tensor, and this is the second");
  }
  return gather(r, written, diagonalBeside(c, picked, kept, items[lookup]!), indexed(r, items[lookup]!.value, indices));
}

/** The operand of a look-up: its axis is the one without an index. */
function diagonalBeside(
  c: Context,
  x: ReturnType<typeof pickElements>,
  kept: readonly (Index | undefined)[],
  item: AtItem,
) {
  const names = kept.filter((index) => index !== undefined);
  if (new Set(names).size < names.length) {
    c.frame.span = item.span;
    throw mistake(c, "syntax", "a diagonal and a look-up in one bracket", { help: "define one of the two first" });
  }
  return { x, kept };
}

/** Axes that both sides have are looked up together; those of the places stand where the axis was. */
function gather(
  { c }: Reading,
  written: IndexExpression,
  { x, kept }: ReturnType<typeof diagonalBeside>,
  places: Indexed,
): Indexed {
  const table = tensorOf(places);
  if (table?.type.dtype !== "i32") {
    c.frame.span = places.span;
    throw mistake(c, "type", `a place is an integer, i32, and ${textOf(c, places)} is not`, {
      label: table ? formatType(table.type) : "",
      help: "cast(…, i32)",
    });
  }
  const shared = places.indices.filter((index) => kept.includes(index));
  const after = kept.filter((index) => index !== undefined && !shared.includes(index));
  const order = [...shared, undefined, ...after];
  const turned = order.every((index, i) => index === kept[i])
    ? x
    : make(c, "transpose", [x], { permutation: order.map((index) => kept.indexOf(index)) });
  const own = [...shared, ...places.indices.filter((index) => !shared.includes(index))];
  const looked = ordered(c, places, own);
  if (looked.kind !== "tensor") return places;
  c.frame.span = written.span;
  const axis = shared.length;
  const value = make(c, "gather", [turned, looked.value], { axis, batch: axis });
  return { value: tensor(value), indices: [...own, ...after.flatMap((index) => index ?? [])], span: written.span };
}

/** `x[i, i]`: keeps the elements where both places are the same. The others are left out of a sum, so they may be infinite. */
function diagonals(c: Context, operand: Indexed): Indexed {
  const { indices } = operand;
  const second = indices.findIndex((index, axis) => indices.indexOf(index) < axis);
  const x = tensorOf(operand);
  if (second < 0 || !x) return operand;
  const first = indices.indexOf(indices[second]!);
  const [i, j] = [first, second].map((axis) => make(c, "iota", [], { shape: x.type.shape, axis, dtype: "i32" }));
  const same = make(c, "compare", [i!, j!], { direction: "eq" });
  const others = make(c, "select", [same, x, literal(0, x.type.dtype)]);
  const value = make(c, "reduce", [others], { kind: "sum", axes: [second] });
  return diagonals(c, { ...operand, value: tensor(value), indices: indices.filter((_, axis) => axis !== second) });
}

function unknownIndex(c: Context, name: string, written: IndexExpression, indices: Indices) {
  const near = closest(name, [...indices.keys()]);
  const known = [...indices.values()].map((index) =>
    index.size ? `${index.name} (${formatDim(sizeOf(index))})` : index.name,
  );
  return mistake(c, "name", `there is no index ${name}`, {
    label: `in ${textOf(c, written)}; the indices here are ${known.join(", ")}`,
    help: near
      ? `did you mean \`${near}\`?`
      : `an index stands on the left side or in a reduction: sum(${name}) ${textOf(c, written)}`,
  });
}
