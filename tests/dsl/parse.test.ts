// The parser: trees of every construct, where statements end, and what each mistake says and where.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { positionOf } from "../../src/dsl/diagnostics.ts";
import { DlmParser } from "../../src/dsl/grammar-declarations.ts";
import { parse } from "../../src/dsl/parse.ts";
import { patience, processorTime } from "../corpus/compile.ts";
import { brief, meaningOf } from "./tree.ts";

const shared = process.env.DLM_SHARED ?? fileURLToPath(new URL("../../../shared", import.meta.url));
const models = join(shared, "models");

const read = (text: string) => parse({ name: "test.dlm", text });

function statementsOf(text: string): string[] {
  const { program, diagnostics } = read(`block f(x) {\n${text}\n}`);
  expect(diagnostics).toEqual([]);
  const [block] = program.declarations;
  return block?.kind === "block" ? block.body.statements.map(brief) : [];
}
const expressionOf = (text: string): string => statementsOf(text)[0]!.replace(/^\(expression (.*)\)$/s, "$1");

describe("the grammar", () => {
  it("says each thing in one way, and ends", () => {
    expect(() => new DlmParser(true)).not.toThrow();
  });
});

describe("expressions", () => {
  it.each([
    [
      "1 + 2 * 3 ** 2 ** -1",
      "(binary operator=+ 1 (binary operator=* 2 (binary operator=** 3 (binary operator=** 2 (unary operator=- operand=1)))))",
    ],
    ["-x ** 2 @ w", "(binary operator=@ (unary operator=- operand=(binary operator=** x 2)) w)"],
    ["a - b - c", "(binary operator=- (binary operator=- a b) c)"],
    [
      "!a && b || c == 1",
      "(binary operator=|| (binary operator=&& (unary operator=! operand=a) b) (binary operator=== c 1))",
    ],
    ["0..n - 1", "(range from=0 to=(binary operator=- n 1))"],
    [
      "x + 1 |> dense(3, bias: false) |> relu as h",
      "(pipe input=(pipe input=(binary operator=+ x 1) stage=(call callee=dense arguments=[(3) (name=bias false)])) stage=relu as=h)",
    ],
    [
      "x[:, -1, ..., 0:3, ::2, 1:]",
      "(index target=x items=[(slice) (at (unary operator=- operand=1)) (ellipsis) (slice from=0 to=3) (slice step=2) (slice from=1)])",
    ],
    [
      "(a, [1, 10%, 1e-3], 'n t', true)".replaceAll("'", '"'),
      '(tuple items=[a (list items=[1 0.1 0.001]) "n t" true])',
    ],
    [
      "sum(e) q[n, e] * k[e] / sqrt(E) + 1",
      "(binary operator=+ (reduction name=sum indices=[e] body=(binary operator=/ (binary operator=* (index target=q items=[(at n) (at e)]) (index target=k items=[(at e)])) (call callee=sqrt arguments=[(E)]))) 1)",
    ],
    [
      "softmax(s) (a[s] + b[s])",
      "(reduction name=softmax indices=[s] body=(binary operator=+ (index target=a items=[(at s)]) (index target=b items=[(at s)])))",
    ],
    [
      "10%3 + 10 % n - 5%",
      "(binary operator=- (binary operator=+ (binary operator=% 10 3) (binary operator=% 10 n)) 0.05)",
    ],
    ["f(x).probs", "(member target=(call callee=f arguments=[(x)]) name=probs)"],
    [
      "größe |> layers[0](2)",
      "(pipe input=größe stage=(call callee=(index target=layers items=[(at 0)]) arguments=[(2)]))",
    ],
    ['"a\\n\\"\\\\\\u{41}"', JSON.stringify('a\n"\\A')],
  ])("%s", (text, tree) => {
    expect(expressionOf(text)).toBe(tree);
  });

  it("tells int from float literals", () => {
    const { program } = read("const a = [3, 3.0, 3%, 1e2]");
    const [first] = program.declarations;
    const items = first?.kind === "const" && first.value.kind === "list" ? first.value.items : [];
    expect(items.map((item) => item.kind === "number" && item.integer)).toEqual([true, false, false, false]);
  });
});

