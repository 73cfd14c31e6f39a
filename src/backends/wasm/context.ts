// What renderers of expressions need to know of the kernel around them.

import type { Expr } from "../../ir/kernel/types.ts";
import type { Library } from "./functions/library.ts";
import type { Local, Tree, WasmFunction, WasmType } from "./tree.ts";

/** A tree for the first use of a value, which names it, and one for each further use. */
export interface Named {
  readonly first: Tree;
  readonly again: Tree;
}

export interface ExpressionContext {
  readonly library: Library;
  /** Of a name of the kernel. */
  local(name: string): Local;
  isNatural(expr: Expr): boolean;
  /** Keeps the value in a local variable of its own. */
  name(value: Tree, type: WasmType): Named;
  /** The same number in all lanes, from a local variable that is set when the kernel begins. */
  constantVector(shape: "f32x4" | "i32x4", value: number): Tree;
  /** A call of a function of the library, or its body in place of it. */
  call(target: WasmFunction, ...operands: readonly Tree[]): Tree;
}

/** A value that is computed from several copies of one operand. */
export function twice(context: ExpressionContext, value: Tree, type: WasmType, make: (x: Named) => Tree): Tree {
  if (value.kind === "get" || value.kind === "constant") return make({ first: value, again: value });
  return make(context.name(value, type));
}
