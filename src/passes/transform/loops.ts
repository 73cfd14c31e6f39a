// Named transformations of loop nests: each takes loops of the kernel IR and gives loops that compute the same. A schedule is a
// list of them (see ../lower/blocked.ts); what they may assume is said with each, and what can be checked is.

import { mentions } from "../../ir/kernel/affine.ts";
import { k } from "../../ir/kernel/build.ts";
import type { Expr, Stmt } from "../../ir/kernel/types.ts";
import { createEquals, replace } from "./expressions.ts";

export type Loop = Extract<Stmt, { kind: "for" }>;

/**
 * `split`: a loop over blocks of `by` iterations, called `outer`, with the loop over one block in it. With `padded` the last block is as
 * long as the others: what it does beyond the end must be of no account.
 */
export function split(loop: Loop, by: number, outer: string, padded = false): Loop {
  const { from, to, step } = loop;
  const block = k.variable(outer, "index");
  const end = k.add(block, by * step);
  const even = from.kind === "constant" && to.kind === "constant" && (to.value - from.value) % (by * step) === 0;
  const inner: Loop = { ...loop, from: block, to: even || padded ? end : k.minimum(end, to) };
  return { ...loop, variable: outer, step: by * step, body: [inner] };
}

/**
 * `reorder`: loops of which each holds nothing but the next, in another order, outermost first. Iterations must not depend on each
 * other, but for sums. Throws a TypeError where the limits of a loop would be unknown.
 */
export function reorder(nest: Loop, names: readonly string[]): Loop {
  const loops: Loop[] = [];
  for (let at: Loop | undefined = nest; at && loops.length < names.length; ) {
    loops.push(at);
    const only: Stmt | undefined = at.body.length === 1 ? at.body[0] : undefined;
    at = only?.kind === "for" ? only : undefined;
  }
  const ordered = names.map((name, i) => {
    const found = loops.find(({ variable }) => variable === name);
    if (!found) throw new TypeError(`there is no loop ${name} in the nest`);
    const unknown = names.slice(i + 1).find((later) => mentions(found.from, later) || mentions(found.to, later));
    if (unknown !== undefined) throw new TypeError(`the limits of ${name} depend on ${unknown}, which would be inside`);
    return found;
  });
  return nestOf(ordered, loops.at(-1)!.body);
}

/** A loop of the kernel IR that is known to be one. */
export function asLoop(s: Stmt | undefined): Loop {
  if (s?.kind !== "for") throw new TypeError(`${s?.kind ?? "nothing"} is no loop`);
  return s;
}

/** The loops around each other, the first outermost, and the body in the last. */
export const nestOf = ([outer, ...inner]: readonly Loop[], body: readonly Stmt[]): Loop => ({
  ...outer!,
  body: inner.length === 0 ? body : [nestOf(inner, body)],
});

/** The loop called `name` in the nest; throws a TypeError if there is none. */
export function loopIn(nest: Loop, name: string): Loop {
  let found: Loop | undefined;
  within(nest, name, (loop) => {
    found = loop;
    return [loop];
  });
  return found!;
}

/** The nest with the loop called `name` in it replaced; throws a TypeError if there is none. */
export function within(nest: Loop, name: string, change: (loop: Loop) => readonly Stmt[]): readonly Stmt[] {
  let found = false;
  const visit = (body: readonly Stmt[]): readonly Stmt[] =>
    body.flatMap((s): readonly Stmt[] => {
      if (s.kind === "block") return [{ ...s, body: visit(s.body) }];
      if (s.kind !== "for") return [s];
      if (s.variable !== name) return [{ ...s, body: visit(s.body) }];
      found = true;
      return change(s);
    });
  const result = visit([nest]);
  if (!found) throw new TypeError(`there is no loop ${name} in the nest`);
  return result;
}

/**
 * `distribute`: a nest over the loops up to `innermost` for each part of its body, one after the other. What parts tell each other
 * must lie in memory.
 */
export function distribute(
  nest: Loop,
  innermost: string,
  parts: (body: readonly Stmt[]) => readonly (readonly Stmt[])[],
): readonly Loop[] {
  const loops: Loop[] = [nest];
  while (loops.at(-1)!.variable !== innermost) {
    const [only] = loops.at(-1)!.body;
    if (only?.kind !== "for") throw new TypeError(`there is no loop ${innermost} in the nest`);
    loops.push(only);
  }
  return parts(loops.at(-1)!.body).map((part) => nestOf(loops, part));
}

/**
 * `scalarize`: a loop that changes one element of an array again and again does so in a register, which is read before and stored after
 * it. Where the element is set just before the loop, that is where the register begins. Of an element that is a sum a `zero` may be given:
 * then the register begins there, and is added to the element: a sum of the sums of parts loses less to rounding.
 */
export function scalarize(body: readonly Stmt[], name: string, zero?: Expr): readonly Stmt[] {
  const at = body.findIndex((s) => s.kind === "for");
  const [before, loop] = [body[at - 1], body[at]];
  const [update, ...others] = loop?.kind === "for" ? loop.body : [];
  if (loop?.kind !== "for" || update?.kind !== "store" || others.length > 0 || mentions(update.index, loop.variable))
    throw new TypeError("only a loop that does nothing but store to one element can be scalarized");
  const { buffer, index, value } = update;
  const { type } = value;
  if (type === "index") throw new TypeError("arrays hold no indices");
  const element = k.load(buffer, index, type);
  const isElement = createEquals(element);
  const isSet = before?.kind === "store" && before.buffer === buffer && isElement(k.load(buffer, before.index, type));
  const register = k.variable(name, type);
  const first = isSet ? before.value : (zero ?? element);
  const isPart = !isSet && zero !== undefined;
  return [
    ...body.slice(0, isSet ? at - 1 : at),
    k.var(name, first),
    {
      ...loop,
      body: [
        k.assign(
          name,
          replace(value, (expr) => (isElement(expr) ? register : undefined)),
        ),
      ],
    },
    k.store(buffer, index, isPart ? k.add(element, register) : register),
    ...body.slice(at + 1),
  ];
}
