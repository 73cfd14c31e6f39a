// From text to tokens. Written by hand rather than by patterns, because most of it is about what people write by mistake:
// odd characters, open strings, numbers that run into names. Newlines are kept as a mark on the token that follows.

import type { IToken } from "chevrotain";
import { excerpt } from "../util/text.ts";
import type { Comment, SourceFile, Span } from "./ast.ts";
import { type Diagnostic, errorAt } from "./diagnostics.ts";
import { Identifier, makeToken, NumberLiteral, punctuation, reserved, StringLiteral } from "./tokens.ts";

/** More mistakes of one sort than this are not counted: the file is probably no program. */
export const mostFound = 200;

/** A token and how it stands on its line. */
export interface PlacedToken {
  readonly token: IToken;
  /** The first token of its line. */
  readonly first: boolean;
  /** Blanks before the line's first token. */
  readonly indent: number;
  /** A blank follows directly; tells `- y` from `-y` at the start of a line. */
  readonly blankAfter: boolean;
}

export interface Lexed {
  readonly tokens: readonly PlacedToken[];
  readonly comments: readonly Comment[];
  /** Documentation by the offset of the token that it stands directly above. */
  readonly docs: ReadonlyMap<number, string>;
  /** The documentation at the head of the text. */
  readonly headDoc?: string;
  readonly diagnostics: readonly Diagnostic[];
}

