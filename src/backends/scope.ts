// What is known at a place of a kernel that is being printed: the identifiers of its names, and which of them are never negative.

import type { Names } from "./names.ts";

export interface Scope {
  /** Identifiers in the generated code, by name in the kernel. */
  readonly identifiers: Map<string, string>;
  /** Names of indices that are surely 0 or more. */
  readonly natural: Set<string>;
  readonly names: Names;
}

/** A scope inside another: what it defines is not seen outside. */
export const innerScope = (scope: Scope): Scope => ({
  identifiers: new Map(scope.identifiers),
  natural: new Set(scope.natural),
  names: scope.names.inner(),
});

/** Gives a name of the kernel its identifier, and returns it. */
export function define(wanted: string, scope: Scope): string {
  const identifier = scope.names.make(wanted);
  scope.identifiers.set(wanted, identifier);
  return identifier;
}
