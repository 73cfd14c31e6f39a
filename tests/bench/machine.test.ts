// The loops that measure the machine: that they are accepted by the engine, and do as much as they say.

import { describe, expect, it } from "vitest";
import { jsProbes } from "../../src/bench/js-probes.ts";
import { measureMachine } from "../../src/bench/machine.ts";
import { probedBytes } from "../../src/bench/probe.ts";
import { wasmProbes } from "../../src/bench/wasm-probes.ts";
import { jsTarget } from "../../src/ir/target.ts";

describe.each([
  ["js", jsProbes],
  ["wasm", () => wasmProbes(false)],
] as const)("the probes of %s", (_, probes) => {
  it("run, and say what they do", () => {
    const { peak, bandwidth } = probes();
    for (const { run, work } of [...peak, ...bandwidth]) {
      expect(work).toBeGreaterThan(1e7);
      expect(run).not.toThrow();
    }
    for (const { work } of bandwidth) expect(work).toBe(probedBytes);
  });
});

it("a machine is what its fastest loops show", () => {
  const { peak, bandwidth } = measureMachine(jsTarget, 0);
  expect(peak).toBeGreaterThan(0);
  expect(Number.isFinite(peak)).toBe(true);
  expect(bandwidth).toBeGreaterThan(0);
  expect(Number.isFinite(bandwidth)).toBe(true);
});
