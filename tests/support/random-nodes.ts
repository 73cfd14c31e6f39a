// The single steps of random graphs: each makes nodes of one sort over values that are there. Arguments are kept where
// functions are tame (no overflow, no pole), so that comparisons mean something; neutral elements are frequent, to wake
// rewrite rules.

import { type Dim, equalDims, equalShapes, symbol } from "../../src/ir/dim.ts";
import type { Emit } from "../../src/ir/emit.ts";
import type { Value } from "../../src/ir/graph.ts";

export interface Choices {
  readonly emit: Emit;
  /** A number from 0 to below - 1. */
  number(below: number): number;
  /** A value of the pool that fits. */
  pick(fits: (value: Value) => boolean): Value | undefined;
  float(): Value | undefined;
}

export interface Maker {
  readonly name: string;
  readonly kind: "smooth" | "continuous" | "jumps";
  make(choices: Choices): Value | undefined;
}

const rank = (value: Value): number => value.type.shape.length;
const sameType = (a: Value) => (b: Value) => a.type.dtype === b.type.dtype && equalShapes(a.type.shape, b.type.shape);
const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
const isStatic = (dim: Dim | undefined): dim is number => typeof dim === "number";

/** A list without its order: a seeded choice of one element after the other. */
function shuffled(items: readonly number[], number: (below: number) => number): number[] {
  const left = [...items];
  const result: number[] = [];
  while (left.length > 0) result.push(...left.splice(number(left.length), 1));
  return result;
}

/** One maker for each of the named operations, over a float made tame by `tame`. */
const unary = (kind: Maker["kind"], tame: (emit: Emit, x: Value) => Value, ...names: string[]): Maker[] =>
  names.map((name) => ({
    name,
    kind,
    make: ({ emit, float }) => {
      const x = float();
      return x && emit.value(name, [tame(emit, x)]);
    },
  }));

const asItIs = (_: Emit, x: Value): Value => x;
const bounded = (emit: Emit, x: Value): Value => emit.value("tanh", [x]);
const aboveOne = (emit: Emit, x: Value): Value => emit.add(emit.multiply(x, x), 1);

const belowOne = (emit: Emit, x: Value): Value => emit.multiply(bounded(emit, x), 0.9);

/** The partner of a float: one of its type, a scalar, or a literal. */
function partner({ number, pick }: Choices, x: Value): Value | number | undefined {
  const literals = [0, 1, -1, 2, 0.5, 4, 3];
  if (number(3) === 0) return literals[number(literals.length)];
  return pick((y) => sameType(x)(y) || (y.type.dtype === x.type.dtype && rank(y) === 0));
}

const binary = (kind: Maker["kind"], ...names: string[]): Maker[] =>
  names.map((name) => ({
    name,
    kind,
    make: (choices) => {
      const x = choices.float();
      const y = x && partner(choices, x);
      if (!x || y === undefined) return undefined;
      return choices.emit.value(name, choices.number(2) === 0 ? [x, y] : [y, x]);
    },
  }));

const maker = (name: string, kind: Maker["kind"], make: Maker["make"]): Maker => ({ name, kind, make });

const reduceMaker = (reduction: "sum" | "max" | "min" | "product", kind: Maker["kind"]): Maker =>
  maker(`reduce ${reduction}`, kind, ({ emit, number, float }) => {
    const x = float();
    if (!x || rank(x) === 0) return undefined;
    const axes = range(rank(x)).filter(() => number(2) === 0);
    return emit.reduce(reduction, reduction === "product" ? bounded(emit, x) : x, axes);
  });

