// The scripts of docs/bundles.md run as they stand there, beside a bundle: alone, as a server, at the edge, in a worker of a page.

import { execFile, spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { bundle } from "../../src/bundle.ts";
import { loadSource } from "../../src/cli/source.ts";
import { compile, load } from "../../src/compile.ts";
import { temporaryFolder } from "../cli/dlm.ts";
import { serve, startBrowser } from "../support/chromium.ts";
import { blocksOf, root } from "./blocks.ts";

const folder = temporaryFolder();
const { module } = loadSource(join(root, "models/digits_cnn.dlm"));
const executable = load(compile(module, { graphs: ["init", "infer"] }));
executable.run("init", { key: { dtype: "i32", shape: [2], data: Int32Array.of(1, 0) } });

const scripts = new Map(
  blocksOf("docs/bundles.md").flatMap(({ language, text }) => {
    const [kind, name] = language.split(" ");
    return kind === "js" && name !== undefined ? [[name, text] as const] : [];
  }),
);
const files = new Map([
  ...scripts,
  ["digits.mjs", bundle(module, { weights: executable.read }).text] as const,
  ["digits-gpu.mjs", bundle(module, { weights: executable.read, target: "webgpu" }).text] as const,
]);
for (const [name, text] of files) writeFileSync(join(folder, name), text);

const image = Float32Array.from({ length: 784 }, (_, i) => ((i * 7919) % 256) / 255);
const { probs } = executable.run("infer", { image: { dtype: "f32", shape: [1, 28, 28, 1], data: image } });
const check = (numbers: readonly number[]): void => {
  expect(numbers).toHaveLength(10);
  numbers.forEach((value, i) => expect(value).toBeCloseTo(probs!.data[i]!, 5));
};
const numbersOf = (answer: unknown): number[] => (Array.isArray(answer) ? answer.map(Number) : []);

describe("docs/bundles.md", () => {
  it("has the scripts that run here", () => {
    expect([...scripts.keys()].sort()).toEqual([
      "alone.mjs",
      "edge.mjs",
      "gpu.mjs",
      "page.mjs",
      "server.mjs",
      "worker.mjs",
    ]);
  });

  it("alone", async () => {
    const { stdout } = await promisify(execFile)(process.execPath, ["alone.mjs"], { cwd: folder });
    const comments = [...scripts.get("alone.mjs")!.matchAll(/\/\/ (.*\])$/gm)].map((match) => match[1]!);
    expect(stdout).toBe(`${comments.join("\n")}\n`);
  });

  it("on a server", async () => {
    const server = spawn(process.execPath, ["server.mjs"], { cwd: folder, env: { PORT: "0" } });
    try {
      const [said] = await new Promise<unknown[]>((resolve) => server.stdout.once("data", (...data) => resolve(data)));
      const url = String(said).trim();
      const ask = (body: string): Promise<Response> => fetch(url, { method: "POST", body });
      check(numbersOf(await (await ask(JSON.stringify([...image]))).json()));
      const refused = [await ask("[1, 2]"), await ask("no JSON")];
      expect(refused.map(({ status }) => status)).toEqual([400, 400]);
      expect(await refused[0]!.text()).toContain("it takes image: f32[N, 28, 28, 1]");
    } finally {
      server.kill();
    }
  });

  it("at the edge", async () => {
    const edge: { default: { fetch(request: Request): Promise<Response> } } = await import(
      pathToFileURL(join(folder, "edge.mjs")).href
    );
    const response = await edge.default.fetch(new Request("http://edge", { method: "POST", body: image }));
    check(numbersOf(await response.json()));
  });
});

const browser = await startBrowser();
describe.skipIf(!browser)("docs/bundles.md in Chromium", () => {
  it("on WebGPU", async () => {
    const page = await browser!.newPage();
    const said: string[] = [];
    page.on("console", (message) => message.type() === "log" && said.push(message.text()));
    await page.goto(await serve(new Map([...files, ["index.html", "<!doctype html>"]])));
    await page.evaluate(`import("./gpu.mjs")`);
    await page.close();
    expect(said.map((text) => text.replaceAll(/[[\] ]/g, ""))).toEqual(["1,10", "40"]);
  });

  it("in a worker", async () => {
    const page = await browser!.newPage();
    await page.goto(await serve(new Map([...files, ["index.html", "<!doctype html>"]])));
    const answer: unknown = await page.evaluate(`(async () => {
      const { classify } = await import("./page.mjs");
      const image = Float32Array.from({ length: 784 }, (_, i) => ((i * 7919) % 256) / 255);
      const [one, other] = await Promise.all([classify(image), classify(image)]);
      return [...one, ...other];
    })()`);
    await page.close();
    check(numbersOf(answer).slice(0, 10));
    expect(numbersOf(answer).slice(10)).toEqual(numbersOf(answer).slice(0, 10));
  });
});
