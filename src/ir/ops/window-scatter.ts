// How window_scatter is computed: the place of each window's extremum, then an addition there. Over vectors, where neighbours along
// the last axis share their windows, every place of a window gets what belongs to it, or nothing, and no lane needs a branch.

import { type Dim, multiplyDims, subtractDims } from "../dim.ts";
import { k } from "../kernel/build.ts";
import type { Expr, Stmt } from "../kernel/types.ts";
import type { StatementContext } from "../op.ts";
import { nest } from "./gather.ts";
import { identityOf } from "./reduce.ts";
import type { PickAttributes } from "./window-pick.ts";
import { placeExpr } from "./window-shape.ts";

type Context = StatementContext<PickAttributes>;

/** Clears the result, then finds the place of each window's extremum and adds to it. */
export function scatterStatements(context: Context): readonly Stmt[] {
  return hasLanes(context) ? inVectors(context) : oneByOne(context);
}

function oneByOne(context: Context): readonly Stmt[] {
  const { attributes: given, inputTypes, fresh } = context;
  const [x, d] = inputTypes;
  const { dtype } = x!;
  const zero = k.constant(0, d!.dtype);
  const identity = k.constant(identityOf(given.kind, dtype), dtype);
  const exceeds = given.kind === "max" ? k.gt : k.lt;
  const one = (position: readonly Expr[]): readonly Stmt[] => {
    const best = fresh("best");
    const value = fresh("value");
    // Along axes whose window is 1 the place is known.
    const start = placeExpr(
      x!.shape,
      given,
      position,
      given.window.map(() => k.index(0)),
    );
    const names = given.window.map((size) => (size === 1 ? undefined : fresh("at")));
    const search = nest(
      given.window,
      fresh,
      () => true,
      (tap) => {
        const { index, inside } = placeExpr(x!.shape, given, position, tap);
        const keep = names.flatMap((name, axis) => (name ? [k.assign(name, index[axis]!)] : []));
        const better = k.and(inside, exceeds(k.variable(value, dtype), k.variable(best, dtype)));
        const improved = [k.assign(best, k.variable(value, dtype)), ...keep];
        return [k.let(value, context.input(0, index)), k.if(better, improved)];
      },
    );
    const at = names.map((name, axis) => (name ? k.variable(name, "index") : start.index[axis]!));
    const sum = k.add(context.stored(at), context.input(1, position));
    return [
      k.var(best, identity),
      ...names.flatMap((name) => (name ? [k.var(name, k.index(0))] : [])),
      ...search,
      k.if(exceeds(k.variable(best, dtype), identity), [context.store(at, sum)]),
    ];
  };
  return [
    ...nest(
      x!.shape,
      fresh,
      () => false,
      (index) => [context.store(index, zero)],
    ),
    ...nest(d!.shape, fresh, (axis) => overlaps(given, axis), one),
  ];
}

/** Windows that overlap add to the same elements. */
const overlaps = (given: PickAttributes, axis: number): boolean =>
  given.strides[axis]! < (given.window[axis]! - 1) * given.dilation[axis]! + 1;

/** A part of a tensor: where it begins, and its sizes. */
interface Box {
  readonly from: readonly Dim[];
  readonly shape: readonly Dim[];
}

/** What no window covers, where windows lie side by side; everything, where they do not: then their places are written several times. */
function uncovered(given: PickAttributes, shape: readonly Dim[], windows: readonly Dim[]): readonly Box[] {
  const { window, strides, padding, dilation } = given;
  const sideBySide = window.every(
    (size, axis) => size === strides[axis] && dilation[axis] === 1 && padding[axis]!.every((side) => side === 0),
  );
  const start: readonly Dim[] = shape.map(() => 0);
  if (!sideBySide) return [{ from: start, shape }];
  const covered = windows.map((count, axis) => multiplyDims(count, window[axis]!));
  // What is left along one axis, of the covered part of those before it.
  return shape.flatMap((size, axis): Box[] => {
    const left = subtractDims(size, covered[axis]!);
    if (left === 0) return [];
    return [
      { from: start.with(axis, covered[axis]!), shape: [...covered.slice(0, axis), left, ...shape.slice(axis + 1)] },
    ];
  });
}

