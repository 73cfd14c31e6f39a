// From tokens to lines: decides where statements end, pairs brackets, and tells words that are keywords only in their place
// from names. What comes out is a tree of lines, a `{ … }` being one token of the line that opens it, so the grammar reads
// one line at a time and mistakes stay where they are made. Every bracket of the result is closed.

import type { IToken, TokenType } from "chevrotain";
import type { SourceFile, Span } from "./ast.ts";
import { type Diagnostic, type DiagnosticDetails, errorAt } from "./diagnostics.ts";
import { mostFound, type PlacedToken } from "./lexer.ts";
import * as kind from "./tokens.ts";

/** The tokens of one statement, declaration or entry. */
export type Line = readonly IToken[];

/** The inside of a `{ … }`. */
export interface Lines {
  readonly lines: readonly Line[];
  readonly span: Span;
}

export interface Layout {
  readonly lines: readonly Line[];
  /** What each token of kind `Body` stands for. */
  readonly bodies: ReadonlyMap<IToken, Lines>;
  readonly diagnostics: readonly Diagnostic[];
}

/** More open brackets than this are no program, and would exhaust the stack of a recursive parser. */
const deepest = 100;

interface Open {
  readonly token: IToken;
  readonly closer: TokenType;
  readonly indent: number;
  /** For `{` of a body: the lines so far, and the line that the body belongs to. */
  readonly body?: { readonly lines: Line[]; readonly outer: IToken[] };
}

const continuing = new Set<TokenType>([
  kind.Arrow,
  kind.Equals,
  kind.PlusEquals,
  kind.Tilde,
  kind.As,
  kind.Else,
  kind.Comma,
  kind.LCurly,
]);
const closers = new Map([
  [kind.LParen, kind.RParen],
  [kind.LBracket, kind.RBracket],
  [kind.LCurly, kind.RCurly],
]);
const isInfix = (token: IToken): boolean => token.tokenType.CATEGORIES?.some(isInfixKind) ?? false;
const isInfixKind = (type: TokenType): boolean => type === kind.InfixOperator || type === kind.ProductOperator;
const endOf = (token: IToken): number => kind.spanOfToken(token).end;

