// What is wrong with a program and where: the one form in which every part of the language reports mistakes, and how it is
// shown to people (the line with the place underlined) and to editors (JSON).

import { cellsOf, lineStarts, type Position, positionIn } from "../util/text.ts";
import type { SourceFile, Span } from "./ast.ts";

export { closest } from "../util/text.ts";

export type DiagnosticCode =
  | "syntax"
  | "name"
  | "type"
  | "shape"
  | "argument"
  | "import"
  | "recursion"
  | "assertion"
  | "gradient"
  | "train"
  | "limit";

/** A second place that belongs to the mistake: the open brace, the first definition. */
export interface DiagnosticNote {
  readonly file: SourceFile;
  readonly span: Span;
  readonly label: string;
}

export interface Diagnostic {
  readonly severity: "error" | "warning";
  readonly code: DiagnosticCode;
  /** What was found and what was expected, in the reader's own names; one line, no full stop. */
  readonly message: string;
  readonly file: SourceFile;
  readonly span: Span;
  /** Stands under the line, after the carets. */
  readonly label: string;
  readonly notes: readonly DiagnosticNote[];
  /** The mend, where there is one. */
  readonly help?: string;
}

/** What a caller has to say; the rest of a diagnostic has a usual value. */
export interface DiagnosticDetails {
  readonly label?: string;
  readonly notes?: readonly DiagnosticNote[];
  readonly help?: string | undefined;
}

/** An error at `span` of `file`. */
export function errorAt(
  file: SourceFile,
  span: Span,
  code: DiagnosticCode,
  message: string,
  details: DiagnosticDetails = {},
): Diagnostic {
  const { label = "", notes = [], help } = details;
  return { severity: "error", code, message, file, span, label, notes, ...(help === undefined ? {} : { help }) };
}

/** Thrown where a program cannot be understood any further; carries everything found so far. */
export class DiagnosticError extends Error {
  readonly diagnostics: readonly Diagnostic[];

  constructor(diagnostics: readonly Diagnostic[]) {
    super(renderDiagnostics(diagnostics));
    this.name = "DiagnosticError";
    this.diagnostics = diagnostics;
  }
}

// The starts of lines of a file are asked for by every node that is placed, so they are kept as long as the file is.
const startsOfFiles = new WeakMap<SourceFile, readonly number[]>();

function startsOf(file: SourceFile): readonly number[] {
  let starts = startsOfFiles.get(file);
  if (!starts) {
    starts = lineStarts(file.text);
    startsOfFiles.set(file, starts);
  }
  return starts;
}

/** Line and column of an offset in a file, both from 1. */
export const positionOf = (file: SourceFile, offset: number): Position =>
  positionIn(startsOf(file), Math.max(0, Math.min(offset, file.text.length)));

/** `mlp.dlm:6:22` */
export function placeOf(file: SourceFile, span: Span): string {
  const { line, column } = positionOf(file, span.start);
  return `${file.name}:${line}:${column}`;
}

/** Colours of a terminal; picocolors fits. */
export interface Colors {
  readonly red: (text: string) => string;
  readonly yellow: (text: string) => string;
  readonly blue: (text: string) => string;
  readonly cyan: (text: string) => string;
  readonly bold: (text: string) => string;
}

const same = (text: string): string => text;
const plain: Colors = { red: same, yellow: same, blue: same, cyan: same, bold: same };

/** Cells of a source line that are shown at most; longer lines are cut around the place. */
const widest = 120;
/** Cells of a message, label or help that are shown at most. */
const longestText = 160;

const clip = (text: string, limit = longestText): string => {
  const safe = Array.from(text.slice(0, 4 * limit), visible);
  return safe.length > limit ? `${safe.slice(0, limit - 1).join("")}…` : safe.join("");
};

/** A character as it can be shown on a terminal: tabs become two blanks, other control characters their pictures. */
function visible(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  if (character === "\t") return "  ";
  if (code < 0x20) return String.fromCodePoint(0x2400 + code);
  if (code === 0x7f) return "\u2421";
  if (code >= 0x80 && code < 0xa0) return "\ufffd";
  // Marks that turn the direction of text would shuffle the line.
  return /[\u202a-\u202e\u2066-\u2069\ud800-\udfff]/u.test(character) ? "\ufffd" : character;
}

const cells = (text: string): number => Array.from(text).reduce((sum, c) => sum + cellsOf(c), 0);
const show = (text: string): string => Array.from(text, visible).join("");

interface Excerpt {
  readonly line: number;
  readonly text: string;
  /** Cells before the place and cells that it takes. */
  readonly before: number;
  readonly under: number;
}