const arithmetic: readonly Maker[] = [
  ...unary("smooth", asItIs, "negate", "sine", "cosine", "tanh", "logistic", "erf", "atan", "asinh"),
  // Finite differences do not see that it stops them.
  ...unary("continuous", asItIs, "stop_gradient"),
  ...unary("smooth", bounded, "exponential", "exponential_minus_one", "tan", "sinh", "cosh"),
  ...unary("smooth", aboveOne, "sqrt", "rsqrt", "log", "log_plus_one"),
  ...unary("smooth", belowOne, "asin", "acos", "atanh"),
  ...unary("smooth", (emit, x) => emit.add(aboveOne(emit, x), 1), "acosh"),
  ...unary("continuous", asItIs, "abs", "is_finite"),
  ...unary("jumps", asItIs, "sign", "floor", "ceil", "round_nearest_even"),
  ...binary("smooth", "add", "subtract", "multiply", "add", "multiply"),
  ...binary("continuous", "maximum", "minimum"),
  maker("divide", "smooth", (choices) => {
    const x = choices.float();
    const y = x && choices.pick(sameType(x));
    return x && y && choices.emit.divide(x, choices.number(2) === 0 ? aboveOne(choices.emit, y) : 4);
  }),
  maker("quotients", "jumps", (choices) => {
    const x = choices.float();
    const y = x && choices.pick(sameType(x));
    const op = ["remainder", "atan2"][choices.number(2)]!;
    return x && y && choices.emit.value(op, [x, aboveOne(choices.emit, y)]);
  }),
  maker("power", "smooth", ({ emit, number, float }) => {
    const x = float();
    return x && emit.power(aboveOne(emit, bounded(emit, x)), [2, 0.5, 1, -1, 3, 1.7][number(6)]!);
  }),
  maker("twice negated", "smooth", ({ emit, float }) => {
    const x = float();
    return x && emit.negate(emit.negate(x));
  }),
  maker("power of a bounded one", "smooth", ({ emit, number, float }) => {
    const x = float();
    if (!x) return undefined;
    const exponential = emit.value("exponential", [bounded(emit, x)]);
    return number(2) === 0 ? emit.value("log", [exponential]) : emit.power(exponential, number(3));
  }),
  maker("clip", "continuous", ({ emit, number, float }) => {
    const x = float();
    const low = [Number.NEGATIVE_INFINITY, 0, -1][number(3)]!;
    return x && emit.value("maximum", [emit.value("maximum", [x, low]), [0, 0.5][number(2)]!]);
  }),
  maker("scaled negation", "smooth", ({ emit, number, float }) => {
    const x = float();
    return x && emit.multiply(emit.negate(x), [2, -1, 0.5][number(3)]!);
  }),
  maker("integer arithmetic", "smooth", ({ emit, number, pick }) => {
    const x = pick((value) => value.type.dtype === "i32");
    const names = ["add", "multiply", "subtract", "maximum", "and", "or", "xor", "shift_left", "shift_right_logical"];
    return x && emit.value(names[number(names.length)]!, [x, number(4)]);
  }),
];

