// dlm tune: a search that is continued, and what it leaves.

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { beforeAll, describe, expect, it } from "vitest";
import { isRunning } from "../../src/formats/node/atomic-write.ts";
import { dlm, listing, start, temporaryFolder } from "./dlm.ts";
import { xor } from "./models.ts";

const folder = temporaryFolder();
const program = join(folder, "xor.dlm");
const out = join(folder, "out");
beforeAll(() => {
  writeFileSync(
    program,
    `const lr = 0.05\nconst units = 8\n${xor.replace("lr: 0.05", "lr: lr").replace("dense(8)", "dense(units)")}`,
  );
});

const tune = (...options: string[]) =>
  dlm("tune", program, "--vary", "lr=1e-3..1e-1", "--vary", "units=2,4", "--out", out, ...options);

describe("dlm tune", () => {
  it("tries values, shows a table, and continues where it stopped", { timeout: 120_000 }, async () => {
    const { code, stdout, stderr } = await tune("--trials", "2", "--jobs", "2");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout.match(/^trial \d .* 3 epochs {2}loss /gm)).toHaveLength(2);
    expect(stdout).toMatch(/^best: lr = [\d.e-]+, units = [24]; weights are in .*trial-[12]$/m);
    expect(listing(out)).toEqual(expect.arrayContaining(["trial-1/weights.safetensors", "tune.json", "tune.svg"]));
    const first = readFileSync(join(out, "trial-1/weights.safetensors"));
    const again = await tune("--trials", "3", "--json");
    const lines = again.stdout.trim().split("\n");
    const [only, { trials, metric, event }, ...more] = lines.map((line) => JSON.parse(line));
    expect(only).toMatchObject({ event: "trial", trial: 3, epochs: 3, values: { lr: expect.any(String) } });
    expect({ event, metric, more }).toEqual({ event: "done", metric: "loss", more: [] });
    expect(trials).toHaveLength(3);
    const values: number[] = trials.map(({ value }: { value: number }) => value);
    expect(values).toEqual([...values].sort((a, b) => a - b));
    expect(readFileSync(join(out, "trial-1/weights.safetensors"))).toEqual(first);
    const other = await tune("--trials", "3", "--seed", "9");
    expect(other.code).toBe(1);
    expect(other.stderr).toContain("tune.json is of another search");
  });

  it("that is killed waits for what it began, and goes on", { timeout: 120_000 }, async () => {
    const killed = join(folder, "killed");
    const options = ["--vary", "lr=0.01,0.02", "--trials", "2", "--epochs", "500", "--out", killed];
    const first = start(folder, "tune", program, ...options);
    const lock = join(killed, "trial-1", ".lock");
    while (!existsSync(lock)) await sleep(20);
    const own = readFileSync(lock);
    first.kill("SIGKILL");
    expect((await first.end).signal).toBe("SIGKILL");
    // The training ends with the search that began it, as nobody reads its lines. Had it not yet, its folder would be held: by us, here.
    while (isRunning(Number.parseInt(String(own), 10))) await sleep(20);
    writeFileSync(lock, `${process.pid} ${hostname()}\n`);
    const second = start(folder, "tune", program, ...options);
    await second.shows(`trial 1  waits for process ${process.pid}`);
    writeFileSync(lock, own);
    const { code, stdout, stderr } = await second.end;
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout.match(/^trial [12] .* 500 epochs {2}loss /gm)).toHaveLength(2);
  });

  it("says before it trains what cannot be varied or compared", async () => {
    const elsewhere = ["--out", join(folder, "none")];
    const unknown = await dlm("tune", program, "--vary", "rate=1,2", ...elsewhere);
    expect(unknown).toMatchObject({ code: 1, stdout: "" });
    expect(unknown.stderr).toContain("xor.dlm has no constant rate");
    expect(unknown.stderr).toContain("its constants are lr, units");
    expect((await tune(...elsewhere, "--metric", "f1")).stderr).toContain("a training gives no f1 to compare");
    expect((await tune(...elsewhere, "--vary", "lr=1,2")).stderr).toContain("lr is varied twice");
    expect((await dlm("tune", program, "--vary", "units=none,2", ...elsewhere)).stderr).toContain("units");
    expect(listing(folder)).not.toContain("none");
  });
});