export function layOut(file: SourceFile, placed: readonly PlacedToken[]): Layout {
  const diagnostics: Diagnostic[] = [];
  const bodies = new Map<IToken, Lines>();
  const lines: Line[] = [];
  const stack: Open[] = [];
  const open = placed.filter((p) => p.token.tokenType === kind.LCurly).length;
  const braceIsMissing = open > placed.filter((p) => p.token.tokenType === kind.RCurly).length;
  let line: IToken[] = [];
  let previous: IToken | undefined;
  let lineIndent = 0;
  let inScanHeader = false;

  const report = (span: Span, message: string, details: DiagnosticDetails): void => {
    if (diagnostics.length < mostFound) diagnostics.push(errorAt(file, span, "syntax", message, details));
  };
  const typeAt = (index: number): TokenType | undefined => placed[index]?.token.tokenType;
  const top = (): Open | undefined => stack.at(-1);
  const inBrackets = (): boolean => stack.length > 0 && top()?.body === undefined;
  const endLine = (): void => {
    const target = top()?.body?.lines ?? lines;
    if (line.length > 0) target.push(line);
    line = [];
    inScanHeader = false;
  };
  /** Closes the innermost bracket with `closer`, which may be of no width where it was forgotten. */
  const close = (closer: IToken): void => {
    const last = stack.at(-1);
    if (!last) return;
    if (last.body) {
      endLine();
      stack.pop();
      const image = file.text.slice(last.token.startOffset, endOf(closer));
      const body = kind.makeToken(kind.Body, image, last.token.startOffset);
      const span = { start: last.token.startOffset, end: endOf(closer) };
      bodies.set(body, { lines: last.body.lines, span });
      line = last.body.outer;
      line.push(body);
      previous = body;
    } else {
      stack.pop();
      line.push(closer);
      previous = closer;
    }
  };
  const closeForgotten = (found: Span, what: string): void => {
    const last = stack.at(-1);
    if (!last) return;
    const opener = last.token.image;
    const closer = opener === "(" ? ")" : opener === "[" ? "]" : "}";
    report(kind.spanOfToken(last.token), `this \`${opener}\` is never closed`, {
      label: `no \`${closer}\` for it`,
      notes: [{ file, span: found, label: what }],
      help: `put \`${closer}\` where it ends`,
    });
    const at = previous ? endOf(previous) : found.start;
    close(kind.makeToken(last.closer, "", at));
  };
  /** A line that can only begin a declaration, so that every brace before it should be closed. */
  const beginsDeclaration = (index: number): boolean => {
    if (!kind.declarationWords.has(placed[index]?.token.image ?? "")) return false;
    if (placed[index]?.token.image === "import") return typeAt(index + 1) === kind.LCurly;
    const after = typeAt(index + 2);
    const follows = after === kind.LParen || after === kind.LCurly || after === kind.Equals;
    return typeAt(index + 1) === kind.Identifier && follows;
  };
  /** A line that can only begin a statement, so that every `(` and `[` before it should be closed. */
  const beginsStatement = (index: number): boolean => {
    const type = typeAt(index);
    if (type === kind.If || type === kind.For || type === kind.Assert || type === kind.Yield) return true;
    if (previous && [kind.Comma, kind.LParen, kind.LBracket].some((k) => k === previous?.tokenType)) return false;
    const named = type === kind.Identifier && typeAt(index + 1);
    if (named === kind.Equals) return true;
    return named === kind.Identifier && kind.statementWords.has(placed[index]?.token.image ?? "");
  };
  const continues = ({ token, blankAfter, indent }: PlacedToken): boolean => {
    // A value may begin on the next line, but a forgotten one does not swallow the next statement.
    const awaited = previous?.tokenType === kind.Equals || previous?.tokenType === kind.PlusEquals;
    if (awaited && indent > lineIndent) return true;
    if (previous?.tokenType === kind.Comma || continuing.has(token.tokenType)) return true;
    if (inScanHeader && kind.scanWords.has(token.image)) return true;
    return token.tokenType === kind.Minus ? blankAfter : isInfix(token);
  };
  /** The kind of a word that is a keyword only where it stands. */
  const classify = (index: number): TokenType => {
    const { token } = placed[index]!;
    const next = typeAt(index + 1);
    if (inScanHeader) return kind.scanWords.get(token.image) ?? kind.Identifier;
    if (token.image === "scan" && next === kind.Identifier) return kind.Scan;
    if (token.image === "from" && previous?.tokenType === kind.RCurly) return kind.From;
    if (line.length > 0 || inBrackets()) return kind.Identifier;
    if (stack.length === 0) {
      const found = kind.declarationWords.get(token.image);
      const named = next === kind.Identifier || next === kind.LCurly || next === kind.LParen;
      return (found && (named || next === kind.StringLiteral) ? found : undefined) ?? kind.Identifier;
    }
    if (token.image === "repeat") return opensBody(index) ? kind.Repeat : kind.Identifier;
    const follows =
      next === kind.Identifier || next === kind.Colon || kind.reserved.has(placed[index + 1]?.token.image ?? "");
    return (follows ? kind.statementWords.get(token.image) : undefined) ?? kind.Identifier;
  };
  /** Whether the line from `index` on ends in `{`, or is not followed by what makes `repeat` a name. */
  const opensBody = (index: number): boolean => {
    const next = typeAt(index + 1);
    if (next === kind.Identifier || next === kind.NumberLiteral || next === kind.LCurly) return true;
    if (next !== kind.LParen) return false;
    let last = index + 1;
    while (last + 1 < placed.length && !placed[last + 1]!.first) last++;
    return placed.slice(index, last + 1).some((p) => p.token.tokenType === kind.LCurly);
  };

  for (let index = 0; index < placed.length; index++) {
    const here = placed[index]!;
    const type = here.token.tokenType;
    const span = kind.spanOfToken(here.token);
    if (here.first && stack.length > 0 && beginsDeclaration(index)) {
      while (stack.length > 0) closeForgotten(span, "a declaration begins here");
    } else if (here.first && inBrackets() && beginsStatement(index)) {
      while (inBrackets()) closeForgotten(span, "a statement begins here");
    }
    if (here.first && !inBrackets() && type !== kind.RCurly && line.length > 0 && !continues(here)) endLine();

    if (line.length === 0) lineIndent = here.indent;

    // A comma before a closing bracket says nothing.
    const next = typeAt(index + 1);
    const beforeCloser = next === kind.RParen || next === kind.RBracket || next === kind.RCurly;
    const opened = previous && closers.has(previous.tokenType);
    if (type === kind.Comma && beforeCloser && inBrackets() && !opened && previous?.tokenType !== kind.Comma) continue;

    const closer = closers.get(type);
    if (closer) {
      if (stack.length === deepest) {
        const message = `nested too deeply: more than ${deepest} brackets are open`;
        diagnostics.push(
          errorAt(file, span, "limit", message, { label: "one too many", help: "name some of the parts" }),
        );
        return { lines: [], bodies, diagnostics };
      }
      const isBody = type === kind.LCurly && line[0]?.tokenType !== kind.Import;
      stack.push({
        token: here.token,
        closer,
        indent: here.indent,
        ...(isBody ? { body: { lines: [], outer: line } } : {}),
      });
      if (isBody) line = [];
      else line.push(here.token);
      if (isBody) inScanHeader = false;
      previous = here.token;
      continue;
    }
    if (type === kind.RParen || type === kind.RBracket || type === kind.RCurly) {
      const depth = stack.findLastIndex((o) => o.closer === type || (o.body && type !== kind.RCurly));
      const matching = stack[depth];
      if (!matching || matching.closer !== type) {
        const last = top();
        if (last && !last.body) {
          const label = `closes \`${last.token.image}\` with \`${here.token.image}\``;
          const notes = [{ file, span: kind.spanOfToken(last.token), label: "opened here" }];
          const message = `\`${here.token.image}\` does not fit \`${last.token.image}\``;
          report(span, message, { label, notes });
          close(kind.makeToken(last.closer, here.token.image, here.token.startOffset));
          continue;
        }
        const message = `this \`${here.token.image}\` closes nothing`;
        report(span, message, { label: "nothing is open", help: "leave it out" });
        continue;
      }
      while (stack.length - 1 > depth) closeForgotten(span, `closed here without it`);
      if (type === kind.RCurly && here.first && braceIsMissing) {
        // The indentation tells which of several open braces this one was meant for.
        const meant = stack.findLastIndex((o) => o.body && o.indent <= here.indent);
        if (meant >= 0 && stack[meant]?.indent === here.indent) {
          while (stack.length - 1 > meant) closeForgotten(span, "this `}` closes an outer `{`");
        }
      }
      close(here.token);
      continue;
    }
    const token = type === kind.Identifier ? kind.makeToken(classify(index), here.token.image, span.start) : here.token;
    if (token.tokenType === kind.Scan) inScanHeader = true;
    line.push(token);
    previous = token;
  }
  const end = { start: file.text.trimEnd().length, end: file.text.trimEnd().length };
  while (stack.length > 0) closeForgotten(end, "the file ends here");
  endLine();
  return { lines, bodies, diagnostics };
}
