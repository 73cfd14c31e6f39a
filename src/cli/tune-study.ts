// A search over constants on the disk: its trials are processes, its results lie in tune.json from the first one on.

import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { writeWhole } from "../formats/node/files.ts";
import { type Best, isBetter } from "../train/progress.ts";
import { plotSearch } from "../train/tune/plot.ts";
import { ranked, rungsOf, type SearchKind, type TrialResult, trialsOf, valuesOf } from "../train/tune/search.ts";
import type { Varied } from "../train/tune/space.ts";
import { UserError } from "../util/user-error.ts";

export interface Study {
  readonly file: string;
  /** The folder of the results. */
  readonly place: string;
  readonly space: readonly Varied[];
  readonly metric: string;
  readonly best: Best;
  readonly search: SearchKind;
  readonly trials: number;
  readonly epochs: number;
  readonly seed: number;
  readonly jobs: number;
  readonly data?: string;
  readonly limit?: number;
}

const resultsFile = "tune.json";
const plotFile = "tune.svg";

/** What must be equal for a search to be continued. More trials, and more at a time, are the same search. */
const identityOf = ({ space, metric, best, search, seed, epochs, limit, trials }: Study) => ({
  space,
  metric,
  best,
  search,
  seed,
  epochs,
  limit: limit ?? null,
  // With halving, how many trials there are decides for how long each runs.
  trials: search === "halving" ? trials : null,
});

/** The results of an earlier call. Throws a UserError where they are of another search, or damaged. */
export async function readStudy(study: Study): Promise<readonly TrialResult[]> {
  const path = join(study.place, resultsFile);
  if (!existsSync(path)) return [];
  const help = "choose another folder with --out, or remove this one";
  let saved: { readonly identity?: unknown; readonly results?: unknown };
  try {
    saved = JSON.parse(await readFile(path, "utf8"));
  } catch {
    throw new UserError(`${path} is damaged`, help);
  }
  if (JSON.stringify(saved.identity) !== JSON.stringify(identityOf(study)))
    throw new UserError(`${path} is of another search`, `repeat the first command, or ${help}`);
  return Array.isArray(saved.results) ? saved.results.filter(isResult) : [];
}

const isResult = (item: unknown): item is TrialResult =>
  typeof item === "object" && item !== null && "trial" in item && "epochs" in item && "seconds" in item;

/** All that is known of a search, the best first, for scripts. */
export function summaryOf(study: Study, results: readonly TrialResult[]) {
  const trials = ranked(results, study.best).map((result) => ({
    ...result,
    values: valuesOf(study.space, study.seed, result.trial),
    folder: folderOf(study, result.trial),
  }));
  return { metric: study.metric, best: study.best, trials };
}

const folderOf = ({ place }: Study, trial: number): string => join(place, `trial-${trial}`);

/** Runs what is left of a search; ends early, with what there is, when the signal says so. */
export async function searchAll(
  study: Study,
  known: readonly TrialResult[],
  { say, signal }: { readonly say: (line: string) => void; readonly signal: AbortSignal },
): Promise<readonly TrialResult[]> {
  const results = [...known];
  const rungs = rungsOf(study.search, study.trials, study.epochs);
  for (const [i, { epochs }] of rungs.entries()) {
    const chosen = trialsOf(rungs, i, results, study.best);
    const waiting = chosen.filter((trial) => !results.some((done) => done.trial === trial && done.epochs === epochs));
    if (rungs.length > 1) say(`${chosen.length} trials to epoch ${epochs}`);
    const worker = async (): Promise<void> => {
      for (let trial = waiting.shift(); trial !== undefined && !signal.aborted; trial = waiting.shift()) {
        const result = await runTrial(study, trial, epochs, signal);
        if (!result) return;
        results.push(result);
        say(lineOf(study, result));
        await save(study, results);
      }
    };
    await Promise.all(Array.from({ length: study.jobs }, worker));
    if (signal.aborted) return results;
  }
  for (const line of tableOf(study, results)) say(line);
  return results;
}

