// Float arithmetic of one width as trees of WebAssembly: f64 alone, or f32 and f64 as the lanes of a vector. Functions written over
// this are written once and work, to the same bits, on scalars and on vectors.

import { f64, get, i32, type Local, op, set, type Tree, type WasmType } from "./tree.ts";

export type FloatShape = "f32x4" | "f64" | "f64x2";

/** The arithmetic, and the statements that it makes. Truth of a scalar is an i32, of a vector a mask. */
export interface Lanes {
  readonly shape: FloatShape;
  readonly type: WasmType;
  /** What `let` and `whenAny` make, in order; the body of a function. */
  readonly body: readonly Tree[];
  constant(value: number): Tree;
  add(x: Tree, y: Tree): Tree;
  subtract(x: Tree, y: Tree): Tree;
  multiply(x: Tree, y: Tree): Tree;
  /** x · y + z; f32x4 rounds once where it may. */
  multiplyAdd(x: Tree, y: Tree, z: Tree): Tree;
  divide(x: Tree, y: Tree): Tree;
  minimum(x: Tree, y: Tree): Tree;
  maximum(x: Tree, y: Tree): Tree;
  /** x where it is NaN, else brought between bounds that are not 0; of vectors faster than `minimum` and `maximum`. */
  clamp(x: Tree, low: number, high: number): Tree;
  negate(x: Tree): Tree;
  abs(x: Tree): Tree;
  sqrt(x: Tree): Tree;
  nearest(x: Tree): Tree;
  floor(x: Tree): Tree;
  truncate(x: Tree): Tree;
  /** The magnitude of x, the sign of y. */
  copySign(x: Tree, y: Tree): Tree;
  /** c0 + c1·x + c2·x² + … by Horner's rule. */
  polynomial(x: Tree, coefficients: readonly number[]): Tree;
  equal(x: Tree, y: Tree): Tree;
  different(x: Tree, y: Tree): Tree;
  less(x: Tree, y: Tree): Tree;
  lessOrEqual(x: Tree, y: Tree): Tree;
  both(p: Tree, q: Tree): Tree;
  either(p: Tree, q: Tree): Tree;
  select(condition: Tree, x: Tree, y: Tree): Tree;
  /** The bits of a float as an integer of its width, and back; arithmetic on them. */
  bits(x: Tree): Tree;
  float(bits: Tree): Tree;
  integer(value: bigint): Tree;
  addBits(x: Tree, y: Tree): Tree;
  subtractBits(x: Tree, y: Tree): Tree;
  andBits(x: Tree, y: Tree): Tree;
  orBits(x: Tree, y: Tree): Tree;
  shiftLeft(x: Tree, by: number): Tree;
  shiftRight(x: Tree, by: number): Tree;
  shiftRightSigned(x: Tree, by: number): Tree;
  /** A name for a value that is used several times. */
  let(value: Tree, kind?: "float" | "integer" | "truth"): Tree;
  /** A name whose value `assign` changes. */
  variable(value: Tree): Extract<Tree, { kind: "get" }>;
  assign(variable: Extract<Tree, { kind: "get" }>, value: Tree): void;
  /** Statements that run where the condition holds, in any lane. */
  whenAny(condition: Tree, make: () => void): void;
}

