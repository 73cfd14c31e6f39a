// Runs this compiler beside other engines in the harness, and prints how they compare. The harness is a folder of its
// own with its `run.mjs`; `npm run build` must have made dist/. Usage:
//   npx tsx bench/compare.ts HARNESS [--ids W1-256,W4] [--rivals ort-web,jax-js] [--rounds 5] [--ms 250]
//     [--threads 1] [--pin 1]
//   npx tsx bench/compare.ts --from results.json
// `--write` puts the tables into docs/performance.md, with those of threads (threads.mjs), of bytes and of cold
// starts (footprint.mjs), and a plot of cost against size (sizes.ts).

import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { parseArgs, promisify } from "node:util";
import { plot } from "./plot.ts";
import { type Comparison, type Results, ratiosOf, ratioTable, timeTable } from "./report.ts";
import { measureSizes } from "./sizes.ts";

const comparisons: readonly (Comparison & { readonly title: string })[] = [
  { title: "WebAssembly", ours: "dlm-wasm", rivals: ["ort-web", "tfjs-wasm", "jax-js"] },
  { title: "Plain JavaScript", ours: "dlm-js", rivals: ["tfjs-cpu"] },
];

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    ids: { type: "string" },
    rivals: { type: "string", default: "ort-web,tfjs-wasm,jax-js,tfjs-cpu" },
    rounds: { type: "string", default: "5" },
    ms: { type: "string", default: "250" },
    threads: { type: "string", default: "1" },
    pin: { type: "string" },
    from: { type: "string" },
    write: { type: "boolean", default: false },
  },
});

/** Runs the harness, whose progress goes to the terminal. */
async function runHarness(folder: string): Promise<Results> {
  const scratch = mkdtempSync(join(tmpdir(), "compare-"));
  const out = join(scratch, "results.json");
  const peer = fileURLToPath(new URL("peer.mjs", import.meta.url));
  const ours = comparisons.map((comparison) => comparison.ours);
  const passed = ["ids", "pin"] as const;
  const given = passed.flatMap((name) => (options[name] === undefined ? [] : [`--${name}`, options[name]]));
  const chosen = [
    ...given,
    "--peers",
    [options.rivals, ...ours].join(","),
    "--rounds",
    options.rounds,
    "--ms",
    options.ms,
  ];
  const added = ours.flatMap((name) => ["--add", `${name}=${peer}?${name.replace("dlm-", "")}`]);
  // A training step of the slowest rival takes over ten seconds.
  const fixed = ["run.mjs", "--threads", options.threads, "--tries", "2", "--bail", "120000", "--out", out];
  const child = spawn(process.execPath, [...fixed, ...chosen, ...added], { cwd: folder, stdio: "inherit" });
  try {
    const [code] = await once(child, "exit");
    if (code !== 0) throw new Error(`the harness ended with ${code}`);
    return read(out);
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

/** The file was written by the harness, whose form `Results` is. */
const read = (path: string): Results => JSON.parse(readFileSync(path, "utf8"));

/** What a script beside this one prints, in a process of its own. */
async function printed(script: string, folder: string): Promise<string> {
  const path = fileURLToPath(new URL(script, import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [path, resolve(folder)]);
  return stdout;
}

/** What is measured apart from the harness' own runs. */
async function apartOf(folder: string): Promise<string> {
  return `## Threads

WebAssembly on one thread and on more, without read-back; rounds in turn, medians. Where more threads do not help, a program soon runs on
one, and now and then tries again.

${await printed("threads.mjs", folder)}
${await printed("footprint.mjs", folder)}
`;
}

function reportOf(results: Results, apart: string): string {
  const model = cpus()[0]?.model.trim() ?? "unknown processor";
  const cores = availableParallelism();
  const load = Number(results.load.split(" ")[0]);
  const beside = load > 0.5 ? `Other work ran beside it (load average ${load} when it began)` : "Nothing else ran";
  const compared = comparisons.filter((comparison) => ratiosOf(results, comparison).length > 0);
  const parts = compared.map(
    (comparison) => `## ${comparison.title}, how many times faster\n\n${ratioTable(results, comparison)}\n`,
  );
  return `# Performance

Written by \`bench/compare.ts\` from one run on ${results.date.slice(0, 10)}: ${model}, ${cores} cores,
Node ${process.versions.node}, ${results.threads === 1 ? "1 thread" : `${results.threads} threads`}. ${beside}.
Engines take turns in blocks of ${options.ms} ms, so ratios hold better than times. A ratio above 1 means that we are
faster than the best of the rivals.

## Milliseconds, run and read-back

A star: measured while other processes took the processor. A dash: the engine has no such workload.

${timeTable(results)}

${parts.join("\n")}
${apart}## Cost against size

Milliseconds of a run on one thread, without read-back, by batch, width, depth and side of images; odd sizes stand beside even ones.
Both axes are logarithmic.

![Four plots of milliseconds against size, for WebAssembly and JavaScript](images/sizes.svg)

The workloads are the programs in \`bench/workloads\`: W1 a square matrix product; W2 three dense layers at batch 1 and
64; W3 a small convolutional network at batch 1 and 32, and a step of its training with Adam at batch 32; W4 a
transformer layer, 128 tokens of width 256; W6 \`tanh(a·b + c) · sigmoid(a)\` over a million numbers; W7 a small
MobileNetV2.
`;
}

const [harness] = positionals;
if (options.from === undefined && harness === undefined) {
  console.error("usage: npx tsx bench/compare.ts HARNESS [options], or --from results.json");
  process.exitCode = 2;
} else {
  const results = options.from === undefined ? await runHarness(resolve(harness!)) : read(options.from);
  const report = reportOf(results, options.write && harness !== undefined ? await apartOf(harness) : "");
  console.log(report);
  if (options.write) {
    writeFileSync(new URL("../docs/images/sizes.svg", import.meta.url), plot(measureSizes()));
    writeFileSync(new URL("../docs/performance.md", import.meta.url), report);
  }
}
