// Bundles for WebGPU, on Node's implementation of it: they agree with JavaScript, leave results on the device, free what they took, take
// a device of the caller's, and say what is wrong.

import { execFile } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import ts from "typescript";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { requestDevice } from "../../src/backends/wgsl/runtime/device.ts";
import { compile, load } from "../../src/compile.ts";
import { compileSource } from "../../src/dsl/compile-source.ts";
import { readSafetensors } from "../../src/formats/safetensors.ts";
import type { Tensor } from "../../src/ir/dtype.ts";
import { dlm, temporaryFolder } from "../cli/dlm.ts";
import { root } from "../docs/blocks.ts";
import { swiftShader } from "../support/webgpu.ts";

const folder = temporaryFolder();
const path = (...names: string[]): string => join(folder, ...names);
const program = join(root, "examples/web/digits.dlm");
const weights = join(root, "examples/web/digits.safetensors");

/** As the declarations have it. */
interface Model {
  run(inputs: object): Promise<Record<string, Tensor>>;
  run(
    inputs: object,
    options: { readback: false },
  ): Promise<Record<string, { buffer: GPUBuffer; offset: number; size: number; shape: number[] }>>;
  free(): void;
}
type Create = (options?: { device?: GPUDevice }) => Promise<Model>;

let create: Create;
let device: GPUDevice;
beforeAll(async () => {
  for (const [name, ...more] of [["digits"], ["parts", "--beside"]] as const) {
    const options = ["--model", "Digits", "--weights", weights, "--target", "webgpu", ...more];
    expect(await dlm("bundle", program, ...options, "-o", path(`${name}.mjs`))).toMatchObject({ code: 0, stderr: "" });
  }
  create = (await import(pathToFileURL(path("digits.mjs")).href)).createDigits;
  device = await requestDevice(swiftShader());
});
afterAll(() => device.destroy());

const image = (rows: number): Float32Array =>
  Float32Array.from({ length: rows * 784 }, (_, i) => ((i * 7919) % 256) / 255);

const source = { name: program, text: readFileSync(program, "utf8") };
const { module } = compileSource(source, () => undefined, { model: "Digits" });
const executable = load(compile(module!, { graphs: ["infer"] }));
const { tensors } = readSafetensors(readFileSync(weights), weights);
for (const [name, tensor] of Object.entries(tensors)) executable.write(`Network.${name}`, tensor);
const expected = (rows: number): Record<string, Tensor> =>
  executable.run("infer", { image: { dtype: "f32", shape: [rows, 28, 28, 1], data: image(rows) } });

const compare = (got: Record<string, Tensor>, rows: number): void => {
  const wanted = expected(rows);
  expect(Object.keys(got)).toEqual(Object.keys(wanted));
  for (const [name, { dtype, shape, data }] of Object.entries(wanted)) {
    expect(got[name]).toMatchObject({ dtype, shape });
    const scale = Math.max(1, ...data.map(Math.abs));
    got[name]!.data.forEach((value, i) => expect(Math.abs(value - data[i]!)).toBeLessThan(1e-4 * scale));
  }
};

