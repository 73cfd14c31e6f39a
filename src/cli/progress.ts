// What a person, a log, or a script sees of a training run: a bar with rate and remaining time on a terminal, plain lines
// in a pipe, JSON lines where they are asked for. All from the events of the training loop.

import cliProgress from "cli-progress";
import type { NestedNumbers } from "../formats/json.ts";
import type { Metrics, PredictedRows, Reporter, TrainingEvent } from "../train/events.ts";
import { classScores, type Predictions } from "../train/predictions.ts";
import { scaled } from "../util/units.ts";
import { type Colors, colorsFor } from "./colors.ts";

export interface ProgressOptions {
  /** One JSON object a line instead of text. */
  readonly json?: boolean;
  /** With `json`: a line for each training step, too. */
  readonly steps?: boolean;
  /** The command line that continues the run, told after an interruption. */
  readonly resumeCommand?: string;
  /** Where results go; told at the end. */
  readonly place?: string;
  readonly stream?: NodeJS.WriteStream;
}

export interface Progress {
  readonly report: Reporter;
  /** Leaves the terminal in order; call it when training has ended in any way. */
  readonly stop: () => void;
}

export function trainingProgress(options: ProgressOptions = {}): Progress {
  const stream = options.stream ?? process.stdout;
  if (options.json) {
    const report: Reporter = (event) => {
      const line = event.event === "step" && !options.steps ? undefined : jsonLine(event);
      if (line) stream.write(`${line}\n`);
    };
    return { report, stop: () => {} };
  }
  return stream.isTTY
    ? terminalProgress(stream, options)
    : lineProgress((line) => stream.write(`${line}\n`), colorsFor(stream), options);
}

/** The event as one JSON object, the metrics by their own names; undefined where it holds nothing for a script. */
export function jsonLine(event: TrainingEvent): string | undefined {
  switch (event.event) {
    case "begin":
    case "predictions":
      return undefined;
    case "step": {
      const { event: name, fold, epoch, step, loss, learningRate } = event;
      // JSON leaves out what is undefined.
      return JSON.stringify({ event: name, fold, epoch, step, loss, learning_rate: learningRate });
    }
    case "epoch": {
      const { event: name, fold, epoch, metrics } = event;
      return JSON.stringify({ event: name, ...(fold === undefined ? {} : { fold }), epoch, ...metrics });
    }
    case "test":
      return JSON.stringify({ event: event.event, ...event.metrics });
    case "fold":
      return JSON.stringify({ event: event.event, fold: event.fold, ...event.metrics });
    case "done": {
      const { stoppedEarly, bestEpoch, bestFold, epochs, seconds, peakBytes } = event;
      const rounded = Math.round(seconds * 1000) / 1000;
      // JSON leaves out what is undefined.
      const best = { best_epoch: bestEpoch, best_fold: bestFold };
      const cost = { seconds: rounded, peak_bytes: peakBytes };
      return JSON.stringify({ event: event.event, epochs, stopped_early: stoppedEarly, ...best, ...cost });
    }
    case "note":
    case "resumed":
    case "interrupted":
    case "cross_validation":
      return JSON.stringify(event);
  }
}

/** Lines for people; of many epochs only some are shown, always with the first and the last. */
function lineProgress(write: (line: string) => void, colors: Colors, options: ProgressOptions): Progress {
  let skipped: string | undefined;
  const report: Reporter = (event) => {
    if (event.event === "step") return;
    const line = textLine(event, colors, options);
    if (event.event !== "epoch") {
      if (skipped !== undefined) write(skipped);
      skipped = undefined;
      if (line !== undefined) write(line);
      return;
    }
    const { epoch, epochs } = event;
    skipped = line;
    if (epoch > 1 && epoch < epochs && epoch % Math.ceil(epochs / 25) !== 0) return;
    if (line !== undefined) write(line);
    skipped = undefined;
  };
  return { report, stop: () => {} };
}

/** The same lines, above a bar over the whole training. */
function terminalProgress(stream: NodeJS.WriteStream, options: ProgressOptions): Progress {
  const colors = colorsFor(stream);
  const bar = new cliProgress.SingleBar({
    stream,
    format: `{epoch} ${colors.cyan("{bar}")} {percentage}% | loss {loss} | {rate} | {left} left`,
    barCompleteChar: "━",
    barIncompleteChar: "─",
    barsize: 24,
    hideCursor: true,
    clearOnComplete: true,
    linewrap: null,
    gracefulExit: false,
  });
  let shown = false;
  const hide = (): void => {
    if (shown) bar.stop();
    shown = false;
  };
  // A line is written where the bar was; the next step shows the bar again, below it.
  const lines = lineProgress(
    (line) => {
      hide();
      stream.write(`${line}\n`);
    },
    colors,
    options,
  );
  let begun: { readonly at: number; readonly done: number } | undefined;
  let batch = 1;
  const report: Reporter = (event) => {
    if (event.event === "begin") batch = event.batch;
    lines.report(event);
    if (event.event !== "step") return;
    const total = event.epochs * event.steps;
    const done = (event.epoch - 1) * event.steps + event.step;
    const now = performance.now();
    if (!begun || done < begun.done) begun = { at: now, done };
    const seconds = (now - begun.at) / 1000;
    const steps = done - begun.done;
    const values = payload(event, batch, steps / seconds, ((total - done) * seconds) / steps);
    if (shown) bar.update(done, values);
    else bar.start(total, done, values);
    shown = true;
  };
  return { report, stop: hide };
}