describe("statements", () => {
  it.each([
    ["q, k, v = split(x, 3)", "(assign names=[q k v] (call callee=split arguments=[(x) (3)]))"],
    ["s[n, t] = x", "(indexed-assign name=s indices=[n t] x)"],
    [
      "param w: f32[D, 4 * H] ~ zeros",
      "(param name=w type=(tensor element=f32 dims=[(size D) (size (binary operator=* 4 H))]) initializer=zeros)",
    ],
    ["param w: T[...S] ~ zeros", "(param name=w type=(tensor element=T dims=[(spread name=S)]) initializer=zeros)"],
    ["state v = zeros_like(w)", "(state name=v (call callee=zeros_like arguments=[(w)]))"],
    ["state s: f32[] = 0", "(state name=s type=(tensor element=f32 dims=[]) 0)"],
    ["update v = w", "(update name=v w)"],
    ["total c: f32[K] += hit", "(total name=c type=(tensor element=f32 dims=[(size K)]) hit)"],
    [
      "if a { 1 } else if b { 2 } else { 3 }",
      "(if branches=[(condition=a body=(statements=[(expression 1)])) (condition=b body=(statements=[(expression 2)]))] otherwise=(statements=[(expression 3)]))",
    ],
    ["for i in 0..n { x }", "(for name=i over=(range from=0 to=n) body=(statements=[(expression x)]))"],
    ["repeat n { x }", "(repeat count=n body=(statements=[(expression x)]))"],
    ["repeat(x, 2)", "(expression (call callee=repeat arguments=[(x) (2)]))"],
    [
      'assert D == 1, "D = {D}, \\{{H + 1}"',
      "(assert condition=(binary operator=== D 1) message=(parts=[D =  D , { (binary operator=+ H 1)]))",
    ],
    [
      "ys = scan g in xw along 1 reversed carry h, c {\n yield h\n }",
      "(assign names=[ys] (scan names=[g] sources=[xw] axis=1 reversed=true recompute=false carry=[h c] body=(statements=[(yield h)])))",
    ],
  ])("%s", (text, tree) => {
    expect(statementsOf(text)).toEqual([tree]);
  });

  it("lets words of the language be names where they cannot be meant", () => {
    expect(statementsOf("state = 1\nparam = state\nfrom = carry\nmodel(optimizer)\nscan = total").length).toBe(5);
  });

  it("ends a statement at the end of its line, unless the next line goes on", () => {
    expect(statementsOf("x\n- y")).toEqual(["(expression (binary operator=- x y))"]);
    expect(statementsOf("x\n-y")).toEqual(["(expression x)", "(expression (unary operator=- operand=y))"]);
    expect(statementsOf("x\n(y)")).toEqual(["(expression x)", "(expression y)"]);
    expect(statementsOf("x\n[y]")).toEqual(["(expression x)", "(expression (list items=[y]))"]);
    expect(statementsOf("y = f(\n1\n)\n  // a comment\n  |> g")).toHaveLength(1);
    expect(statementsOf("if a { 1 }\nelse { 2 }")).toHaveLength(1);
    expect(statementsOf("  y =\n    x\n    |> f")).toHaveLength(1);
    expect(statementsOf("train(x,\n y)\nf(a, b)")).toHaveLength(2);
  });
});

