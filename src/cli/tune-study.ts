// A search over constants on the disk: its trials are processes, its results lie in tune.json from the first one on.

import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { writeWhole } from "../formats/node/files.ts";
import { holderOf } from "../train/node/lock.ts";
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

export const resultsFile = "tune.json";
export const plotFile = "tune.svg";

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

/** What those who watch a search are told; `done` comes last, with the best trial first. */
export type TuneEvent =
  | { readonly event: "rung"; readonly trials: number; readonly epochs: number }
  | { readonly event: "waiting"; readonly trial: number; readonly process: string }
  | ({ readonly event: "trial"; readonly values: Readonly<Record<string, string>> } & TrialResult)
  | ({ readonly event: "done" } & ReturnType<typeof summaryOf>)
  | { readonly event: "interrupted" };

/** Runs what is left of a search; ends early, with what there is, when the signal says so. */
export async function searchAll(
  study: Study,
  known: readonly TrialResult[],
  { report, signal }: { readonly report: (event: TuneEvent) => void; readonly signal: AbortSignal },
): Promise<readonly TrialResult[]> {
  const results = [...known];
  const rungs = rungsOf(study.search, study.trials, study.epochs);
  for (const [i, { epochs }] of rungs.entries()) {
    const chosen = trialsOf(rungs, i, results, study.best);
    const waiting = chosen.filter((trial) => !results.some((done) => done.trial === trial && done.epochs === epochs));
    if (rungs.length > 1) report({ event: "rung", trials: chosen.length, epochs });
    const worker = async (): Promise<void> => {
      for (let trial = waiting.shift(); trial !== undefined && !signal.aborted; trial = waiting.shift()) {
        await whileHeld(study, trial, { report, signal });
        const result = await runTrial(study, trial, epochs, signal);
        if (!result) return;
        results.push(result);
        report({ event: "trial", values: valuesOf(study.space, study.seed, trial), ...result });
        await save(study, results);
      }
    };
    await Promise.all(Array.from({ length: study.jobs }, worker));
    if (signal.aborted) return results;
  }
  return results;
}

/** Trials of a search that was killed may still run for a while. */
async function whileHeld(
  study: Study,
  trial: number,
  { report, signal }: { readonly report: (event: TuneEvent) => void; readonly signal: AbortSignal },
): Promise<void> {
  let told = false;
  for (;;) {
    const process = await holderOf(folderOf(study, trial));
    if (process === undefined || signal.aborted) return;
    if (!told) report({ event: "waiting", trial, process });
    told = true;
    await sleep(200);
  }
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
