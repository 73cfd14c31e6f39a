// The order of elements. Sorted values come by gathering, which is how gradients reach what was sorted.

import { attribute } from "../attributes.ts";
import { type Dim, multiplyDims, productOf } from "../dim.ts";
import { k } from "../kernel/build.ts";
import type { Expr, Stmt } from "../kernel/types.ts";
import { defineOp, type StatementContext } from "../op.ts";
import { elementAt, makeTensor } from "../reference.ts";
import { requireAxis, requireKind } from "./checks.ts";
import { nest } from "./gather.ts";
import { integers, normal, values } from "./samples.ts";

interface SortAttributes {
  readonly axis: number;
  readonly descending: boolean;
}

/** Whether x comes before y; NaN comes after all numbers, whatever the direction. */
const before = (x: number, y: number, descending: boolean): boolean =>
  (descending ? x > y : x < y) || (Number.isNaN(y) && !Number.isNaN(x));

function beforeExpr(x: Expr, y: Expr, descending: boolean): Expr {
  const ordered = descending ? k.gt(x, y) : k.lt(x, y);
  if (x.type !== "f32" && x.type !== "f16") return ordered;
  return k.or(ordered, k.and(k.ne(y, y), k.eq(x, x)));
}

/** Rounds of a merge that double what is in order; enough for as many elements as an axis of free size may have. */
function roundsOf(size: Dim): number {
  return typeof size === "number" ? Math.ceil(Math.log2(Math.max(1, size))) : 30;
}

const int = (value: number): Expr => k.constant(value, "i32");
const power = (exponent: Expr): Expr => k.binary("shift_left", int(1), exponent);

/**
 * Merge exchange (Batcher; Knuth, The Art of Computer Programming 3, 5.2.2 algorithm M): rounds of comparisons at fixed distances, in
 * n · log² n steps, without further memory. The positions are what is exchanged; equal elements go by position, so that the order
 * is stable.
 */
function mergeExchange(c: StatementContext<SortAttributes>, row: (at: Expr) => readonly Expr[]): readonly Stmt[] {
  const { axis, descending } = c.attributes;
  const size = c.inputTypes[0]!.shape[axis]!;
  const rounds = roundsOf(size);
  const n = k.fromDim(size);
  const [p, r, d, first, second] = ["p", "r", "d", "first", "second"].map((stem) => c.fresh(stem));
  const i32 = (name: string): Expr => k.variable(name, "i32");
  const element = (place: string): Expr => c.input(0, row(k.convert(i32(place), "index")));
  const exchange = (at: Expr): readonly Stmt[] => {
    const other = k.add(at, k.variable(d!, "index"));
    const [x, y] = [element(first!), element(second!)];
    const tie = k.not(beforeExpr(x, y, descending));
    const swap = k.or(beforeExpr(y, x, descending), k.and(tie, k.lt(i32(second!), i32(first!))));
    return [
      k.let(first!, c.stored(row(at))),
      k.let(second!, c.stored(row(other))),
      k.if(swap, [c.store(row(at), i32(second!)), c.store(row(other), i32(first!))]),
    ];
  };
  return [
    k.loop(c.fresh("i"), n, (at) => [c.store(row(at), k.convert(at, "i32"))]),
    k.loop(c.fresh("a"), k.index(rounds), (a) => [
      k.let(p!, power(k.subtract(int(rounds - 1), k.convert(a, "i32")))),
      k.loop(c.fresh("b"), k.add(a, 1), (b) => {
        const isFirst = k.eq(b, 0);
        const far = k.subtract(power(k.subtract(int(rounds), k.convert(b, "i32"))), i32(p!));
        return [
          k.let(r!, k.select(isFirst, int(0), i32(p!))),
          k.let(d!, k.convert(k.select(isFirst, i32(p!), far), "index")),
          k.loop(c.fresh("i"), k.subtract(n, k.variable(d!, "index")), (at) => [
            k.if(k.eq(k.and(k.convert(at, "i32"), i32(p!)), i32(r!)), exchange(at)),
          ]),
        ];
      }),
    ]),
  ];
}

const argsort = defineOp({
  name: "argsort",
  doc:
    "The positions of the elements along `axis` in ascending (or `descending`) order: element i of the result says where the i-th " +
    "is. Equal elements keep their order; NaN comes last.",
  inputs: ["x"],
  attributes: { axis: attribute.int, descending: attribute.bool },
  infer: ([x], { axis }) => {
    requireKind("argsort", x!, "number", 0);
    requireAxis("argsort", x!, axis);
    return [{ dtype: "i32", shape: x!.shape }];
  },
  evaluate: ([x], { axis, descending }, [type]) => {
    const result = makeTensor("i32", type!.shape, () => 0);
    const size = x!.shape[axis]!;
    const stride = x!.shape.slice(axis + 1).reduce((a, b) => a * b, 1);
    makeTensor("i32", type!.shape, (index, linear) => {
      if (index[axis] !== 0) return 0;
      const at = (i: number): number => elementAt(x!, index.with(axis, i));
      const order = Array.from({ length: size }, (_, i) => i);
      order.sort((i, j) => (before(at(i), at(j), descending) ? -1 : before(at(j), at(i), descending) ? 1 : i - j));
      order.forEach((place, i) => {
        result.data[linear + i * stride] = place;
      });
      return 0;
    });
    return [result];
  },
  lower: {
    kind: "statements",
    statements: (context) => {
      const { axis } = context.attributes;
      const { shape } = context.inputTypes[0]!;
      const others = shape.map((dim, i) => (i === axis ? 1 : dim));
      return nest(
        others,
        context.fresh,
        () => false,
        (index) => mergeExchange(context, (at) => index.with(axis, at)),
      );
    },
  },
  flops: ([x], _, { axis }) => {
    const rounds = roundsOf(x!.shape[axis]!);
    return multiplyDims(productOf(x!.shape), Math.max(1, (rounds * (rounds + 1)) / 2));
  },
  samples: [
    { inputs: [normal(3, 7)], attributes: { axis: 1, descending: false } },
    { inputs: [normal(5, 2, 3)], attributes: { axis: 0, descending: true } },
    { inputs: [integers(0, 3, [33])], attributes: { axis: 0, descending: true } },
    { inputs: [integers(0, 3, [2, 16])], attributes: { axis: 1, descending: false } },
    { inputs: [values([2, Number.NaN, -1, 2, Number.NaN, 0], [6])], attributes: { axis: 0, descending: false } },
    { inputs: [values([2, Number.NaN, -1, 2, Number.NaN, 0], [6])], attributes: { axis: 0, descending: true } },
    { inputs: [normal(4, 1)], attributes: { axis: 1, descending: false } },
    { inputs: [normal(2, 0)], attributes: { axis: 1, descending: false } },
  ],
});

export const sortOperations = [argsort];
