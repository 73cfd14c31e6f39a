// The formatter: idempotent, keeps comments and meaning, and leaves well-set programs alone.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DiagnosticError } from "../../src/dsl/diagnostics.ts";
import { format } from "../../src/dsl/format.ts";
import { parse } from "../../src/dsl/parse.ts";
import { programs } from "./programs.ts";
import { commentsOf, meaningOf } from "./tree.ts";

const shared = process.env.DLM_SHARED ?? fileURLToPath(new URL("../../../shared", import.meta.url));
const library = fileURLToPath(new URL("../../src/dsl/std", import.meta.url));
const own = fileURLToPath(new URL("../../models", import.meta.url));

const filesIn = (folder: string): string[] =>
  existsSync(folder)
    ? readdirSync(folder)
        .filter((name) => name.endsWith(".dlm"))
        .map((name) => join(folder, name))
    : [];

function check(text: string): string {
  const before = parse({ name: "before.dlm", text });
  expect(before.diagnostics).toEqual([]);
  const once = format(text, "before.dlm");
  const after = parse({ name: "after.dlm", text: once });
  expect(after.diagnostics, once).toEqual([]);
  expect(meaningOf(after.program), once).toEqual(meaningOf(before.program));
  expect(commentsOf(after.program), once).toEqual(commentsOf(before.program));
  expect(format(once, "after.dlm")).toBe(once);
  return once;
}

describe("format", () => {
  it.skipIf(filesIn(join(shared, "models")).length === 0)("leaves the normative programs as they are written", () => {
    for (const path of filesIn(join(shared, "models"))) {
      const text = readFileSync(path, "utf8");
      expect(check(text), path).toBe(text);
    }
  });

  it("keeps the meaning and the comments of the library and of our models", () => {
    for (const path of [...filesIn(library), ...filesIn(own)]) check(readFileSync(path, "utf8"));
  });

  it("is idempotent, and keeps comments and meaning, on random programs", () => {
    fc.assert(
      fc.property(programs, (text) => {
        check(text);
      }),
      { numRuns: 400 },
    );
  });

  it("sets blanks, indentation and empty lines", () => {
    const text =
      "import {a,b as c,} from './x.dlm'\n".replaceAll("'", '"') +
      "const   v=[1,2,   -3]\r\n\r\n\r\n\r\nblock f(x:f32[...B,4*H],n:int=3)->f32[...B,n]{\n" +
      "y=x[:,-1,::2,1:n+1]@ -x\n\n\n\n  if !a&&b{y=-y}\n  for i in 0..n-1 {\n}\n  y|>relu\n\n}\nblock g(x)=sum(e)(x[e])";
    expect(check(text)).toBe(
      [
        'import { a, b as c } from "./x.dlm"',
        "const v = [1, 2, -3]",
        "",
        "block f(x: f32[...B, 4 * H], n: int = 3) -> f32[...B, n] {",
        "  y = x[:, -1, ::2, 1:n + 1] @ -x",
        "",
        "  if !a && b { y = -y }",
        "  for i in 0..n - 1 {}",
        "  y |> relu",
        "}",
        "",
        "block g(x) = sum(e) (x[e])",
        "",
      ].join("\n"),
    );
  });

  it("breaks long pipes before each stage, long calls at their arguments, and fills lists of numbers", () => {
    const pipe = ["x", ...Array(6).fill("conv2d(32, kernel: 3, stride: 2)")].join(" |> ");
    const call = `f(${Array(12).fill("argument: number").join(", ")})`;
    const list = `[${Array(60).fill("1").join(", ")}]`;
    const out = check(`block f(x) {\n  y = ${pipe}\n  y = ${call}\n  y = ${list}\n}\n`).split("\n");
    expect(out.slice(1, 4)).toEqual([
      "  y = x",
      "    |> conv2d(32, kernel: 3, stride: 2)",
      "    |> conv2d(32, kernel: 3, stride: 2)",
    ]);
    expect(out.slice(8, 10)).toEqual(["  y = f(", "    argument: number,"]);
    expect(out.slice(20, 23)).toEqual(["    argument: number", "  )", "  y = ["]);
    // 38 and 22 of the 60 numbers, three columns each.
    expect(out.slice(23, 25).map((line) => line.length)).toEqual([4 + 38 * 3 - 1, 4 + 22 * 3 - 2]);
    expect(Math.max(...out.map((line) => line.length))).toBeLessThanOrEqual(120);
  });

  it("keeps comments inside expressions, bodies and lists of parameters", () => {
    const text = [
      "// head",
      "",
      "block f(",
      "  x: f32[N], // the input",
      "  /// how many",
      "  n: int = 3",
      ") { // open",
      "  // first",
      "  y = x // here",
      "    // then",
      "    |> dense(n)   // last",
      "  if a {",
      "    y = 1",
      "  } // otherwise",
      "  else {",
      "    // nothing",
      "  }",
      "  // end",
      "}",
      "// foot",
      "",
    ].join("\n");
    expect(check(text)).toBe(text);
  });

  it("refuses a program with mistakes and says which", () => {
    expect(() => format("block f(x) {\n", "broken.dlm")).toThrow(DiagnosticError);
  });

  it("gives nothing for nothing", () => {
    expect(format("", "empty.dlm")).toBe("");
    expect(format("\ufeff\r\n\r\n", "empty.dlm")).toBe("");
    expect(format("// a", "comment.dlm")).toBe("// a\n");
  });
});
