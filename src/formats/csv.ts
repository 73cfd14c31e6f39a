// Comma-separated values, read strictly by RFC 4180: a header line, then rows of as many cells. Every complaint names the
// line and the column, because a table of a thousand lines is mended by hand.

import { excerpt, FormatError } from "./format-error.ts";

export interface Csv {
  readonly file: string;
  /** Names of the columns, distinct and not empty. */
  readonly header: readonly string[];
  readonly rows: readonly CsvRow[];
}

export interface CsvRow {
  /** Counted from 1, the header being line 1 (unless it spans several). */
  readonly line: number;
  /** As many as the header has. */
  readonly cells: readonly string[];
}

/** Reads a table with a header. Throws a FormatError that names `file`, line and column. */
export function parseCsv(text: string, file: string): Csv {
  const [first, ...rows] = splitRecords(text, file);
  const header = csvHeader(first, file);
  for (const row of rows) checkCells(row, header, file);
  return { file, header, rows };
}

/** The names of the columns, from the first record. Throws a FormatError. */
export function csvHeader(first: CsvRow | undefined, file: string): string[] {
  if (!first) throw new FormatError(file, "is empty", "the first line names the columns: width,height,label");
  const header = first.cells.map((name) => name.trim());
  header.forEach((name, i) => {
    if (name === "") {
      throw new FormatError(
        file,
        `line ${first.line}: column ${i + 1} has no name`,
        "name each column in the first line",
      );
    }
    if (header.indexOf(name) !== i) {
      throw new FormatError(file, `line ${first.line}: two columns are named ${excerpt(name)}`, "rename one of them");
    }
  });
  return header;
}

/** Throws a FormatError where a row has not as many cells as the header. */
export function checkCells({ line, cells }: CsvRow, header: readonly string[], file: string): void {
  if (cells.length === header.length) return;
  const few = cells.length < header.length;
  const what = few ? `no cell for ${excerpt(header[cells.length]!)}` : "more cells than the header";
  const help = few ? "add the missing cells" : 'put a cell that holds a comma between double quotes: "a, b"';
  throw new FormatError(file, `line ${line} has ${what}: ${cells.length} cells, not ${header.length}`, help);
}

/**
 * Fields and lines by RFC 4180; line ends are CRLF, LF or CR; lines without any text are passed over.
 * @param first the number of the text's first line in the file
 */
export function splitRecords(text: string, file: string, first = 1): CsvRow[] {
  const records: CsvRow[] = [];
  let cells: string[] = [];
  let line = first;
  let startLine = first;
  let at = 0;
  const endRecord = (): void => {
    if (cells.length > 1 || cells[0] !== "") records.push({ line: startLine, cells });
    cells = [];
  };
  while (at < text.length) {
    if (cells.length === 0) startLine = line;
    if (text[at] === '"') {
      const field = quotedField(text, at, file, line);
      cells.push(field.value);
      line += field.lines;
      at = field.end;
    } else {
      const start = at;
      while (at < text.length && !",\r\n".includes(text[at]!)) {
        if (text[at] === '"') {
          const what = `line ${line}: a double quote in the middle of cell ${cells.length + 1}`;
          throw new FormatError(file, what, 'quote the whole cell and double the quotes in it: "6"" nail"');
        }
        at++;
      }
      cells.push(text.slice(start, at));
    }
    const c = text[at];
    if (c === ",") {
      at++;
      // A comma at the very end is followed by one more, empty cell.
      if (at < text.length) continue;
      cells.push("");
    }
    if (c === "\r" && text[at + 1] === "\n") at++;
    if (c === "\r" || c === "\n") at++;
    endRecord();
    line++;
  }
  return records;
}

function quotedField(text: string, start: number, file: string, line: number) {
  let value = "";
  let at = start + 1;
  for (;;) {
    const quote = text.indexOf('"', at);
    if (quote < 0) {
      throw new FormatError(file, `line ${line}: a double quote is never closed`, "add the closing quote");
    }
    value += text.slice(at, quote);
    at = quote + 1;
    if (text[at] !== '"') break;
    value += '"';
    at++;
  }
  if (at < text.length && !",\r\n".includes(text[at]!)) {
    const what = `line ${line}: ${excerpt(text[at]!)} after the closing quote of a cell`;
    throw new FormatError(file, what, "a comma or the end of the line belongs there");
  }
  const lines = value.match(/\r\n|\r|\n/g)?.length ?? 0;
  return { value, end: at, lines };
}

const numeric = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

export const isNumericCell = (cell: string): boolean => numeric.test(cell.trim());

/** Whether a column holds numbers: true if any cell is one (the others are then mistakes), false for text alone. */
export function isNumericColumn(csv: Csv, column: number): boolean {
  return csv.rows.some(({ cells }) => isNumericCell(cells[column]!));
}

/** The numbers of a column. Throws a FormatError at the first cell that is empty or not a number. */
export function numericColumn(csv: Csv, column: number): Float64Array {
  return Float64Array.from(csv.rows, ({ line, cells }) => {
    const cell = cells[column]!;
    if (isNumericCell(cell)) return Number(cell);
    throw badCell(csv.file, line, csv.header[column]!, cell);
  });
}

/** What is wrong with a cell that should be a number, or a text. */
export function badCell(file: string, line: number, column: string, cell: string): FormatError {
  const at = `line ${line}, column ${excerpt(column)}`;
  return cell.trim() === ""
    ? new FormatError(file, `${at}: the cell is empty`, "fill it in or remove the line")
    : new FormatError(file, `${at}: ${excerpt(cell)} is not a number`, "correct the cell or remove the line");
}

/** The texts of a column, as classes. Throws a FormatError at the first empty cell. */
export function textColumn(csv: Csv, column: number): string[] {
  return csv.rows.map(({ line, cells }) => {
    const cell = cells[column]!.trim();
    if (cell !== "") return cell;
    throw badCell(csv.file, line, csv.header[column]!, cell);
  });
}
