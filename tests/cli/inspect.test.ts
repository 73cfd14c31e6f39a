// dlm check, fmt and inspect: what they print, and when they fail. UPDATE=1 renews the golden output.

import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { defaultPipeline } from "../../src/compile.ts";
import { dlm, temporaryFolder } from "./dlm.ts";
import { digits, xor } from "./models.ts";

const folder = temporaryFolder();
const path = (name: string): string => join(folder, name);
const golden = (name: string): string => join(import.meta.dirname, "golden", name);

beforeAll(() => {
  writeFileSync(path("xor.dlm"), xor);
  writeFileSync(path("digits.dlm"), digits);
  writeFileSync(path("wrong.dlm"), xor.replace("dense(8)", "dence(8)"));
  writeFileSync(path("unclosed.dlm"), xor.replace("dense(8)", "dense(8"));
});

const shown = async (...args: string[]): Promise<string> => {
  const { code, stdout, stderr } = await dlm("inspect", ...args);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return stdout;
};

describe("dlm check", () => {
  it("says that nothing is wrong", async () => {
    expect(await dlm("check", path("xor.dlm"))).toMatchObject({ code: 0, stderr: "" });
    expect((await dlm("check", path("xor.dlm"))).stdout).toMatch(/xor\.dlm: no problems found in Xor\n$/);
    expect(JSON.parse((await dlm("check", path("xor.dlm"), "--json")).stdout)).toEqual([]);
  });

  it("says what is wrong, and where", async () => {
    const { code, stdout, stderr } = await dlm("check", path("wrong.dlm"));
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr.split("\n").map((line) => line.replace(/--> .*\//, "--> "))).toEqual([
      "error[name]: there is no dence",
      "  --> wrong.dlm:3:17",
      "   |",
      " 3 |   logits = x |> dence(8) |> tanh |> dense(1)",
      "   |                 ^^^^^",
      "   |",
      "   = help: did you mean `dense`?",
      "",
    ]);
  });

  it("tells editors the same in JSON", async () => {
    const { code, stdout, stderr } = await dlm("check", path("wrong.dlm"), "--json");
    expect({ code, stderr }).toEqual({ code: 1, stderr: "" });
    expect(JSON.parse(stdout)).toEqual([
      {
        file: expect.stringMatching(/wrong\.dlm$/),
        line: 3,
        column: 17,
        endLine: 3,
        endColumn: 22,
        severity: "error",
        code: "name",
        message: "there is no dence",
        label: "",
        notes: [],
        help: "did you mean `dense`?",
      },
    ]);
  });

  it.each([
    ["missing.dlm", "there is no file"],
    [".", "is a folder"],
  ])("says that %s cannot be read", async (name, what) => {
    const { code, stdout, stderr } = await dlm("check", path(name));
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toContain(what);
  });
});

describe("dlm fmt", () => {
  const untidy = `${xor.replace("  logits = x |> dense(8)", "      logits=x|>dense( 8 ) ")}\n\n\n// the end`;

  it("lays out a program once, and leaves it alone from then on", async () => {
    writeFileSync(path("untidy.dlm"), untidy);
    expect(await dlm("fmt", "--check", path("untidy.dlm"))).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(/^not formatted: .*untidy\.dlm\n$/),
    });
    expect(readFileSync(path("untidy.dlm"), "utf8")).toBe(untidy);
    expect(await dlm("fmt", path("untidy.dlm"))).toMatchObject({ code: 0 });
    const tidy = readFileSync(path("untidy.dlm"), "utf8");
    expect(tidy).toBe(`${xor}\n// the end\n`);
    const { mtimeMs } = statSync(path("untidy.dlm"));
    expect(await dlm("fmt", path("untidy.dlm"))).toEqual({ code: 0, stdout: "", stderr: "" });
    expect(await dlm("fmt", "--check", path("untidy.dlm"), path("digits.dlm"))).toMatchObject({ code: 0, stdout: "" });
    expect(statSync(path("untidy.dlm")).mtimeMs).toBe(mtimeMs);
  });

  it("prints instead of writing with --stdout", async () => {
    writeFileSync(path("untidy.dlm"), untidy);
    expect(await dlm("fmt", "--stdout", path("untidy.dlm"))).toMatchObject({ code: 0, stdout: `${xor}\n// the end\n` });
    expect(readFileSync(path("untidy.dlm"), "utf8")).toBe(untidy);
  });

  it("never changes what is no program", async () => {
    const before = readFileSync(path("unclosed.dlm"));
    const { code, stderr } = await dlm("fmt", path("unclosed.dlm"));
    expect(code).toBe(1);
    expect(stderr).toContain("this `(` is never closed");
    expect(readFileSync(path("unclosed.dlm"))).toEqual(before);
  });
});

