// What is generated from the standard library is up to date: `npm run generate` would change nothing.

import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { functionFamilies } from "../../src/dsl/functions/index.ts";
import { libraryDeclaration, libraryNames } from "../../src/dsl/library.ts";
import { parse } from "../../src/dsl/parse.ts";
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
    const blocks = [...libraryNames()].filter((name) => libraryDeclaration(name)?.declaration.kind === "block");
    const functions = functionFamilies().flatMap(([, family]) => family.map((f) => f.name));
    for (const name of [...blocks, ...functions]) expect(page).toContain(`### ${name}\n`);
  });

  it("wrap every layer, activation and loss", () => {
    const files = ["std/layers.dlm", "std/activations.dlm", "std/losses.dlm"];
    const inner = ["average"];
    for (const name of libraryNames())
      if (files.includes(libraryDeclaration(name)!.scope.file.name) && !inner.includes(name))
        expect(Object.keys(nn)).toContain(name);
  });

  it("have a documentation for each declaration of the library", () => {
    for (const name of libraryNames()) expect(libraryDeclaration(name)?.declaration.doc ?? "", name).not.toBe("");
  });
});

describe("the library, read one declaration at a time", () => {
  it("is what its files say", () => {
    const whole = Object.entries(std).flatMap(
      ([name, text]) => parse({ name: `std/${name}`, text }).program.declarations,
    );
    const declared = whole.flatMap((one) => (one.kind === "import" || one.kind === "train" ? [] : [one]));
    expect([...libraryNames()]).toEqual(declared.map(({ name }) => name.name));
    for (const one of declared) expect(libraryDeclaration(one.name.name)?.declaration).toEqual(one);
  });
});
