// Equal layers are lowered once; what differs in anything that counts is not.

import { describe, expect, it } from "vitest";
import { compile, load, type TargetName } from "../../src/compile.ts";
import type { Kernel } from "../../src/ir/kernel/types.ts";
import { moduleOf } from "../dsl/elaborated.ts";

const program = `model Deep(x: f32[N, 8]) -> (y: f32[N, 8]) {
  a = x |> dense(8) as a |> relu
  b = a |> dense(8) as b |> relu
  c = b |> dense(8) as c |> relu
  y = x + (c |> dense(8) as d)
}`;

const infer = (target: TargetName) => compile(moduleOf(program), { target, graphs: ["infer"] });

function kernelsOf(target: TargetName): readonly Kernel[] {
  return infer(target)
    .programs.programs.get("infer")!
    .steps.flatMap((step) => (step.kind === "call" ? [step.kernel] : []));
}

describe.each(["js", "wasm"] as const)("equal layers for %s", (target) => {
  it("have kernels of one body under names and places of their own", () => {
    // The first one reads an input, which has another name.
    const [, b, c, d] = kernelsOf(target);
    expect(c!.body).toBe(b!.body);
    expect(d!.body).not.toBe(b!.body);
    expect([b!.name, c!.name]).toEqual(["b_dot_maximum", "c_dot_maximum"]);
    expect([b!.location?.line, c!.location?.line]).toEqual([3, 4]);
  });

  it("read what each of them is given", () => {
    const executable = load(infer(target));
    const identity = Float32Array.from({ length: 64 }, (_, i) => (i % 9 === 0 ? 1 : 0));
    ["a", "b", "c", "d"].forEach((layer, i) => {
      const kernel = identity.map((value) => value * (i + 1));
      executable.write(`${layer}.kernel`, { dtype: "f32", shape: [8, 8], data: kernel });
      executable.write(`${layer}.bias`, { dtype: "f32", shape: [8], data: new Float32Array(8).fill(i - 1) });
    });
    const x = { dtype: "f32", shape: [1, 8], data: Float32Array.of(1, 2, 3, 4, -1, -2, -3, -4) } as const;
    const relu = (value: number): number => Math.max(value, 0);
    const expected = x.data.map((value) => value + 4 * relu(3 * relu(2 * relu(value - 1)) + 1) + 2);
    expect([...executable.run("infer", { x }).y!.data]).toEqual([...expected]);
  });
});
