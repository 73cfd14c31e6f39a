// What every back-end offers to those who run programs: training, prediction, evaluation, tests.

import type { Tensor } from "../ir/dtype.ts";

export type Tensors = Readonly<Record<string, Tensor>>;

/** A compiled module with its parameters and states. Graphs of one executable share them. */
export interface Executable {
  /**
   * Runs a graph: takes its inputs by name, gives its outputs by name (copies that the caller owns), and carries out its
   * updates. Free dimensions are read off the inputs' shapes, or taken from `sizes` where no input has them.
   * Throws an InputError that names the input whose shape or element type does not fit.
   */
  run(graph: string, inputs: Tensors, sizes?: Readonly<Record<string, number>>): Record<string, Tensor>;
  /** A copy of a parameter or state, by full name. */
  read(name: string): Tensor;
  /** Sets a parameter or state; dtype and shape must be those of its declaration. */
  write(name: string, value: Tensor): void;
  /** Ends its threads, if it has any; they end with the process too. It may still be used: a run that needs them starts others. */
  dispose?(): void;
}

/** The same where results come later: on a device that the program does not wait for. */
export interface AsyncExecutable {
  /** As of an Executable; what is not among `read`, by default all outputs, stays on the device. Runs take place in the order of calls. */
  run(
    graph: string,
    inputs: Tensors,
    sizes?: Readonly<Record<string, number>>,
    options?: { readonly read?: readonly string[] },
  ): Promise<Record<string, Tensor>>;
  /**
   * A function that runs the graph again and again on the same inputs, which lie on the device from its first run on; those that it is
   * given take the place of earlier ones of the same shape. Good until the executable runs or prepares anything else.
   */
  prepare(
    graph: string,
    inputs: Tensors,
    sizes?: Readonly<Record<string, number>>,
  ): Promise<(changed?: Tensors, options?: { readonly read?: readonly string[] }) => Promise<Record<string, Tensor>>>;
  read(name: string): Promise<Tensor>;
  write(name: string, value: Tensor): void;
  /** Frees what it has on the device; it may not be used any more. */
  dispose(): void;
}

/** Either: who awaits results runs both, and computes on nothing else in between where they are there at once. */
export type AnyExecutable = Executable | AsyncExecutable;

/**
 * A graph laid out in an executable's memory, to be run again and again with nothing copied. Good until the executable runs or
 * prepares anything else: that may put other things there, or move the memory.
 */
export interface Prepared {
  /** The inputs as they lie in memory, to be written into. */
  readonly inputs: Tensors;
  /** The outputs as they lie in memory, good after a run and until the next one. */
  readonly outputs: Tensors;
  /** Runs the graph on what lies there, and carries out its updates. */
  run(): void;
}

/** An executable of which a graph can be run again and again without looking at its inputs. */
export interface Repeatable extends Executable {
  /** Does everything that `run` does before the graph runs, the generation of its code included; `inputs` are copied in once. */
  prepare(graph: string, inputs: Tensors, sizes?: Readonly<Record<string, number>>): Prepared;
}

/** An input that does not fit what a graph declares; its message says which, what it is and what it should be. */
export class InputError extends Error {
  override readonly name = "InputError";
}