const space = /[^\S\r\n]+/y;
const comment = /\/\/[^\r\n]*/y;
const word = /[\p{ID_Start}_][\p{ID_Continue}]*/uy;
// `10%` is a share, but `10%3` and `10 % n` are remainders.
const number = /\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?:%(?![\p{ID_Continue}(."]))?/uy;
const blockComment = /\/\*[\s\S]*?(?:\*\/|[\r\n]|$)/y;
const sign = /\.\.\.|\.\.|\|>|->|\+=|==|!=|<=|>=|&&|\|\||\*\*|[()[\]{},:.=~!\-+<>*/%@]/y;
const odd = /[^\s\p{ID_Continue}"()[\]{},:.=~!\-+<>*/%@|&]+/uy;

/** What people write for something that the language writes otherwise. */
const mends: Readonly<Record<string, string>> = {
  "'": 'strings are written in double quotes: "text"',
  "“": 'strings are written in plain double quotes: "text"',
  "”": 'strings are written in plain double quotes: "text"',
  "`": 'strings are written in double quotes: "text"',
  ";": "a statement ends at the end of its line; leave out `;`",
  "#": "comments begin with `//`",
  "^": "powers are written `x ** 2`",
  "×": "products are written `*`",
  "·": "products are written `*`, contractions `@`",
  "−": "a minus is written `-`",
  "→": "write `->`",
  "≤": "write `<=`",
  "≥": "write `>=`",
  "≠": "write `!=`",
  "…": "write `...`",
  "?": "choose with `if`, or elementwise with `where(condition, a, b)`",
  "&": "write `&&`",
  "|": "write `||`, or `|>` to pass a value on",
};

/** Reads `file`, or the part of it from `from` to `to`. */
export function lex(file: SourceFile, from = 0, to = file.text.length): Lexed {
  const text = to === file.text.length ? file.text : file.text.slice(0, to);
  const tokens: PlacedToken[] = [];
  const comments: Comment[] = [];
  const docs = new Map<number, string>();
  const diagnostics: Diagnostic[] = [];
  let headDoc: string | undefined;
  let pendingDoc: string[] = [];
  let newlines = 0;
  let first = true;
  let lineStart = from;
  let indent = 0;
  let at = from;

  const match = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    return pattern.exec(text)?.[0];
  };
  const report = (span: Span, message: string, label: string, help?: string): void => {
    if (diagnostics.length < mostFound) diagnostics.push(errorAt(file, span, "syntax", message, { label, help }));
  };
  const flushDoc = (before?: number): void => {
    if (pendingDoc.length === 0) return;
    const doc = pendingDoc.join("\n");
    if (tokens.length === 0 && headDoc === undefined) headDoc = doc;
    if (before !== undefined) docs.set(before, doc);
    pendingDoc = [];
  };
  const push = (token: IToken): void => {
    flushDoc(token.startOffset);
    at = (token.endOffset ?? at) + 1;
    if (first) indent = token.startOffset - lineStart;
    const after = text[at];
    tokens.push({ token, first, indent, blankAfter: after === undefined || after === " " || /\s/.test(after) });
    first = false;
    newlines = 0;
  };

  if (at === 0 && text.startsWith("\ufeff")) {
    at = 1;
    lineStart = 1;
  }
  while (at < text.length) {
    const character = text[at]!;
    if (character === "\n" || character === "\r") {
      at += character === "\r" && text[at + 1] === "\n" ? 2 : 1;
      first = true;
      lineStart = at;
      newlines++;
      // An empty line parts documentation from what follows.
      if (newlines > 1) flushDoc();
      continue;
    }
    // Which patterns can match at all follows from the first character: a line may be a megabyte long.
    const code = text.charCodeAt(at);
    const exotic = code >= 128;
    const slash = character === "/";
    const letter = exotic || character === "_" || ((code | 32) >= 97 && (code | 32) <= 122);
    const blanks = exotic || code <= 32 ? match(space) : undefined;
    if (blanks !== undefined) {
      at += blanks.length;
      continue;
    }
    const note = slash ? match(comment) : undefined;
    if (note !== undefined) {
      const documentation = note.startsWith("///") && !note.startsWith("////");
      comments.push({ text: note.trimEnd(), documentation, span: { start: at, end: at + note.length } });
      if (documentation && first) pendingDoc.push(note.slice(3).trim());
      newlines = 0;
      at += note.length;
      continue;
    }
    const foreign = slash ? match(blockComment) : undefined;
    if (foreign !== undefined) {
      const help = "comments run from `//` to the end of the line";
      report({ start: at, end: at + 2 }, "`/*` begins no comment here", "not understood", help);
      at += foreign.replace(/[\r\n]$/, "").length;
      continue;
    }
    const name = letter ? match(word) : undefined;
    if (name !== undefined) {
      push(makeToken(reserved.get(name) ?? Identifier, name, at));
      continue;
    }
    const digits = code >= 48 && code <= 57 ? match(number) : undefined;
    if (digits !== undefined) {
      const start = at;
      push(makeToken(NumberLiteral, digits, at));
      const rest = digits.endsWith("%") ? undefined : match(word);
      if (rest !== undefined) {
        at += rest.length;
        const written = excerpt(digits + rest);
        const help = /^[eE]$/.test(rest) ? "an exponent has digits: `1e-3`" : "a name begins with a letter or `_`";
        report({ start, end: at }, `\`${written}\` is neither a number nor a name`, "not understood", help);
      } else if (!Number.isFinite(Number.parseFloat(digits))) {
        report({ start, end: at }, "this number is too large", "beyond 1.8e308");
      }
      continue;
    }
    if (character === '"') {
      const end = endOfString(text, at);
      const closed = end > at + 1 && text[end - 1] === '"' && !isEscaped(text, at, end - 1);
      const start = at;
      push(makeToken(StringLiteral, text.slice(at, end), at));
      if (!closed) {
        const help = 'put `"` where the string ends; a string stays on one line';
        report({ start, end }, "this string is not closed", 'no `"` before the end of the line', help);
      }
      continue;
    }
    const mark = match(sign);
    if (mark !== undefined) {
      push(makeToken(punctuation[mark]!, mark, at));
      continue;
    }
    const strange = match(odd) ?? character;
    const shown = Array.from(strange)[0] ?? character;
    const hexadecimal = (shown.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0");
    const visible = /[\p{L}\p{N}\p{P}\p{S}]/u.test(shown) ? `\`${shown}\`` : `the character U+${hexadecimal}`;
    const span = { start: at, end: at + strange.length };
    report(span, `${visible} has no meaning here`, "not understood", mends[shown]);
    at += strange.length;
  }
  flushDoc();
  return { tokens, comments, docs, diagnostics, ...(headDoc === undefined ? {} : { headDoc }) };
}

/** The offset after the string that begins at `start`: after its closing quote, or where its line ends. */
function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length) {
    const character = text[at];
    if (character === "\n" || character === "\r") return at;
    if (character === '"') return at + 1;
    at += character === "\\" && !/[\r\n]/.test(text[at + 1] ?? "\n") ? 2 : 1;
  }
  return Math.min(at, text.length);
}

function isEscaped(text: string, start: number, at: number): boolean {
  let slashes = 0;
  for (let i = at - 1; i > start && text[i] === "\\"; i--) slashes++;
  return slashes % 2 === 1;
}
