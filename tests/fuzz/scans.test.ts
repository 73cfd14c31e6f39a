// Random bodies of scans, with their gradients: every pass keeps the meaning, and all back-ends give it, threads to the same bits.

import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import type { Executable } from "../../src/backends/backend.ts";
import { createExecutableOver } from "../../src/backends/executable.ts";
import { createExecutable } from "../../src/backends/js/executable.ts";
import { createInterpreted } from "../../src/backends/js/interpreted.ts";
import { createThreadedEngine } from "../../src/backends/wasm/threads/engine.ts";
import { compile, load } from "../../src/compile.ts";
import { compileSource } from "../../src/dsl/compile-source.ts";
import { renderDiagnostics } from "../../src/dsl/diagnostics.ts";
import { allocate, type Tensor } from "../../src/ir/dtype.ts";
import { interpretGraph } from "../../src/ir/interpret.ts";
import type { ReferenceTensor } from "../../src/ir/op.ts";
import { parsePipeline, runPipeline } from "../../src/passes/pipeline.ts";
import { randomInputs } from "../support/graphs.ts";

const runs = Number(process.env.RUNS ?? 12);
const opened: Executable[] = [];
afterAll(() => {
  for (const executable of opened) executable.dispose?.();
});

interface Step {
  readonly kind: number;
  readonly a: number;
  readonly b: number;
  /** The carry that takes the value over, if it is one of these. */
  readonly to: number;
}

interface Body {
  readonly steps: readonly Step[];
  readonly yields: readonly number[];
  readonly reversed: boolean;
  readonly recompute: boolean;
  readonly axis: 0 | 1;
}

const step: fc.Arbitrary<Step> = fc.record({ kind: fc.nat(7), a: fc.nat(99), b: fc.nat(99), to: fc.nat(3) });
const body: fc.Arbitrary<Body> = fc.record({
  steps: fc.array(step, { minLength: 1, maxLength: 9 }),
  yields: fc.array(fc.nat(99), { minLength: 1, maxLength: 3 }),
  reversed: fc.boolean(),
  recompute: fc.boolean(),
  axis: fc.constantFrom(0, 1),
});

/** A program with the scan, its last carries, and the gradient of all of it with respect to what goes in. */
function programOf({ steps, yields, reversed, recompute, axis }: Body): string {
  const names = ["h", "c", "v", "u", "tanh(b) * v"];
  const at = (i: number): string => names[i % names.length]!;
  const lines = steps.map(({ kind, a, b, to }, i) => {
    const [x, y] = [at(a), at(b)];
    const value = [
      `${x} + ${y}`,
      `tanh(${x}) * ${y}`,
      `(${x}) @ k`,
      `tanh((${x}) @ k + ${y})`,
      `where(${x} > 0.3, ${y}, b)`,
      `sum(${x}, axis: -1, keepdims: true) * 0.3 + ${y}`,
      `sigmoid(concatenate([${x}, ${y}], axis: -1)[:, 1:4])`,
      `(${x}) @ tanh(k @ k)`,
    ][kind]!;
    const name = ["h", "c", `t${i}`, `t${i}`][to]!;
    if (!names.includes(name)) names.push(name);
    return `    ${name} = ${value}`;
  });
  const outputs = yields.map((_, i) => `y${i}`);
  const shape = axis === 0 ? "f32[T, N, 3]" : "f32[N, T, 3]";
  const given = ["x", "z", "k", "b", "first"];
  return [
    `model M(x: ${shape}, z: ${shape}, k: f32[3, 3], b: f32[3], first: f32[N, 3]) -> (${outputs.map((name) => `${name}: ${shape}`).join(", ")},`,
    `    last_h: f32[N, 3], last_c: f32[N, 3], ${given.map((name) => `d_${name}: ${{ k: "f32[3, 3]", b: "f32[3]", first: "f32[N, 3]" }[name] ?? shape}`).join(", ")}) {`,
    "  h = first",
    "  c = zeros([N, 3])",
    `  ${outputs.join(", ")} = scan v, u in x, z along ${axis}${reversed ? " reversed" : ""}${recompute ? " recompute" : ""} carry h, c {`,
    ...lines,
    ...yields.map((i) => `    yield ${at(i)}`),
    "  }",
    "  last_h = h",
    "  last_c = c",
    `  loss = ${outputs.map((name, i) => `sum(tanh(${name} * 0.${i + 3}))`).join(" + ")} + sum(tanh(h) * tanh(c))`,
    `  ${given.map((name) => `d_${name}`).join(", ")} = grad(loss, [${given.join(", ")}])`,
    "}",
  ].join("\n");
}

