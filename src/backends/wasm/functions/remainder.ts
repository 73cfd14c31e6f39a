// The remainder of floats, exact as JavaScript's %: multiples of the divisor are subtracted from the top, in float64.

import { f64, get, type Label, type Local, op, set, type Tree, type WasmFunction } from "../tree.ts";

/**
 * While r ≥ d: subtracts d·2^k·q, the largest such multiple with q < 2^28 exact. Quotients of float32 numbers are below 2^277, so that at
 * most ten rounds are needed; nearly always it is one.
 */
export function floatRemainder(): WasmFunction {
  const [x, y]: readonly Local[] = ["x", "y"].map((name) => ({ name, type: "f32" }));
  const [r, d, part, quotient]: readonly Local[] = ["r", "d", "part", "quotient"].map((name) => ({
    name,
    type: "f64",
  }));
  const rounds: Label = { name: "rounds" };
  const shrink: Label = { name: "shrink" };
  const wide = (local: Local): Tree => op("f64.abs", op("f64.promote_f32", get(local)));
  const limit = 2 ** 28;
  const grow: Tree = {
    kind: "loop",
    label: shrink,
    body: [
      {
        kind: "if",
        condition: op("f64.ge", op("f64.div", get(r!), get(part!)), f64(limit)),
        then: [set(part!, op("f64.mul", get(part!), f64(limit))), { kind: "branch", label: shrink }],
        otherwise: [],
      },
    ],
  };
  // A quotient that was rounded up makes r negative: one multiple goes back.
  const mended = op("select", op("f64.add", get(r!), get(part!)), get(r!), op("f64.lt", get(r!), f64(0)));
  const body: readonly Tree[] = [
    set(part!, get(d!)),
    grow,
    set(quotient!, op("f64.trunc", op("f64.div", get(r!), get(part!)))),
    set(r!, op("f64.sub", get(r!), op("f64.mul", get(quotient!), get(part!)))),
    set(r!, mended),
    { kind: "branch", label: rounds, condition: op("f64.ge", get(r!), get(d!)) },
  ];
  const infinity = f64(Number.POSITIVE_INFINITY);
  const defined = op("i32.and", op("f64.lt", get(r!), infinity), op("f64.gt", get(d!), f64(0)));
  const ordered = op("i32.and", op("f64.ge", get(r!), get(d!)), op("f64.lt", get(d!), infinity));
  const isNumber = op("i32.and", op("f64.eq", get(r!), get(r!)), op("f64.eq", get(d!), get(d!)));
  return {
    name: "float_remainder",
    comments: ["The remainder of x / y, with the sign of x."],
    parameters: [x!, y!],
    result: "f32",
    body: [
      set(r!, wide(x!)),
      set(d!, wide(y!)),
      {
        kind: "if",
        condition: op("i32.and", defined, isNumber),
        then: [
          {
            kind: "if",
            condition: ordered,
            then: [{ kind: "loop", label: rounds, body }],
            otherwise: [],
          },
        ],
        otherwise: [set(r!, f64(Number.NaN))],
      },
      op("f32.copysign", op("f32.demote_f64", get(r!)), get(x!)),
    ],
  };
}
