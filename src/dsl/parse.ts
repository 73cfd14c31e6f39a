// The front door of the language: from the text of a file to its tree and everything that is wrong with its form. Lines are
// parsed one by one, innermost braces first, so a mistake costs no more than its own line.

import type { IToken } from "chevrotain";
import type { Body, Declaration, Program, SourceFile, Statement, Target, Template, TrainEntry } from "./ast.ts";
import { type Diagnostic, errorAt, positionOf } from "./diagnostics.ts";
import { missing } from "./grammar.ts";
import { DlmParser } from "./grammar-declarations.ts";
import { type Layout, type Line, layOut } from "./layout.ts";
import { type Lexed, lex, mostFound } from "./lexer.ts";
import { parseTemplate } from "./strings.ts";
import { strayLine, syntaxError } from "./syntax-errors.ts";
import { Assert, Body as BodyToken, declarationWords, StringLiteral, spanOfToken, Train } from "./tokens.ts";

/** More diagnostics than this help nobody. */
const mostDiagnostics = 20;

/** Levels of the tree, lists of children counted too. */
const deepest = 2000;

export interface Parsed {
  /** With errors, what could be read; it is not fit to be elaborated then. */
  readonly program: Program;
  /** In the order of the text. */
  readonly diagnostics: readonly Diagnostic[];
}

// Building the parser takes longer than using it, so there is one; it keeps nothing between calls.
let theParser: DlmParser | undefined;

/** Parses a whole file. Never throws on account of the text. */
export function parse(file: SourceFile): Parsed {
  const noText = notText(file);
  if (noText) return { program: emptyProgram(file), diagnostics: [noText] };
  const lexed = lex(file);
  const layout = layOut(file, lexed.tokens);
  const reader = readerOf(file, lexed, layout);
  const declarations = layout.lines.flatMap((line) => reader.declaration(line) ?? []);
  const { headDoc: doc } = lexed;
  const program: Program = {
    file,
    ...(doc === undefined ? {} : { doc }),
    declarations,
    comments: lexed.comments,
    span: { start: 0, end: file.text.length },
  };
  const diagnostics = select(file, lexed.diagnostics, layout.diagnostics, reader.diagnostics);
  const deep = diagnostics.length === 0 ? tooDeep(program) : undefined;
  return { program, diagnostics: deep ? [deep] : diagnostics };
}

/** A tree deeper than a recursive walk can take; short programs cannot have one. */
function tooDeep({ file, declarations }: Program): Diagnostic | undefined {
  if (file.text.length < deepest) return undefined;
  const waiting: { node: object; depth: number }[] = declarations.map((node) => ({ node, depth: 0 }));
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { node, depth } = next;
    if (depth > deepest && "span" in node) {
      const start = spanStart(node.span);
      const details = { label: "parts of parts of parts", help: "name some of its parts" };
      return errorAt(file, { start, end: start }, "limit", "nested too deeply", details);
    }
    for (const child of Object.values(node)) {
      if (typeof child === "object" && child !== null) waiting.push({ node: child, depth: depth + 1 });
    }
  }
  return undefined;
}

const spanStart = (span: unknown): number =>
  typeof span === "object" && span !== null && "start" in span && typeof span.start === "number" ? span.start : 0;

const emptyProgram = (file: SourceFile): Program => ({
  file,
  declarations: [],
  comments: [],
  span: { start: 0, end: file.text.length },
});

/** One diagnostic for a file that is no text, instead of thousands for its bytes. */
function notText(file: SourceFile): Diagnostic | undefined {
  const nul = file.text.indexOf("\0");
  // Bytes that are no UTF-8 were decoded to this character.
  const undecoded = file.text.indexOf("\ufffd");
  const at = nul >= 0 && (undecoded < 0 || nul < undecoded) ? nul : undecoded;
  if (at < 0) return undefined;
  const what = at === nul ? "a NUL byte" : "bytes that are not UTF-8";
  return errorAt(file, { start: at, end: at + 1 }, "syntax", `this is not a text file: it contains ${what}`, {
    label: "not text",
    help: "programs are UTF-8 text; is this the right file?",
  });
}

