// Bundles: modules that run alone, give the very bits of `dlm run`, stay small, say what is wrong with their inputs, and
// declare their types for TypeScript.

import { execFile } from "node:child_process";
import { cpSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { transform } from "esbuild";
import ts from "typescript";
import { beforeAll, describe, expect, it } from "vitest";
import { enableRelaxedSimd } from "../../src/backends/node/relaxed-simd.ts";
import { relaxedSimdProbe } from "../../src/backends/wasm/features.ts";
import { type BundleTarget, bundle } from "../../src/bundle.ts";
import { type CompileOptions, compile, load } from "../../src/compile.ts";
import { compileSource } from "../../src/dsl/compile-source.ts";
import { readNpy, writeNpy } from "../../src/formats/npy.ts";
import { readSafetensors } from "../../src/formats/safetensors.ts";
import { allocate, type Tensor } from "../../src/ir/dtype.ts";
import { evaluateShape } from "../../src/ir/sizes.ts";
import { dlm, dlmProcess, temporaryFolder } from "../cli/dlm.ts";

const folder = temporaryFolder();
const path = (...names: string[]): string => join(folder, ...names);
const program = join(import.meta.dirname, "../../models/digits_cnn.dlm");
const weights = ["--weights", path("out/weights.safetensors")];

const targets = ["js", "wasm", "auto"] as const;

beforeAll(async () => {
  const trained = await dlm("train", program, "--out", path("out"), "--epochs", "1", "--limit", "64");
  expect(trained).toMatchObject({ code: 0, stderr: "" });
  for (const target of targets) {
    const bundled = await dlm("bundle", program, ...weights, "-o", path(`${target}.mjs`), "--target", target);
    expect(bundled).toMatchObject({ code: 0, stderr: "" });
    expect(bundled.stdout).toMatch(new RegExp(`^wrote .*${target}\\.mjs \\([\\d.]+ kB\\) and ${target}\\.d\\.mts\n$`));
  }
});

/** Pixel i of the images; the same formula stands in the script below. */
const pixel = (i: number): number => ((i * 7919) % 256) / 255;

/** What runs before the module is loaded, so that its engine can do less than this one. */
const engines = {
  whole: "",
  "without relaxed SIMD": `
    const relaxed = "${Buffer.from(relaxedSimdProbe()).toString("base64")}";
    const { validate } = WebAssembly;
    WebAssembly.validate = (bytes) => Buffer.from(bytes).toString("base64") !== relaxed && validate(bytes);`,
  "without WebAssembly": "delete globalThis.WebAssembly;",
  "that compiles nothing": "WebAssembly.instantiate = () => Promise.reject(new Error('refused'));",
} as const;
type EngineName = keyof typeof engines;

/** Node 20 has relaxed SIMD behind a flag that later versions refuse. */
const flags = Number(process.versions.node.split(".")[0]) < 21 ? ["--experimental-wasm-relaxed-simd"] : [];

/** What a module answers in a process of Node's own, in a folder with nothing else, where no text may become code. */
async function answersAlone(name: string, rows: readonly number[], engine: EngineName): Promise<Float32Array[]> {
  mkdirSync(path(name), { recursive: true });
  cpSync(path(`${name}.mjs`), path(name, `${name}.mjs`));
  expect(readdirSync(path(name))).toEqual([`${name}.mjs`]);
  const script = `
    ${engines[engine]}
    const { DigitsCnn } = await import("./${name}.mjs");
    for (const rows of ${JSON.stringify(rows)}) {
      const image = Float32Array.from({ length: rows * 784 }, (_, i) => ((i * 7919) % 256) / 255);
      const { probs } = DigitsCnn({ image });
      console.log(JSON.stringify([probs.dtype, probs.shape, Buffer.from(probs.data.buffer).toString("base64")]));
    }`;
  const options = [...flags, "--disallow-code-generation-from-strings", "--input-type=module", "--eval", script];
  const { stdout } = await promisify(execFile)(process.execPath, options, { cwd: path(name), env: {} });
  return stdout
    .trim()
    .split("\n")
    .map((line, i) => {
      const [dtype, shape, bits] = JSON.parse(line);
      expect([dtype, shape]).toEqual(["f32", [rows[i], 10]]);
      return new Float32Array(new Uint8Array(Buffer.from(bits, "base64")).buffer);
    });
}

/** What the compiler itself answers. */
function answersHere(rows: readonly number[], options: CompileOptions): Float32Array[] {
  const { module } = compileSource({ name: program, text: readFileSync(program, "utf8") }, () => undefined);
  const executable = load(compile(module!, { graphs: ["infer"], ...options }));
  const { tensors } = readSafetensors(readFileSync(path("out/weights.safetensors")), "weights.safetensors");
  for (const [name, tensor] of Object.entries(tensors)) executable.write(name, tensor);
  return rows.map((count) => {
    const data = Float32Array.from({ length: count * 784 }, (_, at) => pixel(at));
    const image = { dtype: "f32", shape: [count, 28, 28, 1], data } as const;
    return Float32Array.from(executable.run("infer", { image }).probs!.data);
  });
}

describe("a bundle", () => {
  const rows = [3, 33, 1, 0, 33, 8];
  const cases: readonly (readonly [BundleTarget, EngineName, CompileOptions])[] = [
    ["js", "whole", { target: "js" }],
    ["wasm", "whole", { target: "wasm", fma: true }],
    ["wasm", "without relaxed SIMD", { target: "wasm", fma: false }],
    ["auto", "whole", { target: "wasm", fma: true }],
    ["auto", "without WebAssembly", { target: "js" }],
    ["auto", "that compiles nothing", { target: "js" }],
  ];
  it.each(cases)(
    "for %s, in an engine %s, has the compiler's own bits for any rows",
    async (target, engine, options) => {
      enableRelaxedSimd();
      const expected = answersHere(rows, options);
      const answers = await answersAlone(target, rows, engine);
      expect(answers).toEqual(expected);
      expect(answers.map(({ length }) => length)).toEqual(rows.map((count) => 10 * count));
    },
  );

  it.each(["whole", "without relaxed SIMD"] as const)("answers as another one in an engine %s does", async (engine) => {
    // So the cases above tell these engines apart.
    const [[own], [js]] = [await answersAlone("auto", [8], engine), await answersAlone("js", [8], engine)];
    expect(own).not.toEqual(js);
  });

  it("has the bits of dlm run where neither is told anything", async () => {
    const data = Float32Array.from({ length: 2 * 784 }, (_, at) => pixel(at));
    writeFileSync(path("x.npy"), writeNpy({ dtype: "f32", shape: [2, 28, 28, 1], data }));
    await dlm("bundle", program, ...weights, "-o", path("plain.mjs"));
    const files = ["--input", path("x.npy"), "--output", path("y.npy")];
    const script = `import { DigitsCnn } from "./plain.mjs"; import { readFileSync } from "node:fs";
      const image = new Float32Array(new Uint8Array(readFileSync("x.npy")).buffer.slice(-2 * 784 * 4));
      process.stdout.write(Buffer.from(DigitsCnn({ image }).probs.data.buffer).toString("base64"));`;
    const run = await dlmProcess(folder, "run", program, ...weights, ...files);
    expect(run).toMatchObject({ code: 0, stderr: "" });
    const alone = await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", script], {
      cwd: folder,
    });
    const answer = Float32Array.from(readNpy(readFileSync(path("y.npy")), "y.npy").data);
    expect(alone.stdout).toBe(Buffer.from(answer.buffer).toString("base64"));
  });

  it("finds its weights and its WebAssembly beside itself", async () => {
    mkdirSync(path("parts"));
    const made = await dlm("bundle", program, ...weights, "-o", path("parts/cnn.mjs"), "--beside");
    expect(made).toMatchObject({ code: 0, stderr: "" });
    const others = ["cnn.d.mts", "cnn.weights.bin", "cnn.relaxed.wasm", "cnn.wasm"];
    expect(made.stdout).toContain(`kB), ${others.slice(0, 3).join(", ")} and cnn.wasm\n`);
    expect(readdirSync(path("parts")).sort()).toEqual([...others, "cnn.mjs"].sort());
    const { DigitsCnn } = await import(pathToFileURL(path("parts/cnn.mjs")).href);
    const image = Float32Array.from({ length: 784 }, (_, i) => pixel(i));
    const { DigitsCnn: whole } = await import(pathToFileURL(path("auto.mjs")).href);
    expect(DigitsCnn({ image })).toEqual(whole({ image }));
    expect(statSync(path("parts/cnn.mjs")).size).toBeLessThan(statSync(path("js.mjs")).size);
  });

  it("for wasm says what an engine lacks", async () => {
    await expect(answersAlone("wasm", [1], "without WebAssembly")).rejects.toThrow(
      "DigitsCnn needs WebAssembly with SIMD, which this engine lacks; a bundle with --target auto falls back",
    );
  });

  it.each(targets)("for %s imports nothing and makes no code of texts", (target) => {
    const text = readFileSync(path(`${target}.mjs`), "utf8");
    const source = ts.createSourceFile("bundle.mjs", text, ts.ScriptTarget.ESNext, true);
    const names: string[] = [];
    const visit = (node: ts.Node): void => {
      expect(ts.isImportDeclaration(node) || node.kind === ts.SyntaxKind.ImportKeyword).toBe(false);
      if (ts.isIdentifier(node)) names.push(node.text);
      ts.forEachChild(node, visit);
    };
    visit(source);
    expect(names).toContain("Float32Array");
    for (const name of ["eval", "Function", "require", "process"]) expect(names).not.toContain(name);
  });

  it.each([
    ["js", 12],
    ["wasm", 12],
    ["auto", 20],
  ] as const)(
    "of a network for 28×28 images for %s is, weights aside, at most %s KB minified and gzipped",
    async (target, most) => {
      // The convolutional network of the primer.
      const text = readFileSync(program, "utf8")
        .replace("conv2d(8,", "conv2d(32,")
        .replace("conv2d(16,", "conv2d(64,")
        .replace("dense(64)", "dense(128)");
      const { module } = compileSource({ name: "cnn.dlm", text }, () => undefined);
      if (!module) throw new Error("the program does not compile");
      const weightsOf = (name: string): Tensor => {
        const { dtype, shape } = module.globals.get(name)!.type;
        const sizes = evaluateShape(shape, {});
        const count = sizes.reduce((a, b) => a * b, 1);
        return { dtype, shape: sizes, data: allocate(dtype, count) };
      };
      const whole = bundle(module, { target, weights: weightsOf }).text;
      const bare = whole.replace(/fromBase64\("[^"]*"\)/, "new Uint8Array()");
      expect(bare.length).toBeLessThan(whole.length - 100_000);
      const { code } = await transform(bare, { minify: true, format: "esm", target: "es2022" });
      expect(gzipSync(code).length).toBeLessThanOrEqual(most * 1024);
    },
  );

  describe("refuses with a TypeError", () => {
    const takes = "it takes image: f32[N, 28, 28, 1]";
    const pixels = new Float32Array(784);
    const cases: readonly [string, unknown, string][] = [
      ["no inputs", undefined, "the inputs are an object"],
      ["null", null, "the inputs are an object"],
      ["an input that is missing", {}, "input image is missing"],
      ["an input of another name", { image: pixels, picture: pixels }, "there is no input picture"],
      ["too few numbers", { image: new Float32Array(783) }, "image has 783 elements, expected f32[N, 28, 28, 1]"],
      [
        "a shape of another rank",
        { image: { data: pixels, shape: [784] } },
        "image has shape [784], expected f32[N, 28, 28, 1]",
      ],
      [
        "a shape of another size",
        { image: { data: pixels, shape: [1, 28, 14, 2] } },
        "image has shape [1, 28, 14, 2] and 784 elements, expected f32[N, 28, 28, 1]",
      ],
      ["nested lists", { image: [[0, 1]] }, "image should be a flat array of numbers, or { data, shape }"],
      ["a number", { image: 3 }, "image should be a flat array of numbers"],
      ["a text", { image: "pixels" }, "image should be a flat array of numbers"],
      ["texts", { image: { data: ["a"], shape: [1] } }, "image should be a flat array of numbers"],
      ["big integers", { image: new BigInt64Array(784) }, "image should be a flat array of numbers"],
    ];

    it.each(cases)("%s", async (_, inputs, message) => {
      const { DigitsCnn } = await import(pathToFileURL(path("auto.mjs")).href);
      const call = (): unknown => DigitsCnn(inputs);
      expect(call).toThrow(TypeError);
      expect(call).toThrow(`DigitsCnn: ${message}`);
      expect(call).toThrow(takes);
      // What was refused has left nothing behind.
      expect(DigitsCnn({ image: pixels }).probs.shape).toEqual([1, 10]);
    });
  });

  it("takes plain numbers, and gives tensors that the caller owns", async () => {
    const { DigitsCnn } = await import(pathToFileURL(path("auto.mjs")).href);
    const numbers = Array.from({ length: 784 }, (_, i) => pixel(i));
    const { probs: first } = DigitsCnn({ image: numbers });
    const copy = first.data.slice();
    const { probs: second } = DigitsCnn({ image: { data: new Float32Array(2 * 784), shape: [2, 28, 28, 1] } });
    expect(first.data).toEqual(copy);
    expect(second.shape).toEqual([2, 10]);
    expect(first.data.reduce((a: number, b: number) => a + b)).toBeCloseTo(1, 5);
  });
});

