// All built-in functions of the language by name: the elementwise primitives from their registry, the others from the tables of
// this folder. Everything else is a block of the standard library.

import { contractFunctions } from "./contract.ts";
import { createFunctions } from "./create.ts";
import type { Builtin } from "./define.ts";
import { elementwiseFunctions } from "./elementwise.ts";
import { gatherFunctions } from "./gather.ts";
import { metaFunctions } from "./meta.ts";
import { movementFunctions } from "./movement.ts";
import { rearrangeFunctions } from "./rearrange.ts";
import { reduceFunctions } from "./reduce.ts";

/** Families of functions, in the order of the documentation. */
export const functionFamilies = (): readonly (readonly [string, readonly Builtin[]])[] => [
  ["Elementwise", elementwiseFunctions()],
  ["Reductions", reduceFunctions],
  ["Shapes and axes", [...movementFunctions, ...rearrangeFunctions]],
  ["New tensors", createFunctions],
  ["Looking up", gatherFunctions],
  ["Contractions and windows", contractFunctions],
  ["Compile time and gradients", metaFunctions],
];

let table: ReadonlyMap<string, Builtin> | undefined;

/** The functions by name. Made once: the registry does not change. */
export function builtins(): ReadonlyMap<string, Builtin> {
  table ??= new Map(functionFamilies().flatMap(([, functions]) => functions.map((f) => [f.name, f] as const)));
  return table;
}
