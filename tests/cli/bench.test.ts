// dlm bench: what it prints and what it refuses. No test looks at how long anything takes.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { compile } from "../../src/compile.ts";
import { compileSource } from "../../src/dsl/compile-source.ts";
import { evaluateDim } from "../../src/ir/dim.ts";
import { callsIn } from "../../src/ir/kernel/program.ts";
import { dlm, temporaryFolder } from "./dlm.ts";
import { xor } from "./models.ts";

const folder = temporaryFolder();
const path = (name: string): string => join(folder, name);
const quick = ["--seconds", "0.01"];

const sequence = `model Sequence(x: f32[N, T]) -> (y: f32[N]) {
  y = mean(x, axis: 1)
}
`;

beforeAll(() => {
  writeFileSync(path("xor.dlm"), xor);
  writeFileSync(path("sequence.dlm"), sequence);
});

describe("dlm bench", () => {
  it.each(["js", "wasm"] as const)("tells scripts all kernels of a graph on %s", async (target) => {
    const args = ["--graph", "train_step", "--batch", "5", "--target", target, "--json", ...quick];
    const { code, stdout, stderr } = await dlm("bench", path("xor.dlm"), ...args);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const report = JSON.parse(stdout);
    expect(report).toMatchObject({ model: "Xor", graph: "train_step", target, sizes: { N: 5 } });
    const { module } = compileSource({ name: path("xor.dlm"), text: xor }, () => undefined);
    const { programs } = compile(module!, { graphs: ["train_step"], target });
    const expected = callsIn(programs.programs.get("train_step")!.steps).map(({ call: { kernel } }) => ({
      kernel: kernel.name,
      doc: kernel.doc,
      flops: evaluateDim(kernel.cost.flops, { N: 5 }),
      bytes: evaluateDim(kernel.cost.bytes, { N: 5 }),
    }));
    const found = report.kernels.map(({ kernel, doc, flops, bytes }: Record<string, unknown>) => ({
      kernel,
      doc,
      flops,
      bytes,
    }));
    expect(found).toHaveLength(expected.length);
    expect(found).toEqual(expect.arrayContaining(expected));
    const times: number[] = report.kernels.map(({ seconds }: { seconds: number }) => seconds);
    expect(times).toEqual([...times].sort((a, b) => b - a));
  });

  it("prints a table, with the batch of the train block", async () => {
    const { stdout } = await dlm("bench", path("xor.dlm"), ...quick);
    expect(stdout).toMatch(/^Xor, graph infer, target wasm, N = 4\n {2}machine .* on one thread\n {2}compile /);
    expect(stdout).toMatch(/\n +time +share +flop +bytes +flop\/s +of peak +bytes\/s +of memory +kernel\n/);
  });

  it("measures on several threads", async () => {
    const args = ["--target", "wasm", "--threads", "2", "--batch", "64", "--graph", "train_step", ...quick];
    const { code, stdout, stderr } = await dlm("bench", path("xor.dlm"), ...args);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(/^Xor, graph train_step, target wasm, 2 threads, N = 64\n/);
  });

  it("takes other sizes by name", async () => {
    const { stdout } = await dlm("bench", path("sequence.dlm"), "--batch", "2", "--size", "T=7", ...quick);
    expect(stdout).toMatch(/^Sequence, graph infer, target wasm, N = 2, T = 7\n/);
  });

  it("says what is wrong", async () => {
    expect(await dlm("bench", path("xor.dlm"), "--graph", "training")).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("it has init, infer, train_step"),
    });
    expect(await dlm("bench", path("xor.dlm"), "--size", "T=3", ...quick)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("graph infer has no free size T"),
    });
    expect(await dlm("bench", path("xor.dlm"), "--graph", "init", "--batch", "3", ...quick)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("graph init has no batch"),
    });
  });
});
