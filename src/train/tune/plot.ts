// A search as a picture: for each constant that was varied, its values across, what came out upwards.

import type { TrialResult } from "./search.ts";
import type { Varied } from "./space.ts";

export interface Tried {
  readonly result: TrialResult;
  readonly values: Readonly<Record<string, string>>;
}

const [width, height, margin] = [300, 200, 46];

const escaped = (text: string): string => text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
const short = (value: number): string => String(Number(value.toPrecision(3)));

/** An SVG with a panel for each constant. Trials that were given up early are paler; the best has a ring. */
export function plotSearch(space: readonly Varied[], tried: readonly Tried[], metric: string): string {
  const shown = tried.filter(({ result }) => result.value !== undefined && Number.isFinite(result.value));
  const values = shown.map(({ result }) => result.value!);
  const most = Math.max(0, ...shown.map(({ result }) => result.epochs));
  const [least, greatest] = spread(values);
  const y = (value: number): number => height - margin - ((value - least) / (greatest - least)) * (height - 2 * margin);
  const panels = space.map((varied, i) => {
    const x = placesOf(varied);
    const points = shown.map(({ result, values: own }, rank) => {
      const at = `cx="${x.at(own[varied.name]!).toFixed(1)}" cy="${y(result.value!).toFixed(1)}"`;
      const ring = rank === 0 ? `<circle ${at} r="8" fill="none" stroke="#c2410c" stroke-width="2"/>` : "";
      const text = `${varied.name} = ${own[varied.name]}: ${metric} ${short(result.value!)}, ${result.epochs} epochs`;
      const opacity = (0.25 + (0.75 * result.epochs) / most).toFixed(2);
      return `${ring}<circle ${at} r="4" fill="#2563eb" fill-opacity="${opacity}"><title>${escaped(text)}</title></circle>`;
    });
    const ticks = x.ticks.map(
      ({ at, label }) =>
        `<text x="${at.toFixed(1)}" y="${height - margin + 16}" text-anchor="middle">${escaped(label)}</text>`,
    );
    const levels = [least, greatest].map(
      (value) => `<text x="${margin - 4}" y="${(y(value) + 4).toFixed(1)}" text-anchor="end">${short(value)}</text>`,
    );
    return `<g transform="translate(${i * width} 0)">
<text x="${width / 2}" y="20" text-anchor="middle" font-weight="bold">${escaped(varied.name)}</text>
<path d="M${margin} ${margin - 12}V${height - margin}H${width - margin / 2}" fill="none" stroke="#888"/>
${[...ticks, ...levels, ...points].join("\n")}
</g>`;
  });
  const size = `width="${width * space.length}" height="${height}"`;
  return `<svg xmlns="http://www.w3.org/2000/svg" ${size} font-family="sans-serif" font-size="11">
<rect ${size} fill="white"/>
<text x="8" y="${height - 6}" fill="#555">${escaped(metric)} by trial</text>
${panels.join("\n")}
</svg>
`;
}

/** The least and the greatest number; apart, also where all are equal. */
function spread(values: readonly number[]): readonly [number, number] {
  const [least, greatest] = [Math.min(...values), Math.max(...values)];
  if (values.length === 0) return [0, 1];
  return greatest > least ? [least, greatest] : [least - 1, greatest + 1];
}

function placesOf(varied: Varied) {
  const [from, to] = [margin + 10, width - margin / 2 - 10];
  switch (varied.kind) {
    case "list": {
      const step = (to - from) / Math.max(1, varied.values.length - 1);
      const at = (value: string): number => from + step * varied.values.indexOf(value);
      return { at, ticks: varied.values.map((value) => ({ at: at(value), label: value })) };
    }
    case "range": {
      const scale = varied.log ? Math.log : (value: number): number => value;
      const [low, high] = [scale(varied.low), scale(varied.high)];
      const at = (value: string): number => from + ((scale(Number(value)) - low) / (high - low)) * (to - from);
      return { at, ticks: [varied.low, varied.high].map((end) => ({ at: at(String(end)), label: short(end) })) };
    }
  }
}