describe("declarations", () => {
  it("reads blocks, models, constants, imports and train", () => {
    const { program, diagnostics } = read(
      [
        "/// The file.",
        'import { a, b as c } from "./x.dlm"',
        "const k = 3",
        "/// One",
        "/// block.",
        "block dense(x: f32[...B, D], /// not documentation of what follows",
        "  units: int = 3,",
        "  /// How it begins.",
        "  init: initializer = zeros,",
        ") -> (f32[N], int[2]) = x",
        "optimizer sgd(w, g, lr: float) = w",
        "model M(x: f32[N]) -> (y: f32[N], z: f32[]) { y = x }",
        "train M {",
        "  target label: i32[N]",
        "  early_stop: val_loss, patience: 3",
        "  metrics: f(y), g(y)",
        "}",
      ].join("\n"),
    );
    expect(diagnostics).toEqual([]);
    expect(program.doc).toBe("The file.");
    expect(program.declarations.map((d) => brief(d).replace(/ body=\(start=\d+ end=\d+\)/, ""))).toEqual([
      '(import names=[(name=a local=a) (name=b local=c)] path="./x.dlm")',
      "(const name=k 3)",
      "(block role=block doc=One\nblock. name=dense parameters=[(name=x type=(tensor element=f32 dims=[(spread name=B) (size D)])) (name=units type=(named name=int) default=3) (doc=How it begins. name=init type=(named name=initializer) default=zeros)] result=(tuple items=[(tensor element=f32 dims=[(size N)]) (list element=int length=2)]) body=(statements=[(expression x)]))",
      "(block role=optimizer name=sgd parameters=[(name=w) (name=g) (name=lr type=(named name=float))] body=(statements=[(expression w)]))",
      "(model name=M parameters=[(name=x type=(tensor element=f32 dims=[(size N)]))] outputs=[(name=y type=(tensor element=f32 dims=[(size N)])) (name=z type=(tensor element=f32 dims=[]))] body=(statements=[(assign names=[y] x)]))",
      "(train name=M targets=[(name=label type=(tensor element=i32 dims=[(size N)]))] entries=[(name=early_stop values=[val_loss] options=[(name=patience 3)]) (name=metrics values=[(call callee=f arguments=[(y)]) (call callee=g arguments=[(y)])] options=[])])",
    ]);
  });

  it("reads the same from CRLF, with a BOM, and without a final newline", () => {
    const text = 'block f(x) {\n  // why\n  y = x\n    |> g("a")\n  y\n}\nconst a = 1';
    const expected = meaningOf(read(text).program);
    const other = read(`\ufeff${text.replaceAll("\n", "\r\n")}`);
    expect(other.diagnostics).toEqual([]);
    expect(meaningOf(other.program)).toEqual(expected);
  });

  it("keeps the place of every node", () => {
    const text = "const größe = (a |> dense(3))\n";
    const [declaration] = read(text).program.declarations;
    const value = declaration?.kind === "const" && declaration.value.kind === "pipe" ? declaration.value : undefined;
    expect([declaration?.span, value?.span, value?.stage.span].map((s) => text.slice(s?.start, s?.end))).toEqual([
      "const größe = (a |> dense(3))",
      "(a |> dense(3))",
      "dense(3)",
    ]);
  });

  it.skipIf(!existsSync(models))("reads the normative programs", () => {
    const files = readdirSync(models).filter((name) => name.endsWith(".dlm"));
    expect(files.length).toBeGreaterThan(10);
    for (const name of files) {
      const { diagnostics } = parse({ name, text: readFileSync(join(models, name), "utf8") });
      expect(diagnostics, name).toEqual([]);
    }
  });
});

const inBlock = (line: string): string => `block f(x: f32[N, D]) {\n${line}\n}\n`;

