// The documentation is true: its programs compile, its commands exist, its links and the files that it names are there.

import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import ts from "typescript";
import { describe, expect, test } from "vitest";
import { compile } from "../../src/compile.ts";
import { compileSource } from "../../src/dsl/compile-source.ts";
import { renderDiagnostics } from "../../src/dsl/diagnostics.ts";
import { parse } from "../../src/dsl/parse.ts";
import { graphsIn } from "../../src/ir/kernel/program.ts";
import { type Block, blocksOf, describePlace, documents, root } from "./blocks.ts";

// Generated pages show signatures, which are no programs.
const written = documents().filter(
  (document) => !readFileSync(join(root, document), "utf8").startsWith("<!-- Generated"),
);
const blocks = written.flatMap(blocksOf);
const named = (language: string): readonly (readonly [string, Block])[] =>
  blocks.filter((block) => block.language === language).map((block) => [describePlace(block), block] as const);

const readJson = (file: string): Record<string, unknown> => JSON.parse(readFileSync(join(root, file), "utf8"));

describe("programs compile", () => {
  test.each(named("dlm"))("%s", (_, block) => {
    const file = { name: block.file, text: block.text };
    if (!/^model /m.test(block.text)) {
      expect(renderDiagnostics(parse(file).diagnostics)).toBe("");
      return;
    }
    const { module, diagnostics } = compileSource(file, () => undefined);
    expect(renderDiagnostics(diagnostics)).toBe("");
    expect(module && graphsIn(compile(module).programs).length).toBe(module?.graphs.size);
  });
});

describe("commands exist", () => {
  const { scripts } = readJson("package.json");
  test.each(named("sh"))("%s", (_, { text }) => {
    for (const line of text.trim().split("\n")) {
      const [program, first = "", second = ""] = line.trim().split(/\s+/);
      if (program === "npm") expect(scripts).toHaveProperty([first === "run" ? second : first]);
      else if (program === "npx" && first === "dlm" && ["check", "fmt", "inspect"].includes(second)) runDlm(line);
      else if (program === "npx" && first === "dlm")
        expect(existsSync(join(root, "src/cli", `${second}.ts`))).toBe(true);
      else expect.fail(`nothing checks the command ${line}`);
    }
  });
});

/** Commands that only read are run; those that train and write are looked up. */
function runDlm(line: string): void {
  const words = line.replace(/#.*/, "").trim().split(/\s+/).slice(2);
  const { status, stderr } = spawnSync(process.execPath, ["bin/dlm.mjs", ...words], { cwd: root, encoding: "utf8" });
  expect(stderr).toBe("");
  expect(status).toBe(0);
}

describe("TypeScript checks and runs", () => {
  const found = named("ts");
  test.skipIf(found.length === 0)("the types hold", () => {
    const options: ts.CompilerOptions = {
      ...ts.convertCompilerOptionsFromJson(readJson("tsconfig.json").compilerOptions, root).options,
      paths: { dlm: [join(root, "src/index.ts")] },
      noUnusedLocals: false,
    };
    const host = ts.createCompilerHost(options);
    const sources = new Map(found.map(([, { text }], i) => [join(root, `document-${i}.ts`), text]));
    const { getSourceFile, fileExists, readFile } = host;
    host.fileExists = (file) => sources.has(file) || fileExists.call(host, file);
    host.readFile = (file) => sources.get(file) ?? readFile.call(host, file);
    host.getSourceFile = (file, target, ...rest) => {
      const text = sources.get(file);
      return text === undefined
        ? getSourceFile.call(host, file, target, ...rest)
        : ts.createSourceFile(file, text, target);
    };
    const problems = ts.getPreEmitDiagnostics(ts.createProgram([...sources.keys()], options, host));
    expect(ts.formatDiagnostics(problems, host)).toBe("");
  });

  test.each(found)("%s", (_, { text }) => {
    const url = pathToFileURL(join(root, "src/index.ts")).href;
    const module = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ES2022, verbatimModuleSyntax: true };
    const code = ts.transpile(text.replaceAll(/from "dlm"/g, `from "${url}"`), module);
    const args = ["--import", "tsx", "--input-type=module", "-"];
    const runs = spawnSync(process.execPath, args, { cwd: root, input: code, encoding: "utf8" });
    expect(runs.stderr).toBe("");
    expect(runs.status).toBe(0);
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
