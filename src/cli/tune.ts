// dlm tune: trains a program again and again with other values for its constants, several trainings at a time, and says which values
// are best. Each trial is a `dlm train` of its own in a folder of its own, so that a search can be stopped and continued.

import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { type Command, Option } from "commander";
import type { TrainingPlan } from "../dsl/training-plan.ts";
import type { Best } from "../train/progress.ts";
import type { SearchKind, TrialResult } from "../train/tune/search.ts";
import type { Varied } from "../train/tune/space.ts";
import { UserError } from "../util/user-error.ts";
import { interruptedExitCode, interruptible } from "./interrupt.ts";
import { wholeNumber } from "./numbers.ts";
import type { TuneEvent } from "./tune-study.ts";

interface Options {
  readonly vary: readonly string[];
  readonly trials: number;
  readonly search: SearchKind;
  readonly metric?: string;
  readonly best?: Best;
  readonly jobs: number;
  readonly data?: string;
  readonly out?: string;
  readonly epochs?: number;
  readonly limit?: number;
  readonly seed?: number;
  readonly json?: boolean;
}

const gather = (text: string, before: readonly string[]): string[] => [...before, text];

export function addTune(program: Command): void {
  program
    .command("tune")
    .description("search for good values of a program's constants; run again, it continues where it stopped")
    .argument("<file>", "a .dlm file with a train block")
    .requiredOption(
      "--vary <range>",
      'a constant and its values: "lr=1e-4..1e-2", "units=16,32,64"; several times',
      gather,
      [],
    )
    .option("--trials <n>", "how many values to try", wholeNumber(1), 10)
    .addOption(
      new Option(
        "--search <kind>",
        "halving gives few epochs to all trials, and more to the best third, again and again",
      )
        .choices(["random", "halving"])
        .default("random"),
    )
    .option(
      "--metric <name>",
      "what is compared; default val_loss, with folds the mean loss, without rows held back loss",
    )
    .addOption(
      new Option("--best <value>", "which values of the metric are best; default by its name").choices([
        "least",
        "greatest",
      ]),
    )
    .option("--jobs <n>", "trainings at a time, on one thread each", wholeNumber(1), 1)
    .option("--data <dir>", "where the data files are; default beside the program")
    .option("--out <dir>", "where to leave results; default runs/NAME-tune, after the model's name")
    .option("--epochs <n>", "instead of what the program says", wholeNumber(1))
    .option("--limit <n>", "use only the first n rows of the training data", wholeNumber(1))
    .option("--seed <n>", "of the values that are tried, and of the trainings", wholeNumber(0))
    .option("--json", "progress as one JSON object a line, the last one with all results")
    .action(async (file: string, options: Options) => {
      const { parseVaried } = await import("../train/tune/space.ts");
      const { usualBest } = await import("../train/progress.ts");
      const { readStudy, searchAll, summaryOf } = await import("./tune-study.ts");
      const { loadSource, requirePlan } = await import("./source.ts");
      const { tuneLines } = await import("./tune-text.ts");
      const space = options.vary.map(parseVaried);
      checkNames(space);
      // A mistake in the program, or in the name of a constant, is told before anything is trained.
      const source = loadSource(file, undefined, firstValues(space));
      const plan = requirePlan(source, file);
      const metric = metricOf(plan, options.metric);
      const study = {
        file,
        place: options.out ?? join("runs", `${plan.model}-tune`),
        space,
        metric,
        best: options.best ?? usualBest(metric),
        search: options.search,
        trials: options.trials,
        epochs: options.epochs ?? plan.epochs,
        seed: options.seed ?? plan.seed,
        jobs: options.jobs,
        ...(options.data === undefined ? {} : { data: options.data }),
        ...(options.limit === undefined ? {} : { limit: options.limit }),
      };
      await mkdir(study.place, { recursive: true });
      const known = await readStudy(study);
      const interrupt = interruptible();
      const report = (event: TuneEvent): void => {
        const lines = options.json ? [JSON.stringify(event)] : tuneLines(study, event);
        process.stdout.write(lines.map((line) => `${line}\n`).join(""));
      };
      try {
        const results = await searchAll(study, known, { report, signal: interrupt.signal });
        if (interrupt.signal.aborted) {
          report({ event: "interrupted" });
          process.exitCode = interruptedExitCode;
        } else if (results.every(({ value }) => value === undefined)) throw allFailed(results);
        else report({ event: "done", ...summaryOf(study, results) });
      } finally {
        interrupt.stop();
      }
    });
}

function checkNames(space: readonly Varied[]): void {
  const names = space.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw new UserError(`${twice} is varied twice`, "give all its values in one --vary");
}

const firstValues = (space: readonly Varied[]): Record<string, string> =>
  Object.fromEntries(
    space.map((varied) => [varied.name, varied.kind === "list" ? varied.values[0]! : String(varied.low)]),
  );

/** Throws a UserError for what no epoch, or no end of a cross-validation, reports. */
function metricOf(plan: TrainingPlan, wanted: string | undefined): string {
  const own = ["loss", ...plan.metrics];
  const known = plan.validation ? [...own.map((name) => `val_${name}`), ...own] : own;
  const metric = wanted ?? known[0]!;
  if (known.includes(metric)) return metric;
  throw new UserError(`a training gives no ${metric} to compare`, `it gives ${known.join(", ")}`);
}

function allFailed(results: readonly TrialResult[]): UserError {
  const [first] = results;
  return new UserError(`all ${results.length} trials failed`, `the first one: ${first?.failure ?? "it says nothing"}`);
}
