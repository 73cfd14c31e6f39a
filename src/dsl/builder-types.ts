// What a model built in TypeScript is made of: tensors, layers, initializers, and whatever may be given to a block.

import type { Dim } from "../ir/dim.ts";
import type { DType } from "../ir/dtype.ts";

/** A tensor of the model under construction. Nothing is computed yet. */
export interface Tensor {
  readonly shape: readonly Dim[];
  readonly dtype: DType;
  /** Passes the tensor through layers, one after the other. */
  pipe(...layers: readonly ((x: Tensor) => Tensor)[]): Tensor;
  add(y: Operand): Tensor;
  subtract(y: Operand): Tensor;
  multiply(y: Operand): Tensor;
  divide(y: Operand): Tensor;
  power(y: Operand): Tensor;
  negate(): Tensor;
  /** The matrix product, as `@` in the language. */
  matmul(y: Tensor): Tensor;
}

export type Operand = Tensor | number;

/** A layer with its arguments, ready for its input. */
export interface Layer {
  (x: Tensor): Tensor;
  /** The same layer under a name of its own, which its parameters carry: `|> dense(8) as head`. */
  as(name: string): Layer;
}

/** An initial value of parameters: `nn.normal(0, 0.02)`. */
export interface Initializer {
  readonly initializer: string;
  readonly arguments: readonly Argument[];
}

/** A call that waits for what the training supplies: weights and gradients, the step, the end of an epoch. */
interface Deferred<Role extends string> {
  readonly role: Role;
  readonly name: string;
  readonly arguments: readonly Argument[];
}

/** `nn.adam({ lr: 1e-3 })`. */
export type Optimizer = Deferred<"optimizer">;
/** A number that follows the step: `nn.cosine_decay(1e-3, 500)`, for the rate of an optimizer. */
export type Schedule = Deferred<"schedule">;
/** `nn.accuracy(logits, label)`, which is added up over the batches of an epoch. */
export type Metric = Deferred<"metric">;

/** The model under construction, for functions that have no tensor to tell them: `nn.zeros(scope, [3])`. */
export interface Scope {
  readonly training: boolean;
}

/** Whatever may be given to a block. */
export type Argument =
  | Tensor
  | Scope
  | Initializer
  | Optimizer
  | Schedule
  | Metric
  | Dim
  | boolean
  | string
  | ((...values: never[]) => unknown)
  | readonly Argument[]
  | { readonly [name: string]: Argument | undefined };

/** Arguments as the generated wrappers pass them on; options left away are undefined. */
export type Given = readonly (Argument | undefined)[];

/** Type of an input: `f32("N", 784)`. A name stands for a size that is free until run time. */
export interface InputType {
  readonly dtype: DType;
  readonly shape: readonly (number | string)[];
}
