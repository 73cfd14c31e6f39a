// Convolutions over images of few channels: neighbouring pixels make up vectors, and these lie side by side only where each channel has
// a plane of its own. Here images are laid out so, with their padding around them; under strides pixels that are read together lie
// together, too: each phase of the stride is a plane, and a convolution without strides.

import type { Dim } from "../../ir/dim.ts";
import type { Emit } from "../../ir/emit.ts";
import type { Node, Value } from "../../ir/graph.ts";
import { type Layout, parseLayout } from "../../ir/ops/convolution-layout.ts";
import { definePass, mapGraphs } from "../pass.ts";
import { type Rule, rule } from "../rewrite.ts";
import { rewriteGraph } from "./canonicalize.ts";
import { allEqual, dimListsOf, intOf, intsOf, range, shapeOf, textOf } from "./rules/match.ts";

/** So many channels make up vectors themselves. */
const enoughChannels = 4;

/** Shorter rows have too few vectors. */
const leastRow = 8;

/**
 * Moving an element pays where it is read for so many products at least: fewer where channels lie between pixels and results share
 * nothing of what is read, and in gradients of kernels.
 */
const leastReads = { apart: 9, shared: 25 };

/** A convolution whose rows are worth laying out, and how it walks along them: to pixel `result · stride + tap · dilation - low`. */
interface Rows {
  readonly layout: Layout;
  /** The spatial axis of rows, by its number. */
  readonly axis: number;
  readonly size: number;
  readonly count: number;
  readonly taps: number;
  readonly stride: number;
  readonly dilation: number;
  readonly low: number;
  /** Whether rows run along the taps, as in gradients of kernels: then the kernel is an image as well. */
  readonly alongTaps: boolean;
}

function rowsOf(node: Node): Rows | undefined {
  const layout = parseLayout(textOf(node, "layout"));
  const { lhs, kernel, result, text } = layout;
  const [x, w] = node.inputs;
  const axis = Number(text.lhs.at(-2));
  const channels = x!.type.shape.at(-1)!;
  const outputs = w!.type.shape[kernel.outer]!;
  const isFew = (size: unknown): boolean => typeof size === "number" && size < enoughChannels;
  // What has been laid out ends in a spatial axis.
  if (Number.isNaN(axis) || /\d$/.test(text.lhs) || !isFew(channels) || !isFew(outputs)) return undefined;
  if (!allEqual(intsOf(node, "lhs_dilation"), 1)) return undefined;
  const numbers = [
    x!.type.shape[lhs.spatial[axis]!],
    shapeOf(node)[result.spatial[axis]!],
    w!.type.shape[kernel.spatial[axis]!],
    dimListsOf(node, "padding")[axis]?.[0],
  ];
  const [size, count, taps, low] = numbers.filter((value) => typeof value === "number");
  if (size === undefined || count === undefined || taps === undefined || low === undefined) return undefined;
  const [stride, dilation] = [intsOf(node, "strides")[axis]!, intsOf(node, "rhs_dilation")[axis]!];
  const alongTaps = taps > count;
  const rows = { layout, axis, size, count, taps, stride, dilation, low, alongTaps };
  const reads = layout.lhs.spatial
    .map((_, i) => Math.min(Number(shapeOf(node)[result.spatial[i]!]), Number(w!.type.shape[kernel.spatial[i]!])))
    .reduce((a, b) => a * b, 1);
  const isApart = alongTaps || (channels !== 1 && outputs === intOf(node, "groups"));
  const enough = isApart ? leastReads.apart : leastReads.shared;
  return Math.max(count, taps) >= leastRow && reads >= enough ? rows : undefined;
}

const greatestCommonDivisor = (a: number, b: number): number => (b === 0 ? a : greatestCommonDivisor(b, a % b));

/** Places along one side of a row that read the pixels of one phase: the first, how far apart, how many. */
interface Places {
  readonly first: number;
  readonly step: number;
  readonly count: number;
}

/** The part of a convolution that reads the pixels `phase`, `phase + by` and so on; undefined where there is none. */
function phaseOf(emit: Emit, node: Node, rows: Rows, phase: number): { value: Value; places: Places } | undefined {
  const { layout, axis, size, count, taps, stride, dilation, low, alongTaps } = rows;
  const [by, other, most] = alongTaps ? [dilation, stride, count] : [stride, dilation, taps];
  const first = range(most).find((place) => (place * other - low - phase) % by === 0);
  if (first === undefined || phase >= size) return undefined;
  const common = greatestCommonDivisor(by, other);
  const step = by / common;
  const apart = other / common;
  const places = { first, step, count: Math.ceil((most - first) / step) };
  const [results, window] = alongTaps ? [places.count, taps] : [count, places.count];
  const [strides, dilations] = alongTaps ? [apart, 1] : [1, apart];
  const before = (low + phase - first * other) / by;
  const pixels = Math.ceil((size - phase) / by);
  const after = (results - 1) * strides + (window - 1) * dilations + 1 - before - pixels;
  const padding = dimListsOf(node, "padding").map((pair, i) => (i === axis ? [before, after] : pair));
  const [x, w] = node.inputs;
  const { lhs, kernel, text } = layout;
  const image = inPlanes(emit, every(emit, x!, lhs.spatial[axis]!, phase, by), text.lhs, padding);
  const part = alongTaps ? w! : every(emit, w!, kernel.spatial[axis]!, first, step);
  const against = alongTaps ? inPlanes(emit, part, text.kernel) : { value: part, letters: text.kernel };
  const value = emit.value("convolution", [image.value, against.value], {
    ...node.attributes,
    layout: `${image.letters},${against.letters}->${text.result}`,
    strides: intsOf(node, "strides").with(axis, strides),
    rhs_dilation: intsOf(node, "rhs_dilation").with(axis, dilations),
    padding: padding.map(() => [0, 0]),
  });
  return { value, places };
}

