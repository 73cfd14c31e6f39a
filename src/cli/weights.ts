// Making a program ready to run with the weights of a file.

import type { AnyExecutable } from "../backends/backend.ts";
import { type Compiled, compile, type TargetName } from "../compile.ts";
import { readTensors } from "../formats/node/files.ts";
import type { Module } from "../ir/graph.ts";
import { loadWeights } from "../train/weights.ts";
import { UserError } from "../util/user-error.ts";
import { open } from "./executable.ts";

/** Compiles the named graphs and fills parameters and states from the file, or from the seed where nothing is trained. */
export async function withWeights(
  module: Module,
  graphs: readonly string[],
  weights: string | undefined,
  target: TargetName = "js",
  threads = 1,
): Promise<{ readonly compiled: Compiled; readonly executable: AnyExecutable }> {
  const kept = [...module.globals.values()].filter(({ role }) => role === "parameter" || role === "state");
  if (weights === undefined && kept.length > 0)
    throw new UserError(
      `${module.name} has ${kept.length} trained tensors, and no weights are given`,
      "train it first, then pass --weights DIR/weights.safetensors",
    );
  const compiled = compile(module, { graphs, target });
  const executable = await open(compiled, threads);
  if (weights !== undefined) loadWeights(executable, kept, await readTensors(weights), weights, module.name);
  return { compiled, executable };
}
