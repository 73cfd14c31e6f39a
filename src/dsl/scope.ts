// Names inside the body of a block or model. `if`, `for` and `repeat` open a scope of their own, and assignment rebinds the
// outer name where there is one.

import type { CompileValue } from "./values.ts";

export interface Scope {
  readonly names: Map<string, CompileValue>;
  readonly parent?: Scope;
}

export const openScope = (parent?: Scope): Scope => ({ names: new Map(), ...(parent ? { parent } : {}) });

export function lookup(scope: Scope, name: string): CompileValue | undefined {
  for (let at: Scope | undefined = scope; at; at = at.parent) {
    const found = at.names.get(name);
    if (found) return found;
  }
  return undefined;
}

/** Rebinds the nearest `name`, or binds a new one in the innermost scope. */
export function assign(scope: Scope, name: string, value: CompileValue): void {
  for (let at: Scope | undefined = scope; at; at = at.parent) {
    if (!at.names.has(name)) continue;
    at.names.set(name, value);
    return;
  }
  scope.names.set(name, value);
}

export function namesIn(scope: Scope): string[] {
  const names: string[] = [];
  for (let at: Scope | undefined = scope; at; at = at.parent) names.push(...at.names.keys());
  return names;
}