/** The line on which `span` begins, cut to at most `widest` cells around it. */
function excerptOf(file: SourceFile, span: Span): Excerpt {
  const starts = startsOf(file);
  const { line, column } = positionOf(file, span.start);
  const start = starts[line - 1]!;
  const nextStart = starts[line] ?? file.text.length;
  const offset = start + column - 1;
  // Looking no further than `widest` units to each side keeps lines of a megabyte cheap.
  const left = Math.max(start, offset - widest);
  const right = Math.min(nextStart, Math.max(offset, Math.min(span.end, offset + widest)) + widest);
  const before = show(file.text.slice(left, offset).replace(/^\ufeff/, ""));
  const place = show(file.text.slice(offset, Math.min(span.end, right)).replace(/[\r\n]+$/, ""));
  const after = show(file.text.slice(Math.min(Math.max(span.end, offset), right), right).replace(/[\r\n]+$/, ""));
  const whole = cells(before) + cells(place) + cells(after);
  if (whole <= widest && left === start && right === nextStart) {
    return { line, text: before + place + after, before: cells(before), under: Math.max(1, cells(place)) };
  }
  const beforeCut = cutStart(before, 40, left > start);
  const placeCut = cutEnd(place, 60, false);
  const room = widest - cells(beforeCut) - cells(placeCut);
  const afterCut = cells(place) > 60 ? "" : cutEnd(after, room, right < nextStart);
  return {
    line,
    text: beforeCut + placeCut + afterCut,
    before: cells(beforeCut),
    under: Math.max(1, cells(placeCut)),
  };
}

function cutEnd(text: string, limit: number, more: boolean): string {
  if (cells(text) <= limit && !more) return text;
  let kept = "";
  let used = 1;
  for (const character of text) {
    used += cellsOf(character);
    if (used > limit) break;
    kept += character;
  }
  return `${kept}…`;
}

const cutStart = (text: string, limit: number, more: boolean): string =>
  Array.from(cutEnd(Array.from(text).reverse().join(""), limit, more))
    .reverse()
    .join("");

/**
 * One diagnostic as text of several lines, without a final newline: the message, the place, the line with the place
 * underlined, further places, help.
 */
export function renderDiagnostic(diagnostic: Diagnostic, colors: Colors = plain): string {
  const { severity, code, file, span, notes, help } = diagnostic;
  const main = excerptOf(file, span);
  const shownNotes = notes.map((note) => ({ note, excerpt: excerptOf(note.file, note.span) }));
  const digits = Math.max(...[main, ...shownNotes.map((n) => n.excerpt)].map((e) => String(e.line).length));
  const bar = colors.blue(`${" ".repeat(digits + 2)}|`);
  const tint = severity === "error" ? colors.red : colors.yellow;

  const snippet = (excerpt: Excerpt, mark: string, label: string, color: (text: string) => string): string[] => {
    const number = colors.blue(` ${String(excerpt.line).padStart(digits)} |`);
    const carets = mark.repeat(excerpt.under) + (label ? ` ${clip(label, 100)}` : "");
    return [
      excerpt.text.trim() ? `${number} ${excerpt.text.trimEnd()}` : number,
      `${bar} ${" ".repeat(excerpt.before)}${color(carets)}`,
    ];
  };

  const lines = [
    `${colors.bold(tint(`${severity}[${code}]`))}${colors.bold(`: ${clip(diagnostic.message)}`)}`,
    `${colors.blue(`${" ".repeat(digits + 1)}-->`)} ${placeOf(file, span)}`,
    bar,
    ...snippet(main, "^", diagnostic.label, tint),
  ];
  for (const { note, excerpt } of shownNotes) {
    lines.push(`${colors.blue(`${" ".repeat(digits + 1)}:::`)} ${placeOf(note.file, note.span)}`, bar);
    lines.push(...snippet(excerpt, "-", note.label, colors.blue));
  }
  if (help !== undefined) {
    lines.push(bar, `${" ".repeat(digits + 2)}${colors.blue("=")} ${colors.cyan("help")}: ${clip(help)}`);
  }
  return lines.join("\n");
}

/** Several diagnostics, an empty line between them. */
export const renderDiagnostics = (diagnostics: readonly Diagnostic[], colors: Colors = plain): string =>
  diagnostics.map((diagnostic) => renderDiagnostic(diagnostic, colors)).join("\n\n");

/** A diagnostic as editors read it. Lines and columns count from 1; the end is exclusive. */
export interface JsonDiagnostic {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly endLine: number;
  readonly endColumn: number;
  readonly severity: "error" | "warning";
  readonly code: DiagnosticCode;
  readonly message: string;
  readonly label: string;
  readonly notes: readonly { file: string; line: number; column: number; message: string }[];
  readonly help?: string;
}

export function diagnosticToJson(diagnostic: Diagnostic): JsonDiagnostic {
  const { file, span, severity, code, message, label, notes, help } = diagnostic;
  const start = positionOf(file, span.start);
  const end = positionOf(file, Math.max(span.start, span.end));
  return {
    file: file.name,
    line: start.line,
    column: start.column,
    endLine: end.line,
    endColumn: end.column,
    severity,
    code,
    message,
    label,
    notes: notes.map((note) => ({
      file: note.file.name,
      ...positionOf(note.file, note.span.start),
      message: note.label,
    })),
    ...(help === undefined ? {} : { help }),
  };
}
