// How much faster several threads are than one, on the workloads of the harness: rounds in turn, in one process, so that the ratios
// hold on a noisy machine. bench/compare.ts puts the table into docs/performance.md. Alone, after `npm run build`:
//   node bench/threads.mjs HARNESS [W1-1024,W3-train]

import { availableParallelism } from "node:os";
import { resolve } from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";
import { fromLibrary, library, workloadsIn } from "./workloads.mjs";

const usual = ["W1-256", "W1-1024", "W2-b1", "W2-b64", "W3-b32", "W3-train", "W4", "W5", "W6", "W7"];
const rounds = 15;
/** Milliseconds of a round. */
const atLeast = 40;

const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];

/** Milliseconds of a run by workload, in the order of `counts`, which are numbers of threads. */
export async function measureThreads(harness, ids = usual) {
  const { enableRelaxedSimd } = await fromLibrary("backends/node/relaxed-simd.js");
  enableRelaxedSimd();
  const workloads = await workloadsIn(harness);
  const counts = [1, 2, 4].filter((count) => count <= availableParallelism());
  const rows = [];
  for (const id of ids) {
    const { module, graph, inputs, parameters, step } = workloads.workload(id);
    const compiled = library.compile(module, { target: "wasm", graphs: [graph] });
    const runs = counts.map((threads) => {
      const executable = library.load(compiled, { threads });
      for (const [name, value] of parameters) executable.write(name, value);
      const prepared = executable.prepare(graph, { ...inputs, ...step(1) });
      return { executable, prepared, times: [] };
    });
    const timed = ({ prepared, times }) => {
      let count = 0;
      const began = performance.now();
      do {
        prepared.run();
        count++;
      } while (performance.now() - began < atLeast);
      times.push((performance.now() - began) / count);
    };
    // The first rounds are for the engine, which optimizes, and for the choice of the number of threads.
    for (let round = 0; round < rounds + 3; round++) runs.forEach(timed);
    rows.push({ id, milliseconds: runs.map(({ times }) => median(times.slice(3))) });
    for (const { executable } of runs) executable.dispose?.();
  }
  return { counts, rows };
}

/** As a table in Markdown. */
export function threadTable({ counts, rows }) {
  const titles = [
    "",
    ...counts.map((count) => `${count} thread${count > 1 ? "s" : ""}, ms`),
    ...counts.slice(1).map((count) => `${count} : 1`),
  ];
  const lines = rows.map(({ id, milliseconds: [one, ...more] }) => {
    const cells = [one, ...more].map((ms) => ms.toPrecision(3));
    return [id, ...cells, ...more.map((ms) => (one / ms).toFixed(2))];
  });
  const rule = titles.map((_, i) => (i === 0 ? "---" : "---:"));
  return [titles, rule, ...lines].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const [harness, ids] = process.argv.slice(2);
  if (harness === undefined) throw new Error("usage: node bench/threads.mjs HARNESS [ids]");
  console.log(threadTable(await measureThreads(resolve(harness), ids?.split(","))));
}