function payload(
  event: Extract<TrainingEvent, { event: "step" }>,
  batch: number,
  stepsPerSecond: number,
  left: number,
) {
  const fold = event.fold === undefined ? "" : `fold ${event.fold}, `;
  const known = Number.isFinite(stepsPerSecond) && stepsPerSecond > 0;
  return {
    epoch: `${fold}epoch ${event.epoch}/${event.epochs}`,
    loss: event.loss.toPrecision(4),
    rate: known ? `${Math.round(stepsPerSecond * batch)} rows/s` : "…",
    left: known ? duration(left) : "…",
  };
}

/** `45 s`, `3 min 20 s`, `2 h 5 min` */
export function duration(seconds: number): string {
  const whole = Math.round(seconds);
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? "" : "s"}`;

function textLine(event: TrainingEvent, colors: Colors, { resumeCommand, place }: ProgressOptions): string | undefined {
  switch (event.event) {
    case "step":
      return undefined;
    case "predictions":
      return classTable(event, event.on, colors);
    case "begin": {
      const { rows, validation, test, folds, epochs, batch } = event;
      const held = [
        folds ? `${folds} folds` : "",
        validation ? `${validation} for validation` : "",
        test ? `${test} for test` : "",
      ];
      const parts = [`${rows} rows`, ...held.filter(Boolean), counted(epochs, "epoch"), `batches of ${batch}`];
      return `${colors.bold(event.model)}: ${parts.join(", ")}`;
    }
    case "note":
      return colors.dim(event.text);
    case "resumed":
      return `resumed in epoch ${event.epoch}, after ${counted(event.step, "step")} of it`;
    case "epoch": {
      const fold = event.fold === undefined ? "" : `fold ${event.fold}  `;
      return `${fold}epoch ${String(event.epoch).padStart(String(event.epochs).length)}/${event.epochs}  ${numbers(event.metrics)}`;
    }
    case "fold":
      return `fold ${event.fold}/${event.folds}  held back: ${numbers(event.metrics)}`;
    case "cross_validation": {
      const both = Object.keys(event.mean).map(
        (name) => `${name} ${formatNumber(event.mean[name])} ± ${formatNumber(event.deviation[name])}`,
      );
      return `${colors.bold(`over ${event.folds} folds`)}  ${both.join("  ")}`;
    }
    case "test":
      return [`${colors.bold("test")}  ${numbers(event.metrics)}`, ...matrices(event.metrics)].join("\n");
    case "interrupted": {
      const where = `interrupted in epoch ${event.epoch}, after ${counted(event.step, "step")} of it; a checkpoint is written`;
      return resumeCommand === undefined ? where : `${where}\ncontinue with: ${resumeCommand}`;
    }
    case "done": {
      const early = event.stoppedEarly ? ", stopped early" : "";
      const best = event.bestFold
        ? `, weights of fold ${event.bestFold}`
        : event.bestEpoch
          ? `, weights of epoch ${event.bestEpoch}`
          : "";
      const files = place === undefined ? "" : `; results are in ${place}`;
      const memory = event.peakBytes === undefined ? "" : `, at most ${scaled(event.peakBytes, "B")} of memory`;
      return `done: ${counted(event.epochs, "epoch")} in ${duration(event.seconds)}${memory}${early}${best}${files}`;
    }
  }
}

const mostClasses = 20;

/** Precision and recall of each class, and for which class its rows were taken. Undefined where there are too many classes. */
export function classTable({ names, confusion }: Predictions, on: PredictedRows, colors: Colors): string | undefined {
  if (confusion.length > mostClasses) return undefined;
  const header = ["class", "rows", "precision", "recall", "f1", ...confusion.map((_, k) => `→${names?.[k] ?? k}`)];
  const lines = classScores(confusion).map(({ rows, precision, recall, f1 }, k) => [
    names?.[k] ?? String(k),
    String(rows),
    ...[precision, recall, f1].map((value) => value.toFixed(3)),
    ...confusion[k]!.map(String),
  ]);
  const widths = header.map((cell, i) => Math.max(cell.length, ...lines.map((line) => line[i]!.length)));
  const row = (cells: readonly string[]): string =>
    cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join("  ");
  return [`${colors.bold("classes")}, ${on}:`, ...[header, ...lines].map((line) => `  ${row(line)}`)].join("\n");
}

const formatNumber = (value: NestedNumbers | undefined): string =>
  typeof value === "number" ? String(Number(value.toPrecision(4))) : String(value);

/** The metrics that are single numbers. */
export const numbers = (metrics: Metrics): string =>
  Object.entries(metrics)
    .filter(([, value]) => !Array.isArray(value))
    .map(([name, value]) => `${name} ${formatNumber(value)}`)
    .join("  ");

/** The metrics that are lists or tables, such as a confusion matrix. */
export function matrices(metrics: Metrics): string[] {
  return Object.entries(metrics).flatMap(([name, value]) => {
    if (!Array.isArray(value)) return [];
    const rows: readonly NestedNumbers[] = value.some((row) => Array.isArray(row)) ? value : [value];
    const cells = rows.map((row) => (Array.isArray(row) ? row.map(formatNumber) : [formatNumber(row)]));
    const width = Math.max(...cells.flat().map((cell) => cell.length));
    return [`${name}:`, ...cells.map((row) => `  ${row.map((cell) => cell.padStart(width)).join("  ")}`)];
  });
}
