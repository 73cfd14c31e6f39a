// --threads, as a process of its own: the same bits, and the process ends when its work is done, workers or not.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { dlmProcess, temporaryFolder } from "./dlm.ts";

const folder = temporaryFolder();
const dlm = (...args: string[]) => dlmProcess(folder, ...args);
const model = join(import.meta.dirname, "../../models/digits_cnn.dlm");

describe("--threads", () => {
  it("trains to the same bits for any number, and the process ends", async () => {
    const weights = await Promise.all(
      ["1", "3"].map(async (threads) => {
        const options = ["--target", "wasm", "--threads", threads, "--out", `out${threads}`];
        const { code, stderr } = await dlm("train", model, ...options, "--limit", "320", "--epochs", "1");
        expect(code, stderr).toBe(0);
        return readFileSync(join(folder, `out${threads}`, "weights.safetensors"));
      }),
    );
    expect(weights[0]!.equals(weights[1]!)).toBe(true);
    const [one, three] = await Promise.all(
      ["1", "3"].map((threads) =>
        dlm("eval", model, "--weights", "out1/weights.safetensors", "--target", "wasm", "--threads", threads, "--json"),
      ),
    );
    expect(three).toEqual(one);
    expect(three!.code).toBe(0);
  }, 60_000);

  it("is refused where it means nothing", async () => {
    const [js, many, none] = await Promise.all([
      dlm("train", model, "--target", "js", "--threads", "2"),
      dlm("train", model, "--target", "wasm", "--threads", "65"),
      dlm("train", model, "--target", "wasm", "--threads", "0"),
    ]);
    expect(js.stderr).toContain("target js runs on one thread");
    expect(many.stderr).toContain("it must be at most 64.");
    expect(none.stderr).toContain("it must be a whole number from 1 on.");
    expect([js, many, none].map(({ code }) => code)).toEqual([1, 1, 1]);
  });
});
