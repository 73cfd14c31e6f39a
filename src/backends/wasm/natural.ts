// Which index variables of a kernel are surely never negative. Where an address is a sum of such, a constant part of it may go into
// the immediate of a load or store, which WebAssembly adds without wrapping.

import { isNatural } from "../../ir/kernel/query.ts";
import type { Expr, Stmt } from "../../ir/kernel/types.ts";
import { eachStatement } from "../../ir/kernel/visit.ts";

/**
 * Variables of type index that are 0 or more whenever they have a value: all are taken to be so at first, and those go that the others
 * do not prove, until none goes (so the proof is by induction over a run). `given` are the sizes and the addresses of buffers.
 */
export function naturalVariables(body: readonly Stmt[], given: Iterable<string>): ReadonlySet<string> {
  const values = new Map<string, Expr[]>();
  collect(body, values);
  const natural = new Set([...given, ...values.keys()]);
  for (let changed = true; changed; ) {
    changed = false;
    for (const [name, list] of values) {
      if (!natural.has(name) || list.every((value) => isNatural(value, natural))) continue;
      natural.delete(name);
      changed = true;
    }
  }
  return natural;
}

function collect(body: readonly Stmt[], values: Map<string, Expr[]>): void {
  const note = (name: string, value: Expr): void => {
    if (value.type === "index") values.set(name, [...(values.get(name) ?? []), value]);
  };
  eachStatement(body, (s) => {
    if (s.kind === "for") note(s.variable, s.from);
    else if (s.kind === "let" || s.kind === "var" || s.kind === "assign") note(s.name, s.value);
  });
}