/** Arithmetic whose statements go to `body`; `fma` says whether f32x4 may use relaxed SIMD's multiply-add. */
export function createLanes(shape: FloatShape, fma: boolean, body: Tree[] = []): Lanes {
  let into = body;
  const wide = shape !== "f32x4";
  const isVector = shape !== "f64";
  const integers = shape === "f64" ? "i64" : wide ? "i64x2" : "i32x4";
  const logic = isVector ? "v128" : "i64";
  const truth = isVector ? "v128" : "i32";
  const type: WasmType = isVector ? "v128" : "f64";
  const signMask = wide ? 1n << 63n : 1n << 31n;
  let names = 0;

  const lanes: Lanes = {
    shape,
    type,
    body,
    constant(value) {
      if (shape === "f32x4") return { kind: "vector", shape, lanes: [value, value, value, value] };
      if (shape === "f64x2") return { kind: "vector", shape, lanes: [value, value] };
      return f64(value);
    },
    add: (x, y) => op(`${shape}.add`, x, y),
    subtract: (x, y) => op(`${shape}.sub`, x, y),
    multiply: (x, y) => op(`${shape}.mul`, x, y),
    multiplyAdd: (x, y, z) =>
      fma && shape === "f32x4" ? op("f32x4.relaxed_madd", x, y, z) : lanes.add(lanes.multiply(x, y), z),
    divide: (x, y) => op(`${shape}.div`, x, y),
    minimum: (x, y) => op(`${shape}.min`, x, y),
    maximum: (x, y) => op(`${shape}.max`, x, y),
    clamp(x, low, high) {
      const [bottom, top] = [low, high].map(lanes.constant);
      if (shape === "f64") return op("f64.max", op("f64.min", x, top!), bottom!);
      return op(`${shape}.pmax`, op(`${shape}.pmin`, x, top!), bottom!);
    },
    negate: (x) => op(`${shape}.neg`, x),
    abs: (x) => op(`${shape}.abs`, x),
    sqrt: (x) => op(`${shape}.sqrt`, x),
    nearest: (x) => op(`${shape}.nearest`, x),
    floor: (x) => op(`${shape}.floor`, x),
    truncate: (x) => op(`${shape}.trunc`, x),
    copySign(x, y) {
      if (shape === "f64") return op("f64.copysign", x, y);
      return op("v128.bitselect", y, x, lanes.integer(signMask));
    },
    polynomial(x, coefficients) {
      const [highest, ...others] = coefficients.toReversed();
      return others.reduce(
        (sum, coefficient) => lanes.multiplyAdd(sum, x, lanes.constant(coefficient)),
        lanes.constant(highest!),
      );
    },
    equal: (x, y) => op(`${shape}.eq`, x, y),
    different: (x, y) => op(`${shape}.ne`, x, y),
    less: (x, y) => op(`${shape}.lt`, x, y),
    lessOrEqual: (x, y) => op(`${shape}.le`, x, y),
    both: (p, q) => op(`${truth}.and`, p, q),
    either: (p, q) => op(`${truth}.or`, p, q),
    select: (condition, x, y) => (isVector ? op("v128.bitselect", x, y, condition) : op("select", x, y, condition)),
    bits(x) {
      if (isVector) return x;
      return op("i64.reinterpret_f64", x);
    },
    float(bits) {
      if (isVector) return bits;
      return op("f64.reinterpret_i64", bits);
    },
    integer(value) {
      if (integers === "i64x2") return { kind: "vector", shape: integers, lanes: [value, value] };
      const lane = Number(BigInt.asIntN(32, value));
      if (integers === "i32x4") return { kind: "vector", shape: integers, lanes: [lane, lane, lane, lane] };
      return { kind: "long", value };
    },
    addBits: (x, y) => op(`${integers}.add`, x, y),
    subtractBits: (x, y) => op(`${integers}.sub`, x, y),
    andBits: (x, y) => op(`${logic}.and`, x, y),
    orBits: (x, y) => op(`${logic}.or`, x, y),
    shiftLeft: (x, by) => op(`${integers}.shl`, x, amount(by)),
    shiftRight: (x, by) => op(`${integers}.shr_u`, x, amount(by)),
    shiftRightSigned: (x, by) => op(`${integers}.shr_s`, x, amount(by)),
    let(value, kind = "float") {
      const of: WasmType = isVector
        ? "v128"
        : kind === "float"
          ? type
          : kind === "truth"
            ? "i32"
            : wide
              ? "i64"
              : "i32";
      const local: Local = { name: `t${names++}`, type: of };
      into.push(set(local, value));
      return get(local);
    },
    variable(value) {
      const local: Local = { name: `v${names++}`, type };
      into.push(set(local, value));
      return { kind: "get", local };
    },
    assign(variable, value) {
      into.push(set(variable.local, value));
    },
    whenAny(condition, make) {
      const outer = into;
      const then: Tree[] = [];
      into = then;
      make();
      into = outer;
      into.push({ kind: "if", condition: isVector ? op("v128.any_true", condition) : condition, then, otherwise: [] });
    },
  };
  // Shifts of i64 take the amount as i64, those of vectors as i32.
  const amount = (by: number): Tree => (integers === "i64" ? { kind: "long", value: BigInt(by) } : i32(by));
  return lanes;
}
