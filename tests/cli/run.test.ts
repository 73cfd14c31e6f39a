// dlm run: inputs and outputs in every format, any number of rows, chosen models, and weights of models that are called.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { readNpy, writeNpy } from "../../src/formats/npy.ts";
import { readSafetensors, writeSafetensors } from "../../src/formats/safetensors.ts";
import type { Tensor } from "../../src/ir/dtype.ts";
import { dlm, temporaryFolder } from "./dlm.ts";
import { digits, saliency, xor } from "./models.ts";

const folder = temporaryFolder();
const path = (name: string): string => join(folder, name);
const write = (name: string, contents: string | Uint8Array): void => writeFileSync(path(name), contents);
const tensor = (shape: readonly number[], value: (i: number) => number): Tensor => ({
  dtype: "f32",
  shape,
  data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => value(i)),
});

const corners = [
  [0, 0],
  [0, 1],
  [1, 0],
  [1, 1],
];

beforeAll(async () => {
  write("xor.dlm", xor);
  write("digits.dlm", digits);
  write("saliency.dlm", saliency);
  expect((await dlm("train", path("xor.dlm"), "--out", path("xor"), "--epochs", "300")).code).toBe(0);
  expect((await dlm("train", path("digits.dlm"), "--out", path("digits"), "--epochs", "1")).code).toBe(0);
});

async function run(program: string, weights: string, ...options: string[]): Promise<string> {
  const given = ["--weights", path(`${weights}/weights.safetensors`), ...options];
  const { code, stdout, stderr } = await dlm("run", path(program), ...given);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return stdout;
}

describe("dlm run", () => {
  it("answers in JSON on standard output", async () => {
    write("x.json", JSON.stringify(corners));
    const { y } = JSON.parse(await run("xor.dlm", "xor", "--input", path("x.json")));
    expect(y.map(([value]: number[]) => Math.round(value!))).toEqual([0, 1, 1, 0]);
  });

  it("reads and writes safetensors, npy and JSON, all with the same bits", async () => {
    const x = tensor([4, 2], (i) => corners.flat()[i]!);
    write("x.safetensors", writeSafetensors({ x }));
    write("x.npy", writeNpy(x));
    write("named.json", JSON.stringify({ x: corners }));
    write("bare.json", JSON.stringify(corners));
    const answer = async (input: string, output: string): Promise<void> => {
      expect(await run("xor.dlm", "xor", "--input", path(input), "--output", path(output))).toBe("");
    };
    await answer("x.safetensors", "y.safetensors");
    const { y } = readSafetensors(readFileSync(path("y.safetensors")), "y").tensors;
    expect(y).toMatchObject({ dtype: "f32", shape: [4, 1] });
    for (const input of ["x.safetensors", "x.npy", "named.json", "bare.json"]) {
      await answer(input, "y.npy");
      expect(readNpy(readFileSync(path("y.npy")), "y.npy")).toEqual(y);
      await answer(input, "y.json");
      const written = JSON.parse(readFileSync(path("y.json"), "utf8")).y.flat();
      expect(Float32Array.from(written)).toEqual(y?.data);
    }
  });

  it("gives each row the same answer whatever the number of rows, and none for none", async () => {
    const images = tensor([7, 28, 28, 1], (i) => ((i * 37) % 101) / 101);
    write("all.npy", writeNpy(images));
    await run("digits.dlm", "digits", "--input", path("all.npy"), "--output", path("probs.npy"));
    const all = readNpy(readFileSync(path("probs.npy")), "probs.npy");
    expect(all.shape).toEqual([7, 10]);
    for (const rows of [0, 1, 3]) {
      write("some.npy", writeNpy({ ...images, shape: [rows, 28, 28, 1], data: images.data.slice(0, rows * 784) }));
      await run("digits.dlm", "digits", "--input", path("some.npy"), "--output", path("some-probs.npy"));
      const some = readNpy(readFileSync(path("some-probs.npy")), "some-probs.npy");
      expect(some).toEqual({ dtype: "f32", shape: [rows, 10], data: all.data.slice(0, rows * 10) });
    }
  });

  it("finds the weights of a model that is called in a file saved from it alone", async () => {
    write("image.npy", writeNpy(tensor([2, 28, 28, 1], (i) => ((i * 37) % 101) / 101)));
    await run("digits.dlm", "digits", "--input", path("image.npy"), "--output", path("probs.npy"));
    await run("saliency.dlm", "digits", "--input", path("image.npy"), "--output", path("heat.safetensors"));
    const { heat, probs } = readSafetensors(readFileSync(path("heat.safetensors")), "heat").tensors;
    expect(heat?.shape).toEqual([2, 28, 28]);
    expect(heat?.data.some((value) => value > 0)).toBe(true);
    const alone = readNpy(readFileSync(path("probs.npy")), "probs.npy");
    probs?.data.forEach((value, i) => {
      expect(value).toBeCloseTo(alone.data[i]!, 6);
    });
  });

  it("runs the model that is asked for, and says which there are", async () => {
    write(
      "two.dlm",
      "model Half(x: f32[N]) -> (y: f32[N]) {\n  y = x / 2\n}\nmodel Twice(x: f32[N]) -> (y: f32[N]) {\n  y = 2 * x\n}\n",
    );
    write("v.json", "[1, 2, 3]");
    const answer = async (...options: string[]): Promise<unknown> => {
      const { stdout } = await dlm("run", path("two.dlm"), "--input", path("v.json"), ...options);
      return JSON.parse(stdout).y;
    };
    expect(await answer()).toEqual([2, 4, 6]);
    expect(await answer("--model", "Half")).toEqual([0.5, 1, 1.5]);
    const { code, stderr } = await dlm("run", path("two.dlm"), "--input", path("v.json"), "--model", "Hafl");
    expect(code).toBe(1);
    expect(stderr).toContain("there is no model Hafl");
    expect(stderr).toContain("did you mean `Half`?");
  });

  it("draws the same numbers for one seed", async () => {
    write("noise.dlm", "model Noise(x: f32[N]) -> (y: f32[N]) {\n  y = x + random_normal([N])\n}\n");
    write("v.json", "[0, 0, 0]");
    const noise = async (seed: string) =>
      (await dlm("run", path("noise.dlm"), "--input", path("v.json"), "--seed", seed)).stdout;
    expect(await noise("3")).toBe(await noise("3"));
    expect(await noise("3")).not.toBe(await noise("4"));
  });

  it("needs no random numbers where no output depends on them", async () => {
    write(
      "noise.dlm",
      "model M(x: f32[N, 2]) -> (y: f32[N, 2]) {\n  noisy = x + random_normal([N, 2])\n  y = x + 1\n}\n",
    );
    write("two.json", "[[1, 2]]");
    const { code, stdout, stderr } = await dlm("run", path("noise.dlm"), "--input", path("two.json"));
    expect({ code, stderr, answer: JSON.parse(stdout) }).toEqual({ code: 0, stderr: "", answer: { y: [[2, 3]] } });
  });
});