describe("declarations beside a bundle", () => {
  const use = `import { DigitsCnn, type DigitsCnnOutputs } from "./auto.mjs";
const outputs: DigitsCnnOutputs = DigitsCnn({ image: new Float32Array(784) });
const data: Float32Array = outputs.probs.data;
const shape: readonly number[] = DigitsCnn({ image: { data: [0, 1], shape: [1, 28, 28, 1] } }).probs.shape;
export { data, shape };
`;
  const check = (name: string, text: string, options: ts.CompilerOptions): string[] => {
    writeFileSync(path(name), text);
    const checked = ts.createProgram([path(name)], {
      strict: true,
      noEmit: true,
      target: ts.ScriptTarget.ES2022,
      lib: ["lib.es2022.d.ts"],
      types: [],
      ...options,
    });
    return ts.getPreEmitDiagnostics(checked).map((d) => ts.flattenDiagnosticMessageText(d.messageText, "\n"));
  };
  const resolutions: readonly [string, string, ts.CompilerOptions][] = [
    [
      "NodeNext",
      "consumer.mts",
      { module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext },
    ],
    ["Bundler", "consumer.ts", { module: ts.ModuleKind.ESNext, moduleResolution: ts.ModuleResolutionKind.Bundler }],
  ];

  it.each(resolutions)("are found and fit, with moduleResolution %s", (_, name, options) => {
    expect(check(name, use, options)).toEqual([]);
    const wrong = use.replace("image: new", "picture: new");
    expect(check(name, wrong, options).join("\n")).toContain("'picture' does not exist in type 'DigitsCnnInputs'");
  });

  it("say what the model does, and the shapes", async () => {
    writeFileSync(
      path("twice.dlm"),
      "/// Doubles every number.\nmodel Twice(x: f32[N, T]) -> (y: f32[N, T]) {\n  y = 2 * x\n}\n",
    );
    expect(await dlm("bundle", path("twice.dlm"), "-o", path("twice.mjs"))).toMatchObject({ code: 0, stderr: "" });
    const text = readFileSync(path("twice.d.mts"), "utf8");
    for (const part of ["Doubles every number.", "/** f32[N, T] */", "@throws {TypeError}"])
      expect(text).toContain(part);
    const { Twice } = await import(pathToFileURL(path("twice.mjs")).href);
    expect(Twice({ x: { data: [1, 2, 3, 4, 5, 6], shape: [3, 2] } }).y).toMatchObject({ dtype: "f32", shape: [3, 2] });
    expect(() => Twice({ x: [1, 2] })).toThrow("Twice: x needs a shape: { data, shape }");
  });
});

describe("a bundle with a scalar input", () => {
  const text = `/// Scales.
model Scale(
  /// What is scaled.
  x: f32[N],
  /// By how much.
  by: f32[]
) -> (y: f32[N]) {
  y = x * by
}
`;
  it("takes a plain number for it, and tells of its inputs in the declarations", async () => {
    writeFileSync(path("scale.dlm"), text);
    expect(await dlm("bundle", path("scale.dlm"), "-o", path("scale.mjs"))).toMatchObject({ code: 0, stderr: "" });
    const { Scale } = await import(pathToFileURL(path("scale.mjs")).href);
    expect(Array.from(Scale({ x: [1, 2], by: 3 }).y.data)).toEqual([3, 6]);
    const declarations = readFileSync(path("scale.d.mts"), "utf8");
    expect(declarations).toContain("readonly by: Input<Float32Array> | number;");
    expect(declarations).toContain(" * - by: By how much.");
  });
});
