// The syntax tree of statements: what stands between braces. See ast.ts.

import type { Identifier, Node, TypeExpression } from "./ast.ts";
import type { Expression } from "./ast-expressions.ts";

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