const choosing: readonly Maker[] = [
  maker("compare", "jumps", (choices) => {
    const x = choices.float();
    const y = x && partner(choices, x);
    const directions = ["eq", "ne", "lt", "le", "gt", "ge"] as const;
    return x && y !== undefined ? choices.emit.compare(directions[choices.number(6)]!, x, y) : undefined;
  }),
  maker("compare integers", "smooth", ({ emit, number, pick }) => {
    const x = pick((value) => value.type.dtype === "i32");
    return x && emit.compare("lt", x, number(5));
  }),
  maker("not", "smooth", ({ emit, pick }) => {
    const x = pick((value) => value.type.dtype === "bool");
    return x && emit.value("not", [x]);
  }),
  maker("select", "smooth", ({ emit, number, pick, float }) => {
    const condition = pick((value) => value.type.dtype === "bool");
    if (!condition) return undefined;
    const fits = (value: Value) => value.type.dtype === "f32" && equalShapes(value.type.shape, condition.type.shape);
    const x = pick(fits) ?? float();
    return x && emit.select(condition, x, number(2) === 0 ? (pick(fits) ?? 0) : 0);
  }),
  maker("select by what is known", "smooth", ({ emit, number, float }) => {
    const x = float();
    if (!x) return undefined;
    const known = emit.full(number(2), { dtype: "bool", shape: x.type.shape });
    return emit.select(number(2) === 0 ? known : emit.value("not", [known]), x, emit.multiply(x, 2));
  }),
  maker("and with what is known", "smooth", ({ emit, number, pick }) => {
    const x = pick((value) => value.type.dtype === "bool");
    return x && emit.value(["and", "or"][number(2)]!, [x, number(2)]);
  }),
  maker("convert twice", "smooth", ({ emit, number, pick }) => {
    const x = pick((value) => value.type.dtype === "i32" || value.type.dtype === "bool");
    const over = (["u8", "i32", "f32"] as const)[number(3)]!;
    return x && emit.value("convert", [emit.convert(x, over)], { dtype: (["f32", "i32"] as const)[number(2)]! });
  }),
  maker("convert integers", "smooth", ({ emit, pick }) => {
    const x = pick((value) => value.type.dtype === "i32" || value.type.dtype === "bool");
    return x && emit.convert(x, "f32");
  }),
];

const movement: readonly Maker[] = [
  maker("flatten", "smooth", ({ emit, float }) => {
    const x = float();
    const [first, ...rest] = x?.type.shape ?? [];
    if (!x || first === undefined || !rest.every(isStatic)) return undefined;
    return emit.reshape(x, [first, rest.reduce((a, b) => a * b, 1)]);
  }),
  maker("insert unit axis", "smooth", ({ emit, number, float }) => {
    const x = float();
    const at = x ? number(rank(x) + 1) : 0;
    return x && emit.reshape(x, [...x.type.shape.slice(0, at), 1, ...x.type.shape.slice(at)]);
  }),
  maker("transpose", "smooth", ({ emit, number, float }) => {
    const x = float();
    return x && emit.transpose(x, shuffled(range(rank(x)), number));
  }),
  maker("broadcast", "smooth", ({ emit, number, float }) => {
    const x = float();
    if (!x || rank(x) > 3) return undefined;
    const size = [2, 3, symbol("N"), 1][number(4)]!;
    const at = number(rank(x) + 1);
    const spread = x.type.shape.map((dim) => (dim === 1 && number(2) === 0 ? 3 : dim));
    const axes = range(rank(x)).map((axis) => (axis < at ? axis : axis + 1));
    return emit.broadcast(x, [...spread.slice(0, at), size, ...spread.slice(at)], axes);
  }),
  maker("moved twice", "smooth", ({ emit, number, float }) => {
    const x = float();
    if (!x || rank(x) === 0) return undefined;
    switch (number(4)) {
      case 0: {
        const once = emit.transpose(x, shuffled(range(rank(x)), number));
        return emit.transpose(once, shuffled(range(rank(x)), number));
      }
      case 1: {
        const unit = emit.reshape(x, [1, ...x.type.shape]);
        return emit.broadcast(unit, [1 + number(3), ...x.type.shape], range(rank(x) + 1));
      }
      case 2:
        return emit.value("reverse", [emit.value("reverse", [x], { axes: range(rank(x)) })], {
          axes: [number(rank(x))],
        });
      default: {
        const turned = emit.transpose(x, [...range(rank(x))].reverse());
        return emit.reduce("sum", turned, rank(x) > 2 ? [0, 1] : [0]);
      }
    }
  }),
  maker("slice", "smooth", ({ emit, number, float }) => {
    const x = float();
    if (!x) return undefined;
    const start = x.type.shape.map((dim) => (isStatic(dim) ? number(dim + 1) : 0));
    const limit = x.type.shape.map((dim, axis) => (isStatic(dim) ? dim - number(dim - start[axis]! + 1) : dim));
    return emit.value("slice", [x], { start, limit, stride: x.type.shape.map(() => 1 + number(2)) });
  }),
  maker("pad", "smooth", ({ emit, number, float }) => {
    const x = float();
    if (!x) return undefined;
    const amount = () => x.type.shape.map((dim) => (dim === 0 || !isStatic(dim) ? 0 : number(4) - 1));
    // Nothing between no elements: a size that is free may be 0.
    const interior = x.type.shape.map((dim) => (isStatic(dim) && dim > 0 ? number(2) : 0));
    return emit.value("pad", [x], { low: amount(), high: amount(), interior, value: number(2) });
  }),
  maker("concatenate", "smooth", ({ emit, number, pick, float }) => {
    const x = float();
    if (!x || rank(x) === 0) return undefined;
    const axis = number(rank(x));
    const fits = (y: Value) =>
      y.type.dtype === x.type.dtype &&
      rank(y) === rank(x) &&
      x.type.shape.every((dim, i) => i === axis || equalDims(dim, y.type.shape[i]!));
    return emit.value("concatenate", [x, pick(fits) ?? x, x].slice(0, 1 + number(3)), { axis });
  }),
  maker("reverse", "smooth", ({ emit, number, float }) => {
    const x = float();
    return x && emit.value("reverse", [x], { axes: range(rank(x)).filter(() => number(2) === 0) });
  }),
];

