// Elements of values as expressions: an element of a fused value is the expression of its operation over elements of its
// operands, and so on down to loads from the buffers of the kernel.

import type { Attributes } from "../../ir/attributes.ts";
import type { Dim } from "../../ir/dim.ts";
import type { Node, Value } from "../../ir/graph.ts";
import { addAffine, constantAffine, exprKey, fromAffine, multiplyAffine, toAffine } from "../../ir/kernel/affine.ts";
import { k } from "../../ir/kernel/build.ts";
import type { Expr } from "../../ir/kernel/types.ts";
import { InferenceError, type LoweringContext } from "../../ir/op.ts";
import { operation } from "../../ir/ops/index.ts";

export interface Elements {
  /** The element of `value` at `index`; a value of rank 0 ignores the index. */
  element(value: Value, index: readonly Expr[]): Expr;
  /** From here on the element of `value` at `index` is `expr`: a reduction that ended. */
  define(value: Value, index: readonly Expr[], expr: Expr): void;
  /** From here on elements of `value` are read by `read`, such as from scratch memory. */
  redirect(value: Value, read: (index: readonly Expr[]) => Expr): void;
  /** What the lowering rule of a node sees. */
  context(node: Node): LoweringContext<Attributes>;
}

/** `load` reads what the kernel does not compute itself. */
export function createElements(load: (value: Value, index: readonly Expr[]) => Expr | undefined): Elements {
  const known = new Map<Value, Map<string, Expr>>();
  const redirections = new Map<Value, (index: readonly Expr[]) => Expr>();
  const key = (index: readonly Expr[]): string => index.map(exprKey).join();

  function element(value: Value, at: readonly Expr[]): Expr {
    if (value.kind === "literal") return k.constant(value.value, value.type.dtype);
    const index = value.type.shape.length === 0 ? [] : at;
    const table = known.get(value) ?? new Map<string, Expr>();
    known.set(value, table);
    const name = key(index);
    const expr = table.get(name) ?? compute(value, index);
    table.set(name, expr);
    return expr;
  }

  function compute(value: Value, index: readonly Expr[]): Expr {
    const redirected = redirections.get(value);
    if (redirected) return redirected(index);
    const loaded = load(value, index);
    if (loaded) return loaded;
    if (value.kind !== "result") throw new InferenceError(`the kernel has no buffer for ${value.kind}`);
    const lower = operation(value.node.op)?.lower;
    if (lower?.kind === "element" || lower?.kind === "view") return lower.element(context(value.node), index);
    throw new InferenceError(`an element of ${value.node.op} was asked for where it is not computed`);
  }

  const context = (node: Node): LoweringContext<Attributes> => ({
    attributes: node.attributes,
    inputTypes: node.inputs.map((input) => input.type),
    resultTypes: node.results.map((result) => result.type),
    input: (i, index) => element(node.inputs[i]!, index),
  });

  return {
    element,
    define(value, index, expr) {
      const table = known.get(value) ?? new Map<string, Expr>();
      known.set(value, table.set(key(index), expr));
    },
    redirect(value, read) {
      redirections.set(value, read);
    },
    context,
  };
}

/** Position in row-major order. */
export function linearIndex(index: readonly Expr[], shape: readonly Dim[]): Expr {
  const position = shape.reduce(
    (sum, dim, axis) => addAffine(multiplyAffine(sum, toAffine(k.fromDim(dim))), toAffine(index[axis]!)),
    constantAffine(0),
  );
  return fromAffine(position);
}
