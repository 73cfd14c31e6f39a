// Models built in TypeScript give the same text of the IR as the programs in `.dlm`, letter for letter.

import { describe, expect, it } from "vitest";
import { BuilderError, block, f32, i32, type Tensor } from "../../src/dsl/builder.ts";
import { model } from "../../src/dsl/builder-model.ts";
import { compileSource } from "../../src/dsl/compile-source.ts";
import { renderDiagnostics } from "../../src/dsl/diagnostics.ts";
import type { Module } from "../../src/ir/graph.ts";
import { printModule } from "../../src/ir/print.ts";
import { nn } from "../../src/nn.generated.ts";

function expectSame(built: Module, program: string): void {
  const { module, diagnostics } = compileSource({ name: "test.dlm", text: program }, () => undefined);
  if (!module) throw new Error(renderDiagnostics(diagnostics));
  expect(printModule(built, { locations: false })).toBe(printModule(module, { locations: false }));
}

describe("model", () => {
  it("builds the example of the language's description", () => {
    const mlp = model("Mlp", { x: f32("N", 784) }, ({ x }) => {
      const logits = x.pipe(nn.dense(128), nn.relu, nn.dense(10));
      return { logits };
    });
    expectSame(
      mlp,
      "model Mlp(x: f32[N, 784]) -> (logits: f32[N, 10]) {\n  logits = x |> dense(128) |> relu |> dense(10)\n}",
    );
  });

  it("builds the exclusive or of the primer", () => {
    const body = ({ x }: { readonly x: Tensor }) => {
      const logits = x.pipe(nn.dense(8), nn.tanh, nn.dense(1));
      return { y: nn.sigmoid(logits) };
    };
    const doc = "The exclusive or, the smallest problem that a linear model cannot solve.";
    expectSame(
      model("Xor", { x: f32("N", 2) }, body, { doc }),
      `/// ${doc}
model Xor(x: f32[N, 2]) -> (y: f32[N, 1]) {
  logits = x |> dense(8) |> tanh |> dense(1)
  y = sigmoid(logits)
}`,
    );
  });

  it("builds the CNN of the primer", () => {
    const cnn = model("MnistCnn", { image: f32("N", 28, 28, 1) }, ({ image }) => {
      const logits = image
        .pipe(nn.conv2d(32, 3), nn.relu, nn.max_pool2d(2))
        .pipe(nn.conv2d(64, 3), nn.relu, nn.max_pool2d(2))
        .pipe(nn.flatten, nn.dense(128), nn.relu, nn.dense(10));
      return { probs: nn.softmax(logits) };
    });
    expectSame(
      cnn,
      `model MnistCnn(image: f32[N, 28, 28, 1]) -> (probs: f32[N, 10]) {
  logits = image
    |> conv2d(32, kernel: 3) |> relu |> max_pool2d(2)
    |> conv2d(64, kernel: 3) |> relu |> max_pool2d(2)
    |> flatten |> dense(128) |> relu |> dense(10)
  probs = softmax(logits)
}`,
    );
  });

  it("passes options, names, initializers, operators and own blocks", () => {
    const residual = block("residual", (x) => x.add(x.pipe(nn.batch_norm(), nn.dense(8, { bias: false }))));
    const built = model(
      "M",
      { text: i32("N", "T") },
      ({ text }, scope) => {
        const x = nn.embedding(text, 65, 8, { init: nn.normal({ mean: 0, deviation: 0.02 }) });
        const [a, b] = nn.split(x.pipe(residual, residual, nn.dense(8).as("head")), 2);
        const y = nn.concatenate([a!.multiply(0.5), nn.leaky_relu(b!, { slope: 0.2 })], { axis: -1 });
        return { y: nn.sum(y.add(nn.ones(scope, [8])), { axis: -1 }).power(2) };
      },
      { doc: "A bit of everything." },
    );
    expectSame(
      built,
      `/// A bit of everything.
model M(text: i32[N, T]) -> (y: f32[N, T]) {
  x = embedding(text, 65, 8, init: normal(0, 0.02))
  a, b = split(x |> residual |> residual |> dense(8) as head, 2)
  y = concatenate([a * 0.5, leaky_relu(b, slope: 0.2)], axis: -1)
  y = sum(y + ones([8]), axis: -1) ** 2
}
block residual(x: f32[...B, D]) = x + (x |> batch_norm |> dense(D, bias: false))`,
    );
  });

  it("says what does not fit", () => {
    const build = (): Module => model("M", { image: f32("N", 28, 28) }, ({ image }) => ({ y: nn.conv2d(image, 3, 3) }));
    expect(build).toThrow(BuilderError);
    expect(build).toThrow("conv2d expects x: f32[N, H, W, C], and x has 3 axes, and should have 4 axes");
    const mixed = (): Module =>
      model("Outer", { x: f32("N", 2) }, ({ x }) => {
        const outputs: Record<string, Tensor> = {};
        model("Inner", { z: f32("N", 2) }, ({ z }) => {
          outputs.y = x.add(z);
          return { z };
        });
        return outputs;
      });
    expect(mixed).toThrow("this tensor belongs to another model");
  });
});
