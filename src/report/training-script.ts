// The script and style of report.html: what is drawn in the reader's browser.

export const trainingStyle = `
.facts { display: flex; flex-wrap: wrap; gap: .75rem; margin: 1rem 0; }
.fact { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: .6rem 1rem; min-width: 8rem; }
.fact b { display: block; font-size: 1.35rem; font-variant-numeric: tabular-nums; } .fact span { color: var(--muted); font-size: .85rem; }
.charts { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fit, minmax(22rem, 1fr)); }
.chart { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: .6rem .6rem 0; min-width: 0; }
.chart h3 { margin: 0 0 .2rem .4rem; font-size: .95rem; }
.uplot, .u-legend { font-family: inherit; } .u-legend { font-size: .8rem; } .u-legend th, .u-legend td { border: 0; }
.scroll { overflow-x: auto; } .side { display: flex; flex-wrap: wrap; gap: 2rem; align-items: start; }
caption { caption-side: bottom; color: var(--muted); font-size: .8rem; padding-top: .4rem; }
.confusion td { min-width: 2.4rem; text-align: center; } .confusion th { text-align: center; }
.confusion td.right { background: color-mix(in srgb, var(--good) calc(var(--share) * .55), transparent); }
.confusion td.mistaken { background: color-mix(in srgb, var(--against) min(calc(var(--share) * 4), 80%), transparent); }
.cards.small { grid-template-columns: repeat(auto-fill, minmax(9.5rem, 1fr)); }
.small .card { padding: .6rem; font-size: .85rem; } .small .card p { margin: .35rem 0 0; }
.small code { overflow-wrap: anywhere; }
.spreads { display: grid; gap: .8rem; grid-template-columns: repeat(auto-fill, minmax(20rem, 1fr)); }
.spread { display: grid; grid-template-columns: 1fr 1fr; gap: .5rem; } .spread h3 { grid-column: 1 / -1; margin: 0; font-size: .9rem; }
.spread canvas { width: 100%; height: 5.5rem; border-radius: 4px; image-rendering: pixelated; display: block; }
.spread figure { margin: 0; } .spread figcaption { color: var(--muted); font-size: .75rem; font-variant-numeric: tabular-nums; }
svg.model { max-width: none; } svg.model rect { fill: var(--card); stroke: var(--line); } svg.model .input rect, svg.model .output rect { stroke: var(--accent); }
svg.model text { fill: var(--text); text-anchor: middle; font: 13px system-ui, sans-serif; } svg.model .detail { fill: var(--muted); font-size: 11px; }
svg.model text.type { fill: var(--muted); font: 10.5px ui-monospace, monospace; text-anchor: middle; }
svg.model path { fill: none; stroke: var(--muted); } svg.model marker path { fill: var(--muted); stroke: none; }
`;

