// Loops with lanes become loops over vectors, for targets that have them. A body that cannot be lifted runs lane after lane instead.

import { k } from "../../ir/kernel/build.ts";
import type { Expr, Kernel, Stmt } from "../../ir/kernel/types.ts";
import { lift } from "./lift.ts";
import { freshNames, substituteIn } from "./rewrite.ts";
import { declaredIn } from "./vary.ts";

type Loop = Extract<Stmt, { kind: "for" }>;

interface Scope {
  readonly fresh: (stem: string) => string;
  /** How many statements define a name. */
  readonly definitions: ReadonlyMap<string, number>;
}

/** The kernel without marks of lanes: every such loop over vectors or, where that is not possible, over scalars. */
export function vectorize(kernel: Kernel): Kernel {
  const definitions = new Map<string, number>();
  for (const name of declaredIn(kernel.body)) definitions.set(name, (definitions.get(name) ?? 0) + 1);
  return { ...kernel, body: vectorizeBody(kernel.body, { fresh: freshNames(kernel), definitions }) };
}

function vectorizeBody(body: readonly Stmt[], scope: Scope): readonly Stmt[] {
  return body.flatMap((s): readonly Stmt[] => {
    switch (s.kind) {
      case "for":
        return s.lanes === undefined ? [{ ...s, body: vectorizeBody(s.body, scope) }] : vectorizeLoop(s, scope);
      case "if":
        return [{ ...s, then: vectorizeBody(s.then, scope), otherwise: vectorizeBody(s.otherwise, scope) }];
      case "block":
        return [{ ...s, body: vectorizeBody(s.body, scope) }];
      default:
        return [s];
    }
  });
}

function vectorizeLoop({ lanes: _, ...loop }: Loop, scope: Scope): readonly Stmt[] {
  const lifted = lift(loop.body, { variable: loop.variable, vectors: new Set(), fresh: scope.fresh });
  if (lifted) return unlooped({ ...loop, body: lifted }, scope);
  const name = scope.fresh("lane");
  const at = k.add(k.variable(loop.variable, "index"), k.variable(name, "index"));
  const body = substituteIn(vectorizeBody(loop.body, scope), new Map([[loop.variable, at]]));
  return [{ ...loop, body: [k.loop(name, 4, body, { role: loop.role })] }];
}

/** A loop of one iteration is its body, unless a name in it is defined elsewhere too. */
function unlooped(loop: Loop, { definitions }: Scope): readonly Stmt[] {
  const { from, to, step, body } = loop;
  const once = from.kind === "constant" && to.kind === "constant" && from.value < to.value;
  if (!once || from.value + step < to.value) return [loop];
  if (body.some((s) => (s.kind === "let" || s.kind === "var") && (definitions.get(s.name) ?? 0) > 1)) return [loop];
  return substituteIn(body, new Map<string, Expr>([[loop.variable, from]]));
}
