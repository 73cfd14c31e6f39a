// The kernel IR as data: explicit loops over flat buffers, so that tiling is written once for all back-ends.
// `build.ts` makes expressions (and simplifies indices as it goes), `print.ts` shows them, `interpret.ts` says what they mean.

import type { Dim } from "../dim.ts";
import type { DType } from "../dtype.ts";
import type { Location } from "../location.ts";

/** `index` is a 32-bit integer that addresses elements; the others are what buffers hold and arithmetic yields. */
export type ScalarType = DType | "index";

/** Four lanes of a scalar type; `boolx4` is a mask. Operations on vectors work lane by lane. */
export const vectorTypes = ["f32x4", "i32x4", "boolx4"] as const;
export type VectorType = (typeof vectorTypes)[number];

/** What expressions yield. Back-ends see vectors only where their target has lanes. */
export type ValueType = ScalarType | VectorType;

export type Expr =
  | { readonly kind: "constant"; readonly type: ScalarType; readonly value: number }
  /** A loop variable, a free size, a `let` or a `var`. */
  | { readonly kind: "variable"; readonly type: ValueType; readonly name: string }
  /** An element; of a vector type, the four elements from the index on. */
  | { readonly kind: "load"; readonly type: DType | VectorType; readonly buffer: string; readonly index: Expr }
  | { readonly kind: "unary"; readonly type: ValueType; readonly op: UnaryOp; readonly x: Expr }
  | { readonly kind: "binary"; readonly type: ValueType; readonly op: BinaryOp; readonly a: Expr; readonly b: Expr }
  /** a · b + c, of type f32 or f32x4. Targets decide whether the product is rounded before the sum. */
  | { readonly kind: "fma"; readonly type: ValueType; readonly a: Expr; readonly b: Expr; readonly c: Expr }
  | {
      readonly kind: "compare";
      readonly type: "bool" | "boolx4";
      readonly op: CompareOp;
      readonly a: Expr;
      readonly b: Expr;
    }
  /** The arms have the type of the whole; the condition is a bool, or of vectors a boolx4, which chooses lane by lane. */
  | { readonly kind: "select"; readonly type: ValueType; readonly condition: Expr; readonly a: Expr; readonly b: Expr }
  /** Conversion; from float to integer it truncates towards zero, NaN becomes 0 and what is too large saturates. */
  | { readonly kind: "convert"; readonly type: ValueType; readonly x: Expr }
  /** Word 0 of Threefry-2x32-20 (Salmon et al. 2011) for the key (k0, k1) and the counter (c0, c1); all i32, or all i32x4. */
  | {
      readonly kind: "threefry";
      readonly type: "i32" | "i32x4";
      readonly key: readonly [Expr, Expr];
      readonly counter: readonly [Expr, Expr];
    }
  /** One scalar in all four lanes. */
  | { readonly kind: "splat"; readonly type: VectorType; readonly x: Expr }
  /** A vector of four scalars, lane 0 first. */
  | { readonly kind: "vector"; readonly type: VectorType; readonly lanes: readonly [Expr, Expr, Expr, Expr] }
  /** The scalar in one lane of a vector, 0 to 3. */
  | { readonly kind: "lane"; readonly type: ScalarType; readonly x: Expr; readonly lane: number }
  /** The four lanes of x as one scalar: (x0 op x2) op (x1 op x3), in this order on every target. */
  | { readonly kind: "reduce_lanes"; readonly type: ScalarType; readonly op: LaneReduction; readonly x: Expr };

export const laneReductions = ["add", "multiply", "minimum", "maximum", "and", "or"] as const;
export type LaneReduction = (typeof laneReductions)[number];

/** The type of one lane; of a scalar type the type itself. */
export function scalarOf(type: ValueType): ScalarType {
  switch (type) {
    case "f32x4":
      return "f32";
    case "i32x4":
      return "i32";
    case "boolx4":
      return "bool";
    default:
      return type;
  }
}

/** The vector type with lanes of the scalar type, if there is one. */
export function vectorOf(type: ValueType): VectorType | undefined {
  return vectorTypes.find((vector) => scalarOf(vector) === scalarOf(type));
}

export const isVector = (type: ValueType): type is VectorType => scalarOf(type) !== type;

