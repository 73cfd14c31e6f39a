// The option --target of every command that compiles.

import { Option } from "commander";
import type { TargetName } from "../compile.ts";

const targets: readonly TargetName[] = ["js", "wasm", "auto"];

export const targetOption = (): Option =>
  new Option("--target <name>", "what runs the program: JavaScript, or WebAssembly with vectors")
    .choices(targets)
    .default("js");

/** The target that was asked for. Node 20 must be told before anything is compiled that it may use all of WebAssembly. */
export async function chosenTarget({ target }: { readonly target: TargetName }): Promise<TargetName> {
  if (target !== "js") {
    const { enableRelaxedSimd } = await import("../backends/node/relaxed-simd.ts");
    enableRelaxedSimd();
  }
  return target;
}
