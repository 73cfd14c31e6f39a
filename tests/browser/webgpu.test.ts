// WebGPU in a real browser: an operation of each kind agrees there with what graphs mean, and so does a step of training.

import { build } from "esbuild";
import type { Page } from "playwright-core";
import { beforeAll, describe, expect, it } from "vitest";
import { renderPlan } from "../../src/backends/wgsl/render.ts";
import type { GpuPlan } from "../../src/backends/wgsl/runtime/plan.ts";
import { compile, load } from "../../src/compile.ts";
import { compileSource } from "../../src/dsl/compile-source.ts";
import { isFloat, type Tensor } from "../../src/ir/dtype.ts";
import { webgpuTarget } from "../../src/ir/target.ts";
import { root } from "../docs/blocks.ts";
import { serve, startBrowser } from "../support/chromium.ts";
import { expectClose } from "../support/lowered.ts";
import { operationSamples } from "../support/operation-samples.ts";
import { toReference } from "../support/tensors.ts";

/** What the page runs: plans, which are data, on one device. */
const script = `
import { requestDevice } from "./device.ts";
import { createRuntime } from "./runtime.ts";
const arrays = { f32: Float32Array, f16: Uint16Array, i32: Int32Array, u8: Uint8Array, i8: Int8Array, bool: Uint8Array };
const typed = (tensors) =>
  Object.fromEntries(Object.entries(tensors).map(([name, { dtype, data }]) => [name, arrays[dtype].from(data)]));
const device = requestDevice();
/** Writes parameters, runs the graphs one after the other, and gives what they answer as bits. */
globalThis.run = async (plan, globals, runs) => {
  const runtime = await createRuntime(await device, plan);
  for (const [name, data] of Object.entries(typed(globals))) runtime.write(name, data);
  const answers = [];
  for (const { graph, inputs, sizes } of runs) answers.push(await runtime.run(graph, typed(inputs), sizes));
  runtime.dispose();
  const plain = ([name, tensor]) => [name, { ...tensor, data: Array.from(tensor.data, (x) => (Number.isFinite(x) ? x : String(x))) }];
  return answers.map((outputs) => Object.fromEntries(Object.entries(outputs).map(plain)));
};`;

/** Numbers as JSON takes them; what is not finite is text. */
type Plain = Omit<Tensor, "data"> & { readonly data: readonly (number | string)[] };
interface Run {
  readonly graph: string;
  readonly inputs: Readonly<Record<string, Tensor>>;
  readonly sizes: Readonly<Record<string, number>>;
}

const plain = (tensors: Readonly<Record<string, Tensor>>) =>
  Object.fromEntries(
    Object.entries(tensors).map(([name, { dtype, shape, data }]) => [
      name,
      { dtype, shape, data: Array.from(data, (x) => (Number.isFinite(x) ? x : String(x))) },
    ]),
  );
const arrays = {
  f32: Float32Array,
  f16: Uint16Array,
  i32: Int32Array,
  u8: Uint8Array,
  i8: Int8Array,
  bool: Uint8Array,
};
const whole = ({ dtype, shape, data }: Plain): Tensor => ({ dtype, shape, data: arrays[dtype].from(data.map(Number)) });

const browser = await startBrowser();
describe.skipIf(!browser)("WebGPU in Chromium", () => {
  let page: Page;
  beforeAll(async () => {
    const resolveDir = `${root}/src/backends/wgsl/runtime`;
    const built = await build({ stdin: { contents: script, resolveDir }, bundle: true, format: "esm", write: false });
    page = await browser!.newPage();
    const html = `<!doctype html><script type="module" src="main.js"></script>`;
    await page.goto(
      await serve(
        new Map([
          ["index.html", html],
          ["main.js", built.outputFiles[0]!.text],
        ]),
      ),
    );
    await page.waitForFunction("globalThis.run !== undefined");
  });

  const runs = async (
    plan: GpuPlan,
    globals: Readonly<Record<string, Tensor>>,
    list: readonly Run[],
  ): Promise<Record<string, Tensor>[]> => {
    const tasks = list.map((run) => ({ ...run, inputs: plain(run.inputs) }));
    const answers = await page.evaluate<Record<string, Plain>[]>(
      `run(${JSON.stringify(plan)}, ${JSON.stringify(plain(globals))}, ${JSON.stringify(tasks)})`,
    );
    return answers.map((outputs) =>
      Object.fromEntries(Object.entries(outputs).map(([name, tensor]) => [name, whole(tensor)])),
    );
  };

  // One of each: page and device are the same for all, and Node has run the others.
  const firsts = operationSamples.filter(([title]) => title.endsWith(" 0"));
  it.each(firsts)("%s", async (_, make) => {
    const { graph, module, inputs, expected } = make();
    const { programs } = compile(module, { target: "webgpu" });
    const [got] = await runs(renderPlan(programs, webgpuTarget.groups), {}, [{ graph: "test", inputs, sizes: {} }]);
    for (const { name, value } of graph.outputs) {
      const { dtype } = value.type;
      const tolerance = dtype === "f16" ? 1e-3 : isFloat(dtype) ? 1e-4 : 0;
      expectClose(toReference(got![name]!), expected[name]!, tolerance);
    }
  });

  it("a training, whose losses are those of JavaScript", async () => {
    const text = `model Net(x: f32[N, 8, 8, 1]) -> (logits: f32[N, 3]) {
      logits = x |> conv2d(4, kernel: 3) |> relu |> max_pool2d(2) |> flatten |> dense(3)
    }
    train Net {
      target label: i32[N]
      data: digits(8)
      loss: cross_entropy(logits, label)
      optimizer: adam(lr: 1e-2)
      epochs: 1
      batch: 4
    }`;
    const { module, diagnostics } = compileSource({ name: "net.dlm", text }, () => undefined);
    expect(diagnostics).toEqual([]);
    const here = load(compile(module!));
    here.run("init", { key: { dtype: "i32", shape: [2], data: Int32Array.of(1, 0) } });
    const globals = Object.fromEntries([...module!.globals.keys()].map((name) => [name, here.read(name)]));
    const x: Tensor = {
      dtype: "f32",
      shape: [4, 8, 8, 1],
      data: Float32Array.from({ length: 256 }, (_, i) => Math.sin(i)),
    };
    const label: Tensor = { dtype: "i32", shape: [4], data: Int32Array.of(0, 1, 2, 1) };
    const steps = [0, 1, 2, 3].map((step): Run => {
      const inputs = { x, label, step: { dtype: "f32", shape: [], data: Float32Array.of(step) } as const };
      return { graph: "train_step", inputs, sizes: { N: 4 } };
    });
    const { programs } = compile(module!, { target: "webgpu", graphs: ["train_step"] });
    const got = await runs(renderPlan(programs, webgpuTarget.groups), globals, steps);
    const losses = steps.map(({ graph, inputs }) => here.run(graph, inputs).loss!.data[0]!);
    expect(losses[3]).toBeLessThan(losses[0]!);
    got.forEach(({ loss }, i) => expect(loss!.data[0]).toBeCloseTo(losses[i]!, 3));
  });
});
