// The public API in a browser: bundled for one, without a module of Node's or the generator of declarations, and run in a
// context that has nothing but the web's globals.

import { createContext, runInContext } from "node:vm";
import { build } from "esbuild";
import { beforeAll, describe, expect, it } from "vitest";

const entry = new URL("../src/index.ts", import.meta.url).pathname;
const program = `model Xor(x: f32[N, 2]) -> (y: f32[N, 1]) {
  logits = x |> dense(8) |> tanh |> dense(1)
  y = sigmoid(logits)
}
train Xor {
  target label: f32[N, 1]
  data: rows(x: [[0, 0], [0, 1], [1, 0], [1, 1]], label: [[0], [1], [1], [0]])
  loss: binary_cross_entropy(logits, label)
  optimizer: adam(lr: 0.05)
  metrics: binary_accuracy(logits, label)
  epochs: 200
  batch: 4
  seed: 1
}`;

/** As a page's script would: from the text of a program to the answers of the trained model. */
const script = `(async () => {
  const { module, plan } = dlm.compileSource({ name: "xor.dlm", text: program }, () => undefined);
  const compiled = dlm.compile(module);
  const executable = dlm.load(compiled);
  const read = () => Promise.reject(new Error("the program reads no files"));
  const { data } = await dlm.loadTrainingData(plan, dlm.columnTypes(compiled.module, plan), { read });
  const events = [];
  const store = dlm.memoryStore();
  await dlm.train({ executable, module: compiled.module, plan, data, store, report: (event) => events.push(event) });
  const x = { dtype: "f32", shape: [4, 2], data: Float32Array.of(0, 0, 0, 1, 1, 0, 1, 1) };
  const { y } = executable.run("infer", { x });
  const weights = dlm.readSafetensors(await store.read("weights.safetensors"), "weights.safetensors");
  return JSON.stringify({
    answers: [...y.data].map(Math.round),
    last: events.filter(({ event }) => event === "epoch").at(-1).metrics.binary_accuracy,
    weights: Object.keys(weights.tensors),
  });
})()`;

describe("the public API in a browser", () => {
  let source = "";
  let modules: string[] = [];

  beforeAll(async () => {
    const options = { bundle: true, format: "iife", globalName: "dlm", platform: "browser" } as const;
    const built = await build({ entryPoints: [entry], write: false, metafile: true, logLevel: "silent", ...options });
    source = built.outputFiles[0]!.text;
    modules = Object.keys(built.metafile.inputs);
  });

  it("bundles without Node's modules and without ts-morph", () => {
    expect(modules.filter((name) => /ts-morph|commander|cli-progress|\/node\//.test(name))).toEqual([]);
    expect(source).not.toMatch(/\brequire\("node:/);
  });

  it("compiles, trains and runs a program from its text", async () => {
    const web = { TextEncoder, TextDecoder, performance, setTimeout, clearTimeout, queueMicrotask };
    const page = createContext({ ...web, program });
    runInContext(source, page);
    const result: unknown = await runInContext(script, page);
    expect(JSON.parse(String(result))).toEqual({
      answers: [0, 1, 1, 0],
      last: 1,
      weights: expect.arrayContaining(["dense.kernel", "dense.bias", "dense_1.kernel", "dense_1.bias"]),
    });
  });
});
