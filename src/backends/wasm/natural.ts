// Which index variables of a kernel are surely never negative. Where an address is a sum of such, a constant part of it may go into
// the immediate of a load or store, which WebAssembly adds without wrapping.

import { toAffine } from "../../ir/kernel/affine.ts";
import type { Expr, Stmt } from "../../ir/kernel/types.ts";

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
  for (const s of body) {
    switch (s.kind) {
      case "for":
        note(s.variable, s.from);
        collect(s.body, values);
        break;
      case "let":
      case "var":
      case "assign":
        note(s.name, s.value);
        break;
      case "if":
        collect(s.then, values);
        collect(s.otherwise, values);
        break;
      case "block":
        collect(s.body, values);
        break;
      case "store":
      case "alloc":
        break;
    }
  }
}

/** Whether an index is surely 0 or more, from what is known of its variables. */
export function isNatural(expr: Expr, natural: ReadonlySet<string>): boolean {
  if (expr.type !== "index") return expr.type === "u8" || expr.type === "bool";
  switch (expr.kind) {
    case "constant":
      return expr.value >= 0;
    case "variable":
      return natural.has(expr.name);
    case "convert":
      return expr.x.type === "u8" || expr.x.type === "bool";
    case "select":
      return isNatural(expr.a, natural) && isNatural(expr.b, natural);
    case "binary":
      switch (expr.op) {
        case "add":
        case "subtract":
        case "multiply": {
          const form = toAffine(expr);
          const grows = form.terms.every(
            (term) => term.coefficient > 0 && term.atoms.every((atom) => atom !== expr && isNatural(atom, natural)),
          );
          return form.constant >= 0 && grows;
        }
        case "floordiv":
        case "minimum":
          return isNatural(expr.a, natural) && isNatural(expr.b, natural);
        case "remainder":
          return isNatural(expr.a, natural);
        case "maximum":
          return isNatural(expr.a, natural) || isNatural(expr.b, natural);
        default:
          return false;
      }
    default:
      return false;
  }
}
