// What a person sees of a search: a line a trial, and at the end the best ones in a table.

import { join } from "node:path";
import { plotFile, resultsFile, type Study, type TuneEvent } from "./tune-study.ts";

/** The lines for an event. */
export function tuneLines(study: Study, event: TuneEvent): readonly string[] {
  switch (event.event) {
    case "rung":
      return [`${event.trials} trials to epoch ${event.epochs}`];
    case "waiting":
      return [`trial ${event.trial}  waits for process ${event.process}, which an earlier search began`];
    case "trial": {
      const { trial, epochs, value, failure, values } = event;
      const settings = Object.entries(values).map(([name, text]) => `${name} ${text}`);
      const came = value === undefined ? `failed: ${failure}` : `${study.metric} ${shown(value)}`;
      return [`trial ${trial}  ${settings.join("  ")}  ${epochs} epochs  ${came}`];
    }
    case "interrupted":
      return ["stopped; the same command continues the search"];
    case "done":
      return tableOf(study, event);
  }
}

const shown = (value: number | undefined): string =>
  value === undefined ? "failed" : String(Number(value.toPrecision(4)));

/** The best trials, and where the best one's weights are. */
function tableOf(study: Study, { trials }: Extract<TuneEvent, { event: "done" }>): string[] {
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
