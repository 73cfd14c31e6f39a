// Node 20 has relaxed SIMD behind a flag, which must be set before anything is compiled; later versions have it, and refuse the flag.

import { setFlagsFromString } from "node:v8";
import { supportsRelaxedSimd } from "../wasm/features.ts";

/** Makes relaxed SIMD available where the engine has it. */
export function enableRelaxedSimd(): void {
  if (!supportsRelaxedSimd() && Number(process.versions.node.split(".")[0]) < 21) {
    setFlagsFromString("--experimental-wasm-relaxed-simd");
  }
}
