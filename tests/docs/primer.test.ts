// docs/primer.md is true: its programs learn, and `dlm inspect` shows what the text says.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { dlm, temporaryFolder } from "../cli/dlm.ts";
import { blocksOf, describePlace, root } from "./blocks.ts";

const primer = "docs/primer.md";
const programs = readdirSync(join(root, "models")).filter((name) => name.endsWith(".dlm"));
const folder = temporaryFolder();

/** Numbers of nodes change with every pass; what they are made of should not. */
const plain = (line: string): string => line.trim().replaceAll(/%\d+/g, "%");

describe("inspect shows what stands in the text", () => {
  const shown = blocksOf(primer).filter(({ language }) => language.startsWith("text inspect "));
  expect(shown.length).toBeGreaterThan(8);
  test.each(shown.map((block) => [describePlace(block), block] as const))("%s", async (_, { language, text }) => {
    const [, , file = "", ...options] = language.split(" ");
    const { code, stdout, stderr } = await dlm("inspect", join(root, file), ...options);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const lines = stdout.split("\n").map(plain);
    let from = 0;
    let anywhere = true;
    for (const line of text.trim().split("\n").map(plain)) {
      if (line === "…") {
        anywhere = true;
        continue;
      }
      const found = lines.findIndex((candidate, i) => i >= from && candidate.includes(line));
      expect(found, `${line} stands after line ${from}`).toBeGreaterThanOrEqual(0);
      if (!anywhere) expect(found, `${line} comes next`).toBe(from);
      from = found + 1;
      anywhere = false;
    }
  });
});

describe("every program is in the text, and learns", () => {
  test.each(programs)("%s", async (name) => {
    expect(readFileSync(join(root, primer), "utf8")).toContain(`](../models/${name})`);
    // Short, but long enough to see the loss fall: by steps, as epochs may be one step or a hundred.
    const given = ["--limit", "320", "--epochs", "15", "--json", "--steps", "--no-report", "--threads", "1"];
    const { code, stdout, stderr } = await dlm(
      "train",
      join(root, "models", name),
      ...given,
      "--out",
      join(folder, name),
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const losses = stdout
      .trim()
      .split("\n")
      .map((line): { event: string; loss: number } => JSON.parse(line))
      .flatMap(({ event, loss }) => (event === "step" ? [loss] : []));
    const tenth = Math.ceil(losses.length / 10);
    const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
    expect(mean(losses.slice(-tenth))).toBeLessThan(0.9 * mean(losses.slice(0, tenth)));
  });
});
