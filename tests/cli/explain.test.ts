// dlm explain: every method leaves a page, and what cannot be explained is told.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { methods } from "../../src/explain/program.ts";
import { dlm, temporaryFolder } from "./dlm.ts";
import { xor } from "./models.ts";

const folder = temporaryFolder();
const path = (name: string): string => join(folder, name);

const cnn = `model Cnn(image: f32[N, 28, 28, 1]) -> (probs: f32[N, 10], features: f32[N, 13, 13, 4]) {
  features = image |> conv2d(4, kernel: 3) |> relu |> max_pool2d(2)
  logits = features |> flatten |> dense(10)
  probs = softmax(logits)
}

train Cnn {
  target label: i32[N]
  data: digits(64)
  test: digits(20)
  loss: cross_entropy(logits, label)
  optimizer: adam(lr: 1e-2)
  epochs: 1
}
`;

beforeAll(async () => {
  writeFileSync(path("cnn.dlm"), cnn);
  writeFileSync(path("xor.dlm"), xor);
  for (const name of ["cnn", "xor"])
    expect((await dlm("train", path(`${name}.dlm`), "--out", path(name), "--epochs", "1")).code).toBe(0);
});

const explain = (name: string, ...options: string[]) =>
  dlm(
    "explain",
    path(`${name}.dlm`),
    "--weights",
    path(`${name}/weights.safetensors`),
    "-o",
    path("page.html"),
    ...options,
  );

interface PageData {
  readonly rows: readonly {
    readonly heat: readonly number[];
    readonly scores: readonly number[];
    readonly label: number;
  }[];
}

function pageData(): PageData {
  const [, json = ""] =
    /<script type="application\/json" id="data">(.*?)<\/script>/s.exec(readFileSync(path("page.html"), "utf8")) ?? [];
  return JSON.parse(json);
}

describe("explain", () => {
  for (const method of methods)
    it(`${method} of images`, async () => {
      const { code, stdout, stderr } = await explain("cnn", "--method", method, "--rows", "3");
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      expect(stdout).toContain(`${method} of 3 rows`);
      const { rows } = pageData();
      expect(rows.map(({ heat, scores }) => [heat.length, scores.length])).toEqual(Array(3).fill([784, 10]));
      expect(rows.every(({ heat, label }) => heat.some((value) => value !== 0) && label >= 0)).toBe(true);
    });

  it("columns, from a file, with a single score", async () => {
    writeFileSync(
      path("x.json"),
      JSON.stringify({
        x: [
          [0, 1],
          [1, 1],
        ],
      }),
    );
    const given = ["--method", "occlusion", "--input", path("x.json"), "--output-name", "y"];
    const { code, stderr } = await explain("xor", ...given);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    // The baseline is 0, and the first column of the first row is 0 already.
    expect(pageData().rows[0]!.heat[0]).toBe(0);
  });

  it("refuses what it cannot do, and says what there is", async () => {
    expect((await explain("xor", "--method", "grad_cam")).stderr).toContain("Xor has none");
    expect((await explain("cnn", "--class", "10")).stderr).toContain(
      "there is no class 10: Cnn scores 10, counted from 0",
    );
    expect((await explain("cnn", "--output-name", "features")).stderr).toContain(
      "explain takes outputs f32[N] or f32[N, K]",
    );
    const lost = await explain("cnn", "--method", "grad_cam", "--layer", "relu_9");
    expect(lost.stderr).toContain("nothing was made in scored/Cnn/relu_9");
  });
});
