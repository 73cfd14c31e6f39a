// What `dlm bench` reports: work as the compiler estimates it, speeds and shares that follow from the times, the slowest first.
// Times are given here, not measured.

import { describe, expect, it } from "vitest";
import { type Measured, printReport, reportOf } from "../../src/bench/report.ts";
import { symbol } from "../../src/ir/dim.ts";
import type { KernelCall, Program } from "../../src/ir/kernel/program.ts";
import type { Kernel } from "../../src/ir/kernel/types.ts";

const n = symbol("N");
const kernel = (name: string, flops: Kernel["cost"]["flops"], bytes: number): Kernel => ({
  name,
  doc: `computes ${name}`,
  location: name === "dot" ? { file: "m.dlm", line: 3, column: 7, scope: "dense" } : undefined,
  buffers: [],
  sizes: ["N"],
  body: [],
  cost: { flops, bytes },
});
const calls = [kernel("dot", n, 4000), kernel("add", 100, 800), kernel("tiny", 1, 4)].map(
  (each): KernelCall => ({
    kind: "call",
    kernel: each,
    places: [],
  }),
);
const program: Program = {
  name: "infer",
  inputs: [],
  outputs: [],
  steps: calls,
  copies: [],
  buffers: [],
  sizes: ["N"],
  requirements: [],
};
const measured: Measured = {
  model: "M",
  target: "js",
  threads: 1,
  program,
  sizes: { N: 2000 },
  machine: { peak: 4e9, bandwidth: 10e9 },
  timing: {
    generation: 0.003,
    firstRun: 0.01,
    run: 5e-6,
    calls: [1e-6, 3e-6, 0].map((seconds, i) => ({ call: calls[i]!, rounds: i === 2 ? 3 : 1, seconds })),
    copies: undefined,
  },
  parse: 0.001,
  lower: 0.002,
};

describe("the report of a measurement", () => {
  it("has each call with its work, rounds of loops together, speed and shares, the slowest first", () => {
    const report = reportOf(measured);
    expect(report.kernels).toEqual([
      {
        kernel: "add",
        doc: "computes add",
        rounds: 1,
        seconds: 3e-6,
        share: 0.75,
        flops: 100,
        bytes: 800,
        flopsPerSecond: 100 / 3e-6,
        shareOfPeak: 100 / 3e-6 / 4e9,
        bytesPerSecond: 800 / 3e-6,
        shareOfBandwidth: 800 / 3e-6 / 10e9,
      },
      {
        kernel: "dot",
        doc: "computes dot",
        rounds: 1,
        place: "m.dlm:3:7 in dense",
        seconds: 1e-6,
        share: 0.25,
        flops: 2000,
        bytes: 4000,
        flopsPerSecond: 2000 / 1e-6,
        shareOfPeak: 2000 / 1e-6 / 4e9,
        bytesPerSecond: 4000 / 1e-6,
        shareOfBandwidth: 4000 / 1e-6 / 10e9,
      },
      // Too short for the clock: no speed is better than an infinite one.
      { kernel: "tiny", doc: "computes tiny", rounds: 3, seconds: 0, share: 0, flops: 3, bytes: 12 },
    ]);
    expect(report).toMatchObject({ graph: "infer", flops: 2103, bytes: 4812, run: 5e-6, firstRun: 0.01 });
    expect(report.compile).toEqual({ parse: 0.001, lower: 0.002, generate: 0.003 });
    expect(report).not.toHaveProperty("copies");
  });

  it("takes the peak of all threads, and the memory that they share", () => {
    const [add] = reportOf({ ...measured, threads: 4 }).kernels;
    expect(add).toMatchObject({ shareOfPeak: 100 / 3e-6 / 16e9, shareOfBandwidth: 800 / 3e-6 / 10e9 });
    expect(printReport(reportOf({ ...measured, threads: 4 }))).toMatch(
      /^M, graph infer, target js, 4 threads, N = 2000\n/,
    );
  });

  it("counts copies of updates into the whole", () => {
    const report = reportOf({ ...measured, timing: { ...measured.timing, copies: 4e-6 } });
    expect(report.copies).toBe(4e-6);
    expect(report.kernels.map(({ share }) => share)).toEqual([3 / 8, 1 / 8, 0]);
  });

  it("prints as a table", () => {
    expect(printReport(reportOf(measured)).split("\n")).toEqual([
      "M, graph infer, target js, N = 2000",
      "  machine    4.00 Gflop/s, 10.0 GB/s from memory, on one thread",
      "  compile    6.00 ms: text to graph 1.00 ms, passes and kernels 2.00 ms, code 3.00 ms",
      "  first run  10.0 ms",
      "  run        5.00 µs: 2.10 kflop at 0.42 Gflop/s (11 % of the peak), 4.81 kB at 0.96 GB/s (10 %)",
      "",
      "   time  share    flop    bytes  flop/s  of peak  bytes/s  of memory  kernel",
      "3.00 µs   75 %     100    800 B  0.03 G      1 %  0.27 GB        3 %  add",
      "1.00 µs   25 %  2.00 k  4.00 kB  2.00 G     50 %  4.00 GB       40 %  dot  m.dlm:3:7 in dense",
      "0.00 µs    0 %       3     12 B                                       tiny  × 3",
      "",
    ]);
  });
});
