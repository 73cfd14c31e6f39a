import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isNumericColumn, numericColumn, parseCsv, textColumn } from "../../src/formats/csv.ts";
import { FormatError } from "../../src/formats/format-error.ts";

const quote = (cell: string) => `"${cell.replaceAll('"', '""')}"`;

describe("csv", () => {
  it("reads quotes, commas and line ends in cells, and counts lines", () => {
    const csv = parseCsv('name,"a ""b"""\r\n"x,\ny",1\r\n\r\nz,2', "t.csv");
    expect(csv.header).toEqual(["name", 'a "b"']);
    expect(csv.rows).toEqual([
      { line: 2, cells: ["x,\ny", "1"] },
      { line: 5, cells: ["z", "2"] },
    ]);
  });

  it("reads back any table that is quoted by the rule", () => {
    const table = fc
      .integer({ min: 2, max: 5 })
      .chain((n) => fc.array(fc.array(fc.string(), { minLength: n, maxLength: n })));
    fc.assert(
      fc.property(table, fc.constantFrom("\n", "\r\n"), (rows, end) => {
        const width = rows[0]?.length ?? 2;
        const header = Array.from({ length: width }, (_, i) => `c${i}`);
        const text = [header, ...rows].map((cells) => cells.map(quote).join(",")).join(end);
        expect(parseCsv(text, "x").rows.map(({ cells }) => cells)).toEqual(rows);
      }),
    );
  });

  it("reads numbers and classes", () => {
    const csv = parseCsv("n,c\n 1.5 ,b\n-2e3,a\n", "x");
    expect(isNumericColumn(csv, 0)).toBe(true);
    expect(isNumericColumn(csv, 1)).toBe(false);
    expect(numericColumn(csv, 0)).toEqual(Float64Array.of(1.5, -2000));
    expect(textColumn(csv, 1)).toEqual(["b", "a"]);
  });

  const broken: [string, string, string][] = [
    ["nothing", "", "is empty"],
    ["a missing cell", "a,b\n1,2\n3\n", 'line 3 has no cell for "b"'],
    ["a cell too many", "a,b\n1,2,3\n", "line 2 has more cells than the header: 3 cells, not 2"],
    ["an empty name", "a,,c\n", "line 1: column 2 has no name"],
    ["a name twice", "a,b,a\n", 'line 1: two columns are named "a"'],
    ["an open quote", 'a,b\n1,"2\n', "line 2: a double quote is never closed"],
    ["a quote inside", 'a,b\n1,6" nail\n', "line 2: a double quote in the middle of cell 2"],
    ["a text after a quote", 'a,b\n"1"x,2\n', 'line 2: "x" after the closing quote'],
  ];
  it.each(broken)("refuses %s", (_, text, message) => {
    expect(() => parseCsv(text, "t.csv")).toThrow(FormatError);
    expect(() => parseCsv(text, "t.csv")).toThrow(`t.csv: ${message}`);
  });

  it("names line and column of an empty cell and of one that is not a number", () => {
    const csv = parseCsv("a,b\n1,2\n3,\n4,0x10\n", "t.csv");
    expect(() => numericColumn(csv, 1)).toThrow('t.csv: line 3, column "b": the cell is empty');
    const other = parseCsv("a,b\n1,2\n\n4,0x10\n", "t.csv");
    expect(() => numericColumn(other, 1)).toThrow('t.csv: line 4, column "b": "0x10" is not a number');
    expect(() => textColumn(csv, 1)).toThrow('line 3, column "b": the cell is empty');
  });

  it("takes a megabyte on one line", () => {
    expect(() => parseCsv("x".repeat(1 << 20), "t.csv")).not.toThrow();
    expect(() => parseCsv(`a\n${",".repeat(1 << 20)}`, "t.csv")).toThrow("more cells than the header");
  });
});
