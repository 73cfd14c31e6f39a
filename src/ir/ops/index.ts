// The registry of primitive operations: one family a file.

import type { Operation } from "../op.ts";
import { binaryOperations } from "./binary.ts";
import { choiceOperations } from "./choice.ts";
import { concatenateOperations } from "./concatenate.ts";
import { convolutionOperations } from "./convolution.ts";
import { createOperations } from "./create.ts";
import { dotOperations } from "./dot.ts";
import { gatherOperations } from "./gather.ts";
import { movementOperations } from "./movement.ts";
import { reduceOperations } from "./reduce.ts";
import { sliceOperations } from "./slice.ts";
import { structureOperations } from "./structure.ts";
import { trigonometricOperations } from "./trigonometric.ts";
import { unaryOperations } from "./unary.ts";
import { windowOperations } from "./window.ts";
import { windowPickOperations } from "./window-pick.ts";

const families: readonly (readonly Operation[])[] = [
  unaryOperations,
  trigonometricOperations,
  binaryOperations,
  choiceOperations,
  reduceOperations,
  movementOperations,
  concatenateOperations,
  sliceOperations,
  createOperations,
  dotOperations,
  convolutionOperations,
  gatherOperations,
  windowOperations,
  windowPickOperations,
  structureOperations,
];

const registry = new Map(families.flat().map((op) => [op.name, op]));

/** The operation called `name`, or undefined. */
export const operation = (name: string): Operation | undefined => registry.get(name);

/** All operations, in the order of their families. */
export const operations = (): readonly Operation[] => [...registry.values()];
