// Plots of cost against size, as SVG without a library: panels side by side, both axes logarithmic, a point for each measurement.

interface Line {
  readonly name: string;
  /** Size and milliseconds; both above 0, in the order of sizes. */
  readonly points: readonly (readonly [size: number, milliseconds: number])[];
}

export interface Panel {
  readonly title: string;
  readonly lines: readonly Line[];
}

const panel = { width: 440, height: 300, left: 56, right: 12, top: 34, bottom: 30 } as const;
const columns = 2;
const colours = ["#1f6feb", "#d97706", "#1a7f37"] as const;

/** The panels as one picture, two in a row. */
export function plot(panels: readonly Panel[]): string {
  const rows = Math.ceil(panels.length / columns);
  const size = `width="${columns * panel.width}" height="${rows * panel.height}"`;
  const drawn = panels.map((one, i) => {
    const [x, y] = [(i % columns) * panel.width, Math.floor(i / columns) * panel.height];
    return `<g transform="translate(${x} ${y})">\n${draw(one)}\n</g>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" ${size} font-family="sans-serif" font-size="11">
<title>Milliseconds of a run against size</title>
<rect width="100%" height="100%" fill="white"/>
${drawn.join("\n")}
</svg>
`;
}

function draw({ title, lines }: Panel): string {
  const points = lines.flatMap((line) => line.points);
  const x = scale(
    points.map(([size]) => size),
    panel.left,
    panel.width - panel.right,
    2,
  );
  const y = scale(
    points.map(([, time]) => time),
    panel.height - panel.bottom,
    panel.top,
    10,
  );
  const grid = [
    ...x.ticks.map((size) =>
      mark(x.at(size), x.at(size), panel.top, panel.height - panel.bottom, String(size), "middle"),
    ),
    ...y.ticks.map((time) => mark(panel.left, panel.width - panel.right, y.at(time), y.at(time), `${time} ms`, "end")),
  ];
  const drawn = lines.map(({ name, points: own }, i) => {
    const colour = colours[i % colours.length]!;
    const places = own.map(([size, time]) => `${round(x.at(size))},${round(y.at(time))}`);
    const dots = places.map((place) => place.split(",")).map(([cx, cy]) => `<circle cx="${cx}" cy="${cy}" r="2"/>`);
    const label = `<text x="${panel.width - panel.right}" y="${panel.height - panel.bottom - 8 - 14 * i}" text-anchor="end">${escaped(name)}</text>`;
    return `<g fill="${colour}"><polyline points="${places.join(" ")}" fill="none" stroke="${colour}"/>${dots.join("")}${label}</g>`;
  });
  return [`<text x="${panel.left}" y="20" font-weight="bold">${escaped(title)}</text>`, ...grid, ...drawn].join("\n");
}

/** A line of the grid with its number: below where it stands, left of it where it lies. */
function mark(x1: number, x2: number, y1: number, y2: number, text: string, anchor: "middle" | "end"): string {
  const [x, y] = anchor === "middle" ? [x1, y2 + 14] : [x1 - 4, y1 + 4];
  const line = `<line x1="${round(x1)}" x2="${round(x2)}" y1="${round(y1)}" y2="${round(y2)}" stroke="#ddd"/>`;
  return `${line}<text x="${round(x)}" y="${round(y)}" text-anchor="${anchor}" fill="#555">${text}</text>`;
}

/** A logarithmic axis from the least to the greatest value, with ticks at powers of `base`. */
function scale(values: readonly number[], from: number, to: number, base: number) {
  const [low, high] = [Math.min(...values), Math.max(...values)].map(Math.log);
  const span = Math.max(high! - low!, 1e-9);
  const at = (value: number): number => from + ((Math.log(value) - low!) / span) * (to - from);
  const ticks: number[] = [];
  const last = Math.floor(high! / Math.log(base) + 1e-9);
  for (let power = Math.ceil(low! / Math.log(base) - 1e-9); power <= last; power++) {
    ticks.push(Number((base ** power).toPrecision(12)));
  }
  return { at, ticks };
}

const round = (value: number): number => Math.round(value * 10) / 10;
const escaped = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
