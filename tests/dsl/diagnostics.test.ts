// How diagnostics look, to people and to editors.

import { describe, expect, it } from "vitest";
import {
  closest,
  DiagnosticError,
  diagnosticToJson,
  errorAt,
  positionOf,
  renderDiagnostic,
  renderDiagnostics,
} from "../../src/dsl/diagnostics.ts";

const file = (text: string, name = "mlp.dlm") => ({ name, text });
const spanOf = (text: string, part: string) => ({ start: text.indexOf(part), end: text.indexOf(part) + part.length });

describe("renderDiagnostic", () => {
  it("shows the line, the place and the help, as the language promises", () => {
    const text = `${"\n".repeat(5)}  logits = image |> dense(128) |> relu |> dense(10)\n`;
    const diagnostic = errorAt(
      file(text),
      spanOf(text, "dense(128)"),
      "shape",
      "dense expects f32[...B, D] to end in a known size, and its kernel has 784 rows",
      {
        label: "image: f32[N, 28, 28, 1], whose last axis is 1",
        help: "put `flatten` before `dense`: f32[N, 784]",
      },
    );
    expect(renderDiagnostic(diagnostic)).toBe(
      [
        "error[shape]: dense expects f32[...B, D] to end in a known size, and its kernel has 784 rows",
        "  --> mlp.dlm:6:21",
        "   |",
        " 6 |   logits = image |> dense(128) |> relu |> dense(10)",
        "   |                     ^^^^^^^^^^ image: f32[N, 28, 28, 1], whose last axis is 1",
        "   |",
        "   = help: put `flatten` before `dense`: f32[N, 784]",
      ].join("\n"),
    );
  });

  it("shows further places, in other files too, with one gutter", () => {
    const main = file(`${"\n".repeat(9)}use(a)\n`);
    const other = file("const a = 1\n", "other.dlm");
    const notes = [{ file: other, span: { start: 6, end: 7 }, label: "declared here" }];
    const text = renderDiagnostic(errorAt(main, { start: 13, end: 14 }, "name", "wrong", { notes }));
    expect(text.split("\n")).toEqual([
      "error[name]: wrong",
      "   --> mlp.dlm:10:5",
      "    |",
      " 10 | use(a)",
      "    |     ^",
      "   ::: other.dlm:1:7",
      "    |",
      "  1 | const a = 1",
      "    |       - declared here",
    ]);
  });

  it("keeps carets under wide characters, combining marks and tabs", () => {
    const text = "\tx = 漢字 + e\u0301 + wrong";
    const lines = renderDiagnostic(errorAt(file(text), spanOf(text, "wrong"), "name", "m")).split("\n");
    expect(lines[3]).toBe(" 1 |   x = 漢字 + e\u0301 + wrong");
    // Two cells for the tab, four for the two ideographs, none for the accent.
    expect(lines[4]).toBe(`   | ${" ".repeat(2 + 4 + 4 + 3 + 1 + 3)}^^^^^`);
  });

  it("cuts long lines, messages and labels to what fits", () => {
    const text = `const x = "${"a".repeat(500_000)}" + wrong + "${"b".repeat(500_000)}"`;
    const long = "m".repeat(10_000);
    const rendered = renderDiagnostic(
      errorAt(file(text), spanOf(text, "wrong"), "name", long, { label: "here", help: long }),
    );
    const lines = rendered.split("\n");
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(200);
    const at = lines[3]!.indexOf("wrong");
    expect(lines[4]!.slice(at)).toBe("^^^^^ here");
    expect(lines[3]).toMatch(/^ 1 \| …a+" \+ wrong \+ "b+…$/);
  });

  it("shows control characters as pictures, so that a file cannot write to the terminal", () => {
    const text = "a \u001b[31m b\u0007";
    const rendered = renderDiagnostic(errorAt(file(text), { start: 0, end: 1 }, "syntax", "an \u001b[2J"));
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
    expect(rendered).not.toMatch(/[\u0000-\u0009\u000b-\u001f]/);
    expect(rendered).toContain("␛[31m");
  });

  it("marks a place of no width, at the end of the text and in an empty text", () => {
    expect(
      renderDiagnostic(errorAt(file("ab"), { start: 2, end: 2 }, "syntax", "m"))
        .split("\n")
        .slice(3),
    ).toEqual([" 1 | ab", "   |   ^"]);
    expect(
      renderDiagnostic(errorAt(file(""), { start: 0, end: 0 }, "syntax", "m"))
        .split("\n")
        .slice(3),
    ).toEqual([" 1 |", "   | ^"]);
  });

  it("underlines only the first line of a place of several", () => {
    const text = "f(\n  a\n)";
    const lines = renderDiagnostic(errorAt(file(text), { start: 0, end: text.length }, "type", "m")).split("\n");
    expect(lines.slice(3)).toEqual([" 1 | f(", "   | ^^"]);
  });

  it("colours what it is given colours for", () => {
    const mark = (name: string) => (text: string) => `<${name}>${text}</${name}>`;
    const colors = { red: mark("r"), yellow: mark("y"), blue: mark("b"), cyan: mark("c"), bold: mark("B") };
    const text = renderDiagnostic(errorAt(file("x"), { start: 0, end: 1 }, "name", "m", { help: "h" }), colors);
    expect(text).toContain("<B><r>error[name]</r></B>");
    expect(text).toContain("<c>help</c>: h");
  });
});

describe("JSON for editors", () => {
  it("counts lines and columns from 1 and ends exclusively", () => {
    const text = "a\r\nbcd\ne";
    const diagnostic = errorAt(file(text), { start: 4, end: 8 }, "type", "m", { help: "h", label: "l" });
    expect(diagnosticToJson(diagnostic)).toEqual({
      file: "mlp.dlm",
      line: 2,
      column: 2,
      endLine: 3,
      endColumn: 2,
      severity: "error",
      code: "type",
      message: "m",
      label: "l",
      notes: [],
      help: "h",
    });
  });
});

describe("positionOf", () => {
  it("understands all ends of lines, and offsets beyond the text", () => {
    const source = file("a\nb\r\nc\rd");
    expect([0, 2, 5, 7, 99].map((offset) => positionOf(source, offset))).toEqual([
      { line: 1, column: 1 },
      { line: 2, column: 1 },
      { line: 3, column: 1 },
      { line: 4, column: 1 },
      { line: 4, column: 2 },
    ]);
  });
});

describe("closest", () => {
  it("finds what was meant, and nothing where nothing is near", () => {
    const names = ["dense", "conv2d", "max_pool2d", "relu", "softmax"];
    expect(closest("dence", names)).toBe("dense");
    expect(closest("max_pol2d", names)).toBe("max_pool2d");
    expect(closest("Relu", names)).toBe("relu");
    expect(closest("sofmtax", names)).toBe("softmax");
    expect(closest("attention", names)).toBeUndefined();
    expect(closest("relu", ["relu"])).toBeUndefined();
    expect(closest("z", ["N", "x"])).toBeUndefined();
    expect(closest("x".repeat(1_000_000), names)).toBeUndefined();
  });
});

describe("DiagnosticError", () => {
  it("carries its diagnostics and says them all", () => {
    const list = ["one", "two"].map((message) => errorAt(file("x"), { start: 0, end: 1 }, "name", message));
    const error = new DiagnosticError(list);
    expect(error.diagnostics).toBe(list);
    expect(error.message).toBe(renderDiagnostics(list));
    expect(error.message.split("\n\n")).toHaveLength(2);
  });
});
