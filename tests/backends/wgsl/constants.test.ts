// Numbers in shaders are those of the program, at the ends of float32 too.

import { describe, expect, it } from "vitest";
import { compile, loadGpu } from "../../../src/compile.ts";
import { compileSource } from "../../../src/dsl/compile-source.ts";
import { swiftShader } from "../../support/webgpu.ts";

const numbers = [3.4028234663852886e38, -3.4028234663852886e38, 0.1, 1.17549435e-38, 16777217, 1e10];

describe("constants in shaders", () => {
  it("are the nearest of float32", async () => {
    const outputs = numbers.map((_, i) => `y${i}: f32[N]`).join(", ");
    const lines = numbers.map((number, i) => `  y${i} = x * ${number}`).join("\n");
    const text = `model Numbers(x: f32[N]) -> (${outputs}) {\n${lines}\n}\n`;
    const { module, diagnostics } = compileSource({ name: "numbers.dlm", text }, () => undefined);
    expect(diagnostics).toEqual([]);
    const executable = await loadGpu(compile(module!, { target: "webgpu" }), { gpu: swiftShader() });
    const x = { dtype: "f32", shape: [1], data: Float32Array.of(1) } as const;
    const answer = await executable.run("infer", { x });
    expect(numbers.map((_, i) => answer[`y${i}`]!.data[0])).toEqual(numbers.map(Math.fround));
    executable.dispose();
  });
});
