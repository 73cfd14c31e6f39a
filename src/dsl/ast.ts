// The syntax tree of a `.dlm` file: what the parser makes, the formatter prints and the elaborator turns into graphs.
// Every node keeps the span of text it was read from. The tree says what was written, not what it means: whether
// `sum` is an operation or a block, and whether `int[2]` fits, is decided later.
//
// Where a statement ends: at the end of its line, unless `(` or `[` is open, the line ends in a comma, or the next line
// begins with a binary operator, `|>`, `->`, `=`, `~`, `as` or `else`; after a `=` at its end, a line goes on when the next one
// stands further in. A `-` at the start of a line continues the line before only when a space follows it (`- y`); `-y`, `(…`
// and `[…` begin a statement of their own.

import type { Expression, StringExpression } from "./ast-expressions.ts";
import type { Body } from "./ast-statements.ts";

export type * from "./ast-expressions.ts";
export type * from "./ast-statements.ts";

/** Offsets in the text of the file, in UTF-16 units; `end` is the offset after the last character. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

export interface SourceFile {
  /** As it is shown in messages: a path relative to where the tool was called. */
  readonly name: string;
  readonly text: string;
}

/** What every node of the tree has. */
export interface Node {
  readonly span: Span;
}

export interface Identifier extends Node {
  readonly name: string;
}

// ---------------------------------------------------------------------------------------------------------- program

export interface Program extends Node {
  readonly file: SourceFile;
  /** The documentation at the head of the file, which may also belong to its first declaration. */
  readonly doc?: string;
  readonly declarations: readonly Declaration[];
  /** Every `//` and `///` comment, in order; the formatter puts them back. */
  readonly comments: readonly Comment[];
}

export interface Comment extends Node {
  /** The comment as written, slashes included. */
  readonly text: string;
  readonly documentation: boolean;
}

export type Declaration = ImportDeclaration | ConstDeclaration | BlockDeclaration | ModelDeclaration | TrainDeclaration;

/** `import { residual, attention as attend } from "./blocks.dlm"` */
export interface ImportDeclaration extends Node {
  readonly kind: "import";
  readonly names: readonly ImportedName[];
  readonly path: StringExpression;
}

export interface ImportedName extends Node {
  readonly name: Identifier;
  /** The name in this file; the same node as `name` unless `as` gives another. */
  readonly local: Identifier;
}

/** `const classes = 10` */
export interface ConstDeclaration extends Node {
  readonly kind: "const";
  readonly doc?: string;
  readonly name: Identifier;
  readonly value: Expression;
}

export type BlockRole = "block" | "metric" | "optimizer" | "schedule" | "initializer";

/** `block dense(x: f32[...B, D], units: int) -> f32[...B, units] { … }`, or `block relu(x) = maximum(x, 0)`. */
export interface BlockDeclaration extends Node {
  readonly kind: "block";
  readonly role: BlockRole;
  readonly doc?: string;
  readonly name: Identifier;
  readonly parameters: readonly Parameter[];
  readonly result?: TypeExpression;
  /** With the form `= expression`, a body of that one expression statement. */
  readonly body: Body;
  readonly form: "braces" | "expression";
}

/** `model Mlp(x: f32[N, 784]) -> (logits: f32[N, 10]) { … }` */
export interface ModelDeclaration extends Node {
  readonly kind: "model";
  readonly doc?: string;
  readonly name: Identifier;
  readonly parameters: readonly Parameter[];
  readonly outputs: readonly Output[];
  readonly body: Body;
}

/** `train Mlp { target label: i32[N] … epochs: 10 }`; the name is that of the model. */
export interface TrainDeclaration extends Node {
  readonly kind: "train";
  readonly doc?: string;
  readonly name: Identifier;
  readonly targets: readonly Target[];
  readonly entries: readonly TrainEntry[];
  readonly body: Span;
}

export interface Parameter extends Node {
  readonly doc?: string;
  readonly name: Identifier;
  readonly type?: TypeExpression;
  readonly default?: Expression;
}

export interface Output extends Node {
  readonly doc?: string;
  readonly name: Identifier;
  readonly type: TypeExpression;
}

/** `target label: i32[N]` */
export interface Target extends Node {
  readonly doc?: string;
  readonly name: Identifier;
  readonly type: TypeExpression;
}

/** `metrics: accuracy(a, b), recall(a, b)` has two values; `early_stop: val_loss, patience: 3` a value and an option. */
export interface TrainEntry extends Node {
  readonly name: Identifier;
  readonly values: readonly Expression[];
  readonly options: readonly TrainOption[];
}

export interface TrainOption extends Node {
  readonly name: Identifier;
  readonly value: Expression;
}

// ------------------------------------------------------------------------------------------------------------ types

export type TypeExpression = NamedType | TensorType | ListType | TupleType;

/** `int`, `float`, `bool`, `string`, `fn`, `initializer`, `dtype`. */
export interface NamedType extends Node {
  readonly kind: "named";
  readonly name: string;
}

/** `f32[N, 4 * H]`, `f32[]`; an element that is no element type is a variable: `T[...S]`. */
export interface TensorType extends Node {
  readonly kind: "tensor";
  readonly element: Identifier;
  readonly dims: readonly DimExpression[];
}

export type DimExpression = SizeDim | SpreadDim;

/** One dimension: an integer, a name or arithmetic over them. */
export interface SizeDim extends Node {
  readonly kind: "size";
  readonly value: Expression;
}

/** `...B`: any number of dimensions. */
export interface SpreadDim extends Node {
  readonly kind: "spread";
  readonly name: Identifier;
}

/** `int[2]`, or `int[]` for a list of any length: compile-time values only (`int float string fn initializer dtype`). */
export interface ListType extends Node {
  readonly kind: "list";
  readonly element: Identifier;
  readonly length?: Expression;
}

/** `(f32[N], f32[N, 3])`, the result of a block that gives several values. */
export interface TupleType extends Node {
  readonly kind: "tuple";
  readonly items: readonly TypeExpression[];
}
