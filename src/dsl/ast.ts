// The syntax tree of a `.dlm` file: what the parser makes, the formatter prints and the elaborator turns into graphs.
// Every node keeps the span of text it was read from. The tree says what was written, not what it means: whether
// `sum` is an operation or a block, and whether `int[2]` fits, is decided later.
//
// Where a statement ends: at the end of its line, unless `(` or `[` is open, the line ends in a comma, or the next line
// begins with a binary operator, `|>`, `->`, `=`, `~`, `as` or `else`; after a `=` at its end, a line goes on when the next one
// stands further in. A `-` at the start of a line continues the line before only when a space follows it (`- y`); `-y`, `(…`
// and `[…` begin a statement of their own.

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

interface Node {
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

// ------------------------------------------------------------------------------------------------------- statements

/** What stands between braces; the span includes them. */
export interface Body extends Node {
  readonly statements: readonly Statement[];
}

export type Statement =
  | AssignStatement
  | IndexedAssignStatement
  | ParamStatement
  | StateStatement
  | UpdateStatement
  | TotalStatement
  | IfStatement
  | ForStatement
  | RepeatStatement
  | AssertStatement
  | YieldStatement
  | ExpressionStatement;

/** `y = …` or `q, k, v = …` */
export interface AssignStatement extends Node {
  readonly kind: "assign";
  readonly names: readonly Identifier[];
  readonly value: Expression;
}

/** `scores[n, h, t, s] = sum(e) q[n, t, h, e] * k[n, s, h, e]` */
export interface IndexedAssignStatement extends Node {
  readonly kind: "indexed-assign";
  readonly name: Identifier;
  readonly indices: readonly Identifier[];
  readonly value: Expression;
}

/** `param kernel: f32[D, units] ~ kernel_init` */
export interface ParamStatement extends Node {
  readonly kind: "param";
  readonly doc?: string;
  readonly name: Identifier;
  readonly type: TypeExpression;
  readonly initializer: Expression;
}

/** `state v = zeros_like(w)` or `state mean: f32[C] = zeros([C])` */
export interface StateStatement extends Node {
  readonly kind: "state";
  readonly doc?: string;
  readonly name: Identifier;
  readonly type?: TypeExpression;
  readonly value: Expression;
}

/** `update v = …` */
export interface UpdateStatement extends Node {
  readonly kind: "update";
  readonly name: Identifier;
  readonly value: Expression;
}

/** `total correct: f32[K] += …`: a sum over the batches of an epoch. */
export interface TotalStatement extends Node {
  readonly kind: "total";
  readonly doc?: string;
  readonly name: Identifier;
  readonly type: TypeExpression;
  readonly value: Expression;
}

export interface IfStatement extends Node {
  readonly kind: "if";
  /** `if` and each `else if`, in order. */
  readonly branches: readonly IfBranch[];
  readonly otherwise?: Body;
}

export interface IfBranch extends Node {
  readonly condition: Expression;
  readonly body: Body;
}

/** `for i in 0..n { … }`, or over a list. */
export interface ForStatement extends Node {
  readonly kind: "for";
  readonly name: Identifier;
  readonly over: Expression;
  readonly body: Body;
}

export interface RepeatStatement extends Node {
  readonly kind: "repeat";
  readonly count: Expression;
  readonly body: Body;
}

/** `assert D % heads == 0, "D = {D} must divide by heads = {heads}"` */
export interface AssertStatement extends Node {
  readonly kind: "assert";
  readonly condition: Expression;
  readonly message?: Template;
}

/** A string with expressions in braces. `\{` stands for a brace. */
export interface Template extends Node {
  readonly parts: readonly (string | Expression)[];
}

/** `yield h`, in a scan. */
export interface YieldStatement extends Node {
  readonly kind: "yield";
  readonly value: Expression;
}

export interface ExpressionStatement extends Node {
  readonly kind: "expression";
  readonly value: Expression;
}

// ------------------------------------------------------------------------------------------------------ expressions

export type Expression =
  | NumberExpression
  | StringExpression
  | BooleanExpression
  | NameExpression
  | MemberExpression
  | CallExpression
  | PipeExpression
  | ReductionExpression
  | UnaryExpression
  | BinaryExpression
  | RangeExpression
  | ListExpression
  | TupleExpression
  | IndexExpression
  | ScanExpression;

export interface NumberExpression extends Node {
  readonly kind: "number";
  /** `10%` has the value 0.1. */
  readonly value: number;
  /** Written without point, exponent or percent sign, so an `int`. */
  readonly integer: boolean;
}

export interface StringExpression extends Node {
  readonly kind: "string";
  readonly value: string;
}

export interface BooleanExpression extends Node {
  readonly kind: "boolean";
  readonly value: boolean;
}

/** A name. The empty name stands where an expression is missing, only in programs with syntax errors. */
export interface NameExpression extends Node {
  readonly kind: "name";
  readonly name: string;
}

/** `output.probs` */
export interface MemberExpression extends Node {
  readonly kind: "member";
  readonly target: Expression;
  readonly name: Identifier;
}

/** `dense(x, 128, bias: false)`: positional arguments come first, which the parser checks. */
export interface CallExpression extends Node {
  readonly kind: "call";
  readonly callee: Expression;
  readonly arguments: readonly Argument[];
}

export interface Argument extends Node {
  /** Absent for a positional argument. */
  readonly name?: Identifier;
  readonly value: Expression;
}

/** `x |> dense(8) as head`: the block `stage.callee`, or `stage` itself, is called with `input` as first argument. */
export interface PipeExpression extends Node {
  readonly kind: "pipe";
  readonly input: Expression;
  /** A name, `list[i]`, or a call of one: the parser lets nothing else through. */
  readonly stage: NameExpression | MemberExpression | IndexExpression | CallExpression;
  readonly as?: Identifier;
}

/** `sum(e) q[n, e] * k[e]`: over named indices. The body reaches over products and ends before `+` and `-`. */
export interface ReductionExpression extends Node {
  readonly kind: "reduction";
  readonly name: Identifier;
  readonly indices: readonly Identifier[];
  readonly body: Expression;
}

export type UnaryOperator = "-" | "!";

export interface UnaryExpression extends Node {
  readonly kind: "unary";
  readonly operator: UnaryOperator;
  readonly operand: Expression;
}

export type BinaryOperator =
  | "||"
  | "&&"
  | "=="
  | "!="
  | "<"
  | "<="
  | ">"
  | ">="
  | "+"
  | "-"
  | "*"
  | "/"
  | "%"
  | "@"
  | "**";

export interface BinaryExpression extends Node {
  readonly kind: "binary";
  readonly operator: BinaryOperator;
  /** Where the operator itself stands, for messages about it. */
  readonly operatorSpan: Span;
  readonly left: Expression;
  readonly right: Expression;
}

/** `a..b`: the integers from a to b - 1. */
export interface RangeExpression extends Node {
  readonly kind: "range";
  readonly from: Expression;
  readonly to: Expression;
}

export interface ListExpression extends Node {
  readonly kind: "list";
  readonly items: readonly Expression[];
}

/** `(a, b)`; there is no tuple of fewer than two. */
export interface TupleExpression extends Node {
  readonly kind: "tuple";
  readonly items: readonly Expression[];
}

/** `x[:, -1]`, `x[..., 0:3]`, `widths[i]`, `q[n, t, h, e]` */
export interface IndexExpression extends Node {
  readonly kind: "index";
  readonly target: Expression;
  readonly items: readonly IndexItem[];
}

export type IndexItem = AtItem | SliceItem | EllipsisItem;

export interface AtItem extends Node {
  readonly kind: "at";
  readonly value: Expression;
}

export interface SliceItem extends Node {
  readonly kind: "slice";
  readonly from?: Expression;
  readonly to?: Expression;
  readonly step?: Expression;
}

export interface EllipsisItem extends Node {
  readonly kind: "ellipsis";
}

/** `scan g in xw along 1 reversed recompute carry h, c { … yield h }`, whose value is the stacked yields. */
export interface ScanExpression extends Node {
  readonly kind: "scan";
  /** `scan a, b in xs, ys …` walks several sequences in step. */
  readonly names: readonly Identifier[];
  readonly sources: readonly Expression[];
  readonly axis: Expression;
  readonly reversed: boolean;
  /** For the gradient, what a step computes is computed again instead of kept. */
  readonly recompute: boolean;
  readonly carry: readonly Identifier[];
  readonly body: Body;
}
