// Vector operations of the kernel IR as WebAssembly: all vectors are v128, truth is a mask of 32 bits a lane. What there is no
// instruction for goes lane by lane.

import type { BinaryOp, CompareOp, LaneReduction, UnaryOp, VectorType } from "../../ir/kernel/types.ts";
import { type ExpressionContext, twice } from "./context.ts";
import { perLane } from "./functions/library.ts";
import { scalarBinary } from "./scalar.ts";
import { laneOf, op, type Tree } from "./tree.ts";

const floatInstructions = {
  negate: "f32x4.neg",
  abs: "f32x4.abs",
  floor: "f32x4.floor",
  ceil: "f32x4.ceil",
  round: "f32x4.nearest",
  sqrt: "f32x4.sqrt",
} as const;

export function vectorUnary(name: UnaryOp, type: VectorType, x: Tree, context: ExpressionContext): Tree {
  if (name === "not") return op("v128.not", x);
  const constant = (value: number): Tree => context.constantVector(type === "f32x4" ? "f32x4" : "i32x4", value);
  if (type !== "f32x4") {
    switch (name) {
      case "negate":
        return op("i32x4.neg", x);
      case "abs":
        return op("i32x4.abs", x);
      case "sign":
        return op("i32x4.max_s", op("i32x4.min_s", x, constant(1)), constant(-1));
      case "is_finite":
        return constant(-1);
      default:
        return x;
    }
  }
  switch (name) {
    case "negate":
    case "abs":
    case "floor":
    case "ceil":
    case "round":
    case "sqrt":
      return op(floatInstructions[name], x);
    case "rsqrt":
      return op("f32x4.div", constant(1), op("f32x4.sqrt", x));
    case "sign":
      // ±1 where |x| > 0; zeros and NaN are their own signs.
      return twice(context, x, "v128", ({ first, again }) => {
        const one = op("v128.bitselect", first, constant(1), context.constantVector("i32x4", -(2 ** 31)));
        return op("v128.bitselect", one, again, op("f32x4.gt", op("f32x4.abs", again), constant(0)));
      });
    case "is_finite":
      return op("f32x4.lt", op("f32x4.abs", x), constant(Number.POSITIVE_INFINITY));
    default: {
      const target = context.library.unary(name, "f32x4");
      if (!target) throw new TypeError(`${name} of ${type}`);
      return context.call(target, x);
    }
  }
}

const floatBinaries = {
  add: "f32x4.add",
  subtract: "f32x4.sub",
  multiply: "f32x4.mul",
  divide: "f32x4.div",
  minimum: "f32x4.min",
  maximum: "f32x4.max",
} as const;
const integerBinaries = {
  add: "i32x4.add",
  subtract: "i32x4.sub",
  multiply: "i32x4.mul",
  minimum: "i32x4.min_s",
  maximum: "i32x4.max_s",
  and: "v128.and",
  or: "v128.or",
  xor: "v128.xor",
} as const;

export function vectorBinary(name: BinaryOp, type: VectorType, a: Tree, b: Tree, context: ExpressionContext): Tree {
  if (type === "boolx4") return op(maskLogic(name), a, b);
  switch (name) {
    case "add":
    case "subtract":
    case "multiply":
    case "minimum":
    case "maximum":
      return op(type === "f32x4" ? floatBinaries[name] : integerBinaries[name], a, b);
    case "and":
    case "or":
    case "xor":
      return op(integerBinaries[name], a, b);
    case "divide":
      if (type === "f32x4") return op("f32x4.div", a, b);
      break;
  }
  if (type === "f32x4") {
    const target = context.library.binary(name, type);
    if (!target) throw new TypeError(`${name} of ${type}`);
    return context.call(target, a, b);
  }
  return eachLane("i32x4", [a, b], context, ([x, y]) => scalarBinary(name, "i32", x!, y!, context));
}

/** A scalar computation for each lane. */
function eachLane(
  shape: "f32x4" | "i32x4",
  operands: readonly Tree[],
  context: ExpressionContext,
  compute: (lanes: readonly Tree[]) => Tree,
): Tree {
  const named = operands.map((x) => context.name(x, "v128"));
  let first = true;
  // All operands are named by the first lane, which is computed before the others.
  return perLane(
    shape,
    named.map(({ again }) => again),
    (lanes) => {
      if (!first) return compute(lanes);
      first = false;
      return compute(named.map((x) => laneOf(`${shape}.extract_lane`, 0, x.first)));
    },
  );
}

/**
 * The maximum or minimum of x and a number. `f32x4.max` costs eight instructions on x64, for zeros and NaN. `pmax(x, c)`, x unless
 * x < c, is one: it keeps a NaN in x, and takes the wrong zero for the maximum of -0 and +0 alone, or the minimum of +0 and -0.
 */
