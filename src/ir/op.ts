// How a primitive operation is declared: documentation, inference, reference meaning, gradient, lowering and samples in one
// place. From the registry in `ops/index.ts` come the verifier, the interpreter, the documentation and the generated tests.

import type { AttributeSchema, Attributes, AttributesOf } from "./attributes.ts";
import type { Dim, Sizes } from "./dim.ts";
import type { DType } from "./dtype.ts";
import type { Emit } from "./emit.ts";
import type { TensorType, Value } from "./graph.ts";
import type { Expr, Stmt } from "./kernel/types.ts";

/** Operands or attributes that an operation cannot take. `operand` is the position of the culprit, where there is one. */
export class InferenceError extends Error {
  override readonly name = "InferenceError";
  constructor(
    message: string,
    readonly operand?: number,
  ) {
    super(message);
  }
}

/** A tensor of the reference interpreter: every element type is held in float64 (integers are exact). Row-major. */
export interface ReferenceTensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: Float64Array;
}

export interface GradientContext<A> {
  readonly inputs: readonly Value[];
  readonly results: readonly Value[];
  /** The gradient of the loss with respect to each result; undefined where the loss does not depend on it. */
  readonly cotangents: readonly (Value | undefined)[];
  readonly attributes: A;
  readonly emit: Emit;
}

/** What the lowering of a node sees. Indices are expressions of type `index`, one per axis. */
export interface LoweringContext<A> {
  readonly attributes: A;
  readonly inputTypes: readonly TensorType[];
  readonly resultTypes: readonly TensorType[];
  /** The element of operand `i` at `index` (an empty list for a scalar). May inline the operand's own computation. */
  input(i: number, index: readonly Expr[]): Expr;
}

export type Lowering<A> =
  /** Each element of the result is an expression of elements of the operands: such nodes fuse into their consumers. */
  | { readonly kind: "element"; element(context: LoweringContext<A>, index: readonly Expr[]): Expr }
  /** Each element of the results is reached by a loop over a domain that carries accumulators: reductions, contractions, windows. */
  | ReductionLowering<A>
  /** Whatever else: writes all elements of the result itself, by statements. Such nodes do not fuse. */
  | { readonly kind: "statements"; statements(context: StatementContext<A>): readonly Stmt[] }
  /** The result is operand 0 with another shape, in the same row-major order: costs nothing between kernels. */
  | { readonly kind: "view"; element(context: LoweringContext<A>, index: readonly Expr[]): Expr }
  /** A pass must have removed it before; `by` names that pass. */
  | { readonly kind: "removed"; readonly by: string };

export interface ReductionLowering<A> {
  readonly kind: "reduction";
  /** Sizes of the loops inside. */
  domain(context: LoweringContext<A>): readonly Dim[];
  readonly accumulators: (context: LoweringContext<A>) => readonly Expr[];
  /** The accumulators after one more point of the domain. */
  step(
    context: LoweringContext<A>,
    index: readonly Expr[],
    point: readonly Expr[],
    accumulators: readonly Expr[],
  ): readonly Expr[];
  /** The element, from the accumulators after the last point. Default: the first accumulator. */
  finish?(context: LoweringContext<A>, accumulators: readonly Expr[]): Expr;
  /**
   * For sums of products of two operands: which axes of the result belong to the first operand alone (m) and the second alone (n).
   * Schedules tile these and keep what is loaded in registers.
   */
  readonly contraction?: (context: LoweringContext<A>) => {
    readonly m: readonly number[];
    readonly n: readonly number[];
  };
}

export interface StatementContext<A> extends LoweringContext<A> {
  /** Elements of the target's vectors; only where there are more than 1 may loops have lanes. */
  readonly lanes: 1 | 4;
  /** A name that nothing else in the kernel has. */
  fresh(stem: string): string;
  store(index: readonly Expr[], value: Expr): Stmt;
  /** The element of the result that was stored before. */
  stored(index: readonly Expr[]): Expr;
}

/** Operands to run an operation on in the generated tests. Free names are not allowed: sizes are numbers. */
export interface Sample<A> {
  readonly inputs: readonly SampleTensor[];
  readonly attributes: A;
}

