// Integer operations where WebAssembly traps or has nothing: division by zero gives 0, the smallest number divided by -1 wraps.

import { get, i32, type Label, type Local, op, set, type Tree, type WasmFunction } from "../tree.ts";

const a: Local = { name: "a", type: "i32" };
const b: Local = { name: "b", type: "i32" };

const define = (name: string, comment: string, body: readonly Tree[]): WasmFunction => ({
  name,
  comments: [comment],
  parameters: [a, b],
  result: "i32",
  body,
});
/** `value` unless b is 0 or -1. */
const unlessSpecial = (forMinusOne: Tree, value: Tree): Tree => ({
  kind: "if",
  condition: op("i32.gt_u", op("i32.add", get(b), i32(1)), i32(1)),
  result: "i32",
  then: [value],
  otherwise: [op("select", forMinusOne, i32(0), get(b))],
});
const negative = op("i32.sub", i32(0), get(a));

const divide = (): WasmFunction =>
  define("divide", "Towards zero; 0 for a division by zero.", [
    unlessSpecial(negative, op("i32.div_s", get(a), get(b))),
  ]);

const remainder = (): WasmFunction =>
  define("remainder", "With the sign of a; 0 for a division by zero.", [
    unlessSpecial(i32(0), op("i32.rem_s", get(a), get(b))),
  ]);

/** The quotient, less 1 where there is a remainder of the other sign. */
function floorDivide(): WasmFunction {
  const rest: Local = { name: "rest", type: "i32" };
  const apart = op("i32.lt_s", op("i32.xor", get(rest), get(b)), i32(0));
  const below = op("i32.and", op("i32.ne", get(rest), i32(0)), apart);
  const quotient: Tree = op("i32.sub", op("i32.div_s", get(a), get(b)), below);
  const value: Tree = {
    kind: "if",
    condition: op("i32.gt_u", op("i32.add", get(b), i32(1)), i32(1)),
    result: "i32",
    then: [set(rest, op("i32.rem_s", get(a), get(b))), quotient],
    otherwise: [op("select", negative, i32(0), get(b))],
  };
  return define("floor_divide", "Rounded down; 0 for a division by zero.", [value]);
}

/** By squaring. 1 and -1 are the only numbers with negative powers that are no fractions. */
function integerPower(): WasmFunction {
  const [y, base, left]: readonly Local[] = ["y", "base", "left"].map((name) => ({ name, type: "i32" }));
  const again: Label = { name: "again" };
  const parity = op("i32.sub", i32(1), op("i32.shl", op("i32.and", get(b), i32(1)), i32(1)));
  const ofMinusOne = op("select", parity, i32(0), op("i32.eq", get(a), i32(-1)));
  const negativePower = op("select", i32(1), ofMinusOne, op("i32.eq", get(a), i32(1)));
  const odd = op("i32.and", get(left!), i32(1));
  const squaring: Tree = {
    kind: "loop",
    label: again,
    body: [
      {
        kind: "if",
        condition: get(left!),
        then: [
          set(y!, op("select", op("i32.mul", get(y!), get(base!)), get(y!), odd)),
          set(base!, op("i32.mul", get(base!), get(base!))),
          set(left!, op("i32.shr_u", get(left!), i32(1))),
          { kind: "branch", label: again },
        ],
        otherwise: [],
      },
    ],
  };
  return define("integer_power", "Wraps; negative powers are truncated towards zero.", [
    {
      kind: "if",
      condition: op("i32.lt_s", get(b), i32(0)),
      then: [op("return", negativePower)],
      otherwise: [],
    },
    set(y!, i32(1)),
    set(base!, get(a)),
    set(left!, get(b)),
    squaring,
    get(y!),
  ]);
}

export const integerFunctions = { divide, remainder, floor_divide: floorDivide, integer_power: integerPower };
