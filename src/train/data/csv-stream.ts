// A table larger than memory: read through once, for the places of its rows, the kinds of its columns and their classes. After that the
// rows are read from the file when a batch asks for them.

import type { DataCall, Setting } from "../../dsl/training-plan.ts";
import { badCell, checkCells, csvHeader, isNumericCell, splitRecords } from "../../formats/csv.ts";
import { decodeUtf8 } from "../../formats/format-error.ts";
import { columnFinder } from "./csv-source.ts";
import { type ComputedColumn, type Dataset, datasetOf } from "./dataset.ts";
import type { OpenFile } from "./files.ts";

/** What the first reading learns of a column. */
interface Kind {
  numeric: boolean;
  whole: boolean;
  /** The first cell that is no number: a mistake if the column turns out to hold numbers. */
  text?: { readonly line: number; readonly cell: string };
  readonly names: Set<string>;
}

/** Rows that are kept in memory: more than batches have. */
const mostRecent = 8192;

/** As readTable of csv-source.ts, of a file that stays on the disk. */
export function streamTable(
  call: DataCall,
  file: OpenFile,
  only: Setting | undefined,
  named: Readonly<Record<string, Setting>>,
  block = usualBlock,
): Dataset {
  const { header, kinds, starts } = scan(file, block);
  const find = columnFinder(call, header, file.path);
  const wanted = only === undefined ? named : { ...named, [String(only)]: only };
  const sources = Object.entries(wanted).map(([name, source]) => ({ name, at: find(String(source)) }));
  for (const [at, { numeric, text }] of kinds.entries()) {
    const isNamed = sources.some((source) => source.at === at);
    const wrong = isNamed ? numeric || text?.cell.trim() === "" : only === undefined && numeric;
    if (wrong && text) throw badCell(file.path, text.line, header[at]!, text.cell);
  }
  const rows = starts.length - 1;
  // The columns of a batch are asked for one after the other: its rows are read for the first, and kept for the others.
  const recent = new Map<number, readonly string[]>();
  const cellsOf = (row: number): readonly string[] => {
    const known = recent.get(row);
    if (known) return known;
    const text = decodeUtf8(file.read(starts[row]!, starts[row + 1]!), file.path);
    const { cells } = splitRecords(text, file.path)[0]!;
    if (recent.size >= mostRecent) recent.clear();
    recent.set(row, cells);
    return cells;
  };
  const columnOf = (
    dtype: "f32" | "i32",
    places: readonly number[],
    value: (cell: string, at: number) => number,
    shape: readonly number[],
  ): ComputedColumn => ({
    dtype,
    shape: [rows, ...shape],
    fill: (wanted, into) => {
      for (let i = 0; i < wanted.length; i++) {
        const cells = cellsOf(wanted[i]!);
        for (const [j, at] of places.entries()) into[i * places.length + j] = value(cells[at]!, at);
      }
    },
  });
  const columns: Record<string, ComputedColumn> = {};
  const classes: Record<string, readonly string[]> = {};
  for (const { name, at } of sources) {
    const { numeric, whole, names } = kinds[at]!;
    if (numeric) columns[name] = columnOf(whole ? "i32" : "f32", [at], Number, []);
    else {
      const sorted = [...names].sort();
      const numbers = new Map(sorted.map((text, i) => [text, i]));
      classes[name] = sorted;
      columns[name] = columnOf("i32", [at], (cell) => numbers.get(cell.trim())!, []);
    }
  }
  const rest = header.flatMap((_, at) =>
    kinds[at]!.numeric && !sources.some((source) => source.at === at) ? [at] : [],
  );
  if (only === undefined && rest.length > 0 && !Object.hasOwn(columns, "features")) {
    columns.features = columnOf("f32", rest, Number, [rest.length]);
  }
  return datasetOf(call, columns, classes);
}

function scan(file: OpenFile, block: number) {
  let header: string[] | undefined;
  let kinds: Kind[] = [];
  const starts: number[] = [];
  for (const { start, line, bytes } of recordsOf(file, block)) {
    const [record] = splitRecords(decodeUtf8(bytes, file.path), file.path, line);
    if (!record) continue;
    if (!header) {
      header = csvHeader(record, file.path);
      kinds = header.map(() => ({ numeric: false, whole: true, names: new Set() }));
      continue;
    }
    checkCells(record, header, file.path);
    starts.push(start);
    for (const [i, cell] of record.cells.entries()) note(kinds[i]!, cell, record.line);
  }
  return { header: header ?? csvHeader(undefined, file.path), kinds, starts: [...starts, file.size] };
}

function note(kind: Kind, cell: string, line: number): void {
  if (isNumericCell(cell)) {
    kind.numeric = true;
    const value = Number(cell);
    kind.whole &&= (value | 0) === value;
    return;
  }
  if (!kind.text || (kind.text.cell.trim() !== "" && cell.trim() === "")) kind.text = { line, cell };
  if (!kind.numeric) kind.names.add(cell.trim());
}

/** How much is read at once in the first reading. */
const usualBlock = 1 << 20;
const [quote, lineFeed, carriageReturn] = [0x22, 0x0a, 0x0d];

/** The bytes of each record with its line end, its place in the file and its line. Line ends between quotes end nothing. */
function* recordsOf(file: OpenFile, block: number): Generator<{ start: number; line: number; bytes: Uint8Array }> {
  let pending = new Uint8Array();
  let [start, line, startLine] = [0, 1, 1];
  let quoted = false;
  let scanned = 0;
  for (let at = 0; at < file.size || pending.length > 0; ) {
    const more = file.read(at, Math.min(file.size, at + block));
    at += more.length;
    const bytes = new Uint8Array(pending.length + more.length);
    bytes.set(pending);
    bytes.set(more, pending.length);
    const last = at >= file.size;
    let from = 0;
    for (let i = scanned; i < bytes.length; i++) {
      const byte = bytes[i]!;
      if (byte === quote) quoted = !quoted;
      const ends =
        byte === lineFeed || (byte === carriageReturn && bytes[i + 1] !== lineFeed && (i + 1 < bytes.length || last));
      if (ends) line++;
      if (!ends || quoted) continue;
      yield { start: start + from, line: startLine, bytes: bytes.subarray(from, i + 1) };
      from = i + 1;
      startLine = line;
    }
    if (last) {
      if (from < bytes.length) yield { start: start + from, line: startLine, bytes: bytes.subarray(from) };
      return;
    }
    // A carriage return at the end of a block waits for what follows it.
    const waits = bytes.at(-1) === carriageReturn ? 1 : 0;
    pending = bytes.slice(from);
    start += from;
    scanned = pending.length - waits;
  }
}
