// Trains the models of the primer with several seeds, and writes what they reach, and how long an epoch takes, beside what is wanted of them.
// Results are kept in bench/results/training.json, so that a selection can be run and the rest stays. Usage:
//   npx tsx bench/training.ts --models DIR --data DIR [--only iris,vae] [--seeds 0,1,2] [--threads 1] [--write]
//     [--torch times.json] [--busy]
// times.json is what bench/training-torch.py prints: seconds of an epoch by model. `--write` makes docs/training-results.md.
// With `--busy`, on a machine that does other work, times are not kept.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

interface Goal {
  readonly title: string;
  /** The event of `dlm train --json` that has the figure, the last of its kind, and the figure's name there. */
  readonly event: "epoch" | "test" | "cross_validation";
  readonly metric: string;
  readonly atLeast?: number;
  readonly atMost?: number;
  readonly epochs?: number;
}

const goals: Readonly<Record<string, Goal>> = {
  xor: { title: "exclusive or, accuracy", event: "epoch", metric: "binary_accuracy", atLeast: 1 },
  iris: { title: "iris, accuracy, mean of five folds", event: "cross_validation", metric: "accuracy", atLeast: 0.95 },
  diabetes: { title: "diabetes, R² on the last fifth", event: "epoch", metric: "val_r2", atLeast: 0.54 },
  temperature_gru: {
    title: "temperature, mean absolute error in °C on the last fifth, best epoch",
    event: "epoch",
    metric: "val_mean_absolute_error",
    atMost: 1.79,
  },
  autoencoder: {
    title: "autoencoder, squared error on the test images",
    event: "test",
    metric: "mean_squared_error",
    atMost: 0.0118,
  },
  vae: {
    title: "variational autoencoder, squared error on held-back images",
    event: "epoch",
    metric: "val_mean_squared_error",
    atMost: 0.0175,
  },
  semi_supervised: {
    title: "semi-supervised digits, accuracy on the test images",
    event: "test",
    metric: "accuracy",
    atLeast: 0.88,
  },
  mnist_cnn: {
    title: "convolutional digits, accuracy on the test images after three epochs",
    event: "test",
    metric: "accuracy",
    atLeast: 0.988,
    epochs: 3,
  },
  char_lstm: { title: "characters by LSTM, held-back loss in nats", event: "epoch", metric: "val_loss", atMost: 1.92 },
  tiny_gpt: {
    title: "characters by transformer, held-back loss in nats",
    event: "epoch",
    metric: "val_loss",
    atMost: 1.98,
  },
};

interface Run {
  readonly figure: number;
  /** Seconds of an epoch, with its validation: the median. 0 where it was not measured. */
  readonly epochSeconds: number;
  /** The most memory that the process held. */
  readonly peakBytes?: number;
}

interface Results {
  machine: string;
  threads: number;
  /** By model, then by seed. */
  readonly runs: Record<string, Record<string, Run>>;
  /** Seconds of an epoch in PyTorch on the same machine. */
  torch: Record<string, number>;
}

const { values: options } = parseArgs({
  options: {
    models: { type: "string", default: "models" },
    data: { type: "string", default: "data" },
    only: { type: "string" },
    seeds: { type: "string", default: "0,1,2" },
    threads: { type: "string", default: "1" },
    torch: { type: "string" },
    write: { type: "boolean", default: false },
    busy: { type: "boolean", default: false },
  },
});

const resultsFile = fileURLToPath(new URL("results/training.json", import.meta.url));
const bin = fileURLToPath(new URL("../bin/dlm.mjs", import.meta.url));

