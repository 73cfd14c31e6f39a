// What the formatter works on: the tokens of a line, with the blanks, breaks and comments around each.

import type { IToken } from "chevrotain";
import type { Comment } from "./ast.ts";
import type { Layout, Line, Lines } from "./layout.ts";
import type { Lexed } from "./lexer.ts";
import * as kind from "./tokens.ts";

export interface Atom {
  readonly token: IToken;
  /** A blank stands between it and the atom before, on one row. */
  readonly space: boolean;
  /** Begins a row. The writer's breaks to begin with; long rows get more. */
  breaks: boolean;
  /** Comments on rows of their own before it. */
  readonly comments: readonly Comment[];
  /** The comment at the end of its row, with the blanks before it; a body's after its `}`. */
  readonly trailing: string;
  readonly opens: boolean;
  readonly closes: boolean;
  readonly infix: boolean;
  readonly body?: Lines;
  /** The body stays on the row of its `{`. */
  inline: boolean;
  /** Index of the atom that opened the bracket around it; -1 outside. */
  readonly parent: number;
  /** How many brackets are around it. */
  readonly depth: number;
}

/** The comments and empty lines of a file, by where they stand. */
export interface Sources {
  readonly text: string;
  readonly layout: Layout;
  /** Comments on lines of their own, directly before what begins at `offset`; infinity for the end of the file. */
  leading(offset: number): readonly Comment[];
  /** The comment after what begins at `offset`, on the same line, with the blanks before it; or nothing. */
  trailing(offset: number): string;
  /** Whether an empty line stands before what begins at `offset`. */
  blankBefore(offset: number): boolean;
  /** Whether what begins at `offset` is the first of its line. */
  firstOfLine(offset: number): boolean;
}

export function sourcesOf(text: string, lexed: Lexed, layout: Layout): Sources {
  // Commas that the layout left out hold nothing.
  const kept = new Set<number>();
  const keep = (lines: readonly Line[]): void => {
    for (const token of lines.flat()) {
      kept.add(token.startOffset);
      const body = layout.bodies.get(token);
      if (!body) continue;
      kept.add(body.span.end - 1);
      keep(body.lines);
    }
  };
  keep(layout.lines);
  const tokens = lexed.tokens.filter((t) => kept.has(t.token.startOffset)).map((t) => kind.spanOfToken(t.token));
  const leading = new Map<number, Comment[]>();
  const trailing = new Map<number, string>();
  const blank = new Set<number>();
  const firsts = new Set(lexed.tokens.filter((t) => t.first).map((t) => t.token.startOffset));
  const items = [...tokens, ...lexed.comments.map((c) => c.span)].sort((a, b) => a.start - b.start);
  for (const [i, item] of items.entries()) {
    const gap = text.slice(items[i - 1]?.end ?? 0, item.start);
    if (i > 0 && (gap.match(/\r\n|\r|\n/g)?.length ?? 0) > 1) blank.add(item.start);
  }
  let after = 0;
  for (const comment of lexed.comments) {
    while (after < tokens.length && tokens[after]!.start < comment.span.start) after++;
    const before = tokens[after - 1];
    const gap = text.slice(before?.end ?? 0, comment.span.start);
    if (before && !/[\r\n]/.test(gap)) {
      const width = /[^\S\r\n]*$/.exec(gap)?.[0].length ?? 0;
      trailing.set(before.start, " ".repeat(Math.max(1, width)) + comment.text);
    } else {
      const at = tokens[after]?.start ?? Number.POSITIVE_INFINITY;
      leading.set(at, [...(leading.get(at) ?? []), comment]);
    }
  }
  return {
    text,
    layout,
    leading: (offset) => leading.get(offset) ?? [],
    trailing: (offset) => trailing.get(offset) ?? "",
    blankBefore: (offset) => blank.has(offset),
    firstOfLine: (offset) => firsts.has(offset),
  };
}

const openers = new Set([kind.LParen, kind.LBracket, kind.LCurly]);
const closers = new Set([kind.RParen, kind.RBracket, kind.RCurly]);
const operands = new Set([
  kind.Identifier,
  kind.NumberLiteral,
  kind.StringLiteral,
  kind.True,
  kind.False,
  kind.RParen,
  kind.RBracket,
  kind.Body,
]);
const isInfix = (token: IToken): boolean =>
  token.tokenType.CATEGORIES?.some((c) => c === kind.InfixOperator || c === kind.ProductOperator) ?? false;

export function atomsOf(sources: Sources, line: Line): Atom[] {
  const atoms: Atom[] = [];
  const open: number[] = [];
  let unary = false;
  const bodies = line.flatMap((token) => sources.layout.bodies.get(token) ?? []);
  const inline = bodies.every((body) => isInline(sources, body));
  for (const [index, token] of line.entries()) {
    const { tokenType: type, startOffset: start } = token;
    const before = line[index - 1];
    const closes = closers.has(type);
    if (closes) open.pop();
    const parent = open.at(-1) ?? -1;
    const infix = isInfix(token) && before !== undefined && operands.has(before.tokenType);
    const bracket = closes ? undefined : line[parent]?.tokenType;
    const space = before !== undefined && spaced(before, token, infix, unary, bracket, line[index - 2]);
    unary = type === kind.Not || (type === kind.Minus && !infix);
    const body = sources.layout.bodies.get(token);
    const leads = type === kind.Comma || type === kind.Body || type === kind.Else;
    atoms.push({
      token,
      space,
      breaks: index > 0 && sources.firstOfLine(start) && !leads,
      comments: index === 0 ? [] : sources.leading(start),
      trailing: sources.trailing(body ? body.span.end - 1 : start),
      opens: openers.has(type),
      closes,
      infix,
      ...(body ? { body } : {}),
      inline: inline && body !== undefined,
      parent,
      depth: open.length,
    });
    if (openers.has(type)) open.push(index);
  }
  return atoms;
}

/** A body of one short statement that was written on one line stays there. */
function isInline(sources: Sources, { lines, span }: Lines): boolean {
  const text = sources.text.slice(span.start, span.end);
  return lines.length === 1 && !/[\r\n]/.test(text) && !lines[0]!.some((t) => t.tokenType === kind.Body);
}

/** Whether a blank stands between `a` and `b`. */
function spaced(
  a: IToken,
  b: IToken,
  infix: boolean,
  afterUnary: boolean,
  bracket: IToken["tokenType"] | undefined,
  beforeA: IToken | undefined,
): boolean {
  const left = a.tokenType;
  const right = b.tokenType;
  if (left === kind.LCurly || right === kind.RCurly) return true;
  if (left === kind.LParen || left === kind.LBracket || afterUnary) return false;
  if (right === kind.RParen || right === kind.RBracket || right === kind.Comma) return false;
  // `x[1:3]`, but `f(a: 1)`.
  if (right === kind.Colon) return bracket === kind.LBracket && left === kind.Comma;
  if (left === kind.Colon) return bracket !== kind.LBracket;
  if (left === kind.Dot || right === kind.Dot) return false;
  if (a.image === ".." || (b.image === ".." && infix)) return false;
  if (left === kind.Ellipsis) return false;
  if (right === kind.LParen) {
    // `sum(e) (a + b)` is a reduction, `f(x)` a call.
    return left === kind.RParen || !operands.has(left);
  }
  if (right === kind.LBracket) return !operands.has(left) || (beforeA === undefined && left === kind.StringLiteral);
  return true;
}
