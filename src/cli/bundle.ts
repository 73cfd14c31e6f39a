// dlm bundle: a standalone module of a trained model, and its declarations.

import { basename, dirname, join } from "node:path";
import { type Command, Option } from "commander";
import type { BundleTarget } from "../bundle.ts";
import { UserError } from "../util/user-error.ts";

interface Options {
  readonly target: BundleTarget;
  readonly weights?: string;
  readonly output: string;
  readonly beside: boolean;
  readonly model?: string;
}

const targets: readonly BundleTarget[] = ["js", "wasm", "webgpu", "auto"];

export function addBundle(program: Command): void {
  program
    .command("bundle")
    .description("write a trained model as one JavaScript module that needs nothing else, and its .d.mts")
    .argument("<file>", "a .dlm file")
    .requiredOption("-o, --output <file>", "the module to write; its name ends in .mjs")
    .option("--weights <file>", "weights.safetensors, as dlm train leaves it")
    .addOption(
      new Option(
        "--target <name>",
        "JavaScript, WebAssembly with vectors, or WebGPU; auto is WebAssembly, and JavaScript where that cannot run",
      )
        .choices(targets)
        .default("auto"),
    )
    .option("--beside", "put weights and WebAssembly in files beside the module, not inside", false)
    .option("--model <name>", "the model to emit, where the file declares several")
    .action(async (file: string, options: Options) => {
      if (!options.output.endsWith(".mjs"))
        throw new UserError(
          `${options.output} does not end in .mjs`,
          "a module that Node and bundlers load by itself does",
        );
      const { bundle } = await import("../bundle.ts");
      const { declareBundle, declareGpuBundle } = await import("../bundle/declarations.ts");
      const { writeWhole } = await import("../formats/node/files.ts");
      const { loadSource } = await import("./source.ts");
      const { readGlobals } = await import("../train/weights.ts");
      const { withWeights } = await import("./weights.ts");
      const { module } = loadSource(file, options.model);
      const { compiled, executable } = await withWeights(module, ["infer"], options.weights);
      const weights = await readGlobals(executable, module.globals.values(), "parameter", "state");
      const { text, files } = bundle(module, {
        weights: (name) => weights[name]!,
        target: options.target,
        ...(options.beside ? { beside: basename(options.output, ".mjs") } : {}),
      });
      const infer = compiled.programs.programs.get("infer")!;
      const declarations = `${basename(options.output, ".mjs")}.d.mts`;
      const folder = dirname(options.output);
      for (const [name, bytes] of files) await writeWhole(join(folder, name), bytes);
      const declare = options.target === "webgpu" ? declareGpuBundle : declareBundle;
      await writeWhole(join(folder, declarations), declare(module.name, module.doc, infer));
      await writeWhole(options.output, text);
      const kilobytes = (Buffer.byteLength(text) / 1000).toFixed(1);
      const others = [declarations, ...files.keys()];
      process.stdout.write(
        `wrote ${options.output} (${kilobytes} kB)${others.map((name, i) => `${i === others.length - 1 ? " and" : ","} ${name}`).join("")}\n`,
      );
    });
}
