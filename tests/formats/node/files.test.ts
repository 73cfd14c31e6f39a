import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { removeAbandonedDrafts, writeFileAtomically } from "../../../src/formats/node/atomic-write.ts";
import { readTensors, writeTensors } from "../../../src/formats/node/files.ts";

const root = mkdtempSync(join(tmpdir(), "dlm-files-"));
afterAll(() => rmSync(root, { recursive: true }));
const fresh = (name: string): string => {
  const directory = join(root, name);
  mkdirSync(directory);
  return directory;
};

const x = { dtype: "f32", shape: [2], data: Float32Array.of(1.5, -2) } as const;

describe("files of tensors", () => {
  it.each(["w.safetensors", "w.json", "w.npy"])("writes and reads %s", async (name) => {
    const path = join(fresh(name), name);
    await writeTensors(path, { x });
    expect(await readTensors(path, { unnamed: "x" })).toEqual({ x });
  });

  it("says in words what is wrong with a path", async () => {
    const directory = fresh("paths");
    await expect(readTensors(join(directory, "no.npy"))).rejects.toThrow(
      "no.npy: cannot be read: there is no such file",
    );
    await expect(readTensors(join(directory, "w.pth"))).rejects.toThrow("has the extension .pth");
    mkdirSync(join(directory, "d.json"));
    await expect(readTensors(join(directory, "d.json"))).rejects.toThrow("is a folder, not a file");
    await expect(writeTensors(join(directory, "no/w.npy"), { x })).rejects.toThrow(
      "cannot be written: there is no such",
    );
    await expect(writeTensors(join(directory, "w.npy"), { x, y: x })).rejects.toThrow("npy holds one tensor, not x, y");
    await expect(writeTensors(join(directory, "w.gz"), { x })).rejects.toThrow("IDX files are only read");
    expect(readdirSync(directory)).toEqual(["d.json"]);
  });
});

describe("atomic writing", () => {
  it("leaves neither the file nor a draft where it fails", async () => {
    const directory = fresh("fails");
    mkdirSync(join(directory, "target"));
    // A folder cannot be replaced by a file, so the renaming fails, after the writing.
    await expect(writeFileAtomically(join(directory, "target"), "text")).rejects.toThrow();
    expect(readdirSync(directory)).toEqual(["target"]);
  });

  it("shows a reader the old file or the new one, when the writer is killed at any moment", async () => {
    const directory = fresh("killed");
    const path = join(directory, "file");
    const module = join(import.meta.dirname, "../../../src/formats/node/atomic-write.ts");
    const program = `
      import { writeFileAtomically } from ${JSON.stringify(module)};
      for (let i = 0; ; i++) {
        await writeFileAtomically(${JSON.stringify(path)}, String.fromCharCode(97 + (i % 26)).repeat(1 << 20));
        if (i === 0) process.stdout.write("started");
      }`;
    writeFileSync(path, "z".repeat(1 << 20));
    const script = join(fresh("script"), "write.mts");
    writeFileSync(script, program);
    for (const delay of [0, 3, 7, 20]) {
      const child = spawn(process.execPath, ["--import", "tsx", script], {
        cwd: import.meta.dirname,
        stdio: ["ignore", "pipe", "inherit"],
      });
      await new Promise((resolve, reject) => {
        child.stdout.once("data", resolve);
        child.once("exit", () => reject(new Error("the writer ended before it was killed")));
      });
      await new Promise((resolve) => setTimeout(resolve, delay));
      child.kill("SIGKILL");
      await new Promise((resolve) => child.once("exit", resolve));
      const text = readFileSync(path, "utf8");
      expect(text.length).toBe(1 << 20);
      expect(text).toBe(text[0]!.repeat(1 << 20));
    }
    await removeAbandonedDrafts(directory);
    expect(readdirSync(directory)).toEqual(["file"]);
  });

  it("keeps the drafts of running processes", async () => {
    const directory = fresh("drafts");
    const own = `.file.0.${process.pid}.tmp`;
    writeFileSync(join(directory, own), "");
    // Process numbers stay below 2^22 on Linux.
    writeFileSync(join(directory, ".file.0.4194305.tmp"), "");
    writeFileSync(join(directory, ".hidden"), "");
    await removeAbandonedDrafts(directory);
    expect(readdirSync(directory).sort()).toEqual([own, ".hidden"].sort());
  });
});
