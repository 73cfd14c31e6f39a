// Draws docs/images/pipeline.svg: one small model on its way through the compiler, in four panels whose text is what the compiler prints.
// Part of `npm run generate`.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { renderModule } from "../src/backends/js/render.ts";
import { compile } from "../src/compile.ts";
import { compileSource } from "../src/dsl/compile-source.ts";
import { renderDiagnostics } from "../src/dsl/diagnostics.ts";
import { printKernel } from "../src/ir/kernel/print.ts";
import { kernelsIn } from "../src/ir/kernel/program.ts";
import { printGraph } from "../src/ir/print.ts";

const source = `/// Scores to probabilities; a higher temperature evens them out.
model Choice(scores: f32[N, 1000]) -> (p: f32[N, 1000]) {
  p = softmax(scores / 1.5)
}
`;

interface Panel {
  readonly title: string;
  readonly text: string;
}

function panels(): readonly Panel[] {
  const { module, diagnostics } = compileSource({ name: "choice.dlm", text: source }, () => undefined);
  if (!module) throw new Error(renderDiagnostics(diagnostics));
  const infer = module.graphs.get("infer");
  const compiled = compile(module, { graphs: ["infer"] });
  const kernel = kernelsIn(compiled.programs.programs.get("infer")?.steps ?? [])[0];
  if (!infer || !kernel) throw new Error("the model has no graph or no kernel");
  const code = renderModule(compiled.programs, ["infer"]);
  const start = code.indexOf(`  function ${kernel.name}`);
  const end = code.indexOf(`  // infer(`);
  return [
    { title: "choice.dlm", text: source },
    { title: "graph IR", text: printGraph(infer, { locations: false }) },
    { title: "kernel IR, after fusion", text: printKernel(kernel) },
    { title: "JavaScript", text: start < 0 || end < start ? code : code.slice(start, end) },
  ];
}

const columns = 84;
const rows = 48;
const lineHeight = 15;
const charWidth = 6.63;
const gap = 28;
const width = Math.ceil(columns * charWidth) + 24;

const escaped = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

/** At most `rows` lines of at most `columns` characters; what is cut off is marked. */
function clipped(text: string): readonly string[] {
  const lines = text
    .trimEnd()
    .split("\n")
    .map((line) => {
      const plain = line.replaceAll("\t", "  ");
      return plain.length > columns ? `${plain.slice(0, columns - 1)}…` : plain;
    });
  return lines.length > rows ? [...lines.slice(0, rows - 1), "…"] : lines;
}

/** Comments are set back. */
function line(text: string, x: number, y: number): string {
  const at = text.search(/\/\//);
  const code = at < 0 ? text : text.slice(0, at);
  const comment = at < 0 ? "" : `<tspan class="comment">${escaped(text.slice(at))}</tspan>`;
  return `<text x="${x}" y="${y}" xml:space="preserve">${escaped(code)}${comment}</text>`;
}

function draw(all: readonly Panel[]): string {
  const fitted = all.map(({ title, text }) => ({ title, lines: clipped(text) }));
  const heightOf = (lines: readonly string[]): number => lines.length * lineHeight + 44;
  const [top, bottom] = [fitted.slice(0, 2), fitted.slice(2)].map((pair) =>
    Math.max(...pair.map(({ lines }) => heightOf(lines))),
  );
  const boxes = fitted.map(({ title, lines }, i) => {
    const x = gap / 2 + (i % 2) * (width + gap);
    const y = gap / 2 + (i < 2 ? 0 : top! + gap);
    const height = i < 2 ? top! : bottom!;
    return [
      `<rect x="${x}" y="${y}" width="${width}" height="${height}" rx="6"/>`,
      `<text class="title" x="${x + 12}" y="${y + 20}">${i + 1}. ${escaped(title)}</text>`,
      ...lines.map((text, at) => line(text, x + 12, y + 42 + at * lineHeight)),
    ].join("\n");
  });
  const [right, low] = [2 * (width + gap), top! + bottom! + 2 * gap];
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${right} ${low}" width="${right}" height="${low}">
<title>A model as it is written, as graph IR, as a kernel, and as JavaScript</title>
<style>
  rect { fill: #f6f8fa; stroke: #d0d7de }
  text { font: 11px ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; fill: #1f2328 }
  .title { font: bold 12px system-ui, sans-serif; fill: #0550ae }
  .comment { fill: #6e7781 }
  @media (prefers-color-scheme: dark) {
    rect { fill: #161b22; stroke: #30363d }
    text { fill: #e6edf3 }
    .title { fill: #79c0ff }
    .comment { fill: #8b949e }
  }
</style>
${boxes.join("\n")}
</svg>
`;
}

const folder = join(import.meta.dirname, "..", "docs", "images");
mkdirSync(folder, { recursive: true });
writeFileSync(join(folder, "pipeline.svg"), draw(panels()));
