// A compiled program made ready to run, on whatever it was compiled for.

import type { AnyExecutable } from "../backends/backend.ts";
import { type Compiled, load, loadGpu } from "../compile.ts";

/** Throws a GpuError for target webgpu where there is no adapter, or not the package. */
export async function open(compiled: Compiled, threads: number): Promise<AnyExecutable> {
  if (compiled.target.name !== "webgpu") return load(compiled, { threads });
  const { nodeGpu } = await import("../backends/node/gpu.ts");
  return loadGpu(compiled, { gpu: await nodeGpu(), notice: (text) => process.stderr.write(`${text}\n`) });
}
