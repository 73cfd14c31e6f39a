// The syntax tree of expressions. See ast.ts.

import type { Identifier, Node, Span } from "./ast.ts";
import type { Body } from "./ast-statements.ts";

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
