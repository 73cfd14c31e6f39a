// Random well-typed modules for property tests: a list of steps, each of which puts one operation over values that are
// there already. Dropping steps leaves a graph that is still well typed, so failures shrink to a few nodes.

import fc from "fast-check";
import { type Dim, evaluateDim, productOf, symbol } from "../../src/ir/dim.ts";
import { isFloat } from "../../src/ir/dtype.ts";
import { createGraphBuilder, type Emit } from "../../src/ir/emit.ts";
import type { Global, GlobalValue, Module, TensorType, Value } from "../../src/ir/graph.ts";
import { InferenceError } from "../../src/ir/op.ts";
import { type Maker, makers } from "./random-nodes.ts";

export interface RandomGraphOptions {
  /**
   * smooth: only what has derivatives everywhere; continuous: no jumps in floats either, so that rounding changes
   * little; all: comparisons, roundings and sign as well. Default all.
   */
  readonly kind?: "smooth" | "continuous" | "all";
  /** The most steps; default 24. A step makes one to four nodes. */
  readonly steps?: number;
}

const n = symbol("N");
const f32 = (...shape: Dim[]): TensorType => ({ dtype: "f32", shape });
const i32 = (...shape: Dim[]): TensorType => ({ dtype: "i32", shape });

/** Sizes of 0, 1, 3 and odd ones; `key` as random numbers want it. */
const inputTypes: Readonly<Record<string, TensorType>> = {
  x: f32(n, 3),
  y: f32(3),
  s: f32(),
  square: f32(5, 5),
  unit: f32(1, 3),
  empty: f32(0, 3),
  image: f32(2, 5, 7, 3),
  label: i32(n),
  count: i32(2, 3),
  key: i32(2),
};

const globalTypes: Readonly<Record<string, TensorType>> = {
  "dense.kernel": f32(3, 5),
  "dense.bias": f32(5),
  "conv.kernel": f32(3, 3, 3, 4),
  total: f32(3),
};

const step = fc.record({ maker: fc.nat(999), picks: fc.array(fc.nat(999), { minLength: 12, maxLength: 12 }) });
type Step = { readonly maker: number; readonly picks: readonly number[] };

/**
 * Modules with one graph `infer`, which has the free size `N`, one to three outputs, and may update the state `total`.
 */
export function randomModule({ kind = "all", steps = 24 }: RandomGraphOptions = {}): fc.Arbitrary<Module> {
  const usable = makers.filter(
    (maker) => kind === "all" || maker.kind === "smooth" || (kind === "continuous" && maker.kind === "continuous"),
  );
  return fc
    .record({ list: fc.array(step, { minLength: 1, maxLength: steps }), outputs: fc.integer({ min: 1, max: 3 }) })
    .map(({ list, outputs }) => buildModule(list, outputs, usable));
}

function buildModule(steps: readonly Step[], outputs: number, usable: readonly Maker[]): Module {
  const builder = createGraphBuilder("infer");
  const globals = new Map<string, Global>();
  const pool: Value[] = Object.entries(inputTypes).map(([name, type]) => builder.input(name, type));
  for (const [name, type] of Object.entries(globalTypes)) {
    const role = name === "total" ? "state" : "parameter";
    globals.set(name, { name, type, role, initializer: "zeros", location: undefined });
    const value: GlobalValue = { kind: "global", name, type };
    pool.push(value);
  }
  const given = pool.length;
  steps.forEach(({ maker, picks }, i) => {
    builder.locate({ file: "random.dlm", line: i + 1, column: 1 + (maker % 80), scope: "", note: `step ${i}` });
    const value = attempt(usable[maker % usable.length]!, pool, picks, builder.emit);
    if (value && elementsAtThree(value) <= 2000) pool.push(value);
  });
  const made = pool.slice(given);
  const total = made.findLast(({ type }) => type.dtype === "f32" && type.shape.length === 1 && type.shape[0] === 3);
  const shown = made.length === 0 ? [pool[0]!] : made.slice(-outputs);
  const graph = builder.build(
    shown.map((value, i) => ({ name: `out${i}`, value })),
    total ? [{ target: "total", value: total }] : [],
  );
  return { name: "Random", doc: "", globals, graphs: new Map([["infer", graph]]) };
}

/** What a maker makes of values in the pool; undefined where none fits. Later values are picked more often. */
function attempt(maker: Maker, pool: readonly Value[], picks: readonly number[], emit: Emit): Value | undefined {
  let next = 0;
  const number = (below: number): number => (below <= 0 ? 0 : picks[next++ % picks.length]! % below);
  const pick = (fits: (value: Value) => boolean): Value | undefined => {
    const fitting = pool.filter(fits);
    const from = number(3) === 0 ? fitting : fitting.slice(-1 - number(3));
    return from[number(from.length)];
  };
  try {
    return maker.make({ emit, number, pick, float: () => pick((value) => isFloat(value.type.dtype)) });
  } catch (error) {
    // A choice that the operation does not allow: the step makes nothing.
    if (error instanceof InferenceError) return undefined;
    throw error;
  }
}

const elementsAtThree = (value: Value): number => evaluateDim(productOf(value.type.shape), { N: 3 });
