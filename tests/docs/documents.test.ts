// The documentation is true: its programs compile, its commands exist, its links and the files that it names are there.

import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { compile } from "../../src/compile.ts";
import { compileSource } from "../../src/dsl/compile-source.ts";
import { renderDiagnostics } from "../../src/dsl/diagnostics.ts";
import { parse } from "../../src/dsl/parse.ts";
import { type Block, blocksOf, describePlace, documents, root } from "./blocks.ts";

// Generated pages show signatures, which are no programs.
const written = documents().filter(
  (document) => !readFileSync(join(root, document), "utf8").startsWith("<!-- Generated"),
);
const blocks = written.flatMap(blocksOf);
const named = (language: string): readonly (readonly [string, Block])[] =>
  blocks.filter((block) => block.language === language).map((block) => [describePlace(block), block] as const);

describe("programs compile", () => {
  test.each(named("dlm"))("%s", (_, block) => {
    const file = { name: block.file, text: block.text };
    if (!/^model /m.test(block.text)) {
      expect(renderDiagnostics(parse(file).diagnostics)).toBe("");
      return;
    }
    const { module, diagnostics } = compileSource(file, () => undefined);
    expect(renderDiagnostics(diagnostics)).toBe("");
    expect(module && compile(module).programs.programs.size).toBe(module?.graphs.size);
  });
});

describe("commands exist", () => {
  const scripts: unknown = JSON.parse(readFileSync(join(root, "package.json"), "utf8")).scripts;
  test.each(named("sh"))("%s", (_, { text }) => {
    for (const line of text.trim().split("\n")) {
      const [program, first = "", second = ""] = line.trim().split(/\s+/);
      if (program === "npm") expect(scripts).toHaveProperty([first === "run" ? second : first]);
      else if (program === "npx" && first === "dlm")
        expect(existsSync(join(root, "src/cli", `${second}.ts`))).toBe(true);
      else expect.fail(`nothing checks the command ${line}`);
    }
  });
});

describe("links lead somewhere", () => {
  test.each(documents())("%s", (document) => {
    // Code is full of brackets that are no links.
    const text = readFileSync(join(root, document), "utf8").replaceAll(/```[\s\S]*?```|`[^`\n]*`/g, "");
    const targets = [...text.matchAll(/\]\(([^)#]+)(?:#[^)]*)?\)/g)].map((match) => match[1]!);
    const local = targets.filter((target) => !/^[a-z]+:/.test(target));
    const missing = local.filter((target) => !existsSync(join(root, dirname(document), target)));
    expect(missing).toEqual([]);
  });
});

describe("files that are named exist", () => {
  test.each(["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"])("%s", (document) => {
    const text = readFileSync(join(root, document), "utf8");
    const paths = [...text.matchAll(/`((?:src|tests|tools|docs|models|bin)\/[\w./-]+|\.ci\/run|\.[\w-]+\.cjs)`/g)];
    expect(paths.length).toBeGreaterThan(0);
    expect(paths.map((match) => match[1]!).filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });
});