/** Seeded random elements; `values` gives them outright. `spaced`: all different by at least 0.05, for maxima and kinks (0 among them avoided). */
export interface SampleTensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly distribution:
    | { readonly kind: "normal" }
    | { readonly kind: "uniform"; readonly low: number; readonly high: number }
    | { readonly kind: "spaced" }
    | { readonly kind: "integers"; readonly low: number; readonly high: number }
    | { readonly kind: "values"; readonly values: readonly number[] };
}

/** An operation with a body takes its types from it: `infer` and `evaluate` are not asked. */
export interface BodyRules<A> {
  /** Whether the pass `differentiate` knows its gradient. */
  readonly differentiable: boolean;
  /** Types that the inputs of the body have, or an InferenceError. */
  inputs(operands: readonly TensorType[], attributes: A): readonly TensorType[];
  /** Types of the results, from those of the body's outputs, or an InferenceError. */
  results(operands: readonly TensorType[], attributes: A, outputs: readonly TensorType[]): readonly TensorType[];
  /** Plain meaning; `run` runs the body once, with more sizes than those of the graph around it. */
  evaluate(
    operands: readonly ReferenceTensor[],
    attributes: A,
    results: readonly { readonly dtype: DType; readonly shape: readonly number[] }[],
    run: (inputs: readonly ReferenceTensor[], sizes: Sizes) => readonly ReferenceTensor[],
  ): readonly ReferenceTensor[];
}

export interface OpDefinition<A> {
  /** StableHLO's name where it has the operation. */
  readonly name: string;
  /** NumPy's name, under which the language calls it, where that differs: `exp` for `exponential`. */
  readonly alias?: string;
  /** Meaning, constraints, and the formula or its source. */
  readonly doc: string;
  /** Names of the operands; one name with `...` before it stands for any number of them. */
  readonly inputs: readonly string[];
  /** All operands and the result have one shape (scalars are spread); the language broadcasts their operands first. */
  readonly elementwise: boolean;
  readonly schema: AttributeSchema;
  /** Types of the results, or an InferenceError. */
  infer(inputs: readonly TensorType[], attributes: A): readonly TensorType[];
  /** Plain meaning. All dimensions in the attributes are numbers by then. `results` are the result types with numbers as dimensions. */
  evaluate(
    inputs: readonly ReferenceTensor[],
    attributes: A,
    results: readonly { readonly dtype: DType; readonly shape: readonly number[] }[],
  ): readonly ReferenceTensor[];
  /**
   * Gradients with respect to the operands, undefined where there is none. They may have the shape of the result where the operand
   * is a scalar that was spread: the pass sums them up. Missing: not differentiable, gradients stop here.
   */
  differentiate?(context: GradientContext<A>): readonly (Value | undefined)[];
  /** Whether the gradient can be differentiated again by central differences (no kinks). Default true. */
  readonly smooth?: boolean;
  /** For operations that carry a graph: what goes into it, what comes out, and how often it runs. */
  readonly body?: BodyRules<A>;
  readonly lower: Lowering<A>;
  readonly samples: readonly Sample<A>[];
  /** Floating-point operations for one run, for cost estimates. Default: one per element of the result. */
  flops?(inputs: readonly TensorType[], results: readonly TensorType[], attributes: A): Dim;
}

/** An operation as the registry holds it: attributes are raw, checked against the schema by whoever made the node. */
export type Operation = OpDefinition<Attributes>;

/**
 * Declares a primitive operation. The definition sees its attributes with the types of its schema; the registry sees them raw.
 */
export function defineOp<S extends AttributeSchema>(
  definition: Omit<OpDefinition<AttributesOf<S>>, "schema" | "elementwise"> & {
    readonly attributes: S;
    readonly elementwise?: boolean;
  },
): Operation {
  const { attributes, ...rest } = definition;
  // The one place where attributes lose and regain their static types: `checkAttributes` runs before any rule sees them.
  return { elementwise: false, ...rest, schema: attributes } as unknown as Operation;
}

/** Checks raw attributes against a schema; throws an InferenceError that names the attribute. */
export function checkAttributes(name: string, schema: AttributeSchema, attributes: Attributes): void {
  for (const key of Object.keys(attributes)) {
    if (!(key in schema)) throw new InferenceError(`${name} has no attribute ${key}`);
  }
  for (const [key, kind] of Object.entries(schema)) {
    const value = attributes[key];
    if (value === undefined) throw new InferenceError(`${name} lacks its attribute ${key}`);
    if (!kind.is(value)) throw new InferenceError(`${name}: ${key} must be ${kind.expected}`);
  }
}
