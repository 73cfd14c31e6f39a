// The whole way in under a minute: trains the small CNN of models/digits_cnn.dlm on digits that dlm draws itself, writes it as one
// standalone module, runs that in a bare Node process, and compares with the compiler's own answer. Everything goes to runs/demo.

import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { readSafetensors, writeSafetensors } from "../src/formats/safetensors.ts";
import type { Tensor } from "../src/ir/dtype.ts";
import { digits } from "../src/train/digits.ts";

const root = join(import.meta.dirname, "..");
const out = join(root, "runs", "demo");
const model = join("models", "digits_cnn.dlm");
const shown = (path: string): string => relative(root, path);
const weights = join(out, "weights.safetensors");
const bundle = join(out, "digits.mjs");

/** Runs `dlm …` and shows the command; ends the demo where it fails. */
function dlm(...args: string[]): void {
  console.log(`\n$ npx dlm ${args.join(" ")}`);
  const { status } = spawnSync(process.execPath, [join(root, "bin", "dlm.mjs"), ...args], {
    cwd: root,
    stdio: "inherit",
  });
  if (status !== 0) {
    console.error("The demo stops here, because the command failed.");
    process.exit(1);
  }
}

const started = performance.now();
mkdirSync(out, { recursive: true });
dlm("train", model, "--out", shown(out));
dlm("bundle", model, "--weights", shown(weights), "-o", shown(bundle));
console.log(`${shown(bundle)}: ${(statSync(bundle).size / 1024).toFixed(0)} KB, weights included`);

// Digits that the training never saw: their seed is another.
const count = 8;
const { image, label } = digits(count, 99);
const [inputFile, answerFile] = [join(out, "digits.safetensors"), join(out, "answer.safetensors")];
writeFileSync(inputFile, writeSafetensors({ image }));
dlm("run", model, "--weights", shown(weights), "--input", shown(inputFile), "--output", shown(answerFile));
const ours = readSafetensors(readFileSync(answerFile), answerFile).tensors.probs;
if (!ours) throw new Error(`${answerFile} has no tensor probs`);

const alone = runAlone(image);
console.log("\nThe standalone module, in a bare Node process:");
for (let i = 0; i < count; i++) show(i);
const different = alone.findIndex((value, i) => value !== ours.data[i]);
if (alone.length !== ours.data.length || different >= 0) {
  console.error(`The standalone module and the compiler differ at element ${different}.`);
  process.exit(1);
}
console.log(`\nIts ${alone.length} probabilities equal the compiler's own to the last bit.`);
console.log(`All in ${((performance.now() - started) / 1000).toFixed(0)} s. The files are in ${shown(out)}.`);

/** In a folder of its own, with nothing in it but the module and a few lines that call it. */
function runAlone(images: Tensor): Float32Array {
  const folder = mkdtempSync(join(tmpdir(), "dlm-demo-"));
  try {
    copyFileSync(bundle, join(folder, "digits.mjs"));
    writeFileSync(join(folder, "pixels.bin"), new Uint8Array(images.data.buffer));
    const script = `
      import { readFileSync, writeFileSync } from "node:fs";
      import { DigitsCnn } from "./digits.mjs";
      const data = new Float32Array(new Uint8Array(readFileSync("pixels.bin")).buffer);
      const { probs } = DigitsCnn({ image: { dtype: "f32", shape: ${JSON.stringify(images.shape)}, data } });
      writeFileSync("probs.bin", new Uint8Array(probs.data.buffer, probs.data.byteOffset, probs.data.byteLength));
    `;
    writeFileSync(join(folder, "main.mjs"), script);
    const { status } = spawnSync(process.execPath, ["main.mjs"], { cwd: folder, stdio: "inherit" });
    if (status !== 0) throw new Error("the standalone module failed");
    return new Float32Array(new Uint8Array(readFileSync(join(folder, "probs.bin"))).buffer);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function show(i: number): void {
  const row = [...alone.subarray(i * 10, i * 10 + 10)];
  const best = row.indexOf(Math.max(...row));
  const right = best === label.data[i] ? "" : `, and it is a ${label.data[i]}`;
  console.log(`  digit ${i + 1}: ${best} (${(row[best]! * 100).toFixed(1)} %)${right}`);
}
