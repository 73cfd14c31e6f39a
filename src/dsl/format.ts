// The formatter: the same program in the usual form. It moves tokens and comments, never changes one: blanks between tokens are
// set by rule, line breaks are kept where the writer put them, and lines that are too long are broken at their loosest
// operators (see format-breaks.ts).

import { cellsOf } from "../util/text.ts";
import type { Comment } from "./ast.ts";
import { DiagnosticError } from "./diagnostics.ts";
import { type Atom, atomsOf, type Sources, sourcesOf } from "./format-atoms.ts";
import { breakLongRow } from "./format-breaks.ts";
import { type Line, type Lines, layOut } from "./layout.ts";
import { lex } from "./lexer.ts";
import { parse } from "./parse.ts";
import * as kind from "./tokens.ts";

const step = 2;
/** Rows end at this column where they can; trailing comments do not count. */
const widest = 120;
/** Rows are broken again until they fit, at one more level of brackets each time. */
const mostRounds = 40;

/** A row of the result, and the atoms of its logical line that stand on it. */
interface Row {
  indent: number;
  text: string;
  comment: string;
  first: number;
  last: number;
}

interface OpenBracket {
  /** The indentation of the row on which it was opened, where its closer goes. */
  readonly row: number;
  /** The column at which rows inside begin. */
  readonly content: number;
  readonly hanging: boolean;
}

const widthOf = (text: string): number => {
  let sum = 0;
  for (const character of text) sum += cellsOf(character);
  return sum;
};

/**
 * The text of a program in its usual form: two blanks a level, one blank line at most, LF at the ends of lines. Formatting
 * twice changes nothing more, every comment stays, and the tree is the same.
 *
 * @throws DiagnosticError when the text is no program; it is never changed then.
 */
export function format(text: string, fileName: string): string {
  const file = { name: fileName, text };
  const { diagnostics } = parse(file);
  if (diagnostics.some((d) => d.severity === "error")) throw new DiagnosticError(diagnostics);
  const lexed = lex(file);
  const layout = layOut(file, lexed.tokens);
  const sources = sourcesOf(text, lexed, layout);
  const rows: string[] = [];
  pushLines(sources, { lines: layout.lines, span: { start: 0, end: text.length } }, 0, rows, true);
  return rows.length === 0 ? "" : `${rows.join("\n")}\n`;
}

const blanks = (count: number): string => " ".repeat(count);

/** The rows of a body, or of the file, with the comments that stand between its lines. */
function pushLines(sources: Sources, inside: Lines, indent: number, rows: string[], top: boolean): void {
  let first = true;
  const pushComments = (comments: readonly Comment[], part: boolean): void => {
    for (const [i, comment] of comments.entries()) {
      if (!first && (sources.blankBefore(comment.span.start) || (part && i === 0))) rows.push("");
      rows.push(blanks(indent) + comment.text);
      first = false;
    }
  };
  let previous: Line | undefined;
  for (const line of inside.lines) {
    const start = line[0]!.startOffset;
    const comments = sources.leading(start);
    // Declarations of several lines stand apart.
    const hasBody = (of: Line | undefined): boolean => of?.some((t) => t.tokenType === kind.Body) ?? false;
    const part = top && previous !== undefined && (hasBody(previous) || hasBody(line));
    pushComments(comments, part);
    if (!first && (sources.blankBefore(start) || (part && comments.length === 0))) rows.push("");
    first = false;
    rows.push(...rowsOf(sources, line, indent));
    previous = line;
  }
  pushComments(sources.leading(top ? Number.POSITIVE_INFINITY : inside.span.end - 1), false);
}

/** The rows of one logical line at `indent`. */
function rowsOf(sources: Sources, line: Line, indent: number): string[] {
  const atoms = atomsOf(sources, line);
  let rows = place(sources, atoms, indent);
  for (let round = 0; round < mostRounds; round++) {
    let changed = false;
    for (const row of rows) {
      const room = widest - row.indent - step;
      if (row.indent + widthOf(row.text) > widest && breakLongRow(atoms, row.first, row.last, room)) changed = true;
    }
    if (!changed) break;
    rows = place(sources, atoms, indent);
  }
  return rows.map((row) => (row.text === "" && row.comment === "" ? "" : blanks(row.indent) + row.text + row.comment));
}

/** Puts atoms on rows, breaking where they say so. */
function place(sources: Sources, atoms: readonly Atom[], indent: number): Row[] {
  const rows: Row[] = [];
  const open: OpenBracket[] = [];
  let row: Row = { indent, text: "", comment: "", first: 0, last: 0 };
  let column = indent;
  const next = (at: number, index: number): void => {
    rows.push(row);
    row = { indent: at, text: "", comment: "", first: index, last: index };
    column = at;
  };
  const write = (text: string): void => {
    row.text += text;
    column += widthOf(text);
  };

  for (const [index, atom] of atoms.entries()) {
    const closed = atom.closes ? open.pop() : undefined;
    const broken = index > 0 && (atom.breaks || atom.comments.length > 0 || row.comment !== "");
    if (broken) {
      const at = indentOf(atom, closed, open.at(-1), indent);
      for (const comment of atom.comments) {
        if (sources.blankBefore(comment.span.start)) next(at, index);
        next(closed ? at + step : at, index);
        row.comment = comment.text;
      }
      if (sources.blankBefore(atom.token.startOffset) && !closed) next(0, index);
      next(at, index);
    } else if (atom.space && index > 0) {
      write(" ");
    }
    row.last = index;
    if (atom.body) {
      const outer = open.length > 0 ? row.indent : indent;
      if (atom.inline) {
        const inner = rowsOf(sources, atom.body.lines[0]!, 0);
        write(`{ ${inner.join(" ")} }`);
      } else {
        const inside: string[] = [];
        pushLines(sources, atom.body, outer + step, inside, false);
        const comment = sources.trailing(atom.token.startOffset);
        if (inside.length === 0 && comment === "") write("{}");
        else {
          write("{");
          row.comment = comment;
          for (const text of inside) {
            next(0, index);
            row.text = text;
            // Rows of the body are already as they should be.
            row.last = -1;
          }
          next(outer, index);
          write("}");
        }
      }
    } else {
      write(atom.token.image);
    }
    if (atom.opens) {
      const following = atoms[index + 1];
      const hanging = following !== undefined && !following.breaks && following.comments.length === 0 && !atom.trailing;
      open.push({ row: row.indent, content: hanging ? column : row.indent + step, hanging });
    }
    if (atom.trailing) row.comment = atom.trailing;
  }
  rows.push(row);
  return rows;
}

/** The column of a row that begins with `atom`. */
function indentOf(
  atom: Atom,
  closed: OpenBracket | undefined,
  inside: OpenBracket | undefined,
  indent: number,
): number {
  if (closed) return closed.row;
  if (inside) return inside.content + (atom.infix && !inside.hanging ? step : 0);
  return atom.body || atom.token.tokenType === kind.Else ? indent : indent + step;
}
