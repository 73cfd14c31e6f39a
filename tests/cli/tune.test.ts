// dlm tune: a search that is continued, and what it leaves.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { dlm, listing, temporaryFolder } from "./dlm.ts";
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
    const { trials, metric } = JSON.parse(again.stdout);
    expect(metric).toBe("loss");
    expect(trials).toHaveLength(3);
    const values: number[] = trials.map(({ value }: { value: number }) => value);
    expect(values).toEqual([...values].sort((a, b) => a - b));
    expect(readFileSync(join(out, "trial-1/weights.safetensors"))).toEqual(first);
    const other = await tune("--trials", "3", "--seed", "9");
    expect(other.code).toBe(1);
    expect(other.stderr).toContain("tune.json is of another search");
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
