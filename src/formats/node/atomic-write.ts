// Files appear whole or not at all: a temporary file beside the target is written, brought to the disk, and renamed.
// Whoever is killed in between leaves the old file as it was.

import { open, readdir, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

const temporary = (base: string, pid: number): string => `.${base}.${pid}.tmp`;

let writes = 0;

/** Writes `contents` to `path`, atomically. On any error the temporary file is removed and the error thrown on. */
export async function writeFileAtomically(path: string, contents: Uint8Array | string): Promise<void> {
  const directory = dirname(path);
  const base = basename(path);
  const draft = join(directory, temporary(`${base}.${writes++}`, process.pid));
  try {
    const file = await open(draft, "wx");
    try {
      await file.writeFile(contents);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}

/** Removes what writers that were killed left in a directory; files of running processes stay. */
export async function removeAbandonedDrafts(directory: string): Promise<void> {
  for (const name of await readdir(directory)) {
    const pid = /^\..+\.(\d+)\.tmp$/.exec(name)?.[1];
    if (pid !== undefined && !isRunning(Number(pid))) await rm(join(directory, name), { force: true });
  }
}

/** Whether there is a process of this number. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}
