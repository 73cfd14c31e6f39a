// Training processes that are interrupted or killed at any moment: the run that resumes ends with the same bits.

import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { beforeAll, describe, expect, it } from "vitest";
import { dlmProcess, listing, type Started, start, temporaryFolder } from "./dlm.ts";
import { digits } from "./models.ts";

const folder = temporaryFolder();
/** Some seconds of training, in small steps: checkpoints are written once a second, at the end of an epoch. */
const epochs = 140;
const program = digits
  .replace("digits(200)", 'digits(2000) |> augment(shift: 2, flip: "horizontal")')
  .replace("  test: digits(50)\n", "")
  .replace("epochs: 2", `epochs: ${epochs}`)
  .replace("batch: 16", "batch: 4");

const train = (out: string, ...options: string[]): Started =>
  start(folder, "train", "reader.dlm", "--out", out, "--json", ...options);
const results = (out: string): Buffer[] =>
  ["weights.safetensors", "history.json"].map((name) => readFileSync(join(folder, out, name)));

/** Resolves when a checkpoint is written that is not the one of `before`; at the end of the process at the latest. */
async function newCheckpoint(out: string, { end }: Started, before: number): Promise<void> {
  const path = join(folder, out, "checkpoint.safetensors");
  let ended = false;
  void end.then(() => {
    ended = true;
  });
  while (!ended && !(existsSync(path) && statSync(path).mtimeMs !== before)) await sleep(10);
}

const checkpointTime = (out: string): number => {
  const path = join(folder, out, "checkpoint.safetensors");
  return existsSync(path) ? statSync(path).mtimeMs : 0;
};

const observedEpochs = (out: string): number[] =>
  JSON.parse(readFileSync(join(folder, out, "observations.json"), "utf8")).map((seen: { epoch: number }) => seen.epoch);

let whole: Promise<unknown>;
beforeAll(() => {
  writeFileSync(join(folder, "reader.dlm"), program);
  whole = train("whole").end;
});

describe("dlm train", () => {
  it("that is killed at several moments and resumed ends as if it had not been", { timeout: 120_000 }, async () => {
    let killed = 0;
    // At once after a checkpoint, within the next epochs, and before there is any new checkpoint.
    for (const delay of [0, 130, 310]) {
      const before = checkpointTime("killed");
      const run = train("killed", ...(killed > 0 ? ["--resume"] : []));
      await newCheckpoint("killed", run, before);
      await sleep(delay);
      run.kill("SIGKILL");
      if ((await run.end).signal === "SIGKILL") killed++;
    }
    const early = train("killed", "--resume");
    await early.shows('"event":"resumed"');
    early.kill("SIGKILL");
    await early.end;
    expect(killed).toBeGreaterThanOrEqual(2);
    const last = await train("killed", "--resume").end;
    expect({ code: last.code, stderr: last.stderr }).toEqual({ code: 0, stderr: "" });
    const [resumed] = last.stdout.split("\n").map((line): unknown => (line ? JSON.parse(line) : undefined));
    expect(resumed).toMatchObject({ event: "resumed", epoch: expect.any(Number) });
    await whole;
    expect(results("killed")).toEqual(results("whole"));
    // Every epoch was observed, by the process that finished it last, and none twice.
    expect(observedEpochs("killed")).toEqual(Array.from({ length: epochs }, (_, i) => i + 1));
    expect(listing(join(folder, "killed"))).toEqual([
      "best.safetensors",
      "checkpoint.safetensors",
      "history.json",
      "observations.json",
      "report.html",
      "weights.safetensors",
    ]);
  });

  it("finishes its step on Ctrl-C, says how to continue, and continues to the same bits", async () => {
    const run = start(folder, "train", "reader.dlm", "--out", "stopped");
    await run.shows("epoch   1/");
    run.kill("SIGINT");
    const { code, stdout, stderr } = await run.end;
    expect(code).toBe(130);
    expect(stderr).toContain("finishing the present step; press Ctrl-C again to end at once");
    expect(stdout).toMatch(/^interrupted in epoch \d+, after \d+ steps? of it; a checkpoint is written$/m);
    expect(stdout).toContain("continue with: dlm train reader.dlm --out stopped --resume");
    expect(listing(join(folder, "stopped"))).toEqual(["checkpoint.safetensors", "history.json", "observations.json"]);
    const resumed = await dlmProcess(folder, "train", "reader.dlm", "--out", "stopped", "--resume");
    expect(resumed).toMatchObject({ code: 0, stderr: "" });
    expect(resumed.stdout).toMatch(/^resumed in epoch \d+, after \d+ steps? of it$/m);
    await whole;
    expect(results("stopped")).toEqual(results("whole"));
  });
});
