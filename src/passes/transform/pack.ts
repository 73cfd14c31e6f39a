// `pack`: what a nest reads again and again is computed once and put into scratch memory first, in the order in which it is read.

import { mentions } from "../../ir/kernel/affine.ts";
import { k } from "../../ir/kernel/build.ts";
import { type Expr, type Stmt, vectorOf } from "../../ir/kernel/types.ts";
import { mapExpressions } from "../../ir/kernel/visit.ts";
import { createEquals, replace } from "./expressions.ts";
import { type Loop, loopIn, nestOf } from "./loops.ts";

export interface Packing {
  /** What is read: an element of an operand, or what is computed of it. */
  readonly value: Expr;
  /** The scratch array that takes its place. */
  readonly panel: string;
  /** The loops of the nest that decide it, in the order of the panel, and how many iterations of each there is room for. */
  readonly loops: readonly { readonly name: string; readonly room: number }[];
  /** Where the innermost of these loops goes further than there are elements: up to where they are. The panel holds zeros there. */
  readonly end?: Expr;
}

export interface Packed {
  /** Fills the panel: to be done each time before the nest. */
  readonly fill: readonly Stmt[];
  readonly nest: Loop;
}

export function pack(nest: Loop, { value, panel, loops, end }: Packing): Packed {
  const isValue = createEquals(value);
  const headers = loops.map(({ name }) => loopIn(nest, name));
  let length = 1;
  let address: Expr = k.index(0);
  for (const [i, { step, variable, from }] of [...headers.entries()].toReversed()) {
    const distance = k.subtract(k.variable(variable, "index"), from);
    if (length % step !== 0) throw new TypeError(`the panel does not hold whole steps of ${variable}`);
    address = k.add(address, k.multiply(distance, length / step));
    length *= loops[i]!.room;
  }
  if (value.type === "index" || vectorOf(value.type) === value.type)
    throw new TypeError(`panels hold no ${value.type}`);
  const read = k.load(panel, address, value.type);
  const innermost = headers.at(-1)!;
  const outer = headers.slice(0, -1).map((loop): Loop => ({ ...loop, mode: "serial", role: "element" }));
  const copy = (element: Expr): readonly Stmt[] => [k.store(panel, address, element)];
  const inVectors = loops.at(-1)!.room % 4 === 0 ? { step: 4, lanes: 4 as const } : {};
  const whole: Loop = { ...innermost, ...inVectors, mode: "serial", body: copy(value) };
  if (end === undefined) return { fill: [nestOf([...outer, whole], whole.body)], nest: reading(nest, isValue, read) };
  const exists = k.lt(k.variable(innermost.variable, "index"), end);
  const partial: Loop = {
    ...innermost,
    mode: "serial",
    body: copy(k.select(exists, value, k.constant(0, value.type))),
  };
  // Where the last columns are is decided outside of the loops that do not depend on it.
  const at = outer.findLastIndex(
    ({ variable }) => mentions(innermost.from, variable) || mentions(innermost.to, variable),
  );
  const inner = (last: Loop): readonly Stmt[] => [nestOf([...outer.slice(at + 1), last], last.body)];
  const choice = k.if(k.compare("le", innermost.to, end), inner(whole), inner(partial));
  return { fill: at < 0 ? [choice] : [nestOf(outer.slice(0, at + 1), [choice])], nest: reading(nest, isValue, read) };
}

/** The nest with another expression wherever it computed the value. */
function reading(nest: Loop, isValue: (expr: Expr) => boolean, read: Expr): Loop {
  const body = nest.body.map((s) =>
    mapExpressions(s, (expr) => replace(expr, (part) => (isValue(part) ? read : undefined))),
  );
  return { ...nest, body };
}
