// dlm bench: where the time of a program goes, kernel by kernel.

import { type Command, InvalidArgumentError } from "commander";
import type { TargetName } from "../compile.ts";
import { UserError } from "../util/user-error.ts";
import { wholeNumber } from "./numbers.ts";
import { chosenTarget, chosenThreads, targetOption, threadsOption } from "./target.ts";

interface Options {
  readonly target: TargetName;
  readonly graph: string;
  readonly model?: string;
  readonly batch?: number;
  readonly size?: Readonly<Record<string, number>>;
  readonly seconds: number;
  readonly threads?: number;
  readonly json?: boolean;
}

export function addBench(program: Command): void {
  program
    .command("bench")
    .description("measure how long each kernel of a program takes, and its share of what this machine can do")
    .argument("<file>", "a .dlm file")
    .option("--graph <name>", "the graph to measure: infer, train_step, eval_step, metrics, init", "infer")
    .option("--model <name>", "the model to measure, where the file declares several")
    .option("--batch <n>", "rows of the inputs; default what the train block says, or 32", wholeNumber(1))
    .option("--size <name=n>", "another free size, such as T=64; default 32; may be given several times", size)
    .option("--seconds <s>", "how long to measure the kernels", positive, 2)
    .addOption(targetOption("auto"))
    .addOption(threadsOption("1"))
    .option("--json", "one JSON object instead, in seconds, bytes and operations")
    .action(async (file: string, options: Options) => {
      const { bench, benchGpu } = await import("../bench.ts");
      const { printReport } = await import("../bench/report.ts");
      const { loadSource } = await import("./source.ts");
      const target = await chosenTarget(options);
      const start = performance.now();
      const { module, plan } = loadSource(file, options.model);
      const parse = (performance.now() - start) / 1000;
      const { graph, seconds, batch = plan?.batch } = options;
      if (!module.graphs.has(graph))
        throw new UserError(`${file} has no graph ${graph}`, `it has ${[...module.graphs.keys()].join(", ")}`);
      const measured = {
        graph,
        target,
        parse,
        seconds,
        threads: await chosenThreads(options, "one"),
        ...(options.size === undefined ? {} : { sizes: options.size }),
        ...(batch === undefined ? {} : { batch }),
      };
      const { nodeGpu } = await import("../backends/node/gpu.ts");
      const report = target === "webgpu" ? await benchGpu(module, await nodeGpu(), measured) : bench(module, measured);
      process.stdout.write(options.json ? `${JSON.stringify(report)}\n` : printReport(report));
    });
}

/** `T=64`, added to the sizes before it. */
function size(text: string, before: Readonly<Record<string, number>> = {}): Record<string, number> {
  const match = /^([^=]+)=(.*)$/.exec(text);
  if (!match) throw new InvalidArgumentError("it must be a name and a number, such as T=64.");
  return { ...before, [match[1]!]: wholeNumber(1)(match[2]!) };
}

function positive(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !(value > 0) || value > 3600)
    throw new InvalidArgumentError("it must be a number of seconds above 0, at most 3600.");
  return value;
}
