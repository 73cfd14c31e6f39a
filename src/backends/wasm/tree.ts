// WebAssembly as trees: an instruction with the instructions of its operands below it. `encode.ts` writes them in binary, `wat.ts`
// as text; both read the same trees, so that what is shown is what runs.

import type { LaneOp, MemoryOp, PlainOp } from "./opcodes.ts";

export type WasmType = "i32" | "i64" | "f32" | "f64" | "v128";

/** A local variable or parameter; which one it is, not its name, counts. */
export interface Local {
  readonly name: string;
  readonly type: WasmType;
}

export interface WasmFunction {
  readonly name: string;
  /** Lines above the function, for readers. */
  readonly comments: readonly string[];
  readonly parameters: readonly Local[];
  readonly result?: WasmType;
  readonly body: readonly Tree[];
  readonly exported?: boolean;
}

export type VectorShape = "i32x4" | "f32x4" | "f64x2" | "i64x2";

/** A label that a branch names: the end of a block, the start of a loop. */
export interface Label {
  readonly name: string;
}

export type Tree =
  | { readonly kind: "plain"; readonly op: PlainOp; readonly operands: readonly Tree[] }
  | { readonly kind: "constant"; readonly type: "i32" | "f32" | "f64"; readonly value: number }
  | { readonly kind: "long"; readonly value: bigint }
  | { readonly kind: "vector"; readonly shape: VectorShape; readonly lanes: readonly (number | bigint)[] }
  | { readonly kind: "get"; readonly local: Local }
  | { readonly kind: "set"; readonly local: Local; readonly value: Tree }
  | { readonly kind: "tee"; readonly local: Local; readonly value: Tree }
  /** The address first, for stores the value second. `offset` is added to the address, in bytes. */
  | { readonly kind: "memory"; readonly op: MemoryOp; readonly offset: number; readonly operands: readonly Tree[] }
  | { readonly kind: "lane"; readonly op: LaneOp; readonly lane: number; readonly operands: readonly Tree[] }
  /** 16 bytes chosen from the 32 of both operands. */
  | { readonly kind: "shuffle"; readonly bytes: readonly number[]; readonly operands: readonly [Tree, Tree] }
  | { readonly kind: "call"; readonly target: WasmFunction; readonly operands: readonly Tree[] }
  /** Target, source, number of bytes; overlapping is allowed. */
  | { readonly kind: "copy"; readonly operands: readonly [Tree, Tree, Tree] }
  /** With a result, what its last tree leaves on the stack. */
  | { readonly kind: "block"; readonly label: Label; readonly result?: WasmType; readonly body: readonly Tree[] }
  | { readonly kind: "loop"; readonly label: Label; readonly body: readonly Tree[] }
  | {
      readonly kind: "if";
      readonly condition: Tree;
      /** What both branches leave on the stack; nothing by default. */
      readonly result?: WasmType;
      readonly then: readonly Tree[];
      readonly otherwise: readonly Tree[];
    }
  | { readonly kind: "branch"; readonly label: Label; readonly condition?: Tree }
  /** For readers; leaves nothing in the binary. */
  | { readonly kind: "comment"; readonly text: string };

export const op = (name: PlainOp, ...operands: readonly Tree[]): Tree => ({ kind: "plain", op: name, operands });
export const i32 = (value: number): Tree => ({ kind: "constant", type: "i32", value });
export const f32 = (value: number): Tree => ({ kind: "constant", type: "f32", value });
export const f64 = (value: number): Tree => ({ kind: "constant", type: "f64", value });
export const get = (local: Local): Tree => ({ kind: "get", local });
export const set = (local: Local, value: Tree): Tree => ({ kind: "set", local, value });
export const call = (target: WasmFunction, ...operands: readonly Tree[]): Tree => ({ kind: "call", target, operands });
export const comment = (text: string): Tree => ({ kind: "comment", text });
export const laneOf = (name: LaneOp, lane: number, ...operands: readonly Tree[]): Tree => ({
  kind: "lane",
  op: name,
  lane,
  operands,
});

/** The sum, with nothing added for 0. */
export function add(a: Tree, b: Tree): Tree {
  if (a.kind === "constant" && b.kind === "constant") return i32((a.value + b.value) | 0);
  if (b.kind === "constant" && b.value === 0) return a;
  return a.kind === "constant" && a.value === 0 ? b : op("i32.add", a, b);
}

/** The trees directly below a tree. */
export function partsOf(tree: Tree): readonly Tree[] {
  switch (tree.kind) {
    case "plain":
    case "memory":
    case "lane":
    case "shuffle":
    case "call":
    case "copy":
      return tree.operands;
    case "set":
    case "tee":
      return [tree.value];
    case "block":
    case "loop":
      return tree.body;
    case "if":
      return [tree.condition, ...tree.then, ...tree.otherwise];
    case "branch":
      return tree.condition ? [tree.condition] : [];
    case "constant":
    case "long":
    case "vector":
    case "get":
    case "comment":
      return [];
  }
}

/** Calls `visit` for each tree and those below, outer ones first. */
function walk(body: readonly Tree[], visit: (tree: Tree) => void): void {
  for (const tree of body) {
    visit(tree);
    walk(partsOf(tree), visit);
  }
}

/** How many instructions a function has. */
export function treesIn({ body }: WasmFunction): number {
  let count = 0;
  walk(body, () => count++);
  return count;
}

/** The local variables of a function in order of appearance, without its parameters. */
export function localsOf({ parameters, body }: WasmFunction): readonly Local[] {
  const locals = new Set<Local>();
  walk(body, (tree) => {
    if (tree.kind === "get" || tree.kind === "set" || tree.kind === "tee") locals.add(tree.local);
  });
  for (const parameter of parameters) locals.delete(parameter);
  return [...locals];
}

/** Functions with all that they call, callees first. */
export function withCallees(functions: readonly WasmFunction[]): readonly WasmFunction[] {
  const found = new Set<WasmFunction>();
  const want = (target: WasmFunction): void => {
    if (found.has(target)) return;
    walk(target.body, (tree) => {
      if (tree.kind === "call") want(tree.target);
    });
    found.add(target);
  };
  functions.forEach(want);
  return [...found];
}