export function vectorLimit(name: "maximum" | "minimum", x: Tree, limit: number, context: ExpressionContext): Tree {
  const bound = context.constantVector("f32x4", limit);
  if (name === "minimum") return Object.is(limit, -0) ? op("f32x4.min", x, bound) : op("f32x4.pmin", x, bound);
  const limited = op("f32x4.pmax", x, bound);
  // -0 + 0 is +0; any other number stays as it is.
  return Object.is(limit, 0) ? op("f32x4.add", limited, bound) : limited;
}

function maskLogic(name: BinaryOp): "v128.and" | "v128.or" | "v128.xor" {
  if (name === "and" || name === "multiply" || name === "minimum") return "v128.and";
  return name === "xor" ? "v128.xor" : "v128.or";
}

const signedNames = { eq: "eq", ne: "ne", lt: "lt_s", le: "le_s", gt: "gt_s", ge: "ge_s" } as const;

export function vectorCompare(name: CompareOp, type: VectorType, a: Tree, b: Tree): Tree {
  if (type === "f32x4") return op(`f32x4.${name}`, a, b);
  // True is -1 in a mask: greater is less.
  const flipped = { eq: "eq", ne: "ne", lt: "gt", le: "ge", gt: "lt", ge: "le" } as const;
  return op(`i32x4.${signedNames[type === "boolx4" ? flipped[name] : name]}`, a, b);
}

export function vectorConvert(from: VectorType, to: VectorType, x: Tree, context: ExpressionContext): Tree {
  if (from === to) return x;
  switch (to) {
    case "boolx4":
      return from === "f32x4"
        ? op("f32x4.ne", x, context.constantVector("f32x4", 0))
        : op("i32x4.ne", x, context.constantVector("i32x4", 0));
    case "f32x4":
      return from === "boolx4" ? op("v128.and", x, context.constantVector("f32x4", 1)) : op("f32x4.convert_i32x4_s", x);
    case "i32x4":
      return from === "boolx4" ? op("i32x4.neg", x) : op("i32x4.trunc_sat_f32x4_s", x);
  }
}

/** a · b + c, fused where it may be. */
export const vectorFma = (a: Tree, b: Tree, c: Tree, context: ExpressionContext): Tree =>
  context.library.fma ? op("f32x4.relaxed_madd", a, b, c) : op("f32x4.add", op("f32x4.mul", a, b), c);

/** A scalar in all lanes; truth becomes a mask. */
export function splat(type: VectorType, x: Tree, context: ExpressionContext): Tree {
  if (x.kind === "constant" && type !== "boolx4") return context.constantVector(type, x.value);
  if (x.kind === "memory" && x.op === "f32.load") return { ...x, op: "v128.load32_splat" };
  if (x.kind === "memory" && x.op === "i32.load") return { ...x, op: "v128.load32_splat" };
  if (type === "f32x4") return op("f32x4.splat", x);
  const lanes = op("i32x4.splat", x);
  return type === "boolx4" ? op("i32x4.neg", lanes) : lanes;
}

/** A vector of four scalars. */
export function gathered(type: VectorType, lanes: readonly Tree[]): Tree {
  const shape = type === "f32x4" ? "f32x4" : "i32x4";
  const [first, ...others] = lanes;
  const vector = others.reduce(
    (sum, x, i) => laneOf(`${shape}.replace_lane`, i + 1, sum, x),
    op(`${shape}.splat`, first!),
  );
  return type === "boolx4" ? op("i32x4.neg", vector) : vector;
}

export function extracted(type: VectorType, x: Tree, lane: number): Tree {
  if (type === "f32x4") return laneOf("f32x4.extract_lane", lane, x);
  const value = laneOf("i32x4.extract_lane", lane, x);
  return type === "boolx4" ? op("i32.shr_u", value, { kind: "constant", type: "i32", value: 31 }) : value;
}

/** (x0 op x2) op (x1 op x3). */
export function reduced(name: LaneReduction, type: VectorType, x: Tree, context: ExpressionContext): Tree {
  if (type === "boolx4") {
    return maskLogic(name) === "v128.and" ? op("i32x4.all_true", x) : op("v128.any_true", x);
  }
  const fold = (value: Tree, bytes: readonly number[]): Tree =>
    twice(context, value, "v128", ({ first, again }) =>
      vectorBinary(name, type, first, { kind: "shuffle", bytes, operands: [again, again] }, context),
    );
  const halves = fold(x, [8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15]);
  const pair = fold(halves, [4, 5, 6, 7, 4, 5, 6, 7, 4, 5, 6, 7, 4, 5, 6, 7]);
  return extracted(type, pair, 0);
}
