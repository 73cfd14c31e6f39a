// Precedence: turns the flat list of operands and operators that the grammar reads into a tree. Keeping it out of the grammar
// keeps the recursion of the parser as deep as the brackets are, and the table of precedence in one place.

import type { IToken } from "chevrotain";
import type { BinaryOperator, Expression, Identifier, PipeExpression, Span, UnaryOperator } from "./ast.ts";
import type { DiagnosticDetails } from "./diagnostics.ts";
import { spanOfToken } from "./tokens.ts";

/** An operand with the prefix operators before it. */
export interface Operand {
  readonly prefixes: readonly IToken[];
  readonly base: Expression;
}

export interface Infix {
  readonly token: IToken;
  /** The name after `|> block as`. */
  readonly as?: Identifier;
}

export type Report = (span: Span, message: string, details?: DiagnosticDetails) => void;

const pipe = 1;
const range = 2;
const comparison = 5;
const power = 9;

const strengths: Readonly<Record<BinaryOperator, number>> = {
  "||": 3,
  "&&": 4,
  "==": comparison,
  "!=": comparison,
  "<": comparison,
  "<=": comparison,
  ">": comparison,
  ">=": comparison,
  "+": 6,
  "-": 6,
  "*": 7,
  "/": 7,
  "%": 7,
  "@": 7,
  "**": power,
};

const isBinary = (text: string): text is BinaryOperator => Object.hasOwn(strengths, text);
const isUnary = (text: string): text is UnaryOperator => text === "-" || text === "!";

/** How tightly an infix operator holds its sides, from 1; the formatter breaks long lines at the loosest. */
export const strengthOf = (operator: string): number =>
  isBinary(operator) ? strengths[operator] : operator === "|>" ? pipe : range;

/** The tree of `operands[0] infixes[0] operands[1] …`; says what cannot be joined through `report`. */
export function climb(operands: readonly Operand[], infixes: readonly Infix[], report: Report): Expression {
  let next = 0;
  const bases = new Set(operands.map((o) => o.base));

  const operand = (): Expression => {
    const { prefixes, base } = operands[next]!;
    let inner: Expression = base;
    if (prefixes.length === 0) return inner;
    // `-x ** 2` is `-(x ** 2)`.
    while (infixes[next] && strengthOf(infixes[next]!.token.image) >= power) inner = join(inner);
    for (let i = prefixes.length - 1; i >= 0; i--) {
      const sign = prefixes[i]!;
      const span = { start: sign.startOffset, end: inner.span.end };
      if (isUnary(sign.image)) inner = { kind: "unary", operator: sign.image, operand: inner, span };
    }
    return inner;
  };

  /** Joins `left` with the operator at `next` and what it holds on its right. */
  const join = (left: Expression): Expression => {
    const { token, as } = infixes[next++]!;
    const operator = token.image;
    const strength = strengthOf(operator);
    if (operator === "|>") return joinPipe(left, within(strength + 1), as, report);
    const right = within(operator === "**" ? strength : strength + 1);
    const span = { start: left.span.start, end: right.span.end };
    if (!isBinary(operator)) return { kind: "range", from: left, to: right, span };
    // A comparison in parentheses is an operand of its own.
    const chained = left.kind === "binary" && strengths[left.operator] === comparison && !bases.has(left);
    if (strength === comparison && chained) {
      const details = { label: "a second comparison", help: "join two comparisons with `&&`" };
      report(spanOfToken(token), "comparisons cannot be chained", details);
    }
    return { kind: "binary", operator, operatorSpan: spanOfToken(token), left, right, span };
  };

  /** Reads on while operators hold at least as tightly as `least`. */
  const within = (least: number): Expression => {
    let left = operand();
    while (infixes[next] && strengthOf(infixes[next]!.token.image) >= least) left = join(left);
    return left;
  };

  return within(pipe);
}

function joinPipe(input: Expression, stage: Expression, as: Identifier | undefined, report: Report): Expression {
  const span = { start: input.span.start, end: as ? as.span.end : stage.span.end };
  if (isStage(stage)) return { kind: "pipe", input, stage, ...(as ? { as } : {}), span };
  const help =
    stage.kind === "binary" || stage.kind === "range"
      ? "put the pipe in parentheses to go on with its value: `(x |> relu) + y`"
      : "`x |> f(a)` stands for `f(x, a)`";
  report(stage.span, "what follows `|>` must be a block, or a call of one", { label: "not a block", help });
  return input;
}

function isStage(expression: Expression): expression is PipeExpression["stage"] {
  switch (expression.kind) {
    case "name":
    case "member":
      return true;
    case "index":
      return isStage(expression.target) && expression.target.kind !== "call";
    case "call":
      return isStage(expression.callee);
    default:
      return false;
  }
}
