// The functions that generated code calls: each is made when it is first asked for, once a module, for scalars or for vectors.

import type { BinaryOp, UnaryOp } from "../../../ir/kernel/types.ts";
import { createLanes, type FloatShape, type Lanes } from "../lanes.ts";
import { call, get, type Local, laneOf, op, type Tree, type WasmFunction, type WasmType } from "../tree.ts";
import { doubleBinary, doubleUnary } from "./double.ts";
import { halfFunctions } from "./half.ts";
import { integerFunctions } from "./integer.ts";
import { floatRemainder } from "./remainder.ts";
import {
  errorFunction,
  exponential,
  exponentialMinusOne,
  hyperbolicTangent,
  logarithm,
  logarithmPlusOne,
  logistic,
  type Unary,
} from "./single.ts";
import { threefry } from "./threefry.ts";

const singleUnary: Readonly<Partial<Record<UnaryOp, Unary>>> = {
  exp: exponential,
  expm1: exponentialMinusOne,
  log: logarithm,
  log1p: logarithmPlusOne,
  tanh: hyperbolicTangent,
  erf: errorFunction,
  logistic,
};
const wideUnary: Readonly<Partial<Record<UnaryOp, Unary>>> = doubleUnary;

const scalarFunctions = { ...halfFunctions, ...integerFunctions };

export interface Library {
  /** Whether relaxed SIMD's multiply-add may be used. */
  readonly fma: boolean;
  /** A function of one float, for f32 or four lanes of it; undefined for what instructions do. */
  unary(name: UnaryOp, shape: "f32" | "f32x4"): WasmFunction | undefined;
  /** A function of two floats: power, atan2, remainder. */
  binary(name: BinaryOp, shape: "f32" | "f32x4"): WasmFunction | undefined;
  scalar(name: keyof typeof scalarFunctions): WasmFunction;
  threefry(shape: "i32" | "i32x4"): WasmFunction;
}

/** `fma` says whether relaxed SIMD's multiply-add may be used. */
export function createLibrary(fma: boolean): Library {
  const made = new Map<string, WasmFunction>();
  const once = (name: string, make: () => WasmFunction): WasmFunction => {
    const known = made.get(name) ?? make();
    made.set(name, known);
    return known;
  };
  const named = (name: string, shape: string): string => (shape.includes("x") ? `${name}_${shape}` : name);

  /** In float64: the halves of a vector go through a function of two lanes. */
  const wide = (
    name: string,
    shape: "f32" | "f32x4",
    make: (a: Lanes, operands: readonly Tree[]) => Tree,
    arity: number,
  ) =>
    once(named(name, shape), () => {
      if (shape === "f32") {
        return functionOf(name, "f32", arity, (operands) => {
          const a = createLanes("f64", fma);
          const result = make(
            a,
            operands.map((x) => a.let(op("f64.promote_f32", x))),
          );
          return [...a.body, op("f32.demote_f64", result)];
        });
      }
      const half = once(named(name, "f64x2"), () => fromLanes(named(name, "f64x2"), "f64x2", arity, make));
      return functionOf(named(name, shape), "v128", arity, (operands) => {
        const low = call(half, ...operands.map((x) => op("f64x2.promote_low_f32x4", x)));
        const high = call(half, ...operands.map((x) => op("f64x2.promote_low_f32x4", upper(x))));
        const [first, second] = [low, high].map((x) => op("f32x4.demote_f64x2_zero", x));
        const bytes = [0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23];
        return [{ kind: "shuffle", bytes, operands: [first!, second!] }];
      });
    });

  const fromLanes = (
    name: string,
    shape: FloatShape,
    arity: number,
    make: (a: Lanes, operands: readonly Tree[]) => Tree,
  ): WasmFunction => {
    const a = createLanes(shape, fma);
    return functionOf(name, a.type, arity, (operands) => {
      const result = make(a, operands);
      return [...a.body, result];
    });
  };

  const library: Library = {
    fma,
    unary(name, shape) {
      const single = singleUnary[name];
      if (single) {
        const vector = once(named(name, "f32x4"), () =>
          fromLanes(named(name, "f32x4"), "f32x4", 1, (a, [x]) => single(a, x!)),
        );
        if (shape === "f32x4") return vector;
        // One lane of a vector: the same bits, with fused multiply-add as well, which scalars do not have.
        return once(name, () =>
          functionOf(name, "f32", 1, ([x]) => [laneOf("f32x4.extract_lane", 0, call(vector, op("f32x4.splat", x!)))]),
        );
      }
      const double = wideUnary[name];
      return double && wide(name, shape, (a, [x]) => double(a, x!), 1);
    },
    binary(name, shape) {
      if (name === "power" || name === "atan2") {
        return wide(name, shape, (a, [x, y]) => doubleBinary[name](a, x!, y!), 2);
      }
      if (name !== "remainder") return undefined;
      const scalar = once("float_remainder", floatRemainder);
      if (shape === "f32") return scalar;
      return once(named("float_remainder", shape), () =>
        functionOf(named("float_remainder", shape), "v128", 2, (operands) => [
          perLane("f32x4", operands, (lanes) => call(scalar, ...lanes)),
        ]),
      );
    },
    scalar: (name) => once(name, scalarFunctions[name]),
    threefry: (shape) => once(named("threefry", shape), () => threefry(named("threefry", shape), shape)),
  };
  return library;
}

/** The upper two lanes of f32x4 as the lower two. */
const upper = (x: Tree): Tree => ({
  kind: "shuffle",
  bytes: [8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15],
  operands: [x, x],
});

/** A scalar computation for each lane of vectors that are names (they are read four times). */
export function perLane(
  shape: "f32x4" | "i32x4",
  vectors: readonly Tree[],
  compute: (lanes: readonly Tree[]) => Tree,
): Tree {
  const at = (lane: number): Tree => compute(vectors.map((x) => laneOf(`${shape}.extract_lane`, lane, x)));
  return [1, 2, 3].reduce(
    (sum, lane) => laneOf(`${shape}.replace_lane`, lane, sum, at(lane)),
    op(`${shape}.splat`, at(0)),
  );
}

/** A function whose operands and result have one type. */
function functionOf(
  name: string,
  type: WasmType,
  arity: number,
  make: (operands: readonly Tree[]) => readonly Tree[],
): WasmFunction {
  const parameters = ["x", "y"].slice(0, arity).map((parameter): Local => ({ name: parameter, type }));
  return { name, comments: [], parameters, result: type, body: make(parameters.map(get)) };
}