const creation: readonly Maker[] = [
  maker("iota", "smooth", ({ emit, number }) => {
    const shape = [[symbol("N")], [3], [2, 3], [5, 5]][number(4)]!;
    return emit.value("iota", [], { shape, axis: number(shape.length), dtype: number(2) === 0 ? "i32" : "f32" });
  }),
  maker("constant", "smooth", ({ emit, number }) =>
    emit.value("constant", [], { values: [number(3), 1, 2.5], shape: [3], dtype: "f32" }),
  ),
  maker("splat", "smooth", ({ emit, number }) =>
    emit.full([0, 1, -2][number(3)]!, { dtype: "f32", shape: [[3], [symbol("N"), 3], [5, 5]][number(3)]! }),
  ),
  maker("size", "smooth", ({ emit, number }) =>
    emit.convert(emit.value("size_of", [], { dim: [number(2) === 0 ? symbol("N") : 7] }), "f32"),
  ),
  maker("random bits", "smooth", ({ emit, number, pick }) => {
    const key = pick((value) => value.kind === "input" && value.name === "key");
    if (!key) return undefined;
    const bits = emit.value("random_bits", [key], { shape: [[3], [symbol("N"), 3]][number(2)]!, stream: number(2) });
    return emit.value("and", [bits, 7]);
  }),
];

const window: Maker["make"] = ({ emit, number, float }) => {
  const x = float();
  if (!x || rank(x) === 0 || rank(x) > 4) return undefined;
  const sizes = x.type.shape.map((dim) => (isStatic(dim) && dim >= 3 ? 1 + number(3) : 1));
  const padding = sizes.map((size) => (size > 1 ? [number(2), number(2)] : [0, 0]));
  const kind = (["sum", "max", "min"] as const)[number(3)]!;
  const strides = sizes.map((size) => (size > 1 ? 1 + number(2) : 1));
  return emit.value("reduce_window", [x], { kind, window: sizes, strides, padding, dilation: sizes.map(() => 1) });
};

