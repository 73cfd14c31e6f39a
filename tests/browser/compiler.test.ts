// The compiler itself in a real browser, bundled as a page would have it: it compiles a program, runs it, and shares work
// among workers where the page is isolated. That it trains, tests/browser.test.ts shows.

import { build } from "esbuild";
import { beforeAll, describe, expect, it } from "vitest";
import { root } from "../docs/blocks.ts";
import { serve, startBrowser } from "../support/chromium.ts";

/** Large enough that threads share it. */
const program = `model Wide(x: f32[N, 256]) -> (y: f32[N, 10]) {
  y = x |> dense(512) |> relu |> dense(10) |> softmax
}
`;

const script = `
import * as dlm from "./dlm.js";
const { module } = dlm.compileSource({ name: "wide.dlm", text: ${JSON.stringify(program)} }, () => undefined);
const key = { dtype: "i32", shape: [2], data: Int32Array.of(1, 0) };
const x = { dtype: "f32", shape: [64, 256], data: Float32Array.from({ length: 64 * 256 }, (_, i) => Math.sin(i)) };
/** What a model answers on so many threads, and what it says about them. */
globalThis.answer = async (target, threads) => {
  const notices = [];
  const compiled = dlm.compile(module, { target, graphs: ["init", "infer"] });
  const executable = await dlm.loadAsync(compiled, { threads, notice: (text) => notices.push(text) });
  executable.run("init", { key });
  const [first, second] = [executable.run("infer", { x }).y.data, executable.run("infer", { x }).y.data];
  const workers = globalThis.started;
  executable.dispose?.();
  return { first: [...first], second: [...second], notices, workers };
};
`;

const browser = await startBrowser();
describe.skipIf(!browser)("the compiler in Chromium", () => {
  let files: ReadonlyMap<string, string>;

  beforeAll(async () => {
    const built = await build({
      entryPoints: [`${root}/src/index.ts`],
      bundle: true,
      format: "esm",
      platform: "browser",
      write: false,
      logLevel: "silent",
    });
    // Counts the workers that start, before anything else runs.
    const count = `globalThis.started = 0;
      globalThis.Worker = class extends Worker { constructor(...a) { super(...a); globalThis.started++; } };`;
    files = new Map([
      ["index.html", `<!doctype html><script>${count}</script><script type="module" src="main.js"></script>`],
      ["main.js", script],
      ["dlm.js", built.outputFiles[0]!.text],
    ]);
  });

  interface Answer {
    readonly first: readonly number[];
    readonly second: readonly number[];
    readonly notices: readonly string[];
    readonly workers: number;
  }
  const ask = async (isolated: boolean, target: string, threads: number): Promise<Answer> => {
    const page = await browser!.newPage();
    await page.goto(await serve(files, isolated));
    await page.waitForFunction("globalThis.answer !== undefined");
    const answer = await page.evaluate<Answer>(`answer(${JSON.stringify(target)}, ${threads})`);
    await page.close();
    expect(answer.first).toHaveLength(640);
    expect(answer.second).toEqual(answer.first);
    return answer;
  };

  it("shares work among workers, to the bits of one thread", async () => {
    const alone = await ask(true, "wasm", 1);
    const shared = await ask(true, "wasm", 3);
    expect([alone.workers, shared.workers]).toEqual([0, 2]);
    expect(shared.first).toEqual(alone.first);
    expect(shared.notices).toEqual([]);
  });

  it("runs on one thread where the page is not isolated, and says why", async () => {
    const { workers, notices } = await ask(false, "wasm", 3);
    expect(workers).toBe(0);
    expect(notices).toEqual([expect.stringContaining("Cross-Origin-Opener-Policy")]);
  });

  it("answers as JavaScript nearly the same", async () => {
    const [wasm, js] = [await ask(true, "auto", 1), await ask(true, "js", 1)];
    js.first.forEach((value, i) => expect(wasm.first[i]).toBeCloseTo(value, 5));
  });
});
