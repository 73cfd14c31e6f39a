// Convolutions over an operand whose elements are spread apart, such as the gradient of a convolution with strides: most products would
// be with the zeros in between. Results at the same place between two elements (a phase) rest on the same part of the kernel, and on no
// zeros: each phase is a convolution of its own, and their results are laid side by side.

import type { Dim } from "../../ir/dim.ts";
import type { Emit } from "../../ir/emit.ts";
import type { Node, Value } from "../../ir/graph.ts";
import { parseLayout } from "../../ir/ops/convolution-layout.ts";
import { definePass, mapGraphs } from "../pass.ts";
import { type Rule, rule } from "../rewrite.ts";
import { rewriteGraph } from "./canonicalize.ts";
import { dimListsOf, intsOf, range, shapeOf, textOf } from "./rules/match.ts";

/**
 * So many images of a batch share what limits the loops over a window of an undilated kernel: these then skip the zeros, and results
 * need not be put together.
 */
const enough = 4;

/** A single channel of results, from fewer than so many: pixels make up its vectors, which they cannot where zeros are skipped. */
const enoughChannels = 4;

/** A spatial axis, by its number, that can be taken apart: all its sizes are known. */
interface Spread {
  readonly axis: number;
  /** Elements of the operand, of the kernel, and of the result. */
  readonly size: number;
  readonly window: number;
  readonly count: number;
  /** How far apart elements of the operand and of the kernel are, and where the kernel begins. */
  readonly by: number;
  readonly dilation: number;
  readonly low: number;
}

function spreadAxis(node: Node): Spread | undefined {
  const layout = parseLayout(textOf(node, "layout"));
  const [strides, dilation] = [intsOf(node, "strides"), intsOf(node, "rhs_dilation")];
  const [x, kernel] = node.inputs;
  const batch = x!.type.shape[layout.lhs.outer]!;
  const isOf = (size: Dim | undefined, most: number): boolean => typeof size === "number" && size <= most;
  const isPixels =
    isOf(kernel!.type.shape[layout.kernel.outer], 1) &&
    isOf(kernel!.type.shape[layout.kernel.inner], enoughChannels - 1);
  const isBatch = !isPixels && !isOf(batch, enough - 1);
  for (const [axis, by] of intsOf(node, "lhs_dilation").entries()) {
    const size = x!.type.shape[layout.lhs.spatial[axis]!];
    const window = kernel!.type.shape[layout.kernel.spatial[axis]!];
    const count = shapeOf(node)[layout.result.spatial[axis]!];
    const low = dimListsOf(node, "padding")[axis]?.[0];
    if (by === 1 || strides[axis] !== 1 || (isBatch && dilation[axis] === 1)) continue;
    if (typeof size !== "number" || typeof window !== "number" || typeof count !== "number") continue;
    if (typeof low !== "number" || size === 0 || count === 0) continue;
    return { axis, size, window, count, by, dilation: dilation[axis]!, low };
  }
  return undefined;
}

const greatestCommonDivisor = (a: number, b: number): number => (b === 0 ? a : greatestCommonDivisor(b, a % b));

/** The results at `phase`, `phase + by` and so on, as many as there are at most of any phase; undefined where these are zeros. */
function phaseOf(emit: Emit, node: Node, spread: Spread, phase: number): Value | undefined {
  const { axis, size, window, count, by, dilation, low } = spread;
  const [x, kernel] = node.inputs;
  const layout = parseLayout(textOf(node, "layout"));
  // An element lies under position k of the kernel where this is a multiple of how far elements are apart.
  const placeOf = (k: number): number => phase + k * dilation - low;
  const first = range(window).find((k) => placeOf(k) % by === 0);
  if (first === undefined) return undefined;
  const common = greatestCommonDivisor(dilation, by);
  const step = by / common;
  const taps = Math.ceil((window - first) / step);
  const along = layout.kernel.spatial[axis]!;
  const { shape } = kernel!.type;
  const part = emit.value("slice", [kernel!], {
    start: shape.map((_, i) => (i === along ? first : 0)),
    limit: shape,
    stride: shape.map((_, i) => (i === along ? step : 1)),
  });
  const before = (low - phase - first * dilation) / by;
  const each = Math.ceil(count / by);
  const after = each - size - before + ((taps - 1) * dilation) / common;
  return emit.value("convolution", [x!, part], {
    ...node.attributes,
    padding: dimListsOf(node, "padding").map((pair, i) => (i === axis ? [before, after] : pair)),
    lhs_dilation: intsOf(node, "lhs_dilation").with(axis, 1),
    rhs_dilation: intsOf(node, "rhs_dilation").with(axis, dilation / common),
  });
}

const phasesOfConvolution: Rule = rule(
  "phases-of-spread-convolution",
  {
    before:
      'convolution(%x: f32[2, 4, 3], %w: f32[3, 3, 4]) {layout: "b0f,0io->b0f", strides: [1], padding: [[2, 1]], lhs_dilation: [2], rhs_dilation: [1], groups: 1, batch_groups: 1}',
    after:
      'reshape(concatenate(reshape(convolution(%x, slice(%w) {start: [0, 0, 0], limit: [3, 3, 4], stride: [2, 1, 1]}) {layout: "b0f,0io->b0f", strides: [1], padding: [[1, 0]], lhs_dilation: [1], rhs_dilation: [1], groups: 1, batch_groups: 1}) {shape: [2, 4, 1, 4]}, reshape(convolution(%x, slice(%w) {start: [1, 0, 0], limit: [3, 3, 4], stride: [2, 1, 1]}) {layout: "b0f,0io->b0f", strides: [1], padding: [[0, 0]], lhs_dilation: [1], rhs_dilation: [1], groups: 1, batch_groups: 1}) {shape: [2, 4, 1, 4]}) {axis: 2}) {shape: [2, 8, 4]}',
  },
  spreadAxis,
  (spread, emit, node) => {
    const layout = parseLayout(textOf(node, "layout"));
    const at = layout.result.spatial[spread.axis]!;
    const { shape, dtype } = { shape: shapeOf(node), dtype: node.results[0]!.type.dtype };
    const { by, count } = spread;
    const each = Math.ceil(count / by);
    const whole = shape.with(at, each);
    const wide = (size: Dim): readonly Dim[] => whole.toSpliced(at + 1, 0, size);
    const phases = range(by).map((phase) =>
      emit.reshape(phaseOf(emit, node, spread, phase) ?? emit.full(0, { dtype, shape: whole }), wide(1)),
    );
    const all = emit.reshape(emit.value("concatenate", phases, { axis: at + 1 }), shape.with(at, each * by));
    if (each * by === count) return all;
    return emit.value("slice", [all], {
      start: shape.map(() => 0),
      limit: shape,
      stride: shape.map(() => 1),
    });
  },
);

export const splitPhases = definePass({
  name: "split-phases",
  doc: "Takes convolutions over spread elements, such as gradients of those with strides, apart into ones without zeros.",
  requires: ["differentiate"],
  options: {},
  rules: [phasesOfConvolution],
  run: (module, context) => mapGraphs(module, (graph) => rewriteGraph(graph, [phasesOfConvolution], context)),
});
