// Draws boxes and arrows from top to bottom as SVG. The layout is dagre's.

import { Graph, layout } from "@dagrejs/dagre";
import { escapeHtml } from "./page.ts";

export interface DrawnBox {
  readonly id: string;
  readonly label: string;
  readonly detail?: string;
  /** `input`, `call` or `output`: a class for the style. */
  readonly kind: string;
}

export interface DrawnArrow {
  readonly from: string;
  readonly to: string;
  readonly label: string;
}

const boxHeight = 34;
const characterWidth = 7.2;

/** The drawing, at its natural size; colours are those of the page. */
export function modelGraphSvg(boxes: readonly DrawnBox[], arrows: readonly DrawnArrow[]): string {
  const graph = new Graph();
  graph.setGraph({ rankdir: "TB", nodesep: 24, ranksep: 34, marginx: 8, marginy: 8 });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const box of boxes) graph.setNode(box.id, { width: widthOf(box), height: boxHeight });
  for (const { from, to, label } of arrows)
    graph.setEdge(from, to, { width: label.length * 6.2, height: 14, labelpos: "r", labeloffset: 6 });
  layout(graph);
  const { width = 0, height = 0 } = graph.graph();
  const drawn = [
    ...arrows.map((arrow) => drawArrow(arrow, graph.edge(arrow.from, arrow.to))),
    ...boxes.map((box) => drawBox(box, graph.node(box.id))),
  ];
  return `<svg class="model" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="the model's graph">
<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0 8 4 0 8z"/></marker></defs>
${drawn.join("\n")}
</svg>`;
}

const widthOf = ({ label, detail }: DrawnBox): number =>
  Math.max(64, (label.length + (detail ? detail.length + 2 : 0)) * characterWidth + 20);

interface Point {
  readonly x: number;
  readonly y: number;
}

function drawBox(box: DrawnBox, { x, y }: Point): string {
  const width = widthOf(box);
  const detail = box.detail === undefined ? "" : `<tspan class="detail" dx="8">${escapeHtml(box.detail)}</tspan>`;
  return `<g class="box ${box.kind}"><rect x="${x - width / 2}" y="${y - boxHeight / 2}" width="${width}" height="${boxHeight}" rx="7"/>\
<text x="${x}" y="${y + 4}">${escapeHtml(box.label)}${detail}</text></g>`;
}

function drawArrow({ label }: DrawnArrow, edge: { points?: readonly Point[]; x?: number; y?: number }): string {
  const path = (edge.points ?? [])
    .map(({ x, y }, i) => `${i === 0 ? "M" : "L"}${x.toFixed(1)} ${y.toFixed(1)}`)
    .join("");
  const { x, y } = edge;
  const text =
    x === undefined || y === undefined ? "" : `<text class="type" x="${x}" y="${y + 4}">${escapeHtml(label)}</text>`;
  return `<g class="arrow"><path d="${path}" marker-end="url(#tip)"/>${text}</g>`;
}
