// Turns whatever a command throws into what the user sees: diagnostics, a one-line error, or a request to report a bug.

import { InputError } from "../backends/backend.ts";
import { GpuError } from "../backends/wgsl/runtime/errors.ts";
import { DiagnosticError, renderDiagnostics } from "../dsl/diagnostics.ts";
import { FormatError } from "../formats/format-error.ts";
import { UserError } from "../util/user-error.ts";
import { colorsFor } from "./colors.ts";

/** Runs a command; sets the exit code: 1 for a user's mistake, 70 for ours. */
export async function guard(command: () => Promise<unknown>): Promise<void> {
  try {
    await command();
  } catch (error) {
    process.exitCode = report(error);
  }
}

function report(error: unknown): number {
  const colors = colorsFor(process.stderr);
  if (error instanceof DiagnosticError) {
    process.stderr.write(`${renderDiagnostics(error.diagnostics, colors)}\n`);
    return 1;
  }
  if (error instanceof UserError || error instanceof InputError || error instanceof FormatError) {
    process.stderr.write(`${colors.red("error")}: ${error.message}\n`);
    return 1;
  }
  if (error instanceof GpuError) {
    process.stderr.write(`${colors.red("error")}: ${error.message}\n  = help: ${gpuHelp[error.reason]}\n`);
    return 1;
  }
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`${colors.red("internal error")}: ${message}\nThis is a bug in dlm. DLM_DEBUG=1 shows where.\n`);
  if (process.env.DLM_DEBUG && error instanceof Error) process.stderr.write(`${error.stack}\n`);
  return 70;
}

const gpuHelp: Readonly<Record<GpuError["reason"], string>> = {
  unavailable: "install it with `npm install webgpu`, and a graphics driver; or take --target wasm",
  lost: "try again; or take --target wasm",
  "out-of-memory": "take a smaller batch; or --target wasm",
  invalid: "take --target wasm, and tell us: the shaders should suit every implementation",
};
