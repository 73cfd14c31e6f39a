// Makes addresses cheap: every index becomes an offset into the one memory (the buffer's own offset is added), and the part
// of it that a loop leaves alone is computed before that loop. V8 does not do this by itself for typed arrays.

import { type AffineTerm, addAffine, exprKey, fromAffine, mentions, toAffine } from "../../ir/kernel/affine.ts";
import type { Expr, Kernel, Stmt } from "../../ir/kernel/types.ts";
import { mapAccesses, mapExpressions } from "./visit.ts";

/**
 * The body of the kernel with `buffer` + index as the index of every access to a parameter. The offset of a parameter is a
 * variable of type index that has the name of the buffer. Scratch arrays stay as they are.
 */
export function lowerAddresses(kernel: Kernel): readonly Stmt[] {
  const parameters = new Set(kernel.buffers.map((buffer) => buffer.name));
  const address = (buffer: string, index: Expr): Expr => {
    if (!parameters.has(buffer)) return index;
    const offset: Expr = { kind: "variable", type: "index", name: buffer };
    return fromAffine(addAffine(toAffine(offset), toAffine(index)));
  };
  const body = kernel.body.map((statement) => mapAccesses(statement, address));
  const names = new Set([...kernel.sizes, ...parameters, ...definedIn(kernel.body)]);
  return hoist(body, names);
}

function hoist(body: readonly Stmt[], names: Set<string>): readonly Stmt[] {
  return body.flatMap((statement): readonly Stmt[] => {
    switch (statement.kind) {
      case "for": {
        const { lets, loop } = hoistFrom(statement, names);
        return [...lets, { ...loop, body: hoist(loop.body, names) }];
      }
      case "if":
        return [{ ...statement, then: hoist(statement.then, names), otherwise: hoist(statement.otherwise, names) }];
      case "block":
        return [{ ...statement, body: hoist(statement.body, names) }];
      default:
        return [statement];
    }
  });
}

type Loop = Stmt & { readonly kind: "for" };

/** Takes what the loop leaves alone out of the indices in it. */
function hoistFrom(loop: Loop, names: Set<string>): { readonly lets: readonly Stmt[]; readonly loop: Loop } {
  const changing = [loop.variable, ...definedIn(loop.body)];
  const lets = new Map<string, { readonly name: string; readonly value: Expr }>();
  const fixed = (term: AffineTerm): boolean =>
    term.atoms.every((atom) => !readsMemory(atom) && !changing.some((name) => mentions(atom, name)));
  const address = (buffer: string, index: Expr): Expr => {
    const form = toAffine(index);
    const invariant = form.terms.filter(fixed);
    if (invariant.length === form.terms.length && !isWork(invariant)) return index;
    if (!isWork(invariant)) return index;
    const value = fromAffine({ terms: invariant, constant: 0 });
    const key = exprKey(value);
    const known = lets.get(key) ?? { name: freshName(`${buffer}_at`, names), value };
    lets.set(key, known);
    const variable: AffineTerm = { coefficient: 1, atoms: [{ kind: "variable", type: "index", name: known.name }] };
    return fromAffine({ terms: [variable, ...form.terms.filter((term) => !fixed(term))], constant: form.constant });
  };
  const body = loop.body.map((statement) => mapAccesses(statement, address));
  return {
    lets: [...lets.values()].map(({ name, value }): Stmt => ({ kind: "let", name, value })),
    loop: { ...loop, body },
  };
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

/** Names that get their values inside: loop variables, lets, vars and what is assigned. */
function definedIn(body: readonly Stmt[]): string[] {
  return body.flatMap((s): string[] => {
    switch (s.kind) {
      case "for":
        return [s.variable, ...definedIn(s.body)];
      case "let":
      case "var":
      case "assign":
      case "alloc":
        return [s.name];
      case "if":
        return [...definedIn(s.then), ...definedIn(s.otherwise)];
      case "block":
        return definedIn(s.body);
      case "store":
        return [];
    }
  });
}

function readsMemory(expr: Expr): boolean {
  let found = false;
  mapExpressions(expr, (x) => {
    if (x.kind === "load") found = true;
    return x;
  });
  return found;
}
