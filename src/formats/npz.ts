// NPZ, NumPy's archive of arrays: a zip file of NPY files.

import { unzipSync } from "fflate";
import type { Tensor } from "../ir/dtype.ts";
import { FormatError } from "./format-error.ts";
import { readNpy } from "./npy.ts";

/** The arrays by name. Throws a FormatError that names `file`, and the array where one is at fault. */
export function readNpz(bytes: Uint8Array, file: string): Record<string, Tensor> {
  let files: Record<string, Uint8Array>;
  try {
    files = unzipSync(bytes, { filter: ({ name }) => name.endsWith(".npy") });
  } catch (error) {
    const what = `is no zip archive, or is damaged: ${error instanceof Error ? error.message : error}`;
    throw new FormatError(file, what, "write the file again with numpy.savez");
  }
  const arrays = Object.entries(files).map(([name, content]) => {
    const short = name.slice(0, -".npy".length);
    return [short, readNpy(content, `${file} (${short})`)] as const;
  });
  if (arrays.length === 0) throw new FormatError(file, "holds no arrays", "write it with numpy.savez(file, x=…, y=…)");
  return Object.fromEntries(arrays);
}
