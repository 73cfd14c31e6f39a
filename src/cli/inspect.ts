// dlm inspect: what the compiler made of a program, at any step.

import { type Command, Option } from "commander";
import type { TargetName } from "../compile.ts";
import type { View } from "../inspect.ts";
import { UserError } from "../util/user-error.ts";
import { chosenTarget, targetOption } from "./target.ts";

interface Options {
  readonly target: TargetName;
  readonly graph?: string;
  readonly model?: string;
  readonly after?: string;
  readonly all?: boolean;
  readonly kernels?: boolean;
  readonly source?: boolean;
  readonly pipeline?: string;
}

export function addInspect(program: Command): void {
  program
    .command("inspect")
    .description("print what the compiler made of a program: the IR after the passes, and a summary")
    .argument("<file>", "a .dlm file")
    .option("--graph <name>", "the graph to show: infer, train_step, eval_step, metrics, init", "infer")
    .option("--model <name>", "the model to compile, where the file declares several")
    .addOption(new Option("--after <pass>", "the IR as it is after this pass").conflicts("all"))
    .option("--all", "the IR after each pass")
    .option("--kernels", "the kernel IR instead")
    .option("--source", "the generated code instead: JavaScript, or the text form of WebAssembly")
    .addOption(targetOption("js"))
    .option("--pipeline <passes>", "the graph passes to run, such as canonicalize,fuse,plan-memory; default all")
    .action(async (file: string, options: Options) => {
      const { compile, defaultPipeline } = await import("../compile.ts");
      const { inspect } = await import("../inspect.ts");
      const { parsePipeline } = await import("../passes/pipeline.ts");
      const { loadSource } = await import("./source.ts");
      const { pipeline = defaultPipeline } = options;
      const target = await chosenTarget(options);
      const { module } = loadSource(file, options.model);
      const graph = options.graph ?? "infer";
      if (!module.graphs.has(graph))
        throw new UserError(`${file} has no graph ${graph}`, `it has ${[...module.graphs.keys()].join(", ")}`);
      const passes = parsePipeline(pipeline).map(({ pass }) => pass.name);
      if (options.after !== undefined && !passes.includes(options.after))
        throw new UserError(`the pipeline has no pass ${options.after}`, `its passes are ${passes.join(", ")}`);
      if (!passes.includes("plan-memory"))
        throw new UserError(
          "the pipeline has no plan-memory, without which there are no kernels to tell of",
          "end it with plan-memory, and look at what lies before by --after PASS or --all",
        );
      const view: View = options.kernels
        ? { kind: "kernels" }
        : options.source
          ? { kind: "source" }
          : { kind: "graph", ...(options.after ? { after: options.after } : {}), each: options.all ?? false };
      process.stdout.write(inspect(module, graph, view, (m, o) => compile(m, { ...o, pipeline, target })));
    });
}