export const unaryOps = [
  "negate",
  "not",
  "abs",
  "sign",
  "floor",
  "ceil",
  "round",
  "sqrt",
  "rsqrt",
  "exp",
  "expm1",
  "log",
  "log1p",
  "sin",
  "cos",
  "tan",
  "asin",
  "acos",
  "atan",
  "sinh",
  "cosh",
  "asinh",
  "acosh",
  "atanh",
  "tanh",
  "erf",
  "logistic",
  "is_finite",
] as const;
/** `round` goes to the nearest, ties to even. `not` is logical for bool and bitwise for integers. */
export type UnaryOp = (typeof unaryOps)[number];

export const binaryOps = [
  "add",
  "subtract",
  "multiply",
  "divide",
  "remainder",
  "floordiv",
  "power",
  "minimum",
  "maximum",
  "atan2",
  "and",
  "or",
  "xor",
  "shift_left",
  "shift_right_logical",
] as const;
/**
 * `remainder` has the sign of the dividend (as C, JavaScript); `divide` of integers truncates; `floordiv` is for `index` alone and
 * rounds down. `minimum` and `maximum` give NaN where either operand is NaN. Integer arithmetic wraps.
 */
export type BinaryOp = (typeof binaryOps)[number];

export const compareOps = ["eq", "ne", "lt", "le", "gt", "ge"] as const;
export type CompareOp = (typeof compareOps)[number];

/** What a loop ranges over, for schedules and readers. */
export type LoopRole = "batch" | "m" | "n" | "k" | "window" | "row" | "element";

export const loopModes = ["serial", "parallel", "grid", "thread"] as const;
export type LoopMode = (typeof loopModes)[number];

export type Stmt =
  /**
   * `variable` runs from `from` to below `to` by `step`. Iterations of a parallel loop touch no common element, save to read.
   * With `lanes` 4 the body is written for lane 0 and stands for four iterations, at i, i + 1, i + 2 and i + 3, as independent
   * as those of a parallel loop; the step is a multiple of 4. The pass `vectorize` lifts such a body to vectors.
   *
   * On targets with thread groups, iterations of a `grid` loop are groups, those of the `thread` loop in it run side by side in one
   * group: they meet at barriers, and see each other's stores to shared scratch arrays and to buffers behind one.
   */
  | {
      readonly kind: "for";
      readonly variable: string;
      readonly from: Expr;
      readonly to: Expr;
      readonly step: number;
      readonly mode: LoopMode;
      readonly role: LoopRole;
      readonly lanes?: 4;
      readonly body: readonly Stmt[];
    }
  /** A name for a value; never assigned again. */
  | { readonly kind: "let"; readonly name: string; readonly value: Expr }
  /** A register that `assign` changes: an accumulator. Registers are wider than float32 where the target likes it so. */
  | { readonly kind: "var"; readonly name: string; readonly value: Expr }
  | { readonly kind: "assign"; readonly name: string; readonly value: Expr }
  /** Of a vector, its four lanes go to consecutive elements. */
  | { readonly kind: "store"; readonly buffer: string; readonly index: Expr; readonly value: Expr }
  | {
      readonly kind: "if";
      readonly condition: Expr;
      readonly then: readonly Stmt[];
      readonly otherwise: readonly Stmt[];
    }
  /** A scratch array of the kernel's own, uninitialised, that lives until the kernel ends; `shared` by the threads of a group. */
  | {
      readonly kind: "alloc";
      readonly name: string;
      readonly dtype: DType;
      readonly length: number;
      readonly shared?: true;
    }
  /**
   * Where all threads of a group wait for each other; directly in the body of a thread loop, or of serial loops directly in it whose
   * ends are the same for all threads.
   */
  | { readonly kind: "barrier" }
  /** A group of statements with a heading, such as `maximum of each row`. */
  | { readonly kind: "block"; readonly label: string; readonly body: readonly Stmt[] };

export interface BufferParameter {
  readonly name: string;
  readonly dtype: DType;
  /** Elements. */
  readonly length: Dim;
  readonly access: "read" | "write" | "read_write";
}

export interface Kernel {
  readonly name: string;
  /** What it computes, for readers: the fused operations. */
  readonly doc: string;
  readonly location: Location | undefined;
  readonly buffers: readonly BufferParameter[];
  /** The free sizes that the body uses as variables of type index. */
  readonly sizes: readonly string[];
  readonly body: readonly Stmt[];
  /** An estimate for reports: arithmetic operations and bytes moved from or to memory. */
  readonly cost: { readonly flops: Dim; readonly bytes: Dim };
  /** For readers: why it has the schedule that it has, and the transformations that made its loops, by name and in order. */
  readonly schedule?: readonly string[];
}
