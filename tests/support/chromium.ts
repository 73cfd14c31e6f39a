// A headless Chromium out of an npm package: unpacked once, started for a test file, and a server of pages for it. With it come
// SwiftShader's files, which give Node's WebGPU an adapter too.

import { execFile } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { promisify } from "node:util";
import { type Browser, chromium } from "playwright-core";
import { afterAll } from "vitest";
import { root } from "../docs/blocks.ts";

const run = promisify(execFile);

/** The folder with `chromium`, SwiftShader and what else the package carries; unpacked by whoever comes first. */
async function chromiumFiles(): Promise<string> {
  const source = join(root, "node_modules", "@sparticuz", "chromium");
  const { version }: { version: string } = JSON.parse(readFileSync(join(source, "package.json"), "utf8"));
  const folder = join(root, "node_modules", ".cache", "dlm", `chromium-${version}`);
  if (existsSync(folder)) return folder;
  const part = `${folder}.${process.pid}`;
  mkdirSync(part, { recursive: true });
  try {
    // The package unpacks into the folder for temporary files, and its shared libraries only where it takes itself to be in a cloud.
    const env = { ...process.env, TMPDIR: part, AWS_EXECUTION_ENV: "AWS_Lambda_nodejs22.x" };
    await run(process.execPath, [join(import.meta.dirname, "unpack-chromium.mjs")], { env });
    renameSync(part, folder);
  } catch (error) {
    rmSync(part, { recursive: true, force: true });
    if (!existsSync(folder)) throw error;
  }
  return folder;
}

/** The folder of the shared libraries that the package carries, where the system lacks some of them. */
async function missingLibraries(folder: string): Promise<string | undefined> {
  const { stdout } = await run("ldd", [join(folder, "chromium")]).catch(() => ({ stdout: "not found" }));
  return stdout.includes("not found") ? join(folder, "al2023", "lib") : undefined;
}

/**
 * A browser that ends with the test file, or undefined where none can be started, with the reason on standard error: tests are then
 * skipped by name.
 */
export async function startBrowser(): Promise<Browser | undefined> {
  try {
    const folder = await chromiumFiles();
    const libraries = await missingLibraries(folder);
    const browser = await chromium.launch({
      executablePath: join(folder, "chromium"),
      args: ["--headless", "--no-sandbox", "--enable-unsafe-webgpu"],
      env: { ...process.env, ...(libraries === undefined ? {} : { LD_LIBRARY_PATH: libraries }) },
    });
    afterAll(() => browser.close());
    return browser;
  } catch (error) {
    console.error(`Chromium cannot be started here: ${error instanceof Error ? error.message : String(error)}`);
    return undefined;
  }
}

const types: Readonly<Record<string, string>> = {
  html: "text/html",
  js: "text/javascript",
  mjs: "text/javascript",
  css: "text/css",
  wasm: "application/wasm",
};

/** Serves texts and bytes by path, isolated as shared memory demands it; gives the address, with a slash at its end. */
export async function serve(files: ReadonlyMap<string, string | Uint8Array>, isolated = true): Promise<string> {
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? "/", "http://host").pathname.slice(1) || "index.html";
    const body = files.get(path);
    const type = types[path.slice(path.lastIndexOf(".") + 1)] ?? "application/octet-stream";
    const isolation = { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp" };
    response.writeHead(body === undefined ? 404 : 200, { "Content-Type": type, ...(isolated ? isolation : {}) });
    response.end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  afterAll(() => void server.close());
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  return `http://127.0.0.1:${address.port}/`;
}
