// dlm bundle: a standalone module of a trained model, and its declarations.

import { basename } from "node:path";
import type { Command } from "commander";
import { UserError } from "../util/user-error.ts";

interface Options {
  readonly weights?: string;
  readonly output: string;
  readonly model?: string;
}

export function addBundle(program: Command): void {
  program
    .command("bundle")
    .description("write a trained model as one JavaScript module that needs nothing else, and its .d.mts")
    .argument("<file>", "a .dlm file")
    .requiredOption("-o, --output <file>", "the module to write; its name ends in .mjs")
    .option("--weights <file>", "weights.safetensors, as dlm train leaves it")
    .option("--model <name>", "the model to emit, where the file declares several")
    .action(async (file: string, options: Options) => {
      if (!options.output.endsWith(".mjs"))
        throw new UserError(
          `${options.output} does not end in .mjs`,
          "a module that Node and bundlers load by itself does",
        );
      const { renderBundle } = await import("../bundle/bundle.ts");
      const { declareBundle } = await import("../bundle/declarations.ts");
      const { writeWhole } = await import("../formats/node/files.ts");
      const { loadSource } = await import("./source.ts");
      const { withWeights } = await import("./weights.ts");
      const { module } = loadSource(file, options.model);
      const { compiled, executable } = await withWeights(module, ["infer"], options.weights);
      const text = renderBundle(compiled.programs, "infer", (name) => executable.read(name));
      const infer = compiled.programs.programs.get("infer")!;
      const declarations = options.output.replace(/\.mjs$/, ".d.mts");
      await writeWhole(declarations, declareBundle(module.name, module.doc, infer));
      await writeWhole(options.output, text);
      const kilobytes = (Buffer.byteLength(text) / 1000).toFixed(1);
      process.stdout.write(`wrote ${options.output} (${kilobytes} kB) and ${basename(declarations)}\n`);
    });
}
