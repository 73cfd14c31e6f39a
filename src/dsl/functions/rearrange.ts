// `rearrange(x, "n t (h e) -> n h t e", h: heads)`, as in einops: axes are split, reordered and merged by their names.

import { type Dim, divideExactly, equalDims, formatDim, productOf } from "../../ir/dim.ts";
import type { Value } from "../../ir/graph.ts";
import { type Context, make } from "../context.ts";
import { formatType, tensor } from "../values.ts";
import { type Arguments, type Builtin, define } from "./define.ts";

/** One axis of a side: the names it is made of; `...` stands for several axes, `1` and `()` for one of length 1. */
type Group = readonly string[];

function readSide(a: Arguments, text: string): Group[] {
  const groups: Group[] = [];
  const tokens = text.match(/[()]|\.\.\.|[\p{L}_][\p{L}\p{N}_]*|1|\S/gu) ?? [];
  let open: string[] | undefined;
  for (const token of tokens) {
    if (token === "(") {
      if (open) throw a.wrong("pattern", "brackets in the pattern do not nest");
      open = [];
    } else if (token === ")") {
      if (!open) throw a.wrong("pattern", "the pattern closes a bracket that is not open");
      groups.push(open);
      open = undefined;
    } else if (token === "..." || token === "1" || /^[\p{L}_]/u.test(token)) {
      if (token === "..." && open) throw a.wrong("pattern", "`...` cannot stand in a bracket");
      const names = token === "1" ? [] : [token];
      if (open) open.push(...names);
      else groups.push(names);
    } else throw a.wrong("pattern", `the pattern cannot contain \`${token}\``);
  }
  if (open) throw a.wrong("pattern", "a bracket of the pattern is not closed");
  const names = groups.flat();
  const twice = names.find((name, i) => names.indexOf(name) < i);
  if (twice) throw a.wrong("pattern", `${twice} stands twice on one side of the pattern`);
  return groups;
}

function rearrange(a: Arguments, c: Context): Value {
  const x = a.tensor("x");
  const [leftText, rightText, more] = a.text("pattern").split("->");
  if (leftText === undefined || rightText === undefined || more !== undefined)
    throw a.wrong("pattern", 'the pattern should have one arrow: "n t (h e) -> n h t e"');
  const sizes = new Map<string, Dim>();
  for (const { name, value } of a.rest) {
    if (name === undefined || value.kind !== "int")
      throw a.wrong("pattern", `${name ?? "a size"} should be an integer`);
    sizes.set(name, value.value);
  }
  const left = expandDots(a, readSide(a, leftText), x.type.shape.length);
  const right = expandDots(a, readSide(a, rightText), x.type.shape.length, left);
  if (left.length !== x.type.shape.length)
    throw a.wrong("pattern", `the left side of the pattern has ${left.length} axes, and x is ${formatType(x.type)}`);
  left.forEach((group, axis) => {
    solveGroup(a, group, x.type.shape[axis]!, axis, sizes);
  });
  const names = left.flat();
  const wanted = right.flat();
  const lost = names.find((name) => !wanted.includes(name)) ?? wanted.find((name) => !names.includes(name));
  if (lost) throw a.wrong("pattern", `${lost} stands on one side of the pattern only`);
  for (const name of sizes.keys())
    if (!names.includes(name)) throw a.wrong("pattern", `there is no ${name} in the pattern`);
  const sizeOf = (name: string): Dim => sizes.get(name) ?? 1;
  let y = x;
  if (left.some((group) => group.length !== 1)) y = make(c, "reshape", [y], { shape: names.map(sizeOf) });
  const permutation = wanted.map((name) => names.indexOf(name));
  if (permutation.some((from, to) => from !== to)) y = make(c, "transpose", [y], { permutation });
  if (right.some((group) => group.length !== 1))
    y = make(c, "reshape", [y], { shape: right.map((group) => productOf(group.map(sizeOf))) });
  return y;
}

/** Replaces `...` by axes of its own. */
function expandDots(a: Arguments, groups: readonly Group[], rank: number, left?: readonly Group[]): Group[] {
  return groups.flatMap((group) => {
    if (group[0] !== "...") return [group];
    const count = left ? left.flat().filter((name) => name.startsWith("...")).length : rank - groups.length + 1;
    if (count < 0) throw a.wrong("pattern", "the pattern has more axes than x");
    return Array.from({ length: count }, (_, i) => [`...${i}`]);
  });
}

function solveGroup(a: Arguments, group: Group, size: Dim, axis: number, sizes: Map<string, Dim>): void {
  const known = productOf(group.flatMap((name) => sizes.get(name) ?? []));
  const open = group.filter((name) => !sizes.has(name));
  const [first] = open;
  if (open.length > 1)
    throw a.wrong("pattern", `give the size of ${open[0]} or ${open[1]}: rearrange(…, ${open[0]}: 4)`);
  const rest = divideExactly(size, known);
  if (first !== undefined && rest !== undefined) sizes.set(first, rest);
  else if (first !== undefined || !equalDims(size, known))
    throw a.wrong(
      "pattern",
      `axis ${axis} of x is ${formatDim(size)}, which is not ${first ? "a multiple of " : ""}${formatDim(known)}`,
    );
}

export const rearrangeFunctions: readonly Builtin[] = [
  define(
    "rearrange(x: tensor, pattern: string, ...named)",
    'Splits, reorders and merges axes by name, as einops: `rearrange(x, "n t (h e) -> n h t e", h: heads)`.',
    (a, c) => tensor(rearrange(a, c)),
  ),
];
