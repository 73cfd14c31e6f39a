// What a page has to load for the convolutional network of the harness (W3), and how long a fresh process takes to its first result:
// our bundles beside other engines. bench/compare.ts puts both tables into docs/performance.md. Alone, after `npm run build`:
//   node bench/footprint.mjs HARNESS [rounds]

import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { transform } from "esbuild";
import { library, workloadsIn } from "./workloads.mjs";

const run = promisify(execFile);
const targets = ["js", "wasm", "webgpu"];

/** What the harness' own pages load; `name` is that of its entry. */
const rivals = [
  { name: "tfjs-cpu-min", title: "TensorFlow.js, cpu, five kernels chosen by hand" },
  { name: "tfjs-wasm-min", title: "TensorFlow.js, wasm, five kernels chosen by hand" },
  { name: "tfjs-layers", title: "TensorFlow.js with layers" },
  { name: "jax-js", title: "jax-js" },
  { name: "ort-web", title: "ONNX Runtime Web, wasm" },
];

/** The network as a bundle, with its weights inside or in files beside it. */
async function bundleOf(workloads, target, beside) {
  const { module, parameters } = workloads.workload("W3-b1");
  const weights = new Map(parameters);
  return library.bundle(module, { target, weights: (name) => weights.get(name), ...(beside ? { beside } : {}) });
}

async function ourBytes(workloads) {
  const rows = [];
  for (const target of targets) {
    const { text, files } = await bundleOf(workloads, target, "cnn");
    const { code } = await transform(text, { minify: true, format: "esm", target: "es2022" });
    // Of the two WebAssembly modules a page fetches the one that its engine can run; the larger one counts.
    const binaries = [...files].filter(([name]) => name.endsWith(".wasm")).map(([, bytes]) => bytes);
    const parts = [Buffer.from(code), ...binaries.sort((a, b) => b.length - a.length).slice(0, 1)];
    rows.push([`dlm, ${target}`, sum(parts.map((part) => part.length)), sum(parts.map(compressed))]);
  }
  return rows;
}

const sum = (values) => values.reduce((a, b) => a + b, 0);
const compressed = (bytes) => gzipSync(bytes, { level: 9 }).length;
const kilobytes = (bytes) => (bytes / 1000 < 100 ? (bytes / 1000).toPrecision(3) : (bytes / 1000).toFixed(0));

async function rivalBytes(harness) {
  await run(process.execPath, ["ship/ship.mjs"], { cwd: harness });
  const rows = JSON.parse(readFileSync(join(harness, "results/ship.json"), "utf8"));
  return rivals.flatMap(({ name, title }) => {
    const row = rows.find(({ n }) => n === name);
    return row?.total === undefined ? [] : [[title, row.total, row.totalgz]];
  });
}

/** A peer of the harness that knows nothing but the bundle. */
const peerOf = (bundle) => `
export const init = async () => ({});
export async function build() {
  const { Cnn } = await import(${JSON.stringify(pathToFileURL(bundle).href)});
  const x = new Float32Array(28 * 28).fill(0.5);
  return { run: () => Cnn({ x }), read: ({ probs }) => probs.data };
}
`;

/** Milliseconds from the start of a process to its first result, by the harness: engines in turn, medians. */
async function coldStarts(harness, workloads, rounds) {
  const scratch = mkdtempSync(join(tmpdir(), "footprint-"));
  try {
    const added = [];
    for (const target of ["js", "wasm"]) {
      const file = join(scratch, `${target}.mjs`);
      writeFileSync(file, (await bundleOf(workloads, target)).text);
      writeFileSync(join(scratch, `${target}.peer.mjs`), peerOf(file));
      added.push("--add", `dlm, ${target}=${join(scratch, `${target}.peer.mjs`)}`);
    }
    await run(process.execPath, ["cold_all.mjs", String(rounds), ...added], {
      cwd: harness,
      env: { ...process.env, CPU: "2" },
    });
    return JSON.parse(readFileSync(join(harness, "results/cold_cpu2.json"), "utf8"));
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

const table = (head, rows) =>
  [head, head.map((_, i) => (i === 0 ? "---" : "---:")), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");

/** Both tables, as Markdown. */
export async function footprint(harness, rounds = 7) {
  const workloads = await workloadsIn(harness);
  const bytes = [...(await ourBytes(workloads)), ...(await rivalBytes(harness))];
  const cold = await coldStarts(harness, workloads, rounds);
  const empty = cold["node -e 0"].wall_ms;
  const started = Object.entries(cold).filter(([name, { err }]) => err === undefined && name !== "node -e 0");
  started.sort(([, a], [, b]) => a.wall_ms - b.wall_ms);
  return `## What a page loads

For the convolutional network (W3), weights aside: kilobytes, minified, and as they travel.

${table(
  ["", "KB", "KB, gzip"],
  bytes.map(([name, raw, packed]) => [name, kilobytes(raw), kilobytes(packed)]),
)}

## From the start of a process to its first result

The same network at batch 1, weights read: milliseconds of a fresh process of Node, medians of ${rounds} rounds, of which an empty
process takes ${empty.toFixed(0)}; and its peak memory.

${table(
  ["", "ms", "MB"],
  started.map(([name, { wall_ms, peakRSS_MB }]) => [name, wall_ms.toFixed(0), peakRSS_MB]),
)}
`;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const [harness, rounds] = process.argv.slice(2);
  if (harness === undefined) throw new Error("usage: node bench/footprint.mjs HARNESS [rounds]");
  console.log(await footprint(resolve(harness), Number(rounds ?? 7)));
}