function readResults(): Results {
  try {
    return JSON.parse(readFileSync(resultsFile, "utf8"));
  } catch {
    return { machine: "", threads: 1, runs: {}, torch: {} };
  }
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;

async function trainOnce(name: string, goal: Goal, seed: string): Promise<Run> {
  const folder = mkdtempSync(join(tmpdir(), "training-"));
  const epochs = goal.epochs === undefined ? [] : ["--epochs", String(goal.epochs)];
  const program = join(resolve(options.models), `${name}.dlm`);
  const fixed = ["--data", resolve(options.data), "--out", folder, "--json", "--threads", options.threads];
  const child = spawn(process.execPath, [bin, "train", program, ...fixed, "--seed", seed, ...epochs], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  child.stdout.on("data", (text) => {
    output += text;
  });
  const [code] = await once(child, "close");
  if (code !== 0) throw new Error(`training ${name} ended with ${code}`);
  const events: Record<string, unknown>[] = output
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  const observed: { seconds: number }[] = JSON.parse(readFileSync(join(folder, "observations.json"), "utf8"));
  rmSync(folder, { recursive: true });
  const done = events.find(({ event }) => event === "done");
  const best = Number(done?.best_epoch ?? Number.NaN);
  const wanted = events.filter(({ event }) => event === goal.event);
  // Where early stopping chose an epoch, the figure is that epoch's: its weights are what is kept.
  const chosen = wanted.find(({ event, epoch }) => event === "epoch" && epoch === best) ?? wanted.at(-1);
  const holder = goal.event === "cross_validation" ? chosen?.mean : chosen;
  const figure = Number(new Map(Object.entries(holder ?? {})).get(goal.metric));
  const epochSeconds = options.busy ? 0 : median(observed.map(({ seconds }) => seconds));
  return { figure, epochSeconds, peakBytes: Number(done?.peak_bytes ?? Number.NaN) };
}

const shown = (value: number): string => String(Number(value.toPrecision(4)));

/** So many seeds have their figures in the table; of more there is a line below. */
const inTable = 3;

function spread(name: string, goal: Goal, { runs }: Results): string {
  const figures = Object.values(runs[name] ?? {}).map(({ figure }) => figure);
  if (figures.length <= inTable) return "";
  const mean = figures.reduce((a, b) => a + b, 0) / figures.length;
  const deviation = Math.sqrt(figures.reduce((sum, figure) => sum + (figure - mean) ** 2, 0) / (figures.length - 1));
  const reached = figures.filter((figure) => meets(goal, figure)).length;
  return `\n${name} was trained with ${figures.length} seeds: ${shown(Math.min(...figures))} to ${shown(Math.max(...figures))}, mean
${shown(mean)}, standard deviation ${deviation.toPrecision(2)}; ${reached} of them reach what is wanted.\n`;
}

/** Of the models of which it was counted. */
function memory({ runs }: Results): string {
  const held = Object.keys(goals).flatMap((name) => {
    const most = Object.values(runs[name] ?? {}).flatMap(({ peakBytes }) => (peakBytes ? [peakBytes] : []));
    return most.length === 0 ? [] : [`${name} ${Math.round(Math.max(...most) / 1e6)} MB`];
  });
  if (held.length === 0) return "";
  return `\nThe most memory that the process of a training held, its data included, as \`dlm train\` says at its end: ${held.join(", ")}.\n`;
}

function row(name: string, goal: Goal, { runs, torch }: Results): string {
  const own = Object.entries(runs[name] ?? {}).sort(([a], [b]) => Number(a) - Number(b));
  const figures =
    own
      .slice(0, inTable)
      .map(([, { figure }]) => shown(figure))
      .join(", ") || "not run";
  const wanted = goal.atLeast === undefined ? `≤ ${goal.atMost}` : `≥ ${goal.atLeast}`;
  const seconds = median(own.flatMap(([, { epochSeconds }]) => (epochSeconds > 0 ? [epochSeconds] : [])));
  const other = torch[name];
  const ratio = other === undefined || seconds === 0 ? "" : `${(seconds / other).toFixed(2)}`;
  const cells = [
    name,
    goal.title,
    wanted,
    figures,
    seconds === 0 ? "" : shown(seconds),
    other ? shown(other) : "",
    ratio,
  ];
  return `| ${cells.join(" | ")} |`;
}

function page(results: Results): string {
  const rows = Object.entries(goals).map(([name, goal]) => row(name, goal, results));
  const header = ["model", "figure", "wanted", "by seed", "s an epoch", "s in PyTorch", "ratio"];
  return `# What the models reach

Each program of the primer, trained with the seeds 0, 1, 2 from fresh weights, on ${results.threads} thread${results.threads === 1 ? "" : "s"} of
${results.machine}. Seconds are the median epoch with its validation. Made by \`npx tsx bench/training.ts --write\`; the times of
PyTorch are those of \`bench/training-torch.py\` on the same machine, on one thread.

| ${header.join(" | ")} |
|${header.map(() => "---").join("|")}|
${rows.join("\n")}
${Object.entries(goals)
  .map(([name, goal]) => spread(name, goal, results))
  .join("")}${memory(results)}`;
}

const meets = ({ atLeast, atMost }: Goal, figure: number): boolean =>
  figure >= (atLeast ?? Number.NEGATIVE_INFINITY) && figure <= (atMost ?? Number.POSITIVE_INFINITY);

const results = readResults();
results.machine = `${cpus()[0]?.model ?? "an unknown processor"}, Node ${process.version}`;
results.threads = Number(options.threads);
if (options.torch !== undefined) results.torch = JSON.parse(readFileSync(options.torch, "utf8"));
const chosen = options.only === undefined ? Object.keys(goals) : options.only.split(",").filter((name) => name !== "");
for (const name of chosen) {
  const goal = goals[name];
  if (!goal) throw new Error(`there is no model ${name}; the models are ${Object.keys(goals).join(", ")}`);
  for (const seed of options.seeds.split(",")) {
    const run = await trainOnce(name, goal, seed);
    const known = results.runs[name]?.[seed]?.epochSeconds ?? 0;
    const kept = run.epochSeconds > 0 ? run : { ...run, epochSeconds: known };
    results.runs[name] = { ...results.runs[name], [seed]: kept };
    writeFileSync(resultsFile, `${JSON.stringify(results, undefined, 2)}\n`);
    const verdict = meets(goal, run.figure) ? "reached" : "NOT reached";
    console.log(
      `${name}, seed ${seed}: ${goal.metric} ${shown(run.figure)}, ${verdict}; ${shown(run.epochSeconds)} s an epoch`,
    );
  }
}
if (options.write) writeFileSync(fileURLToPath(new URL("../docs/training-results.md", import.meta.url)), page(results));
