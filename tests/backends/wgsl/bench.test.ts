// Measuring a graph on a device.

import { expect, it } from "vitest";
import { printReport } from "../../../src/bench/report.ts";
import { benchGpu } from "../../../src/bench.ts";
import { compileSource } from "../../../src/dsl/compile-source.ts";
import { swiftShader } from "../../support/webgpu.ts";

it("times each dispatch on the device, and the device itself", async () => {
  const text = "model Two(x: f32[N, 8]) -> (y: f32[N, 4]) {\n  y = x |> dense(16) |> dense(4)\n}\n";
  const { module } = compileSource({ name: "two.dlm", text }, () => undefined);
  const report = await benchGpu(module!, swiftShader(), {
    graph: "infer",
    target: "webgpu",
    batch: 2000,
    parse: 0,
    seconds: 0.1,
  });
  expect(report.kernels.map(({ rounds }) => rounds)).toEqual([1, 1]);
  expect(report.kernels.every(({ seconds }) => seconds > 0)).toBe(true);
  expect(report.kernels.reduce((sum, { seconds }) => sum + seconds, 0)).toBeLessThan(5 * report.run);
  expect(report.machine.peak).toBeGreaterThan(1e6);
  expect(report.machine.bandwidth).toBeGreaterThan(1e6);
  expect(printReport(report)).toContain("on the GPU");
});
