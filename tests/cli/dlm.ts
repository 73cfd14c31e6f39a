// Runs the command line for tests: in this process, which is fast, or as a process of its own, as users do.

import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, vi } from "vitest";
import { guard } from "../../src/cli/guard.ts";
import { createProgram } from "../../src/cli/program.ts";

export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const bin = join(import.meta.dirname, "../../bin/dlm.mjs");

/** A folder of the test file's own, removed at its end. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "dlm-cli-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Everything below a folder, in order, to see what a command left. */
export const listing = (folder: string): string[] => readdirSync(folder, { recursive: true }).map(String).sort();

/** Runs a command in this process. Mistakes in its options, for which commander ends the process, need `dlmProcess`. */
export async function dlm(...args: string[]): Promise<Outcome> {
  const texts = { stdout: "", stderr: "" };
  const spies = (["stdout", "stderr"] as const).map((name) =>
    vi.spyOn(process[name], "write").mockImplementation((text) => {
      texts[name] += String(text);
      return true;
    }),
  );
  const before = process.exitCode;
  process.exitCode = 0;
  try {
    await guard(() => createProgram().parseAsync(args, { from: "user" }));
    return { code: Number(process.exitCode), ...texts };
  } finally {
    process.exitCode = before;
    for (const spy of spies) spy.mockRestore();
  }
}

export interface Started {
  readonly kill: (signal: NodeJS.Signals) => void;
  /** Resolves at the first output that contains the text, or at the end. */
  readonly shows: (text: string) => Promise<void>;
  readonly end: Promise<Outcome & { readonly signal: NodeJS.Signals | null }>;
}

/** Starts `dlm` as a process of its own in a folder. */
export function start(folder: string, ...args: string[]): Started {
  const child = spawn(process.execPath, [bin, ...args], { cwd: folder, env: { ...process.env, NO_COLOR: "1" } });
  const texts = { stdout: "", stderr: "" };
  const listeners = new Set<() => void>();
  for (const name of ["stdout", "stderr"] as const)
    child[name].on("data", (data) => {
      texts[name] += String(data);
      for (const listener of listeners) listener();
    });
  const end = new Promise<Outcome & { readonly signal: NodeJS.Signals | null }>((resolve) => {
    child.once("close", (code, signal) => resolve({ code: code ?? -1, signal, ...texts }));
  });
  const shows = (text: string): Promise<void> =>
    new Promise((resolve) => {
      const look = (): void => {
        if (!texts.stdout.includes(text) && !texts.stderr.includes(text)) return;
        listeners.delete(look);
        resolve();
      };
      listeners.add(look);
      void end.then(() => resolve());
      look();
    });
  return { kill: (signal) => void child.kill(signal), shows, end };
}

/** Runs `dlm` as a process of its own to its end. */
export const dlmProcess = (folder: string, ...args: string[]) => start(folder, ...args).end;
