// report.html, which `dlm train` leaves: curves, what is confused with what, examples that are wrong, how weights and gradients
// are spread, the model's graph, time and memory. One file that works offline.

import { type DrawnArrow, type DrawnBox, modelGraphSvg } from "./model-graph.ts";
import { escapeHtml, pageHtml } from "./page.ts";
import { trainingScript, trainingStyle } from "./training-script.ts";

/** Counts of numbers in equally wide pieces from `low` to `high`. */
interface Spread {
  readonly low: number;
  readonly high: number;
  readonly mean: number;
  readonly deviation: number;
  readonly counts: readonly number[];
}

export interface ReportedEpoch {
  readonly fold?: number;
  readonly epoch: number;
  /** Metrics that are one number, `val_…` those of the validation data. */
  readonly metrics: Readonly<Record<string, number>>;
  readonly learningRate?: number;
  readonly seconds?: number;
  readonly steps?: number;
  /** Means of the losses of equally many steps each. */
  readonly losses?: readonly number[];
  /** Bytes. */
  readonly memory?: number;
  readonly weights?: Readonly<Record<string, Spread>>;
  readonly gradients?: Readonly<Record<string, Spread>>;
}

export interface ReportedPredictions {
  /** Which rows: `test data`. */
  readonly of: string;
  readonly rows: number;
  readonly confusion: readonly (readonly number[])[];
  readonly classes?: readonly string[];
  readonly shape: readonly number[];
  readonly wrong: readonly {
    readonly row: number;
    readonly values: readonly number[];
    readonly label: number;
    readonly said: number;
    readonly scores: readonly number[];
  }[];
}

export interface TrainingReport {
  readonly model: string;
  readonly doc?: string;
  /** What a reader wants to know first, as label and value: `["test accuracy", "98.4 %"]`. */
  readonly summary: readonly (readonly [label: string, value: string])[];
  readonly epochs: readonly ReportedEpoch[];
  /** Mean and standard deviation of each metric over the folds of a cross-validation. */
  readonly folds?: {
    readonly count: number;
    readonly mean: Readonly<Record<string, number>>;
    readonly deviation: Readonly<Record<string, number>>;
  };
  readonly bestEpoch?: number;
  readonly predictions?: ReportedPredictions;
  readonly graph: { readonly boxes: readonly DrawnBox[]; readonly arrows: readonly DrawnArrow[] };
}

/** The plotting library's script and style sheet, which the page carries: those of uPlot. */
export interface Plotting {
  readonly script: string;
  readonly style: string;
}

export function trainingPage(report: TrainingReport, plotting: Plotting): string {
  const { model, doc, summary, predictions, graph, folds } = report;
  const facts = summary.map(
    ([label, value]) => `<div class="fact"><b>${escapeHtml(value)}</b><span>${escapeHtml(label)}</span></div>`,
  );
  const observed = report.epochs.some(({ weights }) => weights !== undefined);
  const sections = [
    section("Curves", '<div id="curves" class="charts"></div>'),
    ...(folds ? [section(`Over ${folds.count} folds`, foldsTable(folds))] : []),
    ...(predictions ? predictionSections(predictions) : []),
    ...(observed
      ? [section("Weights and gradients", `<p class="muted">${spreadHelp}</p><div id="spreads" class="spreads"></div>`)]
      : []),
    section("The model", `<div class="scroll">${modelGraphSvg(graph.boxes, graph.arrows)}</div>`),
    ...(report.epochs.some(({ seconds }) => seconds !== undefined)
      ? [section("Time and memory", '<div id="times" class="charts"></div>')]
      : []),
  ];
  const body = `<h1>${escapeHtml(model)}</h1>
${doc ? `<p class="lead">${escapeHtml(doc)}</p>` : ""}
<div class="facts">${facts.join("")}</div>
${sections.join("\n")}`;
  const { doc: _, graph: __, summary: ___, ...data } = report;
  return pageHtml({
    title: `${model}: training report`,
    body,
    data: rounded(data),
    script: `${plotting.script}\n${trainingScript}`,
    style: plotting.style + trainingStyle,
  });
}

const spreadHelp =
  "Each column is an epoch, the height is the value, and darker means that more of the numbers lie there. Gradients are those of one batch, before clipping.";

const section = (title: string, html: string): string => `<section><h2>${escapeHtml(title)}</h2>\n${html}</section>`;

function foldsTable({ mean, deviation }: NonNullable<TrainingReport["folds"]>): string {
  const rows = Object.entries(mean).map(
    ([name, value]) =>
      `<tr><td>${escapeHtml(name)}</td><td>${digits(value)}</td><td>± ${digits(deviation[name] ?? 0)}</td></tr>`,
  );
  return `<table><tr><th>metric</th><th>mean</th><th>deviation</th></tr>${rows.join("")}</table>`;
}

function predictionSections({ of, rows, confusion, classes, wrong }: ReportedPredictions): string[] {
  const nameOf = (index: number): string => escapeHtml(classes?.[index] ?? String(index));
  const said = confusion.map((_, column) => confusion.reduce((sum, row) => sum + row[column]!, 0));
  const perClass = confusion.map((row, index) => {
    const support = row.reduce((sum, count) => sum + count, 0);
    const precision = row[index]! / said[index]!;
    const recall = row[index]! / support;
    const cells = [precision, recall, (2 * precision * recall) / (precision + recall)].map(
      (share) => `<td>${Number.isFinite(share) ? `${(100 * share).toFixed(1)} %` : "–"}</td>`,
    );
    return `<tr><td>${nameOf(index)}</td>${cells.join("")}<td>${support}</td></tr>`;
  });
  const head = `<tr><th></th>${confusion.map((_, index) => `<th>${nameOf(index)}</th>`).join("")}</tr>`;
  const matrix = confusion.map((row, index) => {
    const total = row.reduce((sum, count) => sum + count, 0);
    const cells = row.map((count, column) => {
      const kind = column === index ? "right" : "mistaken";
      const share = total === 0 ? 0 : Math.round((100 * count) / total);
      return `<td class="${kind}" style="--share:${share}%">${count}</td>`;
    });
    return `<tr><td>${nameOf(index)}</td>${cells.join("")}</tr>`;
  });
  const tables = `<div class="side"><div class="scroll"><table class="confusion"><caption>rows: what it is; columns: what was said</caption>${head}${matrix.join("")}</table></div>
<div class="scroll"><table><tr><th>class</th><th>precision</th><th>recall</th><th>F1</th><th>rows</th></tr>${perClass.join("")}</table></div></div>`;
  return [
    section(`Confusion, ${rows} rows of the ${of}`, tables),
    ...(wrong.length > 0 ? [section("Wrong, and most sure", '<div id="wrong" class="cards small"></div>')] : []),
  ];
}

const digits = (value: number): string => String(Number(value.toPrecision(4)));

/** Four digits are more than a plot shows. */
function rounded(data: unknown): unknown {
  return JSON.parse(
    JSON.stringify(data, (_, value: unknown) =>
      typeof value === "number" && !Number.isInteger(value) ? Number(value.toPrecision(5)) : value,
    ),
  );
}