describe("mistakes", () => {
  it.each<[string, string, RegExp, RegExp?]>([
    [
      inBlock("  y = x +"),
      "2:10",
      /expected an expression after `\+`, found the end of the line/,
      /next one begins with `\+`/,
    ],
    [inBlock("  y =\n  z = 2"), "2:6", /expected an expression after `=`/, /further in/],
    [inBlock("  y ="), "2:6", /expected an expression after `=`/],
    [inBlock("  y = (x + 1"), "2:7", /this `\(` is never closed/],
    [inBlock("  y = [1, 2\n  z = 3"), "2:7", /this `\[` is never closed/],
    [inBlock("  y = x)"), "2:8", /this `\)` closes nothing/],
    [inBlock("  y = [1, 2)"), "2:12", /`\)` does not fit `\[`/],
    [inBlock("  y = x y"), "2:9", /expected the end of the line after `x`, found `y`/],
    [inBlock("  y = f(a b)"), "2:11", /expected `\)` after `a`/, /separated by `,`/],
    [inBlock("  y = f(a = 1)"), "2:11", /a named argument is written with `:`/, /`a: …`/],
    [inBlock("  y = f(a: 1, 2)"), "2:15", /an argument without a name stands after one with a name/],
    [inBlock("  y = f(1,,2)"), "2:11", /expected an expression after `,`/],
    [inBlock("  param w: f32[D] = zeros"), "2:19", /expected `~` after `\]`, found `=`/, /initializer/],
    [inBlock("  param w: f32[D]"), "2:18", /expected `~`/, /~ zeros/],
    [inBlock("  param : f32[D] ~ zeros"), "2:9", /expected a name after `param`/],
    [inBlock("  parm w: f32[D] ~ zeros"), "2:3", /no statement begins with `parm`/, /did you mean `param`/],
    [inBlock("  total c: f32[] = x"), "2:18", /expected `\+=`/],
    [inBlock("  x += 1"), "2:5", /found `\+=`/, /only a `total`/],
    [inBlock("  return x"), "2:10", /found `x`/, /leave out `return`/],
    [inBlock("  y: f32[N] = x"), "2:4", /found `:`/, /only `param`, `state` and `total` are given a type/],
    [inBlock("  if x = 3 { y }"), "2:8", /expected `\{` after `x`, found `=`/, /compare with `==`/],
    [inBlock("  if x == 3\n  y = 2"), "2:12", /expected `\{` after `3`/, /braces/],
    [inBlock("  for i 0..3 { }"), "2:9", /expected `in` after `i`/],
    [inBlock("  y = a and b"), "2:9", /found `and`/, /write `&&`/],
    [inBlock("  y = a < b < c"), "2:13", /comparisons cannot be chained/],
    [inBlock("  y = x |> 3"), "2:12", /what follows `\|>` must be a block/],
    [inBlock("  y = x |> relu + 1"), "2:12", /what follows `\|>` must be a block/, /\(x \|> relu\) \+ y/],
    [inBlock("  |> relu"), "2:3", /expected a statement, found `\|>`/],
    [inBlock("  f(x) = 3"), "2:3", /left side of `=` must be a name/],
    [inBlock("  a, b"), "2:3", /several values are put in parentheses/],
    [inBlock("  s[0, n] = x"), "2:5", /names its indices/],
    [inBlock("  y = 3x"), "2:7", /`3x` is neither a number nor a name/],
    [inBlock('  y = "abc'), "2:7", /this string is not closed/],
    [inBlock("  y = 'abc'"), "2:7", /`'` has no meaning here/, /double quotes/],
    [inBlock("  y = x; z = 1"), "2:8", /`;` has no meaning here/],
    [inBlock("  y = x[]"), "2:9", /expected an index or a slice/],
    [inBlock("  y = .5"), "2:7", /expected an expression/, /`0\.5`/],
    [inBlock("  scan g in xs carry h { yield g }"), "2:16", /expected `along`/],
    [inBlock('  assert x == 1, "a {x"'), "2:21", /this `\{` is never closed/],
    [inBlock('  assert x == 1, "a {x +}"'), "2:25", /expected an expression after `\+`, found `\}`/],
    [inBlock("  y = x × 2"), "2:9", /`×` has no meaning here/, /`\*`/],
    [inBlock("  y = 2(x)"), "2:7", /a number cannot be called/],
    ["block f(x: f32[...]) = x", "1:19", /expected a name after `\.\.\.`/],
    ["block f(x f32[N]) = x", "1:11", /expected `\)` after `x`/, /`x: f32`/],
    ["block f(x: f32[N])", "1:19", /expected `=` or `\{` after `\)`/],
    ["blok f(x) = x", "1:1", /expected a declaration, found `blok`/, /did you mean `block`/],
    ["block f(x) {\n  y = 1\n", "1:12", /this `\{` is never closed/],
    ["block f(x) {\n  y = 1\n}}\n", "3:2", /this `\}` closes nothing/],
    ["block f(x) {\n  if a {\n    y = 1\n  y\n}\nblock g(x) = x", "2:8", /this `\{` is never closed/],
    ["block f(x) {\n  y = 1\nblock g(x) = x", "1:12", /this `\{` is never closed/],
    ["model M(x: f32[N]) -> f32[N] { y = x }", "1:23", /expected `\(` after `->`/, /outputs by name/],
    ["x = 3", "1:1", /expected a declaration, found `x`/, /const x/],
    ['import a from "b"', "1:8", /expected `\{` after `import`/],
    ["train M {\n  epochs = 3\n}", "2:10", /expected `:` after `epochs`, found `=`/],
    ["train M {\n  target label\n}", "2:15", /expected `:` after `label`/],
    ["const x = 1\0", "1:12", /not a text file/],
  ])("%j", (text, place, message, help) => {
    const file = { name: "broken.dlm", text };
    const { diagnostics } = parse(file);
    expect(diagnostics.map((d) => d.message)).toHaveLength(1);
    const [first] = diagnostics;
    const { line, column } = positionOf(file, first!.span.start);
    expect(`${line}:${column}`).toBe(place);
    expect(first!.message).toMatch(message);
    if (help) expect(first!.help).toMatch(help);
  });

  it("reports the mistakes of several lines, and reads the rest", () => {
    const { program, diagnostics } = read(
      "block f(x) {\n  y = x +\n  z = 1\n  w = = 2\n}\nblock g(x) = x x\nmodel M(x: f32[N]) -> (y: f32[N]) {\n  y = x\n}",
    );
    expect(diagnostics.map((d) => positionOf(d.file, d.span.start).line)).toEqual([2, 4, 6]);
    expect(program.declarations.map((d) => d.kind)).toEqual(["block", "model"]);
  });

  it("says how many more mistakes there are after twenty", () => {
    const { diagnostics } = read(`block f(x) {\n${"  y = +\n".repeat(50)}}`);
    expect(diagnostics).toHaveLength(20);
    expect(diagnostics.at(-1)?.help).toMatch(/30 other lines/);
  });

  it("says where the open brace is and where it was missed", () => {
    const [first] = read("block f(x) {\n  y = 1\nblock g(x) = x").diagnostics;
    expect(first?.notes.map((n) => positionOf(n.file, n.span.start))).toEqual([{ line: 3, column: 1 }]);
  });
});

