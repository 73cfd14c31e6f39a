// What a reference case becomes: a `.dlm` program, in one of a few forms, or a reason why there is none.

import type { Tensor } from "../../src/ir/dtype.ts";
import type { ReferenceCase } from "./case.ts";

export type Recipe = (c: ReferenceCase) => Program;

export type Program =
  /** Statements that bind the outputs by their names, from the inputs; gradients are taken by `grad` in the model. */
  | { readonly kind: "formula"; readonly body: string; readonly declarations?: string }
  /**
   * The same with blocks that have parameters of their own. Everything runs in one training step, in which an optimizer that
   * replaces each parameter by its gradient shows the gradients of all of them.
   */
  | {
      readonly kind: "layers";
      readonly body: string;
      readonly declarations?: string;
      readonly weights: Weights;
      /** Outputs of the case that are states of a layer, by their full names: running means. */
      readonly states?: Readonly<Record<string, string>>;
    }
  /** Training steps by an optimizer of the library. `record` says what is compared after each. */
  | Trajectory
  /** The value of a schedule at the steps 0, 1, 2 … */
  | { readonly kind: "schedule"; readonly expression: string; readonly declarations?: string }
  | { readonly kind: "missing"; readonly why: string };

export interface Trajectory {
  readonly kind: "trajectory";
  readonly inputs: Readonly<Record<string, string>>;
  readonly body: string;
  readonly declarations?: string;
  readonly loss: string;
  readonly optimizer: string;
  readonly weights: Weights;
  /** The inputs of one step. */
  readonly feed: (step: number) => Readonly<Record<string, Tensor>>;
  readonly steps: number;
  /** Outputs of the case that stack one value a step: an output of the training step, such as the loss, or a parameter. */
  readonly record: Readonly<Record<string, { readonly kind: "output" | "parameter"; readonly name: string }>>;
  /** Outputs that hold a parameter after the last step, by the name in the program. */
  readonly last?: Weights;
  /**
   * Elements that exact arithmetic leaves undetermined in floating point, and which are not compared: by output, a range of positions.
   * `why` is printed.
   */
  readonly undetermined?: { readonly output: string; readonly from: number; readonly to: number; readonly why: string };
}

/** Parameters and states by their full names, each a tensor of the case, its axes in another order where layouts differ. */
export type Weights = Readonly<Record<string, Weight>>;

export interface Weight {
  readonly tensor: string;
  /** Axis i of the parameter is axis permutation[i] of the tensor. */
  readonly permutation?: readonly number[];
}

export const formula = (body: string, declarations = ""): Program => ({ kind: "formula", body, declarations });
export const missing = (why: string): Program => ({ kind: "missing", why });

/** `[2, 3]` */
export const listText = (values: readonly number[]): string => `[${values.join(", ")}]`;
/** `[[1, 1], [0, 2]]` */
export const pairsText = (pairs: readonly (readonly number[])[]): string => `[${pairs.map(listText).join(", ")}]`;

/** A name of the case as an identifier: `param.0.weight` is `param_0_weight`. */
export const identifier = (name: string): string => name.replaceAll(".", "_");

/** A number as the language reads it, always a float. */
export const float = (value: number): string =>
  Number.isInteger(value) && Math.abs(value) < 1e15 ? value.toFixed(1) : String(value);

/** The type of a tensor in the language. */
export const typeText = (tensor: Tensor): string => `${tensor.dtype}${listText(tensor.shape)}`;
