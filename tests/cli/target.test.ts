// --target: what runs a program, in every command that compiles one.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { dlm, dlmProcess, temporaryFolder } from "./dlm.ts";
import { xor } from "./models.ts";

const folder = temporaryFolder();
const path = (name: string): string => join(folder, name);

beforeAll(() => {
  writeFileSync(path("xor.dlm"), xor);
  writeFileSync(path("corners.json"), '{"x": [[0, 0], [0, 1], [1, 0], [1, 1]]}');
});

const succeed = async (...args: string[]): Promise<string> => {
  const { code, stdout, stderr } = await dlm(...args);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return stdout;
};

describe("--target wasm", () => {
  it("trains, evaluates and runs, to the same bits each time", async () => {
    const weights = (name: string): string => path(`${name}/weights.safetensors`);
    for (const name of ["first", "second"]) {
      await succeed("train", path("xor.dlm"), "--out", path(name), "--epochs", "300", "--target", "wasm");
    }
    expect(readFileSync(weights("first"))).toEqual(readFileSync(weights("second")));
    const evaluated = await succeed(
      "eval",
      path("xor.dlm"),
      "--weights",
      weights("first"),
      "--target",
      "wasm",
      "--json",
    );
    expect(JSON.parse(evaluated)).toMatchObject({ rows: 4, binary_accuracy: 1 });
    const given = [path("xor.dlm"), "--weights", weights("first"), "--input", path("corners.json")];
    const js: unknown = JSON.parse(await succeed("run", ...given));
    const wasm: unknown = JSON.parse(await succeed("run", ...given, "--target", "wasm"));
    const numbers = (output: unknown): number[] =>
      JSON.stringify(output)
        .match(/-?\d+(\.\d+)?(e[+-]?\d+)?/g)!
        .map(Number);
    expect(numbers(wasm)).toHaveLength(numbers(js).length);
    numbers(wasm).forEach((value, i) => expect(value).toBeCloseTo(numbers(js)[i]!, 5));
  });

  it("shows the text form of WebAssembly, of the graph that is asked for", async () => {
    const text = await succeed("inspect", path("xor.dlm"), "--source", "--target", "wasm", "--graph", "train_step");
    expect(text).toMatch(/^\(module\n {2}\(import "env" "memory"/);
    expect(text).toContain('(func $train_step (export "train_step")');
    expect(text).toContain(";; contraction: dot, broadcast, add");
  });

  it("is refused under any other name, with those that there are", async () => {
    const { code, stderr } = await dlmProcess(folder, "run", "xor.dlm", "--input", "corners.json", "--target", "cuda");
    expect(code).toBe(1);
    expect(stderr).toContain("Allowed choices are js, wasm, webgpu, auto.");
  });
});
