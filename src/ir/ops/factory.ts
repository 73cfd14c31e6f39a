// What all elementwise operations share: types, the loop of their reference meaning, and their lowering to one expression of
// elements. A definition is left with its documentation, its formula and its gradient.

import type { AttributeSchema, AttributesOf } from "../attributes.ts";
import type { DType } from "../dtype.ts";
import { isFloat } from "../dtype.ts";
import type { Emit } from "../emit.ts";
import type { TensorType, Value } from "../graph.ts";
import { k } from "../kernel/build.ts";
import type { BinaryOp, Expr, ScalarType, UnaryOp } from "../kernel/types.ts";
import {
  defineOp,
  type LoweringContext,
  type Operation,
  type ReferenceTensor,
  type Sample,
  type SampleTensor,
} from "../op.ts";
import { makeTensor, wrap } from "../reference.ts";
import { commonShape, type ElementKind, requireKind, requireSameDType } from "./checks.ts";
import { normal } from "./samples.ts";

/** The element of an operand that may be a scalar to spread. */
function spreadInput<A>(context: LoweringContext<A>, i: number, index: readonly Expr[]): Expr {
  return context.input(i, context.inputTypes[i]!.shape.length === 0 ? [] : index);
}

/** The same for the reference meaning. */
const spreadElement = (x: ReferenceTensor, linear: number): number => x.data[x.shape.length === 0 ? 0 : linear]!;

/** Whether gradients flow through values of this type. */
export const isDifferentiable = ({ dtype }: TensorType): boolean => isFloat(dtype);

interface ElementwiseSpec<S extends AttributeSchema> {
  readonly alias?: string;
  readonly doc: string;
  readonly inputs: readonly string[];
  readonly attributes: S;
  /** The element type of the result, once the operands' types are checked. */
  readonly dtype: (inputs: readonly TensorType[], attributes: AttributesOf<S>) => DType;
  readonly compute: (elements: readonly number[], dtype: DType, attributes: AttributesOf<S>) => number;
  readonly kernel: (elements: readonly Expr[], dtype: ScalarType, attributes: AttributesOf<S>) => Expr;
  readonly gradient?: (emit: Emit, values: GradientValues) => readonly (Value | undefined)[];
  readonly smooth?: boolean;
  readonly samples: readonly Sample<AttributesOf<S>>[];
}

/** What a gradient rule may use: the operands, the result, and the gradient of the loss with respect to it. */
export interface GradientValues {
  readonly x: Value;
  /** The second operand; the first where there is only one. */
  readonly y: Value;
  readonly z: Value;
  readonly result: Value;
  readonly d: Value;
}

export function elementwise<const S extends AttributeSchema>(name: string, spec: ElementwiseSpec<S>): Operation {
  const { gradient } = spec;
  return defineOp<S>({
    name,
    ...(spec.alias === undefined ? {} : { alias: spec.alias }),
    doc: spec.doc,
    inputs: spec.inputs,
    elementwise: true,
    attributes: spec.attributes,
    infer: (inputs, attributes) => {
      const dtype = spec.dtype(inputs, attributes);
      return [{ dtype, shape: commonShape(name, inputs) }];
    },
    evaluate: (inputs, attributes, [type]) => [
      makeTensor(type!.dtype, type!.shape, (_, linear) => {
        const elements = inputs.map((x) => spreadElement(x, linear));
        return wrap(type!.dtype, spec.compute(elements, inputs[inputs.length - 1]!.dtype, attributes));
      }),
    ],
    ...(gradient
      ? {
          differentiate: ({ inputs, results, cotangents, emit }) => {
            const [d] = cotangents;
            const [x, y = x, z = y] = inputs;
            if (!d || !isDifferentiable(results[0]!.type)) return inputs.map(() => undefined);
            return gradient(emit, { x: x!, y: y!, z: z!, result: results[0]!, d });
          },
        }
      : {}),
    ...(spec.smooth === undefined ? {} : { smooth: spec.smooth }),
    lower: {
      kind: "element",
      element: (context, index) => {
        const elements = context.inputTypes.map((_, i) => spreadInput(context, i, index));
        return spec.kernel(elements, context.resultTypes[0]!.dtype, context.attributes);
      },
    },
    samples: spec.samples,
  });
}