/** Whether windows are of size 1 along the last axis, and of known place, so that its elements may be computed side by side. */
function hasLanes({ attributes: given, inputTypes: [x], lanes }: Context): boolean {
  const last = x!.shape.length - 1;
  const size = x!.shape[last];
  const { window, strides, padding } = given;
  if (lanes === 1 || size === undefined || (typeof size === "number" && size < lanes)) return false;
  return window[last] === 1 && strides[last] === 1 && padding[last]!.every((side) => side === 0);
}

function inVectors(context: Context): readonly Stmt[] {
  const { attributes: given, inputTypes, fresh } = context;
  const [x, d] = inputTypes;
  const { dtype } = x!;
  const exceeds = given.kind === "max" ? k.gt : k.lt;
  const last = d!.shape.length - 1;
  const apart = !given.window.some((_, axis) => overlaps(given, axis));
  const leading = (
    shape: readonly Dim[],
    serial: (axis: number) => boolean,
    body: (index: readonly Expr[]) => Stmt[],
  ) =>
    nest(shape.slice(0, -1), fresh, serial, (index) => {
      const size = k.fromDim(shape[last]!);
      const whole = k.multiply(k.floordiv(size, 4), 4);
      const over = (at: Expr): Stmt[] => body([...index, at]);
      const vectors = k.loop(fresh("i"), whole, over, { step: 4, lanes: 4, mode: "parallel" });
      return [vectors, k.loop(fresh("i"), size, over, { from: whole, mode: "parallel" })];
    });
  const one = (position: readonly Expr[]): Stmt[] => {
    const [best, value, at, added] = [fresh("best"), fresh("value"), fresh("at"), fresh("added")];
    const number = (tap: readonly Expr[]): Expr =>
      k.convert(
        tap.reduce<Expr>((sum, i, axis) => k.add(k.multiply(sum, given.window[axis]!), i), k.index(0)),
        "i32",
      );
    const parallel = (): boolean => false;
    const search = nest(given.window, fresh, parallel, (tap) => {
      const { index, inside } = placeExpr(x!.shape, given, position, tap);
      const [old, found] = [k.variable(best, dtype), k.variable(value, dtype)];
      const better = k.and(inside, exceeds(found, old));
      return [
        k.let(value, context.input(0, index)),
        k.assign(at, k.select(better, number(tap), k.variable(at, "i32"))),
        k.assign(best, k.select(better, found, old)),
      ];
    });
    const give = nest(given.window, fresh, parallel, (tap) => {
      const { index, inside } = placeExpr(x!.shape, given, position, tap);
      const share = k.select(k.eq(k.variable(at, "i32"), number(tap)), k.variable(added, d!.dtype), 0);
      const store = context.store(index, apart ? share : k.add(context.stored(index), share));
      return inside.kind === "constant" && inside.value !== 0 ? [store] : [k.if(inside, [store])];
    });
    return [
      k.var(best, k.constant(identityOf(given.kind, dtype), dtype)),
      k.var(at, k.constant(-1, "i32")),
      ...search,
      k.let(added, context.input(1, position)),
      ...give,
    ];
  };
  const clear = uncovered(given, x!.shape, d!.shape).flatMap(({ from, shape }) =>
    leading(
      shape,
      () => false,
      (index) => [
        context.store(
          index.map((at, axis) => k.add(at, k.fromDim(from[axis]!))),
          k.constant(0, d!.dtype),
        ),
      ],
    ),
  );
  return [...clear, ...leading(d!.shape, (axis) => overlaps(given, axis), one)];
}