/** The positions `first`, `first + step` and so on along an axis. */
function every(emit: Emit, x: Value, axis: number, first: number, step: number): Value {
  if (first === 0 && step === 1) return x;
  const { shape } = x.type;
  return emit.value("slice", [x], {
    start: shape.map((_, i) => (i === axis ? first : 0)),
    limit: shape,
    stride: shape.map((_, i) => (i === axis ? step : 1)),
  });
}

/** An image, or a gradient of one, as planes with padding around them, and the letters of its axes then. */
function inPlanes(
  emit: Emit,
  x: Value,
  letters: string,
  padding: readonly (readonly Dim[])[] = [],
): { readonly value: Value; readonly letters: string } {
  if (/\d$/.test(letters)) return { value: x, letters };
  const last = letters.length - 1;
  const order = [...range(last).filter((axis) => !/\d/.test(letters[axis]!)), last];
  order.push(...range(last).filter((axis) => !order.includes(axis)));
  const names = order.map((axis) => letters[axis]!);
  const sides = (side: number): readonly Dim[] => names.map((letter) => padding[Number(letter)]?.[side] ?? 0);
  const value = emit.value("pad", [emit.transpose(x, order)], {
    low: sides(0),
    high: sides(1),
    interior: names.map(() => 0),
    value: 0,
  });
  return { value, letters: names.join("") };
}

/** Results of all phases where they belong along an axis: each rests on one phase. */
function interleaved(
  emit: Emit,
  parts: readonly { readonly value: Value; readonly places: Places }[],
  axis: number,
  zeros: (places: number) => Value,
  count: number,
): Value {
  const pieces = range(count).map((place) => {
    const part = parts.find(({ places: { first, step } }) => place >= first && (place - first) % step === 0);
    if (!part) return zeros(1);
    const { first, step } = part.places;
    const { shape } = part.value.type;
    const at = (place - first) / step;
    return emit.value("slice", [part.value], {
      start: shape.map((_, i) => (i === axis ? at : 0)),
      limit: shape.with(axis, at + 1),
      stride: shape.map(() => 1),
    });
  });
  return emit.value("concatenate", pieces, { axis });
}

const inPlanesRule: Rule = rule(
  "images-of-few-channels-in-planes",
  {
    before:
      'convolution(%x: f32[2, 9, 2], %w: f32[9, 2, 1]) {layout: "b0f,0io->b0f", strides: [1], padding: [[3, 5]], lhs_dilation: [1], rhs_dilation: [1], groups: 1, batch_groups: 1}',
    after:
      'convolution(pad(transpose(%x) {permutation: [0, 2, 1]}) {low: [0, 0, 3], high: [0, 0, 5], interior: [0, 0, 0], value: 0}, %w) {layout: "bf0,0io->b0f", strides: [1], padding: [[0, 0]], lhs_dilation: [1], rhs_dilation: [1], groups: 1, batch_groups: 1}',
  },
  rowsOf,
  (rows, emit, node) => {
    const by = rows.alongTaps ? rows.dilation : rows.stride;
    const parts = range(by).flatMap((phase) => phaseOf(emit, node, rows, phase) ?? []);
    const { dtype, shape } = node.results[0]!.type;
    const at = rows.layout.result.spatial[rows.axis]!;
    const zeros = (count: number): Value => emit.full(0, { dtype, shape: shape.with(at, count) });
    const [first, ...others] = parts.map(({ value }) => value);
    if (!first) return zeros(rows.count);
    if (rows.alongTaps && parts[0]!.places.count < rows.count) return interleaved(emit, parts, at, zeros, rows.count);
    return others.reduce((sum, value) => emit.add(sum, value), first);
  },
);

export const layOutPlanes = definePass({
  name: "lay-out-planes",
  doc: "Lays images of few channels out by channel, with their padding, so that convolutions take vectors of neighbouring pixels.",
  requires: ["differentiate"],
  options: {},
  rules: [inPlanesRule],
  run: (module, context) => mapGraphs(module, (graph) => rewriteGraph(graph, [inPlanesRule], context)),
});