const contraction: readonly Maker[] = [
  reduceMaker("sum", "smooth"),
  reduceMaker("sum", "smooth"),
  reduceMaker("max", "continuous"),
  reduceMaker("min", "continuous"),
  reduceMaker("product", "smooth"),
  maker("reduce_window", "continuous", window),
  maker("argmax", "jumps", ({ emit, number, float }) => {
    const x = float();
    if (!x || rank(x) === 0) return undefined;
    return emit.value("argmax", [x], { axis: number(rank(x)), kind: "max" });
  }),
  maker("dot of a transposed matrix", "smooth", ({ emit, number, pick }) => {
    const x = pick((value) => rank(value) === 2 && value.type.dtype === "f32");
    if (!x) return undefined;
    const turned = emit.transpose(x, [1, 0]);
    const product = emit.value("dot", [turned, x], { batch: [[], []], contract: [[1], [0]] });
    return number(2) === 0 ? product : emit.transpose(product, [1, 0]);
  }),
  maker("dot", "smooth", ({ emit, number, pick, float }) => {
    const x = float();
    if (!x || rank(x) === 0) return undefined;
    const axis = number(rank(x));
    const holds = (dim: Dim) => equalDims(dim, x.type.shape[axis]!);
    const y = pick((value) => value.type.dtype === x.type.dtype && value.type.shape.some(holds));
    if (!y || rank(x) + rank(y) > 6) return undefined;
    return emit.value("dot", [x, y], { batch: [[], []], contract: [[axis], [y.type.shape.findIndex(holds)]] });
  }),
  maker("batched dot", "smooth", ({ emit, pick, float }) => {
    const x = float();
    const y = x && rank(x) >= 2 ? pick(sameType(x)) : undefined;
    if (!x || !y) return undefined;
    const last = rank(x) - 1;
    return emit.value("dot", [x, y], { batch: [[0], [0]], contract: [[last], [last]] });
  }),
  maker("gather", "smooth", ({ emit, number, pick, float }) => {
    const x = float();
    const indices = pick((value) => value.type.dtype === "i32");
    if (!x || !indices || rank(x) === 0 || rank(x) + rank(indices) > 5) return undefined;
    const axis = number(rank(x));
    return x.type.shape[axis] === 0 ? undefined : emit.value("gather", [x, indices], { axis, batch: 0 });
  }),
  maker("scatter", "smooth", ({ emit, number, pick, float }) => {
    const x = float();
    const indices = pick((value) => value.type.dtype === "i32" && rank(value) <= 2);
    if (!x || !indices || rank(x) === 0 || rank(x) > 3) return undefined;
    const axis = number(rank(x));
    if (x.type.shape[axis] === 0) return undefined;
    const shape = [...x.type.shape.slice(0, axis), ...indices.type.shape, ...x.type.shape.slice(axis + 1)];
    const updates = pick((value) => sameType({ ...x, type: { dtype: x.type.dtype, shape } })(value));
    const added = updates ?? emit.full(0.5, { dtype: x.type.dtype, shape });
    return emit.value("scatter", [x, indices, added], { axis, batch: 0, kind: "add" });
  }),
  maker("pool and back", "continuous", (choices) => {
    const pooled = window(choices);
    const [x] = pooled?.kind === "result" ? pooled.node.inputs : [];
    if (!x || pooled?.kind !== "result" || pooled.node.attributes.kind === "sum") return pooled;
    const { attributes } = pooled.node;
    if (choices.number(2) === 0) return choices.emit.value("window_scatter", [x, pooled], attributes);
    return choices.emit.value("window_select", [x, x], attributes);
  }),
  maker("convolution", "smooth", ({ emit, number, pick }) => {
    const x = pick((value) => rank(value) === 4 && value.type.dtype === "f32" && value.type.shape[3] === 3);
    const kernel = pick((value) => value.kind === "global" && value.name === "conv.kernel");
    if (!x || !kernel) return undefined;
    const amount = () => [number(3), number(3)];
    return emit.value("convolution", [x, kernel], {
      layout: "b01f,01io->b01f",
      strides: [1 + number(2), 1],
      padding: [amount(), amount()],
      lhs_dilation: [1, 1 + number(2)],
      rhs_dilation: [1 + number(2), 1],
      groups: 1,
      batch_groups: 1,
    });
  }),
];

export const makers: readonly Maker[] = [...arithmetic, ...choosing, ...movement, ...creation, ...contraction];
