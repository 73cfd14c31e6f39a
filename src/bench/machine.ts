// What this machine can do at most on one thread, measured by loops that do nothing else: the scale for the speed of kernels.

import type { Target } from "../ir/target.ts";
import { jsProbes } from "./js-probes.ts";
import type { Probe } from "./probe.ts";
import { wasmProbes } from "./wasm-probes.ts";

export interface Machine {
  /** Additions and multiplications of float32 a second, in registers: flop/s. */
  readonly peak: number;
  /** Bytes a second from memory (not from caches), the faster of reading and copying; a copy counts twice. */
  readonly bandwidth: number;
}

/** Measures with generated code of the target's kind: what no kernel of it can exceed. `seconds` are for each of some loops. */
export function measureMachine(target: Target, seconds = 0.2): Machine {
  const probes = target.name === "js" ? jsProbes() : wasmProbes(target.fma);
  const best = (list: readonly Probe[]): number =>
    Math.max(...list.map((probe) => probe.work / fastest(probe.run, seconds)));
  return { peak: best(probes.peak), bandwidth: best(probes.bandwidth) };
}

/** The shortest of several runs, in seconds. */
function fastest(run: () => void, seconds: number): number {
  let best = Number.POSITIVE_INFINITY;
  const end = performance.now() + 1000 * seconds;
  for (let round = 0; round < 3 || performance.now() < end; round++) {
    const before = performance.now();
    run();
    best = Math.min(best, performance.now() - before);
  }
  return best / 1000;
}
