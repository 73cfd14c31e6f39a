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
import { scanOperations } from "./scan.ts";
import { sliceOperations } from "./slice.ts";
import { sortOperations } from "./sort.ts";
import { structureOperations } from "./structure.ts";
import { trigonometricOperations } from "./trigonometric.ts";
import { unaryOperations } from "./unary.ts";
import { windowOperations } from "./window.ts";
import { windowPickOperations } from "./window-pick.ts";

/** A group of operations that are alike. */
export interface Family {
  readonly title: string;
  readonly operations: readonly Operation[];
}

/** All operations, in the order of the documentation. */
export const families: readonly Family[] = [
  { title: "Elementwise, one operand", operations: unaryOperations },
  { title: "Trigonometric and hyperbolic", operations: trigonometricOperations },
  { title: "Elementwise, two operands", operations: binaryOperations },
  { title: "Comparison, choice and conversion", operations: choiceOperations },
  { title: "Reductions", operations: reduceOperations },
  { title: "Shape and order of axes", operations: movementOperations },
  { title: "Joining", operations: concatenateOperations },
  { title: "Slices and padding", operations: sliceOperations },
  { title: "Creation", operations: createOperations },
  { title: "Products", operations: dotOperations },
  { title: "Convolution", operations: convolutionOperations },
  { title: "Gathering and scattering", operations: gatherOperations },
  { title: "Order", operations: sortOperations },
  { title: "Windows", operations: windowOperations },
  { title: "Extremes of windows", operations: windowPickOperations },
  { title: "Loops", operations: scanOperations },
  { title: "Structure", operations: structureOperations },
];

const registry = new Map(families.flatMap((family) => family.operations).map((op) => [op.name, op]));

/** The operation called `name`, or undefined. */
export const operation = (name: string): Operation | undefined => registry.get(name);

/** All operations, in the order of their families. */
export const operations = (): readonly Operation[] => [...registry.values()];
