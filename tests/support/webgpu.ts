// A WebGPU implementation in Node for tests: Dawn, over the SwiftShader driver that @sparticuz/chromium carries. Nothing of the system is
// needed, and no variable need be set before the process starts.

import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { constants } from "node:os";
import { dirname, join } from "node:path";
import { brotliDecompressSync } from "node:zlib";
import { create } from "webgpu";

const require = createRequire(import.meta.url);

/** Unpacks the driver once, beside the packages. */
function driverFolder(): string {
  const root = join(import.meta.dirname, "../../node_modules/.cache");
  const folder = join(root, "swiftshader");
  if (existsSync(folder)) return folder;
  mkdirSync(root, { recursive: true });
  const archive = join(dirname(require.resolve("@sparticuz/chromium")), "../../bin/swiftshader.tar.br");
  const fresh = mkdtempSync(join(root, "swiftshader-"));
  for (const { name, data } of filesOf(brotliDecompressSync(readFileSync(archive)))) {
    writeFileSync(join(fresh, name), data);
  }
  try {
    renameSync(fresh, folder);
  } catch {
    // Another process was faster.
    rmSync(fresh, { recursive: true, force: true });
  }
  return folder;
}

/** The files of a tar archive without folders. */
function filesOf(archive: Buffer): { readonly name: string; readonly data: Buffer }[] {
  const files: { name: string; data: Buffer }[] = [];
  for (let at = 0; at + 512 <= archive.length && archive[at] !== 0; ) {
    const text = (from: number, length: number): string =>
      archive.toString("latin1", at + from, at + from + length).replace(/\0.*$/s, "");
    const size = Number.parseInt(text(124, 12), 8);
    if (text(156, 1) === "0")
      files.push({ name: text(0, 100).replace(/^.*\//, ""), data: archive.subarray(at + 512, at + 512 + size) });
    at += 512 + Math.ceil(size / 512) * 512;
  }
  return files;
}

/** dlopen's flag that keeps a library although Node finds no add-on in it. */
const keepLoaded = 0x1000;

let driver: GPU | undefined;

/** `navigator.gpu` over SwiftShader. */
export function swiftShader(): GPU {
  if (driver) return driver;
  const folder = driverFolder();
  process.env.VK_ICD_FILENAMES = join(folder, "vk_swiftshader_icd.json");
  try {
    // Dawn asks for libvulkan.so.1 by name, and finds what is loaded already.
    process.dlopen({ exports: {} }, join(folder, "libvulkan.so.1"), constants.dlopen.RTLD_NOW | keepLoaded);
  } catch {
    // It is no add-on for Node, which says so, but it stays loaded.
  }
  driver = create([]);
  return driver;
}

let checker: GPU | undefined;

/** An implementation that checks all that it is given and runs nothing. It is kept: devices do not outlive what they came from. */
export function nullBackend(): GPU {
  checker ??= create(["backend=null"]);
  return checker;
}