describe("dlm inspect", () => {
  it("prints the IR and a summary, as in golden/xor.txt", async () => {
    const text = (await shown(golden("xor.dlm"))).replaceAll(/\/\/ \S*xor\.dlm:/g, "// xor.dlm:");
    if (process.env.UPDATE) writeFileSync(golden("xor.txt"), text);
    expect(text).toBe(readFileSync(golden("xor.txt"), "utf8"));
  });

  it("summarises parameters, flops, bytes, kernels and memory", async () => {
    const text = await shown(path("digits.dlm"));
    // 49·32 + 32 + 32·10 + 10 weights; the running statistics are none.
    expect(text).toContain("parameters   1,930 in 4 tensors");
    const [, before, after] = /kernels +(\d+) before fusion, (\d+) after/.exec(text) ?? [];
    expect(Number(after)).toBeLessThan(Number(before));
    const [, peak, bound] = /arena peak +([\d.]+ kB), lower bound ([\d.]+ kB)/.exec(text) ?? [];
    expect(Number.parseFloat(peak!)).toBeGreaterThanOrEqual(Number.parseFloat(bound!));
    expect(text).toMatch(/flops +[\d,]+ +/);
    expect(text).toMatch(/bytes moved +/);
  });

  it("shows each graph", async () => {
    expect(await shown(path("xor.dlm"), "--graph", "train_step")).toContain("graph @train_step(");
    expect(await shown(path("xor.dlm"), "--graph", "init")).toContain("graph @init(");
    const { code, stderr } = await dlm("inspect", path("xor.dlm"), "--graph", "training");
    expect(code).toBe(1);
    expect(stderr).toContain("has no graph training");
    expect(stderr).toContain("it has init, infer, train_step, eval_step, metrics");
  });

  it("shows the IR after one pass, and after each", async () => {
    const before = await shown(path("xor.dlm"), "--graph", "train_step", "--after", "differentiate");
    expect(before).not.toContain("fusion(");
    expect(await shown(path("xor.dlm"), "--after", "fuse")).toContain("fusion(");
    const all = await shown(path("xor.dlm"), "--all");
    const headings = [...all.matchAll(/^\/\/ after (\S+)$/gm)].map(([, pass]) => pass);
    expect(headings).toEqual(defaultPipeline.split(","));
    const { code, stderr } = await dlm("inspect", path("xor.dlm"), "--after", "fusion");
    expect(code).toBe(1);
    expect(stderr).toContain("the pipeline has no pass fusion");
    expect(stderr).toContain("its passes are differentiate, hoist-scans, canonicalize");
  });

  it("shows kernels and generated code", async () => {
    expect(await shown(path("xor.dlm"), "--kernels")).toMatch(/^kernel \w+\(N, read x: f32\[2\*N\]/m);
    const source = await shown(path("xor.dlm"), "--source");
    expect(source).toMatch(/function \w+\(/);
    expect(source).toMatch(/ tanh\(/);
  });

  it("takes another pipeline, and says what is wrong with one", async () => {
    const plain = await shown(path("xor.dlm"), "--pipeline", "differentiate,decompose,fuse,plan-memory");
    expect(plain).toContain("graph @infer(");
    const { code, stderr } = await dlm("inspect", path("xor.dlm"), "--pipeline", "differentiate,fuze");
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: expect.stringContaining("there is no pass fuze; the passes are differentiate"),
    });
  });
});
