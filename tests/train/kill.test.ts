// Real processes, really killed: the files that are left are whole, and the run that resumes ends with the same bits.

import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";

const root = mkdtempSync(join(tmpdir(), "dlm-kill-"));
afterAll(() => rmSync(root, { recursive: true }));

/** Runs killed-run.ts; `end` may kill it once it is ready. Gives its exit code, or the signal, and what it wrote. */
async function run(
  directory: string,
  resume: boolean,
  end?: (kill: (signal: NodeJS.Signals) => void) => void,
): Promise<{ code: number | string | null; output: string }> {
  const script = join(import.meta.dirname, "killed-run.ts");
  const child = spawn(process.execPath, ["--import", "tsx", script, directory, ...(resume ? ["--resume"] : [])], {
    cwd: import.meta.dirname,
  });
  let output = "";
  child.stderr.on("data", (text) => {
    output += text;
  });
  child.stdout.on("data", (text) => {
    if (output === "") end?.((signal) => child.kill(signal));
    output += text;
  });
  return new Promise((resolve) => {
    child.once("close", (code, signal) => resolve({ code: code ?? signal, output }));
  });
}

const killAfter = (milliseconds: number, signal: NodeJS.Signals) => (kill: (signal: NodeJS.Signals) => void) => {
  setTimeout(() => kill(signal), milliseconds);
};

const results = (directory: string) =>
  ["weights.safetensors", "history.json"].map((name) => readFileSync(join(directory, name)));

describe("a training process", () => {
  const whole = join(root, "whole");

  it("that is killed again and again, and resumed, ends as one that was not", async () => {
    expect(await run(whole, false)).toMatchObject({ code: 0 });
    const directory = join(root, "killed");
    let killed = 0;
    for (const delay of [0, 10, 40, 90, 160]) {
      const { code } = await run(directory, killed > 0, killAfter(delay, "SIGKILL"));
      if (code === "SIGKILL") killed++;
    }
    expect(killed).toBeGreaterThan(2);
    expect(await run(directory, true)).toMatchObject({ code: 0 });
    expect(results(directory)).toEqual(results(whole));
    expect(readdirSync(directory).filter((name) => name.endsWith(".tmp"))).toEqual([]);
  });

  it("finishes its step and writes a checkpoint on Ctrl-C, and exits with 130", async () => {
    const directory = join(root, "interrupted");
    const { code, output } = await run(directory, false, killAfter(100, "SIGINT"));
    expect(code).toBe(130);
    expect(output).toContain("finishing the present step");
    expect(output).toContain('{"event":"interrupted"');
    expect(readdirSync(directory).sort()).toEqual(["checkpoint.safetensors", "history.json"]);
    expect(await run(directory, true)).toMatchObject({
      code: 0,
      output: expect.stringContaining('{"event":"resumed"'),
    });
    expect(results(directory)).toEqual(results(whole));
  });
});
