// Elementwise operations that compare, choose and convert.

import { roundToHalf } from "../../util/half.ts";
import { attribute } from "../attributes.ts";
import { isFloat } from "../dtype.ts";
import { k } from "../kernel/build.ts";
import { InferenceError } from "../op.ts";
import { rangeOf } from "../reference.ts";
import { requireKind, requireSameDType } from "./checks.ts";
import { elementwise } from "./factory.ts";
import { integers, normal, spaced, uniform, values } from "./samples.ts";

const directions = {
  eq: (x: number, y: number) => x === y,
  ne: (x: number, y: number) => x !== y,
  lt: (x: number, y: number) => x < y,
  le: (x: number, y: number) => x <= y,
  gt: (x: number, y: number) => x > y,
  ge: (x: number, y: number) => x >= y,
};

const compare = elementwise("compare", {
  doc: "Whether x and y stand in the relation `direction`. Comparisons with NaN are false, save `ne`.",
  inputs: ["x", "y"],
  attributes: { direction: attribute.oneOf("eq", "ne", "lt", "le", "gt", "ge") },
  dtype: ([x, y]) => {
    requireSameDType("compare", x!, y!, 1);
    return "bool";
  },
  compute: ([x, y], _, { direction }) => (directions[direction](x!, y!) ? 1 : 0),
  kernel: ([x, y], _, { direction }) => k.compare(direction, x!, y!),
  smooth: false,
  samples: [
    ...(["eq", "ne", "lt", "le", "gt", "ge"] as const).map((direction) => ({
      inputs: [integers(-1, 1, [9]), integers(-1, 1, [9])],
      attributes: { direction },
    })),
    { inputs: [normal(2, 3), normal()], attributes: { direction: "lt" } },
    { inputs: [values([Number.NaN, 1], [2]), values([Number.NaN, Number.NaN], [2])], attributes: { direction: "ne" } },
    { inputs: [normal(0), normal(0)], attributes: { direction: "ge" } },
  ],
});

const select = elementwise("select", {
  alias: "where",
  doc: "x where the condition holds, else y.",
  inputs: ["condition", "x", "y"],
  attributes: {},
  dtype: ([condition, x, y]) => {
    requireKind("select", condition!, "bool", 0);
    requireSameDType("select", x!, y!, 2);
    return x!.dtype;
  },
  compute: ([condition, x, y]) => (condition !== 0 ? x! : y!),
  kernel: ([condition, x, y]) => k.select(condition!, x!, y!),
  gradient: (e, { x: condition, d }) => [undefined, e.select(condition, d, 0), e.select(condition, 0, d)],
  samples: [
    { inputs: [integers(0, 1, [3, 5], "bool"), normal(3, 5), normal(3, 5)], attributes: {} },
    { inputs: [integers(0, 1, [7], "bool"), normal(), normal(7)], attributes: {} },
    { inputs: [integers(0, 1, [], "bool"), normal(4), normal(4)], attributes: {} },
    { inputs: [integers(0, 1, [3], "bool"), integers(-5, 5, [3]), integers(-5, 5, [3])], attributes: {} },
  ],
});

/** Towards zero; what is too large becomes the nearest bound, and NaN 0. */
function truncateInto(dtype: Parameters<typeof rangeOf>[0], x: number): number {
  if (Number.isNaN(x)) return 0;
  const [low, high] = rangeOf(dtype);
  return Math.min(high, Math.max(low, Math.trunc(x)));
}

const convert = elementwise("convert", {
  doc:
    "x with another element type. Floats become integers by truncation (NaN becomes 0, what is too large the nearest bound); " +
    "integers wrap; anything but 0 is true.",
  inputs: ["x"],
  attributes: { dtype: attribute.dtype },
  dtype: ([x], { dtype }) => {
    if (!x) throw new InferenceError("convert takes one operand");
    return dtype;
  },
  compute: ([x], from, { dtype }) => {
    if (dtype === "bool") return x === 0 ? 0 : 1;
    if (dtype === "f16") return roundToHalf(x!);
    return isFloat(from) && !isFloat(dtype) ? truncateInto(dtype, x!) : x!;
  },
  kernel: ([x], dtype) => (dtype === "bool" && x!.type !== "bool" ? k.ne(x!, 0) : k.convert(x!, dtype)),
  gradient: (e, { x, d }) => [isFloat(x.type.dtype) ? e.convert(d, x.type.dtype) : undefined],
  samples: [
    { inputs: [uniform(-9, 9, 3, 5)], attributes: { dtype: "i32" } },
    { inputs: [values([3e9, -3e9, Number.NaN, -1.5], [4])], attributes: { dtype: "i32" } },
    { inputs: [uniform(-400, 400, 9)], attributes: { dtype: "u8" } },
    { inputs: [integers(-9, 9, [7])], attributes: { dtype: "f32" } },
    { inputs: [integers(-999, 999, [7])], attributes: { dtype: "u8" } },
    { inputs: [integers(0, 255, [7], "u8")], attributes: { dtype: "i8" } },
    { inputs: [integers(0, 1, [7], "bool")], attributes: { dtype: "f32" } },
    { inputs: [values([0, -0, 0.5, Number.NaN], [4])], attributes: { dtype: "bool" } },
    { inputs: [normal(4)], attributes: { dtype: "f32" } },
    { inputs: [values([0.1, 2049, -7e4, 1e-8], [4])], attributes: { dtype: "f16" } },
    { inputs: [spaced(0)], attributes: { dtype: "i32" } },
  ],
});

const stopGradient = elementwise("stop_gradient", {
  doc: "x, through which no gradient flows.",
  inputs: ["x"],
  attributes: {},
  dtype: ([x]) => x!.dtype,
  compute: ([x]) => x!,
  kernel: ([x]) => x!,
  samples: [{ inputs: [normal(3, 5)], attributes: {} }],
});

export const choiceOperations = [compare, select, convert, stopGradient];
