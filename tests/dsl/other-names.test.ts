// The names of other frameworks: each of ours exists, and who writes another's gets ours.

import { describe, expect, it } from "vitest";
import { compileSource } from "../../src/dsl/compile-source.ts";
import { builtins } from "../../src/dsl/functions/index.ts";
import { libraryDeclaration, libraryNames } from "../../src/dsl/library.ts";
import { helpFor, otherNames } from "../../src/dsl/other-names.ts";
import { entryNames } from "../../src/dsl/train-entries.ts";

const parameters = new Set(
  [...libraryNames()].flatMap((name) => {
    const declaration = libraryDeclaration(name)?.declaration;
    return declaration && declaration.kind !== "const" ? declaration.parameters.map(({ name }) => name.name) : [];
  }),
);
for (const { parameters: own } of builtins().values()) for (const { name } of own) parameters.add(name);
const callable = new Set([...libraryNames(), ...builtins().keys()]);

const helpOf = (expression: string): string | undefined => {
  const text = `model M(x: f32[N, 8, 8, 4]) -> (y: f32[N, 8, 8, 4]) {\n  y = ${expression}\n}`;
  return compileSource({ name: "test.dlm", text }, () => undefined).diagnostics[0]?.help;
};

describe("names of other frameworks", () => {
  it.each(Object.entries(otherNames))("%s is ours, and %j are not", (ours, theirs) => {
    expect(callable.has(ours) || parameters.has(ours) || entryNames.some((name) => name === ours)).toBe(true);
    for (const name of theirs) expect(callable.has(name), name).toBe(false);
  });

  it("are told in programs", () => {
    expect(helpOf("concat([x, x], 1)")).toBe("it is called `concatenate` here");
    expect(helpOf("x |> BatchNorm2d")).toBe("it is called `batch_norm` here");
    expect(helpOf("x |> Conv2D(4, 3)")).toBe("did you mean `conv2d`?");
    expect(helpOf("x |> conv2d(4, kernel_size: 3)")).toMatch(
      /^it is called `kernel` here; conv2d takes x, filters, kernel/,
    );
    expect(helpOf('einsum("ij,jk->ik", x, x)')).toContain("notation of indices");
  });

  it("give way to what is not there, and to names of the program", () => {
    expect(helpFor("cat", ["cast"])).toBe("did you mean `cast`?");
    expect(helpFor("linear", ["liner"])).toBe("did you mean `liner`?");
    expect(helpFor("zebra", ["dense"])).toBeUndefined();
    expect(helpFor("zebra", ["dense"], "there is dense")).toBe("there is dense");
  });
});
