// Makes addresses cheap: every index becomes an offset into the one memory (the buffer's own offset is added), and the part
// of it that a loop leaves alone is computed before that loop. V8 does not do this by itself for typed arrays.

import type { DType } from "../ir/dtype.ts";
import {
  type AffineTerm,
  addAffine,
  constantOf,
  exprKey,
  fromAffine,
  multiplyAffine,
  scaleAffine,
  strideOf,
  toAffine,
} from "../ir/kernel/affine.ts";
import { childrenOf } from "../ir/kernel/query.ts";
import type { Expr, Kernel, Stmt } from "../ir/kernel/types.ts";
import { containsLoop, definedIn, mapParts, rebuild, scratchIn } from "../ir/kernel/visit.ts";

/**
 * The body of the kernel with `buffer` + index as the index of every access to a parameter. The offset of a parameter is a
 * variable of type index that has the name of the buffer. With `unit` addresses count in units, of which an element has so many,
 * and scratch arrays are addressed as parameters are; without, in elements, and scratch arrays stay as they are.
 */
export function lowerAddresses(kernel: Kernel, unit?: (dtype: DType) => number): readonly Stmt[] {
  const units = new Map<string, number>();
  for (const { name, dtype } of kernel.buffers) units.set(name, unit?.(dtype) ?? 1);
  if (unit) for (const { name, dtype } of scratchIn(kernel.body)) units.set(name, unit(dtype));
  const address = (buffer: string, index: Expr): Expr => {
    const scale = units.get(buffer);
    if (scale === undefined) return index;
    const offset: Expr = { kind: "variable", type: "index", name: buffer };
    return fromAffine(addAffine(toAffine(offset), scaleAffine(toAffine(index), scale)));
  };
  const body = kernel.body.map((statement) => mapAccesses(statement, address));
  const names = new Set([...kernel.sizes, ...units.keys(), ...definedIn(kernel.body)]);
  return hoist(body, names);
}

/** The body of the kernel with what a loop leaves alone in its indices computed before that loop; indices stay those of elements. */
export const hoistAddresses = (kernel: Kernel): readonly Stmt[] =>
  hoist(kernel.body, new Set([...kernel.sizes, ...kernel.buffers.map(({ name }) => name), ...definedIn(kernel.body)]));

/** The statement with the index of every load and store in it replaced, innermost first. */
function mapAccesses(statement: Stmt, address: (buffer: string, index: Expr) => Expr): Stmt {
  const inExpr = (expr: Expr): Expr =>
    mapParts(expr, (x) => {
      if (x.kind !== "load") return x;
      const index = address(x.buffer, x.index);
      return index === x.index ? x : { ...x, index };
    });
  if (statement.kind === "store") {
    const index = address(statement.buffer, inExpr(statement.index));
    return { ...statement, index, value: inExpr(statement.value) };
  }
  return rebuild(statement, inExpr, (body) => body.map((s) => mapAccesses(s, address)));
}

function hoist(body: readonly Stmt[], names: Set<string>): readonly Stmt[] {
  return body.flatMap((statement): readonly Stmt[] => {
    const inside = (inner: readonly Stmt[]): readonly Stmt[] => hoist(inner, names);
    if (statement.kind !== "for") return [rebuild(statement, (expr) => expr, inside)];
    const { lets, loop } = hoistFrom(statement, names);
    return [...lets, { ...loop, body: inside(loop.body) }];
  });
}

type Loop = Stmt & { readonly kind: "for" };

/** More pointers than this would not fit into registers. */
const mostPointers = 8;

/**
 * Takes what the loop leaves alone out of the indices in it. In an innermost loop an index that grows by more than 1 becomes
 * a pointer that is added to, which saves a multiplication in each round.
 */
function hoistFrom(loop: Loop, names: Set<string>): { readonly lets: readonly Stmt[]; readonly loop: Loop } {
  const changing = new Set([loop.variable, ...definedIn(loop.body)]);
  const innermost = !containsLoop(loop.body);
  const known = new Map<string, string>();
  const lets: Stmt[] = [];
  const increments: Stmt[] = [];
  const isFixed = (expr: Expr): boolean =>
    everyPart(expr, (x) => x.kind !== "load" && !(x.kind === "variable" && changing.has(x.name)));
  const named = (key: string, buffer: string, define: (name: string) => void): AffineTerm => {
    let name = known.get(key);
    if (name === undefined) {
      name = freshName(`${buffer}_at`, names);
      known.set(key, name);
      define(name);
    }
    return { coefficient: 1, atoms: [{ kind: "variable", type: "index", name }] };
  };
  const address = (buffer: string, index: Expr): Expr => {
    const form = toAffine(index);
    const fixed = form.terms.filter((term) => term.atoms.every(isFixed));
    if (fixed.length === form.terms.length && !isWork(fixed)) return index;
    const moving = form.terms.filter((term) => !fixed.includes(term));
    const stride = strideOf(fromAffine({ terms: moving, constant: 0 }), loop.variable);
    const strided = stride && constantOf(toAffine(stride.rest)) === 0 && isFixed(stride.coefficient);
    if (innermost && strided && ![0, 1].includes(constantOf(toAffine(stride.coefficient)) ?? 2)) {
      const start = multiplyAffine(toAffine(stride.coefficient), toAffine(loop.from));
      const value = fromAffine(addAffine({ terms: fixed, constant: 0 }, start));
      const key = `${exprKey(value)} by ${exprKey(stride.coefficient)}`;
      if (known.has(key) || increments.length < mostPointers) {
        const pointer = named(key, buffer, (name) => {
          lets.push({ kind: "var", name, value });
          const by = scaleAffine(toAffine(stride.coefficient), loop.step);
          const next = fromAffine(addAffine(toAffine({ kind: "variable", type: "index", name }), by));
          increments.push({ kind: "assign", name, value: next });
        });
        return fromAffine({ terms: [pointer], constant: form.constant });
      }
    }
    if (!isWork(fixed)) return index;
    const value = fromAffine({ terms: fixed, constant: 0 });
    const base = named(exprKey(value), buffer, (name) => lets.push({ kind: "let", name, value }));
    return fromAffine({ terms: [base, ...moving], constant: form.constant });
  };
  const body = loop.body.map((statement) => mapAccesses(statement, address));
  return { lets, loop: { ...loop, body: [...body, ...increments] } };
}

/** Whether computing the sum of the terms takes an operation at all. */
const isWork = (terms: readonly AffineTerm[]): boolean =>
  terms.length > 1 || terms.some((term) => term.atoms.length > 1 || term.coefficient !== 1);

function freshName(stem: string, names: Set<string>): string {
  let name = stem;
  for (let i = 1; names.has(name); i++) name = `${stem}_${i}`;
  names.add(name);
  return name;
}

function everyPart(expr: Expr, test: (part: Expr) => boolean): boolean {
  return test(expr) && childrenOf(expr).every((child) => everyPart(child, test));
}
