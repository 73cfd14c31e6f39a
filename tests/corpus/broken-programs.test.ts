// Broken programs of every kind: each gets the right message at the right place, soon, and nothing else.

import { describe, expect, it } from "vitest";
import { compileBroken, patience, processorTime } from "./compile.ts";
import { imports } from "./imports.ts";
import { limits } from "./limits.ts";
import { names } from "./names.ts";
import { scans } from "./scans.ts";
import { shapes } from "./shapes.ts";
import { syntax } from "./syntax.ts";
import { training } from "./training.ts";
import { types } from "./types.ts";

const corpus = { names, shapes, scans, types, syntax, imports, limits, training };

describe.each(Object.entries(corpus))("%s", (_, programs) => {
  it.each(programs)("$name", (broken) => {
    const began = processorTime();
    const { found, expected, text } = compileBroken(broken);
    expect(processorTime() - began).toBeLessThan(patience);
    const [first] = found;
    expect({ count: found.length, code: first?.code }, text).toEqual({ count: 1, code: broken.code });
    expect(first?.message).toContain(broken.says);
    expect(first?.details, text).toContain(broken.mend ?? "");
    if (expected) expect(first?.place, text).toEqual(expected);
    // What a terminal shows stays short, however long the file.
    expect(Math.max(...text.split("\n").map((line) => line.length))).toBeLessThan(250);
  });
});

it("holds at least the 60 programs that were promised, no two alike", () => {
  const all = Object.values(corpus).flat();
  expect(all.length).toBeGreaterThanOrEqual(60);
  expect(new Set(all.map(({ program, files }) => JSON.stringify([program, files]))).size).toBe(all.length);
  expect(new Set(all.map(({ name }) => name)).size).toBe(all.length);
});