function toTensor({ dtype, shape, data }: ReferenceTensor): Tensor {
  const array = allocate(dtype, data.length);
  array.set(data);
  return { dtype, shape, data: array };
}

const bits = (outputs: Record<string, Tensor>): string =>
  Object.entries(outputs)
    .map(([name, { data }]) => `${name} ${Array.from(data, (x) => (Object.is(x, -0) ? "-0" : String(x))).join(" ")}`)
    .join("\n");

/** Values grow from step to step; what is compared is relative to the largest. */
function expectClose(
  found: Record<string, Tensor>,
  expected: Record<string, ReferenceTensor>,
  text: string,
  tolerance = 3e-5,
): void {
  for (const [name, { data }] of Object.entries(expected)) {
    const largest = data.reduce((most, x) => Math.max(most, Math.abs(x)), 1);
    if (!(largest < 1e4)) continue;
    const wrong = data.findIndex((x, i) => !(Math.abs(x - found[name]!.data[i]!) <= tolerance * largest));
    if (wrong >= 0) expect.fail(`${name}[${wrong}] is ${found[name]!.data[wrong]}, not ${data[wrong]}\n${text}`);
  }
}

const exactly = (tensors: Record<string, Tensor>): Record<string, ReferenceTensor> =>
  Object.fromEntries(
    Object.entries(tensors).map(([name, tensor]) => [name, { ...tensor, data: Float64Array.from(tensor.data) }]),
  );

describe("random scans", () => {
  it.each([
    { N: 3, T: 4 },
    { N: 1, T: 1 },
    { N: 2, T: 0 },
  ])("mean the same through all passes and on all back-ends, for N = $N and T = $T", (sizes) => {
    fc.assert(
      fc.property(body, fc.nat(1000), (shape, seed) => {
        const text = programOf(shape);
        const { module, diagnostics } = compileSource({ name: "random.dlm", text }, () => undefined);
        if (!module) throw new Error(renderDiagnostics(diagnostics));
        const plain = runPipeline(module, parsePipeline("differentiate")).graphs.get("infer")!;
        // Where float32 rounds to the other side of a condition, the outcome is another.
        const given = randomInputs(plain, sizes, seed);
        const inputs = Object.fromEntries(Object.entries(given).map(([name, tensor]) => [name, toTensor(tensor)]));
        const expected = interpretGraph(plain, exactly(inputs), new Map(), sizes).outputs;
        const js = compile(module);
        const generated = createExecutable(js.programs).run("infer", inputs, sizes);
        expectClose(generated, expected, text);
        const interpreted = createExecutable(js.programs, { create: createInterpreted }).run("infer", inputs, sizes);
        // What the generated code approximates may be stored as the number beside it.
        if (/tanh|sigmoid/.test(text)) expectClose(generated, exactly(interpreted), text, 3e-6);
        else expect(bits(generated)).toBe(bits(interpreted));
        const wasm = compile(module, { target: "wasm" });
        const alone = load(wasm).run("infer", inputs, sizes);
        expectClose(alone, expected, text);
        const grain = { region: 0, chunk: 0 };
        const engine = createThreadedEngine(wasm.programs, { fma: wasm.target.fma, grain }, 2);
        const threads = createExecutableOver(wasm.programs, engine);
        opened.push(threads);
        expect(bits(threads.run("infer", inputs, sizes))).toBe(bits(alone));
        threads.dispose?.();
        // Of a known batch, one group of threads does all steps.
        const known = compileSource(
          { name: "known.dlm", text: text.replaceAll(/\bN\b/g, String(sizes.N)) },
          () => undefined,
        );
        const grouped = compile(known.module!, { target: "webgpu" });
        const { infer } = Object.fromEntries(grouped.programs.programs);
        expect(infer!.steps.every(({ kind }) => kind === "call")).toBe(true);
        const together = createExecutable(grouped.programs, { create: createInterpreted }).run("infer", inputs, {
          T: sizes.T,
        });
        expectClose(together, expected, text);
      }),
      { numRuns: runs },
    );
  });
});
