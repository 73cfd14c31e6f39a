// dlm run: the answer of a trained model to inputs from a file.

import type { Command } from "commander";
import type { TargetName } from "../compile.ts";
import { wholeNumber } from "./numbers.ts";
import { chosenThreads, targetOption, threadsOption } from "./target.ts";

interface Options {
  readonly target: TargetName;
  readonly threads?: number;
  readonly weights?: string;
  readonly input: string;
  readonly output?: string;
  readonly model?: string;
  readonly seed: number;
}

export function addRun(program: Command): void {
  program
    .command("run")
    .description("run a model on inputs from a file (safetensors, npy, JSON)")
    .argument("<file>", "a .dlm file")
    .requiredOption("--input <file>", "inputs by name; a file with one unnamed tensor serves a model with one input")
    .option("--weights <file>", "weights.safetensors, as dlm train leaves it")
    .option(
      "--output <file>",
      "where to write the outputs (.safetensors, .npy, .json); default JSON on standard output",
    )
    .addOption(targetOption("auto"))
    .addOption(threadsOption("1"))
    .option("--model <name>", "the model to run, where the file declares several")
    .option("--seed <n>", "for models that draw random numbers", wholeNumber(0), 0)
    .action(async (file: string, options: Options) => {
      const { writeJsonTensors } = await import("../formats/json.ts");
      const { writeTensors } = await import("../formats/node/files.ts");
      const { readInputs } = await import("./inputs.ts");
      const { loadSource } = await import("./source.ts");
      const { withWeights } = await import("./weights.ts");
      const { module } = loadSource(file, options.model);
      const { compiled, executable } = await withWeights(
        module,
        ["infer"],
        options.weights,
        // As the engine is found: a bundle that runs in it gives the same bits.
        options.target,
        await chosenThreads(options, "one"),
      );
      const inputs = await readInputs(compiled.module, options.input, options.seed);
      const outputs = await executable.run("infer", inputs);
      executable.dispose?.();
      if (options.output === undefined) process.stdout.write(`${writeJsonTensors(outputs)}\n`);
      else await writeTensors(options.output, outputs);
    });
}
