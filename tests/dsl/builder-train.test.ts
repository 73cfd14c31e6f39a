// Trainings built in TypeScript give the same text of the IR and the same plan as the `train` blocks of `.dlm` programs.

import { describe, expect, it } from "vitest";
import { compile, load } from "../../src/compile.ts";
import { BuilderError, f32, i32 } from "../../src/dsl/builder.ts";
import { type TrainingDescription, trainable } from "../../src/dsl/builder-train.ts";
import { compileSource } from "../../src/dsl/compile-source.ts";
import { renderDiagnostics } from "../../src/dsl/diagnostics.ts";
import { printModule } from "../../src/ir/print.ts";
import { nn } from "../../src/nn.generated.ts";
import { train } from "../../src/train/loop.ts";

type Built = ReturnType<typeof trainable>;
type Xor = TrainingDescription<"x" | "y" | "logits", "label">;

function expectSame({ module, plan }: Built, text: string): void {
  const wanted = compileSource({ name: "test.dlm", text }, () => undefined);
  if (!wanted.module) throw new Error(renderDiagnostics(wanted.diagnostics));
  expect(printModule(module, { locations: false })).toBe(printModule(wanted.module, { locations: false }));
  expect({ ...plan, data: [] }).toEqual({ ...wanted.plan, data: [] });
}

const points = [
  [0, 0],
  [0, 1],
  [1, 0],
  [1, 1],
];
const column = (shape: readonly number[], values: readonly number[]) =>
  ({ dtype: "f32", shape, data: Float32Array.from(values) }) as const;
const data = {
  rows: 4,
  columns: { x: column([4, 2], points.flat()), label: column([4, 1], [0, 1, 1, 0]) },
  classes: {},
};

const xor = (more: Partial<Xor> = {}): Built =>
  trainable(
    "Xor",
    { x: f32("N", 2) },
    ({ x }) => {
      const logits = x.pipe(nn.dense(8), nn.tanh, nn.dense(1));
      return { y: nn.sigmoid(logits), logits };
    },
    {
      targets: { label: f32("N", 1) },
      inner: ["logits"],
      loss: ({ logits, label }) => nn.binary_cross_entropy(logits, label),
      optimizer: nn.adam({ lr: 0.05 }),
      metrics: { binary_accuracy: ({ logits, label }) => nn.binary_accuracy(logits, label) },
      epochs: 200,
      batch: 4,
      seed: 3,
      ...more,
    },
  );

describe("trainable", () => {
  it("builds what a train block does", () => {
    expectSame(
      xor(),
      `model Xor(x: f32[N, 2]) -> (y: f32[N, 1]) {
  logits = x |> dense(8) |> tanh |> dense(1)
  y = sigmoid(logits)
}
train Xor {
  target label: f32[N, 1]
  data: rows(x: [[0, 0]], label: [[0]])
  loss: binary_cross_entropy(logits, label)
  optimizer: adam(lr: 0.05)
  metrics: binary_accuracy(logits, label)
  epochs: 200
  batch: 4
  seed: 3
}`,
    );
  });

  it("has schedules, optimizers of optimizers, clipping, running means, plain metrics, what the epoch before gave", () => {
    const built = trainable(
      "Net",
      { image: f32("N", 8, 8, 1) },
      ({ image }) => {
        const logits = image.pipe(nn.flatten, nn.dropout(0.2), nn.dense(16), nn.batch_norm(), nn.dense(3).as("head"));
        return { logits };
      },
      {
        targets: { label: i32("N") },
        loss: ({ logits, label }) => nn.cross_entropy(logits, label),
        optimizer: ({ val_loss }) =>
          nn.max_norm(nn.adam({ lr: nn.reduce_on_plateau(1e-3, val_loss!, { patience: 2 }) }), { limit: 2 }),
        metrics: {
          accuracy: ({ logits, label }) => nn.accuracy(logits, label),
          spread: ({ logits }) => nn.mean(nn.square(logits)),
        },
        clip: { global_norm: 1.5 },
        ema: 0.99,
        validation: { share: 0.25, from: "last" },
        earlyStop: { monitor: "val_accuracy", patience: 3, best: "greatest" },
      },
    );
    expectSame(
      built,
      `model Net(image: f32[N, 8, 8, 1]) -> (logits: f32[N, 3]) {
  logits = image |> flatten |> dropout(0.2) |> dense(16) |> batch_norm |> dense(3) as head
}
block spread(x: f32[...S]) = mean(square(x))
train Net {
  target label: i32[N]
  data: digits(10)
  loss: cross_entropy(logits, label)
  optimizer: max_norm(adam(lr: reduce_on_plateau(1e-3, val_loss, patience: 2)), limit: 2)
  metrics: accuracy(logits, label), mean(square(logits)) |> identity as spread
  clip: global_norm(1.5)
  ema: 0.99
  validation: last(25%)
  early_stop: val_accuracy, patience: 3, best: greatest
}
block identity(x: f32[...S]) = x`,
    );
  });

  it("learns", async () => {
    const { module, plan } = xor();
    const compiled = compile(module);
    const executable = load(compiled);
    const { progress } = await train({ executable, module: compiled.module, plan, data });
    expect(progress.history.at(-1)!.metrics.binary_accuracy).toBe(1);
    const { y } = executable.run("infer", { x: data.columns.x });
    expect([...y!.data].map(Math.round)).toEqual([0, 1, 1, 0]);
  });

  const broken: readonly (readonly [string, Partial<Xor>, string])[] = [
    [
      "a loss that is no number",
      { loss: ({ logits }) => logits },
      "the loss is one number, and this is f32[N, 1]; mean(…) makes it one",
    ],
    ["a loss that does not fit", { loss: ({ x, label }) => nn.mean_squared_error(x, label) }, "mean_squared_error"],
    ["a number of epochs that is none", { epochs: 1.5 }, "epochs should be a whole number from 1 on"],
    ["a mean that keeps nothing", { ema: 1 }, "ema should be a number between 0 and 1"],
    ["both kinds of held-back rows", { folds: 3, validation: 0.2 }, "folds and validation exclude each other"],
    [
      "watching what there is not",
      { earlyStop: { monitor: "val_loss", patience: 1 } },
      "val_loss needs rows that are held back",
    ],
    [
      "watching several numbers",
      {
        metrics: { confusion: ({ logits, label }) => nn.confusion(logits, nn.cast(label, "i32")) },
        earlyStop: { monitor: "confusion", patience: 1 },
      },
      "early_stop watches confusion, which is not one number",
    ],
  ];
  it.each(broken)("refuses %s", (_, more, message) => {
    expect(() => xor(more)).toThrow(BuilderError);
    expect(() => xor(more)).toThrow(message);
  });

  it("refuses a target with the name of an input", () => {
    const build = () =>
      trainable("M", { x: f32("N") }, ({ x }) => ({ y: nn.square(x) }), {
        targets: { x: f32("N") },
        loss: ({ y }) => nn.mean(y),
        optimizer: nn.sgd(),
      });
    expect(build).toThrow("the target x has the name of another tensor of the model");
  });
});
