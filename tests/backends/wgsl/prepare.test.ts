// A graph that is prepared on a device runs on what lies there, and on what it is given anew.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type AsyncExecutable, InputError } from "../../../src/backends/backend.ts";
import { compile, loadGpu } from "../../../src/compile.ts";
import { compileSource } from "../../../src/dsl/compile-source.ts";
import type { Tensor } from "../../../src/ir/dtype.ts";
import { swiftShader } from "../../support/webgpu.ts";

const text = "model Scale(x: f32[N], by: f32[]) -> (y: f32[N], z: f32[N]) {\n  y = x * by\n  z = y + 1\n}\n";
const f32 = (shape: readonly number[], ...values: number[]): Tensor => ({
  dtype: "f32",
  shape,
  data: Float32Array.from(values),
});

let executable: AsyncExecutable;
beforeAll(async () => {
  const { module } = compileSource({ name: "scale.dlm", text }, () => undefined);
  executable = await loadGpu(compile(module!, { target: "webgpu" }), { gpu: swiftShader() });
});
afterAll(() => executable.dispose());

describe("a prepared graph", () => {
  it("keeps its inputs on the device, and takes others in their place", async () => {
    const run = await executable.prepare("infer", { x: f32([3], 1, 2, 3), by: f32([], 2) });
    const y = async (changed?: Record<string, Tensor>): Promise<number[]> => [...(await run(changed)).y!.data];
    expect(await y()).toEqual([2, 4, 6]);
    expect(await y()).toEqual([2, 4, 6]);
    expect(await y({ by: f32([], 10) })).toEqual([10, 20, 30]);
    expect(await y({ x: f32([3], 4, 5, 6) })).toEqual([40, 50, 60]);
    expect(Object.keys(await run({}, { read: ["z"] }))).toEqual(["z"]);
  });

  it("refuses what has another shape or name", async () => {
    const run = await executable.prepare("infer", { x: f32([2], 1, 2), by: f32([], 3) });
    await expect(run({ x: f32([3], 1, 2, 3) })).rejects.toThrow(InputError);
    await expect(run({ w: f32([], 1) })).rejects.toThrow("there is no input w");
    expect([...(await run()).y!.data]).toEqual([3, 6]);
  });
});
