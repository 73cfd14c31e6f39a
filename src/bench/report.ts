// What was measured, as data and as a table: each call of a kernel with its work, its speed, and its share of what the machine
// can do, the slowest first.

import { evaluateDim, type Sizes } from "../ir/dim.ts";
import { formatPlace } from "../ir/kernel/print.ts";
import type { Program } from "../ir/kernel/program.ts";
import { inTime, scaled, threeDigits } from "../util/units.ts";
import type { Machine } from "./machine.ts";
import type { Timing } from "./measure.ts";

/** One call of a kernel, or its rounds in a loop. Units are seconds, operations, bytes, and those a second. */
export interface KernelRow {
  readonly kernel: string;
  /** What it computes. */
  readonly doc: string;
  /** How often a run makes it: more than once in loops. What follows is for all of them. */
  readonly rounds: number;
  /** Where the program says so, if a place is known. */
  readonly place?: string;
  readonly seconds: number;
  /** Of the sum over all calls. */
  readonly share: number;
  /** As estimated by the compiler, see `Kernel.cost`. */
  readonly flops: number;
  readonly bytes: number;
  /** Speeds and shares are left out where the call is too short for the clock. */
  readonly flopsPerSecond?: number;
  readonly shareOfPeak?: number;
  readonly bytesPerSecond?: number;
  /** More than 1 where caches hold what is read. */
  readonly shareOfBandwidth?: number;
}

export interface Report {
  readonly model: string;
  readonly graph: string;
  readonly target: string;
  readonly threads: number;
  /** The free sizes. */
  readonly sizes: Sizes;
  /** On one thread. Shares of the peak are of that of all threads. */
  readonly machine: Machine;
  /** In seconds: text to graph, passes and lowering, generation of code. */
  readonly compile: { readonly parse: number; readonly lower: number; readonly generate: number };
  readonly firstRun: number;
  readonly run: number;
  readonly flops: number;
  readonly bytes: number;
  /** Copies of updates after the last call, in seconds, where there are any. */
  readonly copies?: number;
  /** The slowest first. */
  readonly kernels: readonly KernelRow[];
}

export interface Measured {
  readonly model: string;
  readonly target: string;
  readonly threads: number;
  readonly program: Program;
  readonly sizes: Sizes;
  readonly machine: Machine;
  readonly timing: Timing;
  /** In seconds. */
  readonly parse: number;
  readonly lower: number;
}

export function reportOf(measured: Measured): Report {
  const { model, target, threads, program, sizes, machine, timing, parse, lower } = measured;
  const sum = timing.calls.reduce((total, { seconds }) => total + seconds, timing.copies ?? 0);
  const kernels = timing.calls.map((call) => rowOf(call, sum, measured));
  return {
    model,
    graph: program.name,
    target,
    threads,
    sizes,
    machine,
    compile: { parse, lower, generate: timing.generation },
    firstRun: timing.firstRun,
    run: timing.run,
    flops: kernels.reduce((total, { flops }) => total + flops, 0),
    bytes: kernels.reduce((total, { bytes }) => total + bytes, 0),
    ...(timing.copies === undefined ? {} : { copies: timing.copies }),
    kernels: kernels.sort((a, b) => b.seconds - a.seconds),
  };
}

function rowOf(
  { call, rounds, seconds }: Timing["calls"][number],
  sum: number,
  { sizes, machine, threads }: Measured,
): KernelRow {
  const { name, doc, location, cost } = call.kernel;
  const times = evaluateDim(rounds, sizes);
  const [flops, bytes] = [times * evaluateDim(cost.flops, sizes), times * evaluateDim(cost.bytes, sizes)];
  const row: KernelRow = {
    kernel: name,
    doc,
    rounds: times,
    ...(location ? { place: formatPlace(location) } : {}),
    seconds,
    share: sum > 0 ? seconds / sum : 0,
    flops,
    bytes,
  };
  if (seconds === 0) return row;
  const [flopsPerSecond, bytesPerSecond] = [flops / seconds, bytes / seconds];
  return {
    ...row,
    flopsPerSecond,
    shareOfPeak: flopsPerSecond / (machine.peak * threads),
    bytesPerSecond,
    shareOfBandwidth: bytesPerSecond / machine.bandwidth,
  };
}

/** The report as text: what was measured, then the table. */
export function printReport(report: Report): string {
  const { model, graph, target, threads, sizes, machine, compile, firstRun, run, flops, bytes, copies } = report;
  const { parse, lower, generate } = compile;
  const given = Object.entries(sizes).map(([name, value]) => `${name} = ${value}`);
  const lines: readonly (readonly [string, string])[] = [
    [
      "machine",
      `${speed(machine.peak, "flop/s")}, ${speed(machine.bandwidth, "B/s")} from memory, ${report.target === "webgpu" ? "on the GPU" : "on one thread"}`,
    ],
    [
      "compile",
      `${inTime(parse + lower + generate)}: text to graph ${inTime(parse)}, ` +
        `passes and kernels ${inTime(lower)}, code ${inTime(generate)}`,
    ],
    ["first run", inTime(firstRun)],
    [
      "run",
      `${inTime(run)}: ${scaled(flops, "flop")} at ${speed(flops / run, "flop/s")} ` +
        `(${percent(flops / run / (machine.peak * threads))} of the peak), ${scaled(bytes, "B")} at ${speed(bytes / run, "B/s")} ` +
        `(${percent(bytes / run / machine.bandwidth)})`,
    ],
    ...(copies === undefined ? [] : [["copies", inTime(copies)] as const]),
  ];
  const width = Math.max(...lines.map(([name]) => name.length));
  return [
    `${[model, `graph ${graph}`, `target ${target}`, ...(threads === 1 ? [] : [`${threads} threads`]), ...given].join(", ")}`,
    ...lines.map(([name, text]) => `  ${name.padEnd(width)}  ${text}`),
    "",
    ...table(report.kernels),
    "",
  ].join("\n");
}

const headings = ["time", "share", "flop", "bytes", "flop/s", "of peak", "bytes/s", "of memory", "kernel"];

function table(kernels: readonly KernelRow[]): string[] {
  const rows = kernels.map((row) => [
    inTime(row.seconds),
    percent(row.share),
    scaled(row.flops, ""),
    scaled(row.bytes, "B"),
    row.flopsPerSecond === undefined ? "" : speed(row.flopsPerSecond, ""),
    row.shareOfPeak === undefined ? "" : percent(row.shareOfPeak),
    row.bytesPerSecond === undefined ? "" : speed(row.bytesPerSecond, "B"),
    row.shareOfBandwidth === undefined ? "" : percent(row.shareOfBandwidth),
    [
      row.kernel,
      ...(row.rounds === 1 ? [] : [`× ${row.rounds}`]),
      ...(row.place === undefined ? [] : [row.place]),
    ].join("  "),
  ]);
  const widths = headings.map((heading, i) => Math.max(heading.length, ...rows.map((row) => row[i]!.length)));
  return [headings, ...rows].map((row) =>
    row.map((cell, i) => (i === row.length - 1 ? cell : cell.padStart(widths[i]!))).join("  "),
  );
}

const percent = (share: number): string => `${(100 * share).toFixed(0)} %`;

/** Speeds of machines: giga-somethings. */
const speed = (value: number, unit: string): string => `${threeDigits(value / 1e9)} G${unit}`;
