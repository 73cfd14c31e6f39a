// Finds the data files that programs name: beside the .dlm file, or in the folder given by --data.

import { resolve } from "node:path";
import { FormatError } from "../../formats/format-error.ts";
import { readBytes } from "../../formats/node/files.ts";
import type { DataContext } from "../data/sources.ts";

/**
 * A reader of data files.
 * @param directory the folder of the .dlm file; paths in it are relative to that
 * @param folder the folder of --data, which takes its place
 */
export function dataFiles(directory: string, folder?: string): DataContext["read"] {
  const base = folder ?? directory;
  return async (file) => {
    const path = resolve(base, file);
    try {
      return { path, bytes: await readBytes(path) };
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      const place = folder === undefined ? "the folder of the program" : "the folder that --data names";
      const help = `${file} was looked for in ${place}; say where the data are with --data DIR`;
      throw new FormatError(path, error.message.split("\n")[0]!.slice(path.length + 2), help);
    }
  };
}