/** Operands of one element type of the given kind; it is also the result's. */
const sameKind =
  (name: string, kind: ElementKind) =>
  (inputs: readonly TensorType[]): DType => {
    const first = inputs[0]!;
    inputs.forEach((type, i) => {
      requireKind(name, type, kind, i);
      requireSameDType(name, first, type, i);
    });
    return first.dtype;
  };

/** A function of one operand. */
export interface UnarySpec {
  readonly alias?: string;
  readonly doc: string;
  /** Default: float. */
  readonly takes?: ElementKind;
  readonly kernel: UnaryOp;
  readonly compute: (x: number, dtype: DType) => number;
  /** The gradient with respect to the operand, from d, that of the result. Missing: it is zero almost everywhere. */
  readonly gradient?: (emit: Emit, values: GradientValues) => Value;
  readonly smooth?: boolean;
  /** Operands that lie in the domain. Default: normal. */
  readonly sample?: (...shape: readonly number[]) => SampleTensor;
  readonly also?: readonly SampleTensor[];
  readonly result?: DType;
}

export function unary(name: string, spec: UnarySpec): Operation {
  const { gradient, takes = "float", sample = normal } = spec;
  const operandKind = sameKind(name, takes);
  const operands = [sample(3, 5), sample(0), sample(), ...(spec.also ?? [])];
  return elementwise(name, {
    ...(spec.alias === undefined ? {} : { alias: spec.alias }),
    doc: spec.doc,
    inputs: ["x"],
    attributes: {},
    dtype: (inputs) => {
      const dtype = operandKind(inputs);
      return spec.result ?? dtype;
    },
    compute: ([x], dtype) => spec.compute(x!, dtype),
    kernel: ([x]) => k.unary(spec.kernel, x!),
    ...(gradient ? { gradient: (emit: Emit, given: GradientValues) => [gradient(emit, given)] } : {}),
    ...(spec.smooth === undefined ? {} : { smooth: spec.smooth }),
    samples: operands.map((x) => ({ inputs: [x], attributes: {} })),
  });
}

/** A function of two operands. */
export interface BinarySpec {
  readonly alias?: string;
  readonly doc: string;
  readonly takes: ElementKind;
  /** Default: the operation's name. */
  readonly kernel: BinaryOp;
  readonly compute: (x: number, y: number, dtype: DType) => number;
  readonly gradient?: (emit: Emit, values: GradientValues) => readonly [Value | undefined, Value | undefined];
  readonly smooth?: boolean;
  /** Operands that lie in the domain. */
  readonly sample: (operand: 0 | 1, shape: readonly number[]) => SampleTensor;
  readonly also?: readonly (readonly [SampleTensor, SampleTensor])[];
}

export function binary(name: string, spec: BinarySpec): Operation {
  const { sample } = spec;
  const operands: (readonly [SampleTensor, SampleTensor])[] = [
    [sample(0, [3, 5]), sample(1, [3, 5])],
    [sample(0, [4]), sample(1, [])],
    [sample(0, []), sample(1, [4])],
    [sample(0, [2, 0]), sample(1, [2, 0])],
    ...(spec.also ?? []),
  ];
  return elementwise(name, {
    ...(spec.alias === undefined ? {} : { alias: spec.alias }),
    doc: spec.doc,
    inputs: ["x", "y"],
    attributes: {},
    dtype: sameKind(name, spec.takes),
    compute: ([x, y], dtype) => spec.compute(x!, y!, dtype),
    kernel: ([x, y]) => k.binary(spec.kernel, x!, y!),
    ...(spec.gradient ? { gradient: spec.gradient } : {}),
    ...(spec.smooth === undefined ? {} : { smooth: spec.smooth }),
    samples: operands.map((inputs) => ({ inputs, attributes: {} })),
  });
}
