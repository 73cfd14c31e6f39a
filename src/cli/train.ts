// dlm train: trains the model of a program, shows how it goes, and leaves weights and history in a folder.

import { join } from "node:path";
import { type Command, InvalidArgumentError } from "commander";
import type { TargetName } from "../compile.ts";
import type { Store } from "../train/store.ts";
import { interruptedExitCode, interruptible, resumeCommand } from "./interrupt.ts";
import { wholeNumber } from "./numbers.ts";
import { chosenTarget, chosenThreads, targetOption, threadsOption } from "./target.ts";

interface Options {
  readonly target: TargetName;
  readonly threads?: number;
  readonly data?: string;
  readonly out?: string;
  readonly epochs?: number;
  readonly limit?: number;
  readonly seed?: number;
  readonly resume?: boolean;
  readonly weights?: string;
  readonly shuffle: boolean;
  readonly report: boolean;
  readonly tensorboard?: boolean;
  readonly json?: boolean;
  readonly steps?: boolean;
  readonly set: Readonly<Record<string, string>>;
}

/** `lr=1e-3`, beside those before. */
function setting(text: string, before: Readonly<Record<string, string>>): Record<string, string> {
  const at = text.indexOf("=");
  if (at < 1 || at === text.length - 1) throw new InvalidArgumentError("it must be a name and a value: lr=1e-3.");
  return { ...before, [text.slice(0, at).trim()]: text.slice(at + 1).trim() };
}

export function addTrain(program: Command): void {
  program
    .command("train")
    .description("train the model of a program; leaves weights, history.json and report.html in a folder")
    .argument("<file>", "a .dlm file with a train block")
    .option("--data <dir>", "where the data files are; default beside the program")
    .option("--out <dir>", "where to leave results; default runs/NAME, after the model's name")
    .option("--epochs <n>", "instead of what the program says", wholeNumber(1))
    .option("--limit <n>", "use only the first n rows of the training data", wholeNumber(1))
    .option("--seed <n>", "instead of what the program says", wholeNumber(0))
    .option("--resume", "continue a run that was interrupted, to the same bits")
    .option("--weights <file>", "start from these weights instead of fresh ones")
    .option("--no-shuffle", "take the rows in the order of the file")
    .option("--tensorboard", "an event file for TensorBoard among the results")
    .option("--set <name=value>", "another value for a constant of the program; several times", setting, {})
    .option("--no-report", "leave out report.html, and what is observed for it")
    .addOption(targetOption("auto"))
    .addOption(threadsOption("one for each core, at most 4"))
    .option("--json", "progress as one JSON object a line")
    .option("--steps", "with --json, a line for each training step, too")
    .action(async (file: string, options: Options) => {
      const { compile } = await import("../compile.ts");
      const { readTensors } = await import("../formats/node/files.ts");
      const { printModule } = await import("../ir/print.ts");
      const { loadTrainingData } = await import("../train/data/load.ts");
      const { train } = await import("../train/loop.ts");
      const { dataFiles } = await import("../train/node/data-files.ts");
      const { folderStore } = await import("../train/node/folder-store.ts");
      const { columnTypes } = await import("../train/session.ts");
      const { loadWeights } = await import("../train/weights.ts");
      const { open } = await import("./executable.ts");
      const { trainingProgress } = await import("./progress.ts");
      const { reporting, reportGraphs, withGradients } = await import("./report.ts");
      const { loadSource, requirePlan } = await import("./source.ts");
      const source = loadSource(file, undefined, options.set);
      const declared = requirePlan(source, file);
      const { epochs = declared.epochs, seed = declared.seed, limit } = options;
      const plan = { ...declared, epochs, seed };
      const target = await chosenTarget(options);
      // Every product is rounded, so that a training gives the same bits on all engines that have vectors.
      const graphs = ["init", "train_step", "eval_step", "metrics", ...(options.report ? reportGraphs : [])];
      const compiled = compile(withGradients(source.module), { graphs, target, fma: false });
      const { data, test } = await loadTrainingData(plan, columnTypes(compiled.module, plan), {
        ...dataFiles(source.directory, options.data),
        ...(limit === undefined ? {} : { limit }),
      });
      const executable = await open(compiled, await chosenThreads(options, "cores"));
      const initial = options.weights === undefined ? undefined : await readTensors(options.weights);
      // Weights that do not fit are found out before the folder of results is touched.
      if (initial) loadWeights(executable, compiled.module.globals.values(), initial, options.weights);
      const place = options.out ?? join("runs", plan.model);
      const interrupt = interruptible();
      const progress = trainingProgress({
        json: options.json ?? false,
        steps: options.steps ?? false,
        resumeCommand: resumeCommand(process.argv.slice(2)),
        place,
      });
      let store: Store | undefined;
      try {
        store = await folderStore(place);
        const events = options.tensorboard
          ? (await import("./tensorboard.ts")).tensorboardFile(place, (text) =>
              progress.report({ event: "note", text }),
            )
          : undefined;
        const page = options.report
          ? await reporting({
              executable,
              source: source.module,
              compiled: compiled.module,
              plan,
              data,
              ...(test ? { test } : {}),
              store,
              resumed: options.resume ?? false,
              ...(events ? { seen: events.observe } : {}),
            })
          : undefined;
        const result = await train({
          executable,
          module: compiled.module,
          plan,
          data,
          ...(test ? { test } : {}),
          shuffle: options.shuffle,
          ...(initial ? { initial } : {}),
          store,
          resume: options.resume ?? false,
          ...(page ? { companion: page.observations } : {}),
          // Another target rounds otherwise: what it began, only it continues to the same bits.
          program: `${printModule(source.module, { locations: false })}${target === "js" ? "" : `// ${target}\n`}`,
          report: (event) => {
            events?.report(event);
            page?.observe(event);
            progress.report(event.event === "done" ? { ...event, peakBytes: peakBytes() } : event);
          },
          signal: interrupt.signal,
        });
        await page?.finish(result);
        if (result.status === "interrupted") process.exitCode = interruptedExitCode;
      } finally {
        await store?.close?.();
        progress.stop();
        interrupt.stop();
        executable.dispose?.();
      }
    });
}

/** The most memory that the process has held so far; Node counts it in kilobytes. */
const peakBytes = (): number => process.resourceUsage().maxRSS * 1024;
