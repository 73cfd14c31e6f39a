// What is generated from the standard library is up to date: `npm run generate` would change nothing.

import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { functionFamilies } from "../../src/dsl/functions/index.ts";
import { libraryNames } from "../../src/dsl/resolve.ts";
import { std } from "../../src/dsl/std.generated.ts";
import { nn } from "../../src/nn.generated.ts";

const folder = new URL("../../src/dsl/std/", import.meta.url);

describe("generated sources", () => {
  it("embed the library as it is", () => {
    const files = readdirSync(folder).filter((name) => name.endsWith(".dlm"));
    expect(Object.keys(std).sort()).toEqual(files.sort());
    for (const name of files) expect(std[name]).toBe(readFileSync(new URL(name, folder), "utf8"));
  });

  it("document every block and function", () => {
    const page = readFileSync(new URL("../../docs/library.md", import.meta.url), "utf8");
    const blocks = [...libraryNames()].flatMap(([name, { declaration }]) =>
      declaration.kind === "block" ? [name] : [],
    );
    const functions = functionFamilies().flatMap(([, family]) => family.map((f) => f.name));
    for (const name of [...blocks, ...functions]) expect(page).toContain(`### ${name}\n`);
  });

  it("wrap every layer, activation and loss", () => {
    const files = ["std/layers.dlm", "std/activations.dlm", "std/losses.dlm"];
    const inner = ["average"];
    for (const [name, { scope }] of libraryNames())
      if (files.includes(scope.file.name) && !inner.includes(name)) expect(Object.keys(nn)).toContain(name);
  });

  it("have a documentation for each declaration of the library", () => {
    for (const [name, { declaration }] of libraryNames()) expect(declaration.doc ?? "", name).not.toBe("");
  });
});