function readerOf(file: SourceFile, lexed: Lexed, layout: Layout) {
  theParser ??= new DlmParser();
  const parser = theParser;
  const diagnostics: Diagnostic[] = [];
  const bodies = new Map<IToken, Body>();
  const templates = new Map<IToken, Template>();
  const surroundings = { bodies, templates, docs: lexed.docs };

  /** Reads one line by one rule; undefined when it cannot be read. */
  const run = <T>(line: Line, rule: () => T): T | undefined => {
    if (diagnostics.length >= mostFound) return undefined;
    parser.surroundings = surroundings;
    parser.problems = [];
    parser.input = Array.from(line);
    const result = rule();
    const [error] = parser.errors;
    // A mistake that the grammar names itself stands before the one that it stumbled over.
    for (const p of parser.problems) diagnostics.push(errorAt(file, p.span, "syntax", p.message, p.details));
    if (error && parser.problems.length === 0) diagnostics.push(syntaxError(file, line, error));
    return error ? undefined : result;
  };

  const readInside = (line: Line): void => {
    for (const token of line) {
      const inside = layout.bodies.get(token);
      if (inside) bodies.set(token, { statements: inside.lines.flatMap((l) => statement(l) ?? []), span: inside.span });
    }
    if (line[0]?.tokenType !== Assert) return;
    for (const token of line) if (token.tokenType === StringLiteral) templates.set(token, template(token));
  };

  const template = (token: IToken): Template => {
    const { pieces, unclosed } = parseTemplate(token.image, token.startOffset);
    if (unclosed !== undefined) {
      const span = { start: unclosed, end: unclosed + 1 };
      const details = { label: "no `}` for it", help: "write `\\{` for a brace in the text" };
      diagnostics.push(errorAt(file, span, "syntax", "this `{` is never closed", details));
    }
    const parts = pieces.map((piece) => {
      if (typeof piece === "string") return piece;
      const inner = lex(file, piece.start, piece.end);
      diagnostics.push(...inner.diagnostics);
      const line = inner.tokens.map((t) => t.token);
      if (line.length > 0) return run(line, () => parser.embedded()) ?? missing(piece.start);
      const span = { start: piece.start - 1, end: piece.end + 1 };
      const help = "write the name of a value in the braces, or `\\{` for a brace";
      diagnostics.push(errorAt(file, span, "syntax", "nothing between the braces", { label: "expected a name", help }));
      return missing(piece.start);
    });
    return { parts, span: spanOfToken(token) };
  };

  const statement = (line: Line): Statement | undefined => {
    readInside(line);
    return run(line, () => parser.statement());
  };

  const train = (line: Line): Declaration | undefined => {
    const header = run(line, () => parser.trainHeader());
    const bodyToken = line.find((t) => t.tokenType === BodyToken);
    const inside = bodyToken && layout.bodies.get(bodyToken);
    const targets: Target[] = [];
    const entries: TrainEntry[] = [];
    for (const inner of inside?.lines ?? []) {
      readInside(inner);
      const read = run(inner, () => parser.trainLine());
      if (read?.kind === "target") targets.push(read.target);
      else if (read) entries.push(read.entry);
    }
    if (!header || !inside) return undefined;
    const start = line[0]!.startOffset;
    const doc = lexed.docs.get(start);
    const span = { start, end: inside.span.end };
    const documented = doc === undefined ? {} : { doc };
    return { kind: "train", ...documented, name: header.name, targets, entries, body: inside.span, span };
  };

  const declaration = (line: Line): Declaration | undefined => {
    const first = line[0]!;
    if (first.tokenType === Train) return train(line);
    if (declarationWords.get(first.image) !== first.tokenType) {
      diagnostics.push(strayLine(file, line));
      return undefined;
    }
    readInside(line);
    return run(line, () => parser.declaration());
  };

  return { declaration, diagnostics };
}

/** Orders what was found, leaves out what only follows from something else, and says how much more there is. */
function select(
  file: SourceFile,
  lexical: readonly Diagnostic[],
  brackets: readonly Diagnostic[],
  syntactic: readonly Diagnostic[],
): Diagnostic[] {
  const lineOf = (d: Diagnostic): number => positionOf(file, d.span.start).line;
  const odd = new Set(lexical.map(lineOf));
  const paired = brackets.filter((d) => !odd.has(lineOf(d)));
  // Where brackets do not pair, everything after is read wrongly.
  let sound = Number.POSITIVE_INFINITY;
  for (const { span, notes } of brackets)
    for (const place of [span, ...notes.map((n) => n.span)]) sound = Math.min(sound, place.start);
  const readable = syntactic.filter((d) => d.span.start < sound && !odd.has(lineOf(d)));
  const all = [...lexical, ...paired, ...readable].sort((a, b) => a.span.start - b.span.start);
  const seen = new Set<number>();
  const firsts = all.filter((d) => {
    const line = lineOf(d);
    const fresh = !seen.has(line);
    seen.add(line);
    return fresh;
  });
  if (firsts.length <= mostDiagnostics) return firsts;
  const shown = firsts.slice(0, mostDiagnostics);
  const last = shown.at(-1)!;
  const more = firsts.length - mostDiagnostics;
  return [
    ...shown.slice(0, -1),
    {
      ...last,
      help: `${last.help ? `${last.help}; ` : ""}${more}${more >= mostFound - mostDiagnostics ? " or more" : ""} other lines have mistakes too`,
    },
  ];
}
