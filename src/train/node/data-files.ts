// Finds the data files that programs name: beside the .dlm file, or in the folder given by --data.

import { closeSync, openSync, readSync, statSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { resolve } from "node:path";
import { FormatError } from "../../formats/format-error.ts";
import { readBytes, systemError } from "../../formats/node/files.ts";
import type { DataFiles, OpenFile } from "../data/files.ts";

/** Files of more bytes are read in parts. */
const largest = 2 ** 29;

/**
 * The data files of a program.
 * @param directory the folder of the .dlm file; paths in it are relative to that
 * @param folder the folder of --data, which takes its place
 * @param most files with more bytes than these are opened, not read as a whole
 */
export function dataFiles(directory: string, folder?: string, most = largest): Required<DataFiles> {
  const base = folder ?? directory;
  const missing = (file: string, path: string, error: unknown): unknown => {
    if (!(error instanceof FormatError)) return error;
    const place = folder === undefined ? "the folder of the program" : "the folder that --data names";
    const help = `${file} was looked for in ${place}; say where the data are with --data DIR`;
    return new FormatError(path, error.message.split("\n")[0]!.slice(path.length + 2), help);
  };
  return {
    read: async (file) => {
      const path = resolve(base, file);
      try {
        return { path, bytes: await readBytes(path) };
      } catch (error) {
        throw missing(file, path, error);
      }
    },
    list: async (file) => {
      const path = resolve(base, file);
      try {
        const entries = await readdir(path, { recursive: true });
        return entries.map((name) => name.replaceAll("\\", "/")).sort();
      } catch (error) {
        throw missing(file, path, systemErrorOf(path, error));
      }
    },
    open: (file, always = false) => {
      const path = resolve(base, file);
      try {
        const { size } = statSync(path);
        return always || size > most ? openFile(path, size) : undefined;
      } catch (error) {
        throw missing(file, path, systemErrorOf(path, error));
      }
    },
  };
}

const systemErrorOf = (path: string, error: unknown): FormatError => systemError(path, error, "read");

/** Opened anew for each reading: some rows of a batch are far apart, and no file stays open behind a table. */
function openFile(path: string, size: number): OpenFile {
  return {
    path,
    size,
    read: (start, end) => {
      try {
        const descriptor = openSync(path, "r");
        try {
          const bytes = new Uint8Array(end - start);
          let at = 0;
          while (at < bytes.length) {
            const got = readSync(descriptor, bytes, at, bytes.length - at, start + at);
            if (got === 0)
              throw new FormatError(path, "has become shorter while it was read", "start the training again");
            at += got;
          }
          return bytes;
        } finally {
          closeSync(descriptor);
        }
      } catch (error) {
        if (error instanceof FormatError) throw error;
        throw systemErrorOf(path, error);
      }
    },
  };
}
