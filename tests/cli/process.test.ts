// The real command, as a process of its own: exit codes, no stack traces, help, suggestions, and its default folders.

import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { dlmProcess, listing, temporaryFolder } from "./dlm.ts";
import { xor } from "./models.ts";

const folder = temporaryFolder();
const dlm = (...args: string[]) => dlmProcess(folder, ...args);

beforeAll(() => {
  mkdirSync(join(folder, "models"));
  writeFileSync(join(folder, "models/xor.dlm"), xor);
  writeFileSync(join(folder, "binary.dlm"), Buffer.from(Array.from({ length: 4096 }, (_, i) => (i * 7919) % 256)));
  writeFileSync(join(folder, "nested.dlm"), `model M(x: f32[N]) -> (y: f32[N]) {\n  y = ${"(".repeat(10_000)}x\n}\n`);
  writeFileSync(join(folder, "long.dlm"), `model M(x: f32[N]) -> (y: f32[N]) { y = ${"x + ".repeat(250_000)}x }\n`);
  writeFileSync(
    join(folder, "loop.dlm"),
    "model M(x: f32[N]) -> (y: f32[N]) {\n  y = x\n  repeat 1000000000 {\n  }\n}\n",
  );
  writeFileSync(join(folder, "circle.dlm"), 'import { M } from "./circle.dlm"\n');
});

describe("dlm as a process", () => {
  it.each([
    ["binary.dlm", "this is not a text file"],
    ["nested.dlm", "nested too deeply: more than 100 brackets are open"],
    ["long.dlm", "too many operators"],
    ["loop.dlm", "a loop of 1000000000 rounds is too long to unroll"],
    ["circle.dlm", "the imports go in a circle: circle.dlm → circle.dlm"],
  ])("refuses %s soon, with a message and exit code 1", async (file, message) => {
    const { code, signal, stdout, stderr } = await dlm("check", file);
    expect({ code, signal, stdout }, stderr).toEqual({ code: 1, signal: null, stdout: "" });
    expect(stderr).toContain(message);
    expect(stderr).not.toMatch(/^\s+at |node:internal|\.ts:\d+/m);
    expect(stderr.length).toBeLessThan(3000);
  });

  it("suggests what was meant", async () => {
    const [command, option, missing] = await Promise.all([
      dlm("chek", "models/xor.dlm"),
      dlm("train", "models/xor.dlm", "--epoch", "3"),
      dlm("run", "models/xor.dlm"),
    ]);
    expect(command).toMatchObject({ code: 1, stdout: "" });
    expect(command.stderr).toMatch(/^error: unknown command 'chek'\n\(Did you mean check\?\)/);
    expect(option.stderr).toMatch(/^error: unknown option '--epoch'\n\(Did you mean --epochs\?\)/);
    expect(missing.stderr).toMatch(/^error: required option '--input <file>' not specified/);
    expect(missing.code).toBe(1);
  });

  it("refuses numbers that are none, and options that exclude each other", async () => {
    const [epochs, limit, both] = await Promise.all([
      dlm("train", "models/xor.dlm", "--epochs", "0"),
      dlm("train", "models/xor.dlm", "--limit", "ten"),
      dlm("inspect", "models/xor.dlm", "--all", "--after", "fuse"),
    ]);
    expect(epochs.stderr).toContain(
      "option '--epochs <n>' argument '0' is invalid. it must be a whole number from 1 on.",
    );
    expect(limit.stderr).toContain("option '--limit <n>' argument 'ten' is invalid.");
    expect(both.stderr).toContain("option '--after <pass>' cannot be used with option '--all'");
    expect([epochs.code, limit.code, both.code]).toEqual([1, 1, 1]);
  });

  it("helps, without options and with --help", async () => {
    const [bare, help, train] = await Promise.all([dlm(), dlm("--help"), dlm("train", "--help")]);
    expect(bare.code).toBe(1);
    expect(help).toMatchObject({ code: 0, stderr: "" });
    for (const command of ["check", "fmt", "inspect", "train", "eval", "run", "bundle"])
      expect(help.stdout).toMatch(new RegExp(`^ {2}${command} \\[options\\] <files?`, "m"));
    const options = "data out epochs limit seed resume weights no-shuffle json";
    for (const option of options.split(" ")) expect(train.stdout).toContain(`--${option} `);
  });

  it("trains into runs/NAME where it was called, in plain lines where no one watches", async () => {
    const before = listing(folder);
    const { code, stdout, stderr } = await dlm("train", "models/xor.dlm");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout.split("\n")).toEqual([
      "Xor: 4 rows, 3 epochs, batches of 4",
      expect.stringMatching(/^epoch 1\/3 {2}loss [\d.]+ {2}binary_accuracy [\d.]+$/),
      expect.stringMatching(/^epoch 2\/3 /),
      expect.stringMatching(/^epoch 3\/3 /),
      expect.stringMatching(/^done: 3 epochs in [\d.]+ s, at most \d+ MB of memory; results are in runs\/Xor$/),
      "",
    ]);
    const left = [
      "",
      "/Xor",
      "/Xor/checkpoint.safetensors",
      "/Xor/history.json",
      "/Xor/observations.json",
      "/Xor/report.html",
      "/Xor/weights.safetensors",
    ];
    expect(listing(folder).filter((name) => !before.includes(name))).toEqual(left.map((name) => `runs${name}`));
  });

  // The superuser may write anywhere.
  it.skipIf(process.getuid?.() === 0)("says that a folder cannot be written", async () => {
    mkdirSync(join(folder, "closed"));
    chmodSync(join(folder, "closed"), 0o500);
    const { code, stderr } = await dlm("train", "models/xor.dlm", "--out", "closed/out");
    expect(code).toBe(1);
    expect(stderr).toContain("cannot be written: permission is denied");
  });
});
