// The options --target and --threads of commands that compile and run.

import { InvalidArgumentError, Option } from "commander";
import type { TargetName } from "../compile.ts";
import { UserError } from "../util/user-error.ts";
import { wholeNumber } from "./numbers.ts";

const targets: readonly TargetName[] = ["js", "wasm", "webgpu", "auto"];

/** `usual` is js where text is shown, for it reads best; else what is fastest here. */
export const targetOption = (usual: "js" | "auto"): Option =>
  new Option(
    "--target <name>",
    "what runs the program: JavaScript, WebAssembly with vectors, or WebGPU; auto takes the faster of the first two",
  )
    .choices(targets)
    .default(usual);

/** The target that was asked for. Node 20 must be told before anything is compiled that it may use all of WebAssembly. */
export async function chosenTarget({ target }: { readonly target: TargetName }): Promise<TargetName> {
  if (target !== "js") {
    const { enableRelaxedSimd } = await import("../backends/node/relaxed-simd.ts");
    enableRelaxedSimd();
  }
  return target;
}

export const threadsOption = (usual: string): Option =>
  new Option("--threads <n>", `how many threads share the work of target wasm; default ${usual}`).argParser((text) => {
    const value = wholeNumber(1)(text);
    if (value > 64) throw new InvalidArgumentError("it must be at most 64.");
    return value;
  });

/** More gain little on the kernels of small networks. */
const mostThreads = 4;

/** The number of threads that was asked for, or for training one for each core up to a few. */
export async function chosenThreads(
  { target, threads }: { readonly target: TargetName; readonly threads?: number },
  usual: "one" | "cores",
): Promise<number> {
  const single = target === "js" || target === "webgpu";
  if (threads !== undefined && threads > 1 && single)
    throw new UserError(`target ${target} runs on one thread`, "leave out --threads, or take --target wasm");
  if (threads !== undefined || usual === "one" || single) return threads ?? 1;
  const { availableParallelism } = await import("node:os");
  return Math.min(availableParallelism(), mostThreads);
}