describe("hostile input", () => {
  const megabyte = 1_000_000;
  it.each<[string, string, RegExp | undefined]>([
    ["a sum of half a million terms", `const x = ${"a + ".repeat(megabyte / 4)}a`, /too many operators/],
    ["a long list", `const x = [${"1, ".repeat(megabyte / 3)}1]`, undefined],
    ["a long name", "a".repeat(megabyte), /expected a declaration/],
    ["10,000 nested parentheses", `const x = ${"(".repeat(10_000)}${")".repeat(10_000)}`, /nested too deeply/],
    ["10,000 nested braces", `block f(x) ${"{ if a ".repeat(10_000)}`, /nested too deeply/],
    [
      "deep, but within every limit of its own",
      `const x = ${"(".repeat(90)}1${`${" + 1".repeat(450)})`.repeat(90)}`,
      /nested too deeply/,
    ],
    ["an open string", `const x = "${"a".repeat(megabyte)}`, /not closed/],
    ["odd characters", "§ ".repeat(megabyte / 2), /no meaning/],
    ["odd characters on lines of their own", "§\n".repeat(megabyte / 2), /no meaning/],
    ["closing brackets", ")".repeat(megabyte), /closes nothing/],
    ["signs", `const x = ${"-".repeat(megabyte)}1`, /too many operators/],
    ["powers", `const x = 1${" ** 2".repeat(megabyte / 5)}`, /too many operators/],
    ["indices", `const x = a${"[0]".repeat(megabyte / 3)}`, /too many operators/],
    ["quotes", '"'.repeat(megabyte), /expected a declaration/],
    ["colons", `const x = f(a${":".repeat(megabyte)}`, /never closed/],
    [
      "bytes",
      Array.from({ length: 100_000 }, (_, i) => String.fromCharCode((i * 7919) % 256)).join(""),
      /not a text file/,
    ],
  ])("%s", (_, text, message) => {
    const started = processorTime();
    const { diagnostics } = read(text);
    expect(processorTime() - started).toBeLessThan(patience);
    expect(diagnostics.length).toBeLessThanOrEqual(20);
    if (message) expect(diagnostics[0]?.message).toMatch(message);
    else expect(diagnostics).toEqual([]);
  });

  it("parses a hundred brackets", () => {
    expect(read(`const x = ${"f([".repeat(50)}1${"])".repeat(50)}`).diagnostics).toEqual([]);
  });
});
