// WebGPU in Node, which has none of its own: the package `webgpu`, which is Dawn, as Chromium has it.

import { GpuError } from "../wgsl/runtime/errors.ts";

/** Throws a GpuError that names the package where it is not installed. */
export async function nodeGpu(): Promise<GPU> {
  const own = typeof navigator === "undefined" ? undefined : navigator.gpu;
  if (own) return own;
  try {
    const { create } = await import("webgpu");
    // Timestamps as they are, not in steps of 0.1 ms, which are for pages that nobody trusts.
    return create(["disable-dawn-features=timestamp_quantization"]);
  } catch (error) {
    const why = isMissing(error)
      ? ""
      : `, which does not start here: ${error instanceof Error ? error.message : error}`;
    throw new GpuError("unavailable", `target webgpu needs the package webgpu in Node${why}`);
  }
}

const isMissing = (error: unknown): boolean =>
  error instanceof Error && "code" in error && error.code === "ERR_MODULE_NOT_FOUND";
