// One process at a time writes to the folder of a training run: a file in it names the process. What a killed process left is no
// obstacle.

import { open, readFile, rm } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { isRunning } from "../../formats/node/atomic-write.ts";
import { UserError } from "../../util/user-error.ts";

const name = ".lock";

/** Takes the folder; gives what lets it go. Throws a UserError where another process that runs has it. */
export async function lockFolder(directory: string): Promise<() => Promise<void>> {
  const path = join(directory, name);
  const own = `${process.pid} ${hostname()}\n`;
  // Twice at most: what is found abandoned is removed, and the folder taken if nobody was quicker.
  for (let attempt = 0; ; attempt++) {
    try {
      const file = await open(path, "wx");
      await file.writeFile(own);
      await file.close();
      break;
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
      const holder = await readFile(path, "utf8").catch(() => "");
      if (holder === own) break;
      if (attempt > 0 || isHeld(holder)) throw inUse(directory, holder);
      await rm(path, { force: true });
    }
  }
  return () => rm(path, { force: true });
}

/** The process that has a folder, if one that runs has it. */
export async function holderOf(directory: string): Promise<string | undefined> {
  const holder = await readFile(join(directory, name), "utf8").catch(() => "");
  return isHeld(holder) ? holder.trim().split(" ")[0] : undefined;
}

/** Whether the process that wrote the lock runs, as far as can be known: of other machines it is not. */
function isHeld(holder: string): boolean {
  const [pid, host] = holder.trim().split(" ");
  if (host === undefined || !/^\d+$/.test(pid ?? "")) return false;
  return host !== hostname() || isRunning(Number(pid));
}

function inUse(directory: string, holder: string): UserError {
  const [pid = "?", host] = holder.trim().split(" ");
  const where = host === undefined || host === hostname() ? "" : ` on ${host}`;
  const mend = `wait for its end, choose another folder with --out, or, if it is no training, remove ${join(directory, name)}`;
  return new UserError(`another process, ${pid}${where}, is training in ${directory}`, mend);
}