describe("a bundle for WebGPU", () => {
  it("answers as JavaScript does, for any number of rows in any order", async () => {
    const model = await create({ device });
    for (const rows of [2, 5, 1, 2]) compare(await model.run({ image: image(rows) }), rows);
    // Asked for at once, they come in order.
    const both = await Promise.all([model.run({ image: image(1) }), model.run({ image: image(3) })]);
    compare(both[0], 1);
    compare(both[1], 3);
    model.free();
  });

  it("leaves results on the device where they are not wanted here", async () => {
    const model = await create({ device });
    const { probs } = await model.run({ image: image(2) }, { readback: false });
    expect(probs).toMatchObject({ shape: [2, 10], size: 80 });
    const copy = device.createBuffer({ size: 80, usage: 9 });
    const encoder = device.createCommandEncoder();
    encoder.copyBufferToBuffer(probs!.buffer, probs!.offset, copy, 0, 80);
    device.queue.submit([encoder.finish()]);
    await copy.mapAsync(1);
    const got = new Float32Array(copy.getMappedRange().slice(0));
    copy.destroy();
    const wanted = expected(2).probs!.data;
    got.forEach((value, i) => expect(value).toBeCloseTo(wanted[i]!, 4));
    model.free();
  });

  it("makes nothing in a steady run, and frees all that it made", async () => {
    const made: GPUBuffer[] = [];
    const gone = new Set<GPUBuffer>();
    let others = 0;
    const counting = new Proxy(device, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name, target);
        if (typeof value !== "function") return value;
        return (...args: unknown[]) => {
          const result: unknown = Reflect.apply(value, target, args);
          if (/^create(BindGroup|ComputePipeline|ShaderModule|PipelineLayout)/.test(String(name))) others++;
          if (name === "createBuffer") {
            const buffer = result as GPUBuffer; // What createBuffer gives.
            const destroy = buffer.destroy.bind(buffer);
            buffer.destroy = () => {
              gone.add(buffer);
              return destroy();
            };
            made.push(buffer);
          }
          return result;
        };
      },
    });
    const model = await create({ device: counting });
    await model.run({ image: image(2) });
    const before = [made.length, others];
    for (let i = 0; i < 20; i++) await model.run({ image: image(2) });
    expect([made.length, others]).toEqual(before);
    expect(made.length).toBeGreaterThan(2);
    model.free();
    expect(gone.size).toBe(made.length);
  });

  it("refuses inputs that do not fit, and goes on", async () => {
    const model = await create({ device });
    await expect(model.run({ image: [1, 2] })).rejects.toThrow(
      "Digits: image has 2 elements, expected f32[N, 28, 28, 1]",
    );
    await expect(model.run({})).rejects.toThrow("input image is missing");
    compare(await model.run({ image: Array.from(image(1)) }), 1);
    model.free();
  });

  it("finds its weights beside itself", async () => {
    const { createDigits }: { createDigits: Create } = await import(pathToFileURL(path("parts.mjs")).href);
    const model = await createDigits({ device });
    compare(await model.run({ image: image(1) }), 1);
    model.free();
  });

  it("says where there is no WebGPU, in a process with nothing but the module", async () => {
    mkdirSync(path("alone"));
    writeFileSync(path("alone/digits.mjs"), readFileSync(path("digits.mjs")));
    const script = `const { createDigits } = await import("./digits.mjs");
      await createDigits().catch(({ name, message }) => console.log(name + ": " + message));`;
    const options = ["--disallow-code-generation-from-strings", "--input-type=module", "--eval", script];
    const { stdout } = await promisify(execFile)(process.execPath, options, { cwd: path("alone") });
    expect(stdout).toBe("GpuError: this engine has no WebGPU\n");
  });

  it("is small: with the gradient at most 24 KB gzipped, weights aside", () => {
    const bare = readFileSync(path("digits.mjs"), "utf8").replace(/fromBase64\("[^"]*"\)/, "");
    expect(gzipSync(bare).length).toBeLessThanOrEqual(24 * 1024);
  });

  it("declares its types, with those of WebGPU at hand and without", () => {
    const use = `import { createDigits, type DigitsModel } from "./digits.mjs";
const model: DigitsModel = await createDigits();
const data: Float32Array = (await model.run({ image: new Float32Array(784) })).probs.data;
const { probs } = await model.run({ image: [0] }, { readback: false });
const place: { readonly offset: number; readonly buffer: object } = probs;
export { data, place };
`;
    const check = (text: string, ...more: string[]): string[] => {
      writeFileSync(path("consumer.mts"), text);
      const options: ts.CompilerOptions = {
        strict: true,
        noEmit: true,
        target: ts.ScriptTarget.ES2022,
        module: ts.ModuleKind.NodeNext,
        moduleResolution: ts.ModuleResolutionKind.NodeNext,
        lib: ["lib.es2022.d.ts", ...more],
        types: [],
      };
      const checked = ts.createProgram([path("consumer.mts")], options);
      return ts.getPreEmitDiagnostics(checked).map((d) => ts.flattenDiagnosticMessageText(d.messageText, "\n"));
    };
    expect(check(use)).toEqual([]);
    const typed = use.replace("readonly buffer: object", "readonly buffer: GPUBuffer");
    const wrong = typed.replace("image: [0]", "picture: [0]");
    expect(check(wrong, "lib.dom.d.ts")).toEqual([expect.stringContaining("'picture' does not exist")]);
  });
});
