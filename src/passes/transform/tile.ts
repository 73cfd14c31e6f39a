// `register-tile`: several iterations of a loop at once, statement by statement, so that what they have in common is loaded once and
// their sums stay in registers (unroll and jam). What whole tiles leave is peeled off into a loop of its own.

import { mentions } from "../../ir/kernel/affine.ts";
import { k } from "../../ir/kernel/build.ts";
import type { Expr, Stmt } from "../../ir/kernel/types.ts";
import { mapExpressions } from "../../ir/kernel/visit.ts";
import { substitute } from "../kernel/rewrite.ts";
import { bind } from "../lower/bind.ts";
import { nearUse } from "../lower/near-use.ts";
import { asLoop, type Loop } from "./loops.ts";

type Fresh = (stem: string) => string;

/** Tiles of `width` iterations, and the rest by `rest` at a time, which must divide what is left; 0 if nothing is. */
export function registerTile(loop: Loop, width: number, rest: number, fresh: Fresh): readonly Stmt[] {
  const { from, to, variable } = loop;
  const whole = rest === 0 ? to : k.add(from, k.multiply(k.floordiv(k.subtract(to, from), width), width));
  const tiles = { ...loop, to: whole, step: width, body: jam(loop.body, variable, steps(variable, width, 1), fresh) };
  if (rest === 0) return [tiles];
  const name = fresh(variable);
  const renamed = jam(loop.body, variable, steps(name, rest, 1), fresh);
  return [tiles, { ...loop, variable: name, from: whole, step: rest, body: renamed }];
}

/**
 * `vectorize` and `unroll`: a short loop over neighbouring elements as vectors of four, all of them side by side. Its length must be a
 * multiple of four that is known.
 */
export function vectorTile(loop: Loop, fresh: Fresh): Loop {
  const { from, to, variable, role, body } = loop;
  const length = k.subtract(to, from);
  if (length.kind !== "constant" || length.value % 4 !== 0)
    throw new TypeError(`${variable} does not make up whole vectors`);
  const lane = fresh("lane");
  const places = Array.from({ length: length.value / 4 }, (_, i) =>
    k.add(k.add(from, 4 * i), k.variable(lane, "index")),
  );
  return asLoop(k.loop(lane, 4, jam(body, variable, places, fresh), { step: 4, lanes: 4, role }));
}

/** `unroll`: the iterations of a loop of known length, side by side. */
export function unroll({ from, to, variable, body }: Loop, fresh: Fresh): readonly Stmt[] {
  const length = k.subtract(to, from);
  if (length.kind !== "constant") throw new TypeError(`how often ${variable} runs is not known`);
  return jam(
    body,
    variable,
    Array.from({ length: length.value }, (_, i) => k.add(from, i)),
    fresh,
  );
}

/** `vectorize`: the loop in vectors of four, and a loop over what whole vectors leave, unless nothing is left (`even`). */
export function vectorize(loop: Loop, even: boolean, fresh: Fresh): readonly Loop[] {
  const { from, to, variable, body } = loop;
  const inLanes: Loop = { ...loop, step: 4, lanes: 4 };
  if (even) return [inLanes];
  const whole = k.add(from, k.multiply(k.floordiv(k.subtract(to, from), 4), 4));
  const rest = fresh(variable);
  return [
    { ...inLanes, to: whole },
    { ...loop, variable: rest, from: whole, body: jam(body, variable, [k.variable(rest, "index")], fresh) },
  ];
}

const steps = (variable: string, count: number, by: number): readonly Expr[] =>
  Array.from({ length: count }, (_, i) => k.add(k.variable(variable, "index"), i * by));

/**
 * The body for each of several values of a variable, side by side: loops in it are run once for all of them. What it defines gets new
 * names, so that several copies may stand in one kernel.
 */
function jam(body: readonly Stmt[], variable: string, values: readonly Expr[], fresh: Fresh): readonly Stmt[] {
  type Names = Map<string, Expr>;
  const define = (names: Names, s: Extract<Stmt, { kind: "let" | "var" }>): Stmt => {
    const value = substitute(s.value, names);
    const name = fresh(s.name.replace(/_\d+$/, ""));
    names.set(s.name, k.variable(name, s.value.type));
    return { ...s, name, value };
  };
  const assigned = (names: Names, name: string): string => {
    const target = names.get(name);
    return target?.kind === "variable" ? target.name : name;
  };
  const visit = (statements: readonly Stmt[], instances: readonly Names[]): readonly Stmt[] =>
    statements.flatMap((s): readonly Stmt[] => {
      switch (s.kind) {
        case "for":
          if (mentions(s.from, variable) || mentions(s.to, variable))
            throw new TypeError(`the limits of ${s.variable} depend on ${variable}`);
          return [{ ...s, body: visit(s.body, instances) }];
        case "block":
          return [{ ...s, body: visit(s.body, instances) }];
        case "if":
          return instances.map((names) => ({
            ...s,
            condition: substitute(s.condition, names),
            then: visit(s.then, [names]),
            otherwise: visit(s.otherwise, [names]),
          }));
        case "let":
        case "var":
          return instances.map((names) => define(names, s));
        case "assign":
          return instances.map((names) => ({ ...s, name: assigned(names, s.name), value: substitute(s.value, names) }));
        case "store":
          return instances.map((names) => mapExpressions(s, (expr) => substitute(expr, names)));
        case "alloc":
        case "barrier":
          throw new TypeError(`${s.kind} cannot stand in a tile`);
      }
    });
  return visit(
    body,
    values.map((value) => new Map([[variable, value]])),
  );
}

/** Loads that the sums of a tile have in common come once, each just before it is needed. */
export function shareLoads(body: readonly Stmt[], fresh: Fresh): readonly Stmt[] {
  return body.flatMap((s): readonly Stmt[] => {
    if (s.kind !== "for" && s.kind !== "block") return [s];
    const updates = s.body.flatMap((inner) => (inner.kind === "assign" ? [inner] : []));
    if (updates.length < s.body.length || updates.length < 2) return [{ ...s, body: shareLoads(s.body, fresh) }];
    const bound = bind(
      updates.map(({ value }) => value),
      fresh,
    );
    const assignments = updates.map((update, i) => ({ ...update, value: bound.values[i]! }));
    return [{ ...s, body: nearUse(bound.statements, assignments) }];
  });
}
