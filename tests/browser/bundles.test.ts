// Bundles in a real browser: they answer there what the compiler answers here, inside and beside, in a page and in a worker.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { bundle } from "../../src/bundle.ts";
import { compile, load } from "../../src/compile.ts";
import { compileSource } from "../../src/dsl/compile-source.ts";
import { root } from "../docs/blocks.ts";
import { serve, startBrowser } from "../support/chromium.ts";

const text = readFileSync(join(root, "models/digits_cnn.dlm"), "utf8");
const { module } = compileSource({ name: "digits_cnn.dlm", text }, () => undefined);
const compiled = compile(module!, { graphs: ["init", "infer"] });
const here = load(compiled);
here.run("init", { key: { dtype: "i32", shape: [2], data: Int32Array.of(1, 0) } });

const files = new Map<string, string | Uint8Array>([
  ["index.html", "<!doctype html><title>bundles</title>"],
  [
    "policy.html",
    `<!doctype html><meta http-equiv="Content-Security-Policy" content="script-src 'self' 'unsafe-inline'">`,
  ],
  [
    // The handler is there before the module is: a worker whose module waits at its top level misses what is posted meanwhile.
    "worker.js",
    `onmessage = async ({ data }) => {
       const { DigitsCnn } = await import("./auto.mjs");
       postMessage(DigitsCnn({ image: data }).probs.data);
     };`,
  ],
]);
for (const target of ["js", "wasm", "auto"] as const) {
  files.set(`${target}.mjs`, bundle(module!, { target, weights: here.read }).text);
}
const parts = bundle(module!, { target: "auto", weights: here.read, beside: "parts" });
files.set("parts.mjs", parts.text);
for (const [name, bytes] of parts.files) files.set(name, bytes);

const rows = 3;
const data = Float32Array.from({ length: rows * 784 }, (_, i) => ((i * 7919) % 256) / 255);
const expected = here.run("infer", { image: { dtype: "f32", shape: [rows, 28, 28, 1], data } }).probs!;

const browser = await startBrowser();
describe.skipIf(!browser)("a bundle in Chromium", () => {
  /** Runs the body of an asynchronous function in a page of its own. It finds the image as `image`. */
  const runs = async (page: string, body: string): Promise<number[]> => {
    const opened = await browser!.newPage();
    await opened.goto(`${await serve(files, false)}${page}`);
    const pixels = `Float32Array.from({ length: ${rows * 784} }, (_, i) => ((i * 7919) % 256) / 255)`;
    const answer: unknown = await opened.evaluate(`(async () => { const image = ${pixels}; ${body} })()`);
    await opened.close();
    if (!Array.isArray(answer)) throw new TypeError(`the page answered ${JSON.stringify(answer)}`);
    expect(answer).toHaveLength(rows * 10);
    return answer.map(Number);
  };
  const answers = (name: string): string =>
    `const { DigitsCnn } = await import("./${name}.mjs"); return Array.from(DigitsCnn({ image }).probs.data);`;
  const close = (numbers: readonly number[]): void =>
    numbers.forEach((value, i) => expect(value).toBeCloseTo(expected.data[i]!, 5));

  it("as JavaScript has the bits that the compiler has here", async () => {
    expect(Float32Array.from(await runs("", answers("js")))).toEqual(expected.data);
  });

  it.each(["wasm", "auto", "parts"])("answers as the compiler does from %s.mjs", async (name) => {
    const numbers = await runs("", answers(name));
    close(numbers);
    // Single precision all the way: it is not JavaScript that answers.
    expect(Float32Array.from(numbers)).not.toEqual(expected.data);
  });

  it("answers from a worker", async () => {
    close(
      await runs(
        "",
        `const worker = new Worker("./worker.js", { type: "module" });
         const answer = new Promise((resolve) => { worker.onmessage = ({ data }) => resolve(Array.from(data)); });
         worker.postMessage(image);
         return answer;`,
      ),
    );
  });

  it("runs as JavaScript where the policy of the page lets nothing be compiled", async () => {
    expect(Float32Array.from(await runs("policy.html", answers("auto")))).toEqual(expected.data);
  });

  it("says what refuses it where it has no other way", async () => {
    await expect(runs("policy.html", answers("wasm"))).rejects.toThrow(/Content Security Policy/);
  });
});
