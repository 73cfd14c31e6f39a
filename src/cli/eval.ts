// dlm eval: loss and metrics of trained weights on the test data.

import type { Command } from "commander";
import type { TargetName } from "../compile.ts";
import { UserError } from "../util/user-error.ts";
import { colorsFor } from "./colors.ts";
import { chosenTarget, chosenThreads, targetOption, threadsOption } from "./target.ts";

interface Options {
  readonly target: TargetName;
  readonly threads?: number;
  readonly weights: string;
  readonly data?: string;
  readonly json?: boolean;
}

export function addEval(program: Command): void {
  program
    .command("eval")
    .description("loss and metrics of trained weights on the test data, or on the training data where there are none")
    .argument("<file>", "a .dlm file with a train block")
    .requiredOption("--weights <file>", "weights.safetensors, as dlm train leaves it")
    .option("--data <dir>", "where the data files are; default beside the program")
    .addOption(targetOption("auto"))
    .addOption(threadsOption("1"))
    .option("--json", "the result as one JSON object")
    .action(async (file: string, options: Options) => {
      const { readTensorFile } = await import("../formats/node/files.ts");
      const { loadTrainingData } = await import("../train/data/load.ts");
      const { dataFiles } = await import("../train/node/data-files.ts");
      const { predictions } = await import("../train/predictions.ts");
      const { columnTypes, evaluate, sessionOf } = await import("../train/session.ts");
      const { classTable, matrices, numbers } = await import("./progress.ts");
      const { loadSource, requirePlan } = await import("./source.ts");
      const { withWeights } = await import("./weights.ts");
      const source = loadSource(file);
      const declared = requirePlan(source, file);
      const { metadata } = await readTensorFile(options.weights);
      // What is chosen at random among the data is chosen as it was in the training.
      const plan = /^\d+$/.test(metadata.seed ?? "") ? { ...declared, seed: Number(metadata.seed) } : declared;
      const { compiled, executable } = await withWeights(
        source.module,
        ["eval_step", "metrics", "infer"],
        options.weights,
        await chosenTarget(options),
        await chosenThreads(options, "one"),
      );
      const { data, test } = await loadTrainingData(plan, columnTypes(compiled.module, plan), {
        ...dataFiles(source.directory, options.data),
        ...(metadata.classes === undefined ? {} : { classes: classesOf(metadata.classes, options.weights) }),
      });
      const rows = test ?? data;
      const session = sessionOf(executable, compiled.module);
      const metrics = await evaluate(session, rows, plan);
      executable.dispose?.();
      if (!metrics) return;
      const on = test ? "test" : "train";
      const classes = options.json ? undefined : await predictions(session, rows, plan);
      const table =
        classes && classTable(classes, `${on === "test" ? "test" : "training"} data`, colorsFor(process.stdout));
      if (options.json) process.stdout.write(`${JSON.stringify({ event: on, rows: rows.rows, ...metrics })}\n`);
      else
        process.stdout.write(
          `${[`${on === "test" ? "test data" : "training data"}, ${rows.rows} rows: ${numbers(metrics)}`, ...matrices(metrics), ...(table ? [table] : [])].join("\n")}\n`,
        );
    });
}

/** The classes of each column of labels, which a weight file keeps so that they are numbered as in the training. */
function classesOf(text: string, path: string): Record<string, string[]> {
  const wrong = new UserError(`${path}: the classes in its metadata are damaged`, "train the model again");
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw wrong;
  }
  if (typeof parsed !== "object" || parsed === null) throw wrong;
  const classes: Record<string, string[]> = {};
  for (const [name, list] of Object.entries(parsed)) {
    if (!Array.isArray(list) || !list.every((item) => typeof item === "string")) throw wrong;
    classes[name] = list;
  }
  return classes;
}
