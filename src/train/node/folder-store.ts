// The files of a training run in a folder, each written atomically.

import { existsSync } from "node:fs";
import { mkdir, readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import { removeAbandonedDrafts, writeFileAtomically } from "../../formats/node/atomic-write.ts";
import { systemError } from "../../formats/node/files.ts";
import { UserError } from "../../util/user-error.ts";
import { numbered, type Store } from "../store.ts";
import { lockFolder } from "./lock.ts";

/**
 * A store in `directory`, which is made where it is missing; its own until it is closed, or the process ends. Throws a UserError where
 * another process has it, a FormatError where it cannot be used.
 */
export async function folderStore(directory: string): Promise<Store> {
  let release: () => Promise<void>;
  try {
    await mkdir(directory, { recursive: true });
    release = await lockFolder(directory);
    await removeAbandonedDrafts(directory);
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw systemError(directory, error, "written");
  }
  return {
    place: directory,
    close: release,
    read: async (name) => {
      const path = join(directory, name);
      if (!existsSync(path)) return undefined;
      try {
        return await readFile(path);
      } catch (error) {
        throw systemError(path, error, "read");
      }
    },
    write: async (name, bytes) => {
      const path = join(directory, name);
      try {
        await writeFileAtomically(path, bytes);
      } catch (error) {
        throw systemError(path, error, "written");
      }
    },
    setAside: async (names) => {
      let number = 1;
      while (names.some((name) => existsSync(join(directory, numbered(name, number))))) number++;
      const moved: (readonly [string, string])[] = [];
      for (const name of names) {
        if (!existsSync(join(directory, name))) continue;
        await rename(join(directory, name), join(directory, numbered(name, number)));
        moved.push([name, numbered(name, number)]);
      }
      return moved;
    },
  };
}
