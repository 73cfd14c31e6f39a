// The registry of primitive operations: one family a file.

import type { Operation } from "../op.ts";

const families: readonly (readonly Operation[])[] = [];

const registry = new Map(families.flat().map((op) => [op.name, op]));

/** The operation called `name`, or undefined. */
export const operation = (name: string): Operation | undefined => registry.get(name);

/** All operations, in the order of their families. */
export const operations = (): readonly Operation[] => [...registry.values()];
