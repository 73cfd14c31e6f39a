// Values of index notation: a value beside the indices that its axes run over. Operands of an operation are brought to
// common axes here, by transposing and spreading.

import type { Dim } from "../../ir/dim.ts";
import type { Value } from "../../ir/graph.ts";
import type { Expression, Span } from "../ast.ts";
import { type Context, make, mistake } from "../context.ts";
import { type CompileValue, formatType, tensor } from "../values.ts";

/** An index of one statement. */
export interface Index {
  readonly name: string;
  /** Where the index is named: on the left side, or in a reduction. */
  readonly span: Span;
  /** Axes of intermediate results stand in this order: first the indices of the left side, as they are written there. */
  readonly position: number;
  /** The size, and the bracket that told it; undefined until one is found. */
  size?: { readonly dim: Dim; readonly span: Span; readonly text: string };
}

/** One axis of `value` for each index. A value without indices is one element, or not a tensor at all. */
export interface Indexed {
  readonly value: CompileValue;
  readonly indices: readonly Index[];
  readonly span: Span;
}

export const sizeOf = (index: Index): Dim => index.size?.dim ?? 1;

const inOrder = (a: Index, b: Index): number => a.position - b.position;

/** The indices of all operands, each once, in order. */
export const unionOf = (operands: readonly Indexed[]): Index[] =>
  [...new Set(operands.flatMap((operand) => operand.indices))].sort(inOrder);

/** As it is written, shortened for messages. */
export function textOf(c: Context, { span }: { readonly span: Span }): string {
  const text = c.frame.file.text.slice(span.start, span.end).replace(/\s+/g, " ");
  return text.length > 40 ? `${text.slice(0, 39)}…` : text;
}

/** The tensor with its axes in the order of `indices`, which are those of the operand. */
export function ordered(c: Context, { value, indices: own }: Indexed, indices: readonly Index[]): CompileValue {
  const permutation = indices.map((index) => own.indexOf(index));
  if (value.kind !== "tensor" || permutation.every((from, to) => from === to)) return value;
  return tensor(make(c, "transpose", [value.value], { permutation }));
}

/** The operand spread over `indices`, which contain its own; single elements stay as they are. */
export function spread(c: Context, operand: Indexed, indices: readonly Index[]): CompileValue {
  const { value } = operand;
  if (value.kind !== "tensor" || operand.indices.length === 0) return value;
  const own = indices.filter((index) => operand.indices.includes(index));
  const turned = ordered(c, operand, own);
  if (turned.kind !== "tensor" || own.length === indices.length) return turned;
  const axes = own.map((index) => indices.indexOf(index));
  return tensor(make(c, "broadcast", [turned.value], { shape: indices.map(sizeOf), axes }));
}

/** What stands without indices among indexed values must be one element. */
export function single(c: Context, value: CompileValue, written: Expression): Indexed {
  if (value.kind === "tensor" && value.value.type.shape.length > 0) {
    c.frame.span = written.span;
    const { type } = value.value;
    const text = textOf(c, written);
    throw mistake(c, "shape", `${text} is ${formatType(type)}, and stands without indices among indexed tensors`, {
      help: `name its axes: ${text}[${type.shape.map((_, i) => "ijklmn"[i] ?? "…").join(", ")}]`,
    });
  }
  return { value, indices: [], span: written.span };
}

/** The tensor behind an operand; undefined for numbers. */
export const tensorOf = ({ value }: Indexed): Value | undefined => (value.kind === "tensor" ? value.value : undefined);