async function save(study: Study, results: readonly TrialResult[]): Promise<void> {
  const lines = [...results].sort((a, b) => a.epochs - b.epochs || a.trial - b.trial);
  const text = { identity: identityOf(study), ...summaryOf(study, results), results: lines };
  await writeWhole(join(study.place, resultsFile), `${JSON.stringify(text, undefined, 2)}\n`);
  const tried = ranked(results, study.best).map((result) => ({
    result,
    values: valuesOf(study.space, study.seed, result.trial),
  }));
  await writeWhole(join(study.place, plotFile), plotSearch(study.space, tried, study.metric));
}

const bin = fileURLToPath(new URL("../../bin/dlm.mjs", import.meta.url));

/** Trains, or goes on training, to so many epochs; undefined when it was interrupted. */
async function runTrial(
  study: Study,
  trial: number,
  epochs: number,
  signal: AbortSignal,
): Promise<TrialResult | undefined> {
  const started = performance.now();
  const values = Object.entries(valuesOf(study.space, study.seed, trial));
  const args = ["train", study.file, "--out", folderOf(study, trial), "--json", "--resume", "--threads", "1"];
  args.push("--epochs", String(epochs), "--seed", String(study.seed));
  for (const [name, value] of values) args.push("--set", `${name}=${value}`);
  if (study.data !== undefined) args.push("--data", study.data);
  if (study.limit !== undefined) args.push("--limit", String(study.limit));
  const child = spawn(process.execPath, [bin, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  const stop = (): void => void child.kill("SIGINT");
  signal.addEventListener("abort", stop);
  const texts = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const)
    child[name].on("data", (data) => {
      texts[name] += String(data);
    });
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  signal.removeEventListener("abort", stop);
  if (signal.aborted) return undefined;
  const result = { trial, epochs, seconds: Math.round(performance.now() - started) / 1000 };
  if (code !== 0) return { ...result, failure: texts.stderr.trim().split("\n")[0] || `it ended with ${code}` };
  const value = await bestValue(study, trial);
  return value === undefined ? { ...result, failure: `it gave no ${study.metric}` } : { ...result, value };
}

/** The best value of the metric over the epochs, or its mean over the folds, from the history that the training left. */
async function bestValue({ metric, best, ...study }: Study, trial: number): Promise<number | undefined> {
  const text = await readFile(join(folderOf({ metric, best, ...study }, trial), "history.json"), "utf8");
  const history: { readonly epochs: readonly Record<string, unknown>[]; readonly mean?: Record<string, unknown> } =
    JSON.parse(text);
  const found = history.mean ? [history.mean[metric]] : history.epochs.map((epoch) => epoch[metric]);
  let chosen: number | undefined;
  for (const value of found) if (typeof value === "number" && isBetter(best, value, chosen)) chosen = value;
  return chosen;
}

const shown = (value: number | undefined): string =>
  value === undefined ? "failed" : String(Number(value.toPrecision(4)));

function lineOf(study: Study, { trial, epochs, value, failure }: TrialResult): string {
  const values = Object.entries(valuesOf(study.space, study.seed, trial)).map(([name, text]) => `${name} ${text}`);
  const came = value === undefined ? `failed: ${failure}` : `${study.metric} ${shown(value)}`;
  return `trial ${trial}  ${values.join("  ")}  ${epochs} epochs  ${came}`;
}

/** The best trials, and where the best one's weights are. */
function tableOf(study: Study, results: readonly TrialResult[]): string[] {
  const { trials } = summaryOf(study, results);
  const names = study.space.map(({ name }) => name);
  const header = ["trial", ...names, "epochs", study.metric];
  const lines = trials
    .slice(0, 20)
    .map(({ trial, values, epochs, value }) => [
      String(trial),
      ...names.map((name) => values[name]!),
      String(epochs),
      shown(value),
    ]);
  const widths = header.map((cell, i) => Math.max(cell.length, ...lines.map((line) => line[i]!.length)));
  const rows = [header, ...lines].map((cells) => `  ${cells.map((cell, i) => cell.padStart(widths[i]!)).join("  ")}`);
  const [best] = trials;
  const end =
    best?.value === undefined
      ? []
      : [`best: ${names.map((name) => `${name} = ${best.values[name]}`).join(", ")}; weights are in ${best.folder}`];
  return ["", ...rows, "", ...end, `the results are in ${join(study.place, resultsFile)}, a plot in ${plotFile}`];
}
