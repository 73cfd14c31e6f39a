// The primer's first program solves its problem from nearly every start.

import { expect, it } from "vitest";
import { compile, load } from "../../src/compile.ts";
import { compileSource } from "../../src/dsl/compile-source.ts";
import { loadTrainingData } from "../../src/train/data/load.ts";
import { train } from "../../src/train/loop.ts";
import { columnTypes } from "../../src/train/session.ts";
import { xor } from "./models.ts";

it("XOR is solved from at least 19 of 20 seeds", async () => {
  const text = xor.replace("epochs: 3", "epochs: 300");
  const { module, plan: declared } = compileSource({ name: "xor.dlm", text }, () => undefined);
  if (!module || !declared) throw new Error("the program does not compile");
  const compiled = compile(module, { graphs: ["init", "train_step", "eval_step", "metrics"] });
  const executable = load(compiled);
  const solved: number[] = [];
  for (let seed = 0; seed < 20; seed++) {
    const plan = { ...declared, seed };
    const read = () => Promise.reject(new Error("the program reads no files"));
    const { data } = await loadTrainingData(plan, columnTypes(compiled.module, plan), { read });
    const { progress } = await train({ executable, module: compiled.module, plan, data });
    if (progress.history.at(-1)?.metrics.binary_accuracy === 1) solved.push(seed);
  }
  expect(solved.length).toBeGreaterThanOrEqual(19);
});
