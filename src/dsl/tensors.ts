// From values of the language to operands of nodes: literals take the element type of their partner, shapes are made alike by
// explicit broadcasts, and nothing else is converted.

import { type Dim, equalDims, equalShapes } from "../ir/dim.ts";
import { type DType, isFloat } from "../ir/dtype.ts";
import { literal, type Value } from "../ir/graph.ts";
import { type Context, make, mistake } from "./context.ts";
import { type CompileValue, describe, formatShape, formatType, kindOf } from "./values.ts";

/** Whether the value can stand among tensors: a tensor, a number or a truth value. */
export const isNumeric = (value: CompileValue): boolean =>
  value.kind === "tensor" || value.kind === "int" || value.kind === "float" || value.kind === "bool";

/** The value as an operand of elements `dtype`; undefined leaves the choice to the value (f32 for numbers). */
export function asOperand(c: Context, value: CompileValue, dtype: DType | undefined): Value {
  switch (value.kind) {
    case "tensor":
      return value.value;
    case "int": {
      const wanted = dtype ?? "f32";
      if (typeof value.value === "number") return numberLiteral(c, value.value, wanted, value);
      if (wanted === "bool") throw mistake(c, "type", `${describe(value)} is a number, not a truth value`);
      const size = make(c, "size_of", [], { dim: [value.value] });
      return wanted === "i32" ? size : make(c, "convert", [size], { dtype: wanted });
    }
    case "float":
      return numberLiteral(c, value.value, dtype ?? "f32", value);
    case "bool":
      if (dtype !== undefined && dtype !== "bool")
        throw mistake(c, "type", `${describe(value)} is a truth value, and its partner has elements ${dtype}`, {
          help: `cast it: cast(…, ${dtype})`,
        });
      return literal(value.value ? 1 : 0, "bool");
    default:
      throw mistake(c, "type", `a tensor is expected here, not ${kindOf(value)}`);
  }
}

function numberLiteral(c: Context, value: number, dtype: DType, written: CompileValue): Value {
  if (dtype === "bool")
    throw mistake(c, "type", `${describe(written)} is a number, and its partner has elements bool`, {
      help: "cast the other side: cast(…, f32)",
    });
  if (!isFloat(dtype) && !Number.isInteger(value))
    throw mistake(c, "type", `${describe(written)} is not whole, and its partner has elements ${dtype}`, {
      help: "cast the other side: cast(…, f32)",
    });
  return literal(value, dtype);
}

/** The element type that all tensors among the values have; a mistake where they differ. */
export function commonType(c: Context, values: readonly CompileValue[], what: string): DType | undefined {
  let first: Value | undefined;
  for (const value of values) {
    if (value.kind !== "tensor") continue;
    first ??= value.value;
    const [a, b] = [first.type.dtype, value.value.type.dtype];
    if (a !== b)
      throw mistake(c, "type", `${what} takes elements of one type, not ${a} and ${b}`, {
        label: values.map(describe).join(", "),
        help: `convert one side: cast(…, ${isFloat(b) ? b : a})`,
      });
  }
  return first?.type.dtype;
}

/** NumPy's rule: aligned at the right, sizes agree or are 1. */
export function broadcastShapes(c: Context, shapes: readonly (readonly Dim[])[], what: string): readonly Dim[] {
  const rank = Math.max(0, ...shapes.map((shape) => shape.length));
  const result: Dim[] = [];
  for (let i = 0; i < rank; i++) {
    let size: Dim = 1;
    for (const shape of shapes) {
      const dim = shape[shape.length - rank + i];
      if (dim === undefined || equalDims(dim, 1) || equalDims(dim, size)) continue;
      if (!equalDims(size, 1))
        throw mistake(c, "shape", `${what} cannot combine the shapes ${shapes.map(formatShape).join(" and ")}`, {
          label: `axis ${i - rank} is ${formatShape([size]).slice(1, -1)} and ${formatShape([dim]).slice(1, -1)}`,
        });
      size = dim;
    }
    result.push(size);
  }
  return result;
}

/** `value` spread over `shape`, aligned at the right. */
export function broadcastTo(c: Context, value: Value, shape: readonly Dim[]): Value {
  const from = value.type.shape;
  if (equalShapes(from, shape)) return value;
  const offset = shape.length - from.length;
  const fits = offset >= 0 && from.every((dim, i) => equalDims(dim, 1) || equalDims(dim, shape[i + offset]!));
  if (!fits) throw mistake(c, "shape", `${formatType(value.type)} cannot be spread over ${formatShape(shape)}`);
  return make(c, "broadcast", [value], { shape, axes: from.map((_, i) => i + offset) });
}

/** Operands of an elementwise operation: one element type, one shape; scalars stay as they are. */
export function alike(c: Context, values: readonly CompileValue[], what: string): Value[] {
  const dtype = commonType(c, values, what) ?? (values.every((v) => v.kind === "bool") ? "bool" : undefined);
  return alikeShapes(
    c,
    values.map((value) => asOperand(c, value, dtype)),
    what,
  );
}

export function alikeShapes(c: Context, operands: readonly Value[], what: string): Value[] {
  const shape = broadcastShapes(
    c,
    operands.map((operand) => operand.type.shape),
    what,
  );
  return operands.map((operand) => (operand.type.shape.length === 0 ? operand : broadcastTo(c, operand, shape)));
}
