// The page of `dlm explain`: for images the image with the heat over it, for columns bars, and the scores beside them.

import { escapeHtml, pageHtml } from "./page.ts";

export interface ExplainedRow {
  /** The input's elements, in the order of `shape`. */
  readonly values: readonly number[];
  /** Of the input's shape; of an image's height and width where there is one heat for all channels. */
  readonly heat: readonly number[];
  readonly scores: readonly number[];
  /** The class that the data say, where they say one. */
  readonly label?: number;
}

export interface Explanation {
  readonly model: string;
  readonly method: string;
  /** What the library says of the method. */
  readonly doc: string;
  /** One row's shape: `[28, 28, 1]`. */
  readonly shape: readonly number[];
  /** Names of the classes or scores; their numbers where there are none. */
  readonly classes?: readonly string[];
  /** The class that was asked about, for all rows; otherwise each row's highest. */
  readonly asked?: number;
  readonly rows: readonly ExplainedRow[];
}

export function explanationPage(explanation: Explanation): string {
  const { model, method, doc, rows } = explanation;
  const [, , channels] = explanation.shape;
  const image = explanation.shape.length === 3 && (channels === 1 || channels === 3);
  const body = `<h1>${escapeHtml(model)}: ${escapeHtml(method.replaceAll("_", " "))}</h1>
<p class="lead">${escapeHtml(doc)}</p>
<p class="legend">${legend(method)}</p>
<div class="cards" id="rows" aria-label="${rows.length} explained rows"></div>`;
  const round = (value: number): number => Number(value.toPrecision(4));
  const data = {
    ...explanation,
    image,
    rows: rows.map((row) => ({
      ...row,
      values: row.values.map(round),
      heat: row.heat.map(round),
      scores: row.scores.map(round),
    })),
  };
  return pageHtml({ title: `${model}: ${method}`, body, data, script, style });
}

/** What the colours say: only some methods tell for from against. */
const legend = (method: string): string =>
  method === "integrated_gradients" || method === "occlusion"
    ? '<i class="for"></i> speaks for the class <i class="none"></i> no influence <i class="against"></i> speaks against it'
    : '<i class="for"></i> decides <i class="none"></i> no influence';

const style = `
.legend { color: var(--muted); font-size: .85rem; }
.legend i { display: inline-block; width: .8rem; height: .8rem; border-radius: 3px; margin: 0 .2rem 0 1rem; vertical-align: -1px; }
.legend i.for { background: rgb(220, 50, 30); margin-left: 0; } .legend i.against { background: rgb(40, 90, 220); }
.legend i.none { border: 1px solid var(--line); }
.pair { display: grid; grid-template-columns: 1fr 1fr; gap: .5rem; margin-bottom: .6rem; }
.card h3 { margin: 0 0 .5rem; font-size: .95rem; }
.wrong { color: var(--against); }
.scores { margin-top: .6rem; } .scores i { background: var(--muted); }
.heat .bar { grid-template-columns: 5rem 1fr 1fr 4rem; gap: 0 .25rem; }
.heat .left { justify-self: end; background: rgb(40, 90, 220); } .heat .right { background: rgb(220, 50, 30); }
.heat .bar div { display: grid; }
`;

/** Draws `data`. Red speaks for the class, blue against it; colours are scaled to the greatest heat of the row. */
const script = `
const nameOf = (index) => data.classes?.[index] ?? String(index);
const number = (value) => Math.abs(value) >= 0.001 || value === 0 ? String(Number(value.toPrecision(3))) : value.toExponential(1);
const element = (name, properties = {}, ...children) => {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
};
function paint(width, height, colourAt, label) {
  const canvas = element("canvas", { className: "image", width, height });
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", label);
  const context = canvas.getContext("2d");
  const pixels = context.createImageData(width, height);
  for (let i = 0; i < width * height; i++) pixels.data.set([...colourAt(i), 255], 4 * i);
  context.putImageData(pixels, 0, 0);
  return canvas;
}
function images(row) {
  const [height, width, channels] = data.shape;
  const low = Math.min(...row.values), range = Math.max(...row.values) - low || 1;
  const grey = (i, channel) => 255 * (row.values[i * channels + channel % channels] - low) / range;
  const perPixel = row.heat.length / (height * width);
  const heat = Array.from({ length: height * width }, (_, i) => {
    let sum = 0;
    for (let channel = 0; channel < perPixel; channel++) sum += row.heat[i * perPixel + channel];
    return sum;
  });
  const greatest = Math.max(...heat.map(Math.abs)) || 1;
  const over = (i) => {
    const share = heat[i] / greatest, strength = Math.min(1, Math.abs(share) ** 0.7);
    const hot = share > 0 ? [220, 50, 30] : [40, 90, 220];
    const base = (0.3 * grey(i, 0) + 0.59 * grey(i, 1) + 0.11 * grey(i, 2)) * 0.55 + 70;
    return hot.map((colour) => base * (1 - strength) + colour * strength);
  };
  return element("div", { className: "pair" },
    paint(width, height, (i) => [grey(i, 0), grey(i, 1), grey(i, 2)], "the input"),
    paint(width, height, over, "where the decision comes from"));
}
function bars(row) {
  const greatest = Math.max(...row.heat.map(Math.abs)) || 1;
  const order = row.heat.map((_, i) => i).sort((a, b) => Math.abs(row.heat[b]) - Math.abs(row.heat[a])).slice(0, 24);
  if (row.heat.length <= 24) order.sort((a, b) => a - b);
  return element("div", { className: "heat" }, ...order.map((i) => {
    const share = 100 * Math.abs(row.heat[i]) / greatest + "%", left = row.heat[i] < 0;
    const bar = element("i", { className: left ? "left" : "right" });
    bar.style.width = share;
    return element("div", { className: "bar" },
      element("span", { textContent: (data.columns?.[i] ?? "[" + i + "]") + " = " + number(row.values[i]) }),
      element("div", {}, ...(left ? [bar] : [])), element("div", {}, ...(left ? [] : [bar])),
      element("span", { textContent: number(row.heat[i]) }));
  }));
}
function scores(row) {
  const greatest = Math.max(...row.scores.map(Math.abs)) || 1;
  const order = row.scores.map((_, i) => i).sort((a, b) => row.scores[b] - row.scores[a]).slice(0, 4);
  return element("div", { className: "scores" }, ...order.map((i) => {
    const bar = element("i");
    bar.style.width = 100 * Math.abs(row.scores[i]) / greatest + "%";
    return element("div", { className: "bar" }, element("span", { textContent: nameOf(i) }), bar,
      element("span", { textContent: number(row.scores[i]) }));
  }));
}
document.getElementById("rows").append(...data.rows.map((row, index) => {
  const highest = row.scores.indexOf(Math.max(...row.scores));
  const several = row.scores.length > 1;
  const title = element("h3", { textContent: "Row " + index + ": " + (several ? "why " + nameOf(data.asked ?? highest) + "?" : number(row.scores[0])) });
  if (row.label !== undefined && several && row.label !== highest)
    title.append(element("span", { className: "wrong", textContent: " (labelled " + nameOf(row.label) + ")" }));
  return element("figure", { className: "card" }, title, data.image ? images(row) : bars(row), scores(row));
}));
`;