/** Draws `data`, a TrainingReport without what the page holds as HTML; `uPlot` stands before it. */
export const trainingScript = `
const styles = getComputedStyle(document.documentElement);
const colour = (name) => styles.getPropertyValue("--" + name).trim();
const palette = [colour("accent"), colour("against"), colour("good"), "#a855f7", "#0891b2", "#db2777", "#ca8a04", "#64748b"];
const element = (name, properties = {}, ...children) => {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
};
const number = (value) => value == null ? "–" : Math.abs(value) >= 0.001 || value === 0 ? String(Number(value.toPrecision(4))) : value.toExponential(2);
function chart(place, title, xs, lines, { logarithmic = false, marker } = {}) {
  const holder = element("div", { className: "chart" }, element("h3", { textContent: title }));
  place.append(holder);
  const axis = { stroke: colour("muted"), grid: { stroke: colour("line"), width: 1 }, ticks: { stroke: colour("line"), width: 1 } };
  const width = () => Math.max(200, holder.clientWidth - 20);
  const plot = new uPlot({
    width: width(), height: 230,
    scales: { x: { time: false }, y: { distr: logarithmic ? 3 : 1 } },
    axes: [{ ...axis }, { ...axis, size: 62, values: (_, ticks) => ticks.map((tick) => tick == null ? "" : number(tick)) }],
    legend: { show: lines.length <= 4 },
    series: [{ label: lines[0].x ?? "epoch" }, ...lines.map((line, i) => ({
      label: line.name, stroke: palette[i % palette.length], width: 2, dash: line.dash ? [6, 4] : undefined,
      value: (_, value) => number(value), points: { show: xs.length < 30 },
    }))],
    hooks: { draw: [(u) => {
      if (marker === undefined || xs.length < 2) return;
      const x = u.valToPos(marker, "x", true), { ctx, bbox } = u;
      ctx.save(); ctx.strokeStyle = colour("good"); ctx.setLineDash([4, 4]); ctx.beginPath();
      ctx.moveTo(x, bbox.top); ctx.lineTo(x, bbox.top + bbox.height); ctx.stroke(); ctx.restore();
    }] },
  }, [xs, ...lines.map((line) => line.values)], holder);
  new ResizeObserver(() => plot.setSize({ width: width(), height: 230 })).observe(holder);
}
const foldNumbers = [...new Set(data.epochs.map((epoch) => epoch.fold))];
const several = foldNumbers.length > 1;
const last = Math.max(...data.epochs.map((epoch) => epoch.epoch), 1);
const everyEpoch = Array.from({ length: last }, (_, i) => i + 1);
const lineOf = (read, fold) => everyEpoch.map((epoch) => {
  const found = data.epochs.find((candidate) => candidate.epoch === epoch && candidate.fold === fold);
  return found ? read(found) ?? null : null;
});
const positive = (lines) => lines.every((line) => line.values.every((value) => value === null || value > 0));
const spans = (lines) => {
  const values = lines.flatMap((line) => line.values).filter((value) => value !== null);
  return Math.max(...values) / Math.min(...values);
};
const curves = document.getElementById("curves");
const names = [...new Set(data.epochs.flatMap((epoch) => Object.keys(epoch.metrics)))].filter((name) => !name.startsWith("val_"));
const steps = data.epochs.filter((epoch) => epoch.fold === foldNumbers[0] && epoch.losses?.length > 1);
if (steps.length > 0) {
  const xs = steps.flatMap((epoch) => epoch.losses.map((_, i) => epoch.epoch - 1 + (i + 1) / epoch.losses.length));
  const values = steps.flatMap((epoch) => epoch.losses);
  const line = { name: "training loss", values, x: "epoch" };
  chart(curves, several ? "loss by step, fold 1" : "loss by step", xs, [line], { logarithmic: positive([line]) && spans([line]) > 20 });
}
for (const name of names) {
  const lines = foldNumbers.flatMap((fold) => [
    { name: several ? "fold " + fold : "training", values: lineOf((epoch) => epoch.metrics[name], fold) },
    ...(data.epochs.some((epoch) => "val_" + name in epoch.metrics)
      ? [{ name: several ? "fold " + fold + ", validation" : "validation", values: lineOf((epoch) => epoch.metrics["val_" + name], fold), dash: true }] : []),
  ]);
  chart(curves, name, everyEpoch, lines, { logarithmic: positive(lines) && spans(lines) > 20, marker: several ? undefined : data.bestEpoch });
}
if (data.epochs.some((epoch) => epoch.learningRate !== undefined))
  chart(curves, "learning rate", everyEpoch, foldNumbers.slice(0, 1).map((fold) => ({ name: "learning rate", values: lineOf((epoch) => epoch.learningRate, fold) })));

const times = document.getElementById("times");
if (times) {
  const timed = (read) => foldNumbers.map((fold) => ({ name: several ? "fold " + fold : "training", values: lineOf(read, fold) }));
  chart(times, "seconds an epoch", everyEpoch, timed((epoch) => epoch.seconds));
  chart(times, "steps a second", everyEpoch, timed((epoch) => epoch.steps && epoch.seconds ? epoch.steps / epoch.seconds : null));
  if (data.epochs.some((epoch) => epoch.memory))
    chart(times, "memory of the process, MB", everyEpoch, timed((epoch) => epoch.memory && epoch.memory / 1e6));
}

const spreads = document.getElementById("spreads");
const observedFold = data.epochs.findLast((epoch) => epoch.weights)?.fold;
function spreadCanvas(kind, title, name) {
  const columns = data.epochs.filter((epoch) => epoch.fold === observedFold).map((epoch) => epoch[kind]?.[name]).filter(Boolean);
  if (columns.length === 0) return element("figure");
  const low = Math.min(...columns.map((c) => c.low)), high = Math.max(...columns.map((c) => c.high));
  const height = 48, width = columns.length;
  const canvas = element("canvas", { width, height });
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", title + " of " + name + " by epoch, from " + number(low) + " to " + number(high));
  const context = canvas.getContext("2d");
  columns.forEach((spread, x) => {
    const most = Math.max(...spread.counts, 1);
    for (let y = 0; y < height; y++) {
      const value = high - (y + 0.5) / height * (high - low);
      const piece = Math.floor((value - spread.low) / (spread.high - spread.low || 1) * spread.counts.length);
      const inside = value >= spread.low && value <= spread.high || low === high;
      const count = inside ? spread.counts[Math.max(0, Math.min(spread.counts.length - 1, piece))] : 0;
      context.fillStyle = kind === "weights" ? colour("accent") : colour("against");
      context.globalAlpha = count === 0 ? 0.04 : 0.15 + 0.85 * Math.sqrt(count / most);
      context.fillRect(x, y, 1, 1);
    }
  });
  const final = columns.at(-1);
  return element("figure", {}, canvas, element("figcaption", { textContent: title + ": " + number(low) + " … " + number(high) + ", last " + number(final.mean) + " ± " + number(final.deviation) }));
}
if (spreads) for (const name of Object.keys(data.epochs.findLast((epoch) => epoch.weights)?.weights ?? {}))
  spreads.append(element("div", { className: "card spread" }, element("h3", { textContent: name }), spreadCanvas("weights", "weights", name), spreadCanvas("gradients", "gradients", name)));

const wrong = document.getElementById("wrong");
if (wrong) {
  const { shape, classes, wrong: rows } = data.predictions;
  const nameOf = (index) => classes?.[index] ?? String(index);
  const image = shape.length >= 2 && shape.length <= 3 && (shape.length === 2 || shape[2] === 1 || shape[2] === 3);
  for (const row of rows) {
    const shown = image ? paint(row.values, shape) : element("code", { textContent: row.values.slice(0, 12).map(number).join(", ") + (row.values.length > 12 ? " …" : "") });
    wrong.append(element("figure", { className: "card" }, shown,
      element("p", {}, "said ", element("b", { textContent: nameOf(row.said) }), " (" + number(row.scores[row.said]) + "), is ", element("b", { textContent: nameOf(row.label) })),
      element("p", { className: "muted", textContent: "row " + row.row })));
  }
}
function paint(values, [height, width, channels = 1]) {
  const canvas = element("canvas", { className: "image", width, height });
  const context = canvas.getContext("2d"), pixels = context.createImageData(width, height);
  const low = Math.min(...values), range = Math.max(...values) - low || 1;
  for (let i = 0; i < width * height; i++)
    for (let channel = 0; channel < 4; channel++)
      pixels.data[4 * i + channel] = channel === 3 ? 255 : 255 * (values[i * channels + channel % channels] - low) / range;
  context.putImageData(pixels, 0, 0);
  return canvas;
}
`;
