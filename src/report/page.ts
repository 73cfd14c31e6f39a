// The frame of every page that dlm leaves: one file that works offline, in light and dark, with its data beside its script.

export interface Page {
  readonly title: string;
  /** HTML of the body. What comes from users goes through `escapeHtml`. */
  readonly body: string;
  /** What the script finds as `data`. */
  readonly data: unknown;
  /** A script that sees `data`; it may not contain `</script`. */
  readonly script: string;
  readonly style?: string;
}

export const escapeHtml = (text: string): string =>
  text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);

/** JSON that cannot end the element that it stands in. */
const embedded = (data: unknown): string => JSON.stringify(data).replaceAll("<", "\\u003c");

export function pageHtml({ title, body, data, script, style }: Page): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<style>${baseStyle}${style ?? ""}</style>
</head>
<body>
${body}
<script type="application/json" id="data">${embedded(data)}</script>
<script>
"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
${script}
</script>
</body>
</html>
`;
}

const baseStyle = `
:root { color-scheme: light dark; --text: #1c2330; --muted: #647084; --paper: #ffffff; --card: #f5f7fa; --line: #dde3ea;
  --accent: #2563c9; --against: #c2410c; --good: #15803d; }
@media (prefers-color-scheme: dark) { :root { --text: #e6eaf0; --muted: #98a4b5; --paper: #12161d; --card: #1a2029;
  --line: #2c3541; --accent: #6ea8fe; --against: #fb923c; --good: #4ade80; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 72rem; padding: 1.5rem; background: var(--paper); color: var(--text);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
h1 { font-size: 1.6rem; margin: 0 0 .25rem; }
h2 { font-size: 1.15rem; margin: 2rem 0 .75rem; }
p.lead { color: var(--muted); margin: 0 0 1rem; max-width: 52rem; }
code { font-family: ui-monospace, "SF Mono", Menlo, Consolas, monospace; font-size: .92em; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .6rem; text-align: right; border-bottom: 1px solid var(--line); }
th:first-child, td:first-child { text-align: left; }
th { color: var(--muted); font-weight: 600; }
.cards { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fill, minmax(17rem, 1fr)); }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: .9rem; margin: 0; }
.muted { color: var(--muted); }
canvas.image { image-rendering: pixelated; width: 100%; border-radius: 4px; background: #0002; display: block; }
.bar { display: grid; grid-template-columns: 6rem 1fr 4rem; gap: .5rem; align-items: center; font-size: .85rem;
  font-variant-numeric: tabular-nums; }
.bar > span:first-child { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.bar > span:last-child { text-align: right; color: var(--muted); }
.bar i { display: block; height: .7rem; border-radius: 3px; background: var(--accent); }
`;
