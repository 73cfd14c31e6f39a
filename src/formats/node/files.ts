// Tensors in files, for the command line: the extension chooses the format; writing is atomic.

import { readFile } from "node:fs/promises";
import { basename, extname } from "node:path";
import type { DType, Tensor } from "../../ir/dtype.ts";
import { decodeUtf8, FormatError } from "../format-error.ts";
import { readIdx } from "../idx.ts";
import { readJsonTensors, writeJsonTensors } from "../json.ts";
import { readNpy, writeNpy } from "../npy.ts";
import { readSafetensors, type Safetensors, writeSafetensors } from "../safetensors.ts";
import { writeFileAtomically } from "./atomic-write.ts";

export interface ReadOptions {
  /** The name of a tensor in a file that has none, such as npy: the model's only input. Default `value`. */
  readonly unnamed?: string;
  /** Element types wanted, for JSON, which has none of its own. */
  readonly types?: Readonly<Record<string, DType>>;
}

/** The bytes of a file. Throws a FormatError instead of the system's error. */
export async function readBytes(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (error) {
    throw systemError(path, error, "read");
  }
}

/** Reads tensors by name from .safetensors, .npy, .json, or IDX (.idx, .gz, -ubyte). Throws a FormatError. */
export async function readTensors(path: string, options: ReadOptions = {}): Promise<Record<string, Tensor>> {
  return { ...(await readTensorFile(path, options)).tensors };
}

/** As `readTensors`, with the metadata of a safetensors file. */
export async function readTensorFile(path: string, options: ReadOptions = {}): Promise<Safetensors> {
  const unnamed = options.unnamed ?? "value";
  const read = formatOf(path);
  const bytes = await readBytes(path);
  switch (read) {
    case "safetensors":
      return readSafetensors(bytes, path);
    case "npy":
      return { tensors: { [unnamed]: readNpy(bytes, path) }, metadata: {} };
    case "json":
      return { tensors: readJsonTensors(decodeUtf8(bytes, path), path, unnamed, options.types), metadata: {} };
    case "idx":
      return { tensors: { [unnamed]: await readIdx(bytes, path) }, metadata: {} };
  }
}

/** Writes tensors to .safetensors, .json, or, a single one, to .npy; whole or not at all. Throws a FormatError. */
export async function writeTensors(
  path: string,
  tensors: Readonly<Record<string, Tensor>>,
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  await writeWhole(path, encodeTensors(path, tensors, metadata));
}

/** Writes a file, whole or not at all. Throws a FormatError instead of the system's error. */
export async function writeWhole(path: string, contents: Uint8Array | string): Promise<void> {
  try {
    await writeFileAtomically(path, contents);
  } catch (error) {
    throw systemError(path, error, "written");
  }
}

function encodeTensors(
  path: string,
  tensors: Readonly<Record<string, Tensor>>,
  metadata: Readonly<Record<string, string>>,
): Uint8Array | string {
  switch (formatOf(path)) {
    case "safetensors":
      return writeSafetensors(tensors, metadata);
    case "json":
      return writeJsonTensors(tensors);
    case "npy": {
      const [only, ...more] = Object.entries(tensors);
      if (only && more.length === 0) return writeNpy(only[1]);
      const names = Object.keys(tensors).join(", ");
      throw new FormatError(path, `npy holds one tensor, not ${names || "none"}`, "write to .safetensors or .json");
    }
    case "idx":
      throw new FormatError(path, "IDX files are only read", "write to .safetensors, .npy or .json");
  }
}

type Format = "safetensors" | "npy" | "json" | "idx";

function formatOf(path: string): Format {
  const extension = extname(path).toLowerCase();
  if (extension === ".safetensors") return "safetensors";
  if (extension === ".npy") return "npy";
  if (extension === ".json") return "json";
  if (extension === ".idx" || extension === ".gz" || /-ubyte$/.test(basename(path))) return "idx";
  const what = extension === "" ? "has no extension" : `has the extension ${extension}`;
  throw new FormatError(path, what, "tensors are kept in .safetensors, .npy, .json or IDX (.idx, .gz) files");
}

const reasons: Readonly<Record<string, readonly [string, string]>> = {
  ENOENT: ["there is no such file or folder", "check the spelling of the path"],
  EISDIR: ["is a folder, not a file", "name a file in it"],
  EACCES: ["permission is denied", "check who owns the file and its folder"],
  EPERM: ["permission is denied", "check who owns the file and its folder"],
  EROFS: ["the disk is read-only", "choose another folder"],
  EEXIST: ["there is a file where a folder is wanted", "choose another path"],
  ENOTDIR: ["part of the path is a file, not a folder", "check the spelling of the path"],
  ENOSPC: ["the disk is full", "make room on it, or choose another folder"],
  EDQUOT: ["the space that you may use on the disk is full", "make room on it, or choose another folder"],
  EFBIG: ["it would be larger than files may be here", "look at the limits of the system (ulimit -f)"],
  EMFILE: ["too many files are open", "close some programs"],
};

/** A failure of the file system in words; what is no such failure is thrown on. */
export function systemError(path: string, error: unknown, verb: "read" | "written"): FormatError {
  if (!(error instanceof Error) || !("code" in error)) throw error;
  const code = String(error.code);
  const [what, help] = reasons[code] ?? [`the system says ${code}`, "check the file and its folder"];
  return new FormatError(path, `cannot be ${verb}: ${what}`, help);
}
