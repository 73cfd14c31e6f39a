import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { train } from "../../src/train/loop.ts";
import { folderStore } from "../../src/train/node/folder-store.ts";
import { fakeExecutable, line, module, plan } from "./fake.ts";

const root = mkdtempSync(join(tmpdir(), "dlm-store-"));
afterAll(() => rmSync(root, { recursive: true }));

describe("the folder of a training run", () => {
  it("is made, holds the results and nothing else, and keeps earlier ones", async () => {
    const directory = join(root, "runs/first");
    const run = async () => {
      const store = await folderStore(directory);
      await train({ executable: fakeExecutable(), module, plan, data: line(18), store });
      await store.close?.();
    };
    await run();
    const files = ["checkpoint.safetensors", "history.json", "weights.safetensors"];
    expect(readdirSync(directory).sort()).toEqual(files);
    const weights = readFileSync(join(directory, "weights.safetensors"));
    const history = JSON.parse(readFileSync(join(directory, "history.json"), "utf8"));
    expect(history).toMatchObject({ model: "Line", seed: 3, batch: 4, epochs: [{ epoch: 1 }, {}, {}, { epoch: 4 }] });
    await run();
    const numbered = files.map((name) => name.replace(".", ".1."));
    expect(readdirSync(directory).sort()).toEqual([...files, ...numbered].sort());
    expect(readFileSync(join(directory, "weights.1.safetensors"))).toEqual(weights);
  });

  it("may be resumed by another process's files", async () => {
    const directory = join(root, "second");
    const stop = new AbortController();
    const first = fakeExecutable();
    first.onStep = () => {
      if (first.read("count").data[0] === 6) stop.abort();
    };
    const common = { module, plan, data: line(18) };
    await train({ ...common, executable: first, store: await folderStore(directory), signal: stop.signal });
    writeFileSync(join(directory, ".weights.safetensors.0.4194305.tmp"), "left by a killed process");
    const second = fakeExecutable();
    await train({ ...common, executable: second, store: await folderStore(directory), resume: true });
    const whole = fakeExecutable();
    await train({ ...common, executable: whole });
    expect(second.read("w")).toEqual(whole.read("w"));
    expect(readdirSync(directory).filter((name) => name.endsWith(".tmp"))).toEqual([]);
  });

  it("belongs to one process at a time", async () => {
    const directory = join(root, "locked");
    const store = await folderStore(directory);
    const lock = join(directory, ".lock");
    await store.close?.();
    expect(readdirSync(directory)).toEqual([]);
    // The process that started this one is certain to run.
    writeFileSync(lock, `${process.ppid} ${hostname()}\n`);
    await expect(folderStore(directory)).rejects.toThrow(`another process, ${process.ppid}, is training in`);
    await expect(folderStore(directory)).rejects.toThrow("choose another folder with --out");
    writeFileSync(lock, `${process.ppid} elsewhere\n`);
    await expect(folderStore(directory)).rejects.toThrow(`another process, ${process.ppid} on elsewhere,`);
  });

  it("is taken over from a process that was killed", async () => {
    const directory = join(root, "stale");
    await (await folderStore(directory)).close?.();
    const ended = spawnSync(process.execPath, ["-e", "0"]).pid;
    for (const holder of [`${ended} ${hostname()}\n`, "", "no number"]) {
      writeFileSync(join(directory, ".lock"), holder);
      const store = await folderStore(directory);
      expect(readFileSync(join(directory, ".lock"), "utf8")).toBe(`${process.pid} ${hostname()}\n`);
      await store.close?.();
    }
  });

  it("says why it cannot be used", async () => {
    writeFileSync(join(root, "file"), "");
    await expect(folderStore(join(root, "file"))).rejects.toThrow(
      "file: cannot be written: there is a file where a folder is wanted",
    );
    await expect(folderStore(join(root, "file/below"))).rejects.toThrow("part of the path is a file, not a folder");
  });
});
