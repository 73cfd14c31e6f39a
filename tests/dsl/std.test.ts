// The standard library against known values: losses, metrics, schedules, initializers, statistics, optimizers.

import { describe, expect, it } from "vitest";
import { evaluated, floats, initialOf, integers, moduleOf, numbers, runGraph, type Tensors } from "./elaborated.ts";

const near = (actual: readonly number[], expected: readonly number[], digits = 10): void => {
  expect(actual.length).toBe(expected.length);
  actual.forEach((value, i) => {
    expect(value).toBeCloseTo(expected[i]!, digits);
  });
};

const logits = "array([[1, 2, 3], [0, 0, 0], [5, -5, 1]])";
const softmaxOf = (row: readonly number[]): number[] => {
  const e = row.map(Math.exp);
  const sum = e.reduce((a, b) => a + b, 0);
  return e.map((value) => value / sum);
};

describe("activations", () => {
  it("stay finite and exact far from 0", () => {
    const x = "array([-1000, -30, 0, 30, 1000])";
    near(numbers(evaluated(`sigmoid(${x})`, "f32[5]")), [0, Math.exp(-30) / (1 + Math.exp(-30)), 0.5, 1, 1]);
    near(numbers(evaluated(`softplus(${x})`, "f32[5]")), [0, Math.log1p(Math.exp(-30)), Math.log(2), 30, 1000]);
    near(numbers(evaluated("softmax(array([1000, 0, -1000]))", "f32[3]")), [1, 0, 0]);
    near(numbers(evaluated("log_softmax(array([1000, 0]))", "f32[2]")), [0, -1000]);
  });

  it("gelu is exact, and the approximation near it", () => {
    // Φ(1) = 0.8413447460685429
    near(numbers(evaluated("gelu(array([1, -1]))", "f32[2]")), [0.8413447460685429, -0.15865525393145707], 6);
    near(numbers(evaluated("gelu(array([1]), approximate: true)", "f32[1]")), [0.8411919906082768], 8);
  });
});

describe("losses", () => {
  const rows = [
    [1, 2, 3],
    [0, 0, 0],
    [5, -5, 1],
  ].map(softmaxOf);
  const losses = [2, 0, 1].map((label, i) => -Math.log(rows[i]![label]!));

  it("cross_entropy is the mean of -log p", () => {
    const value = evaluated(`cross_entropy(${logits}, array([2, 0, 1], dtype: i32))`, "f32[]");
    near(numbers(value), [(losses[0]! + losses[1]! + losses[2]!) / 3]);
  });

  it("cross_entropy leaves out ignored rows, and is 0 when all are", () => {
    const some = evaluated(`cross_entropy(${logits}, array([2, -1, 1], dtype: i32), ignore: -1)`, "f32[]");
    near(numbers(some), [(losses[0]! + losses[2]!) / 2]);
    const none = evaluated(`cross_entropy(${logits}, array([-1, -1, -1], dtype: i32), ignore: -1)`, "f32[]");
    expect(numbers(none)).toEqual([0]);
  });

  it("cross_entropy takes probabilities as labels", () => {
    const value = evaluated(`cross_entropy(${logits}, array([[0, 0, 1], [0.5, 0.5, 0], [0, 1, 0]]))`, "f32[]");
    near(numbers(value), [(losses[0]! + Math.log(3) + losses[2]!) / 3]);
  });

  it("binary_cross_entropy stays finite for sure answers", () => {
    const value = evaluated("binary_cross_entropy(array([1000, -1000, 0]), array([1, 1, 0]))", "f32[]");
    near(numbers(value), [(0 + 1000 + Math.log(2)) / 3]);
  });

  it("huber, hinge and the penalties", () => {
    near(numbers(evaluated("huber(array([0.5, 3]), array([0, 0]))", "f32[]")), [(0.125 + 2.5) / 2]);
    near(numbers(evaluated("hinge(array([0.5, -2]), array([1, 1]))", "f32[]")), [(0.5 + 3) / 2]);
    const before = "param w: f32[2, 1] ~ constant(3)\nparam b: f32[4] ~ constant(2)\nx = array([[1, 1]]) @ w + b";
    near(numbers(evaluated("l2(0.5)", "f32[]", before)), [9]);
    near(numbers(evaluated("l1(0.5)", "f32[]", before)), [3]);
  });
});

describe("schedules", () => {
  const at = (call: string): number[] => numbers(evaluated(call, "f32[4]", "s = array([0, 5, 10, 100])"));

  it("follow their formulas and hold their last value", () => {
    near(at("cosine_decay(s, 0.1, steps: 10)"), [0.1, 0.05, 0, 0]);
    near(at("cosine_decay(s, 0.1, steps: 10, end: 0.02)"), [0.1, 0.06, 0.02, 0.02]);
    near(at("exponential_decay(s, 0.1, rate: 0.5, steps: 5)"), [0.1, 0.05, 0.025, 0.1 * 0.5 ** 20]);
    near(at("step_decay(s, 0.1, rate: 0.1, steps: 10)"), [0.1, 0.1, 0.01, 0.1 ** 11]);
    near(at("constant_rate(s, 0.1)"), [0.1, 0.1, 0.1, 0.1]);
  });

  it("warm up evenly", () => {
    near(
      numbers(evaluated("constant_rate(array([0, 1, 3, 4, 9]), 0.4, warmup: 4)", "f32[5]")),
      [0.1, 0.2, 0.4, 0.4, 0.4],
    );
  });
});

describe("initializers", () => {
  const initial = (shape: string, initializer: string, seed = 1): { shape: readonly number[]; data: number[] } => {
    const module = moduleOf(`model M(x: f32[N]) -> (y: f32[N]) {\nparam w: f32${shape} ~ ${initializer}\ny = x\n}`);
    const { shape: sizes, data } = initialOf(module, seed).get("w")!;
    return { shape: sizes, data: [...data] };
  };
  const deviation = (data: readonly number[]): number =>
    Math.sqrt(data.reduce((sum, x) => sum + x * x, 0) / data.length);

  it("glorot_uniform fills its interval", () => {
    const { data } = initial("[300, 200]", "glorot_uniform");
    const limit = Math.sqrt(6 / 500);
    expect(Math.max(...data)).toBeLessThanOrEqual(limit);
    expect(Math.min(...data)).toBeGreaterThanOrEqual(-limit);
    // The deviation of an even distribution; 60,000 numbers give it to half a percent.
    expect(deviation(data) / (limit / Math.sqrt(3))).toBeCloseTo(1, 2);
  });

  it("he_normal counts all inputs of a convolution", () => {
    const { data } = initial("[3, 3, 32, 64]", "he_normal");
    expect(deviation(data) / Math.sqrt(2 / 288)).toBeCloseTo(1, 1.5);
  });

  it.each(["[20, 20]", "[30, 7]", "[7, 30]", "[2, 3, 24]"])(
    "orthogonal %s has orthonormal rows or columns",
    (shape) => {
      const { shape: sizes, data } = initial(shape, "orthogonal");
      const columns = sizes.at(-1)!;
      const rows = data.length / columns;
      const [count, length] = rows > columns ? [columns, rows] : [rows, columns];
      const element = (i: number, j: number): number =>
        rows > columns ? data[j * columns + i]! : data[i * columns + j]!;
      for (let a = 0; a < count; a++)
        for (let b = 0; b < count; b++) {
          let dot = 0;
          for (let j = 0; j < length; j++) dot += element(a, j) * element(b, j);
          expect(dot).toBeCloseTo(a === b ? 1 : 0, 8);
        }
    },
  );

  it("differ by seed and by parameter, and repeat", () => {
    expect(initial("[8]", "normal", 1)).toEqual(initial("[8]", "normal", 1));
    expect(initial("[8]", "normal", 1)).not.toEqual(initial("[8]", "normal", 2));
    const two = "model M(x: f32[N]) -> (y: f32[N]) {\nparam v: f32[8] ~ normal\nparam w: f32[8] ~ normal\ny = x\n}";
    const globals = initialOf(moduleOf(two));
    expect(numbers(globals.get("v")!)).not.toEqual(numbers(globals.get("w")!));
  });
});

// ----------------------------------------------------------------------------------------------------- over batches

const withUpdates = (globals: Tensors, updates: Tensors): Tensors => new Map([...globals, ...updates]);

describe("metrics", () => {
  const program = (metric: string): string => `
model M(x: f32[N, 3]) -> (logits: f32[N, 3]) {
  param scale: f32[] ~ ones
  logits = x * scale
}
train M {
  target label: i32[N]
  data: rows(x: [[0, 0, 0]], label: [0])
  loss: cross_entropy(logits, label)
  optimizer: sgd
  metrics: ${metric}
}`;
  const batches = [
    { x: [3, 0, 0, 0, 3, 0, 0, 0, 3], label: [0, 1, 1] },
    { x: [3, 0, 0, 3, 0, 0], label: [0, 2] },
  ];

  function measure(metric: string): Record<string, number[]> {
    const module = moduleOf(program(metric));
    let globals: Tensors = initialOf(module);
    for (const { x, label } of batches) {
      const inputs = { x: floats([label.length, 3], x), label: integers([label.length], label) };
      globals = withUpdates(globals, runGraph(module, "eval_step", inputs, globals).updates);
    }
    const { outputs } = runGraph(module, "metrics", {}, globals);
    return Object.fromEntries(Object.entries(outputs).map(([name, tensor]) => [name, numbers(tensor)]));
  }

  // Said: 0 1 2 0 0. True: 0 1 1 0 2.
  it("accuracy counts over all rows", () => {
    expect(measure("accuracy(logits, label)").accuracy).toEqual([3 / 5]);
    expect(measure("accuracy(logits, label, ignore: 2)").accuracy).toEqual([3 / 4]);
  });

  it("precision, recall and f1 are means over the classes", () => {
    const { precision, recall, f1 } = measure("precision(logits, label), recall(logits, label), f1(logits, label)");
    near(precision!, [(2 / 3 + 1 + 0) / 3]);
    near(recall!, [(1 + 1 / 2 + 0) / 3]);
    near(f1!, [(4 / 5 + 2 / 3 + 0) / 3]);
  });

  it("confusion has true classes as rows", () => {
    expect(measure("confusion(logits, label)").confusion).toEqual([2, 0, 0, 0, 1, 1, 1, 0, 0]);
  });

  it("losses are averaged over the rows, not the batches", () => {
    const right = -Math.log(softmaxOf([3, 0, 0])[0]!);
    const wrong = -Math.log(softmaxOf([3, 0, 0])[1]!);
    const { loss, cross_entropy, perplexity } = measure("cross_entropy(logits, label), perplexity(logits, label)");
    const mean = (3 * right + 2 * wrong) / 5;
    near(loss!, [mean]);
    near(cross_entropy!, [mean]);
    near(perplexity!, [Math.exp(mean)]);
  });

  it("metrics of one name are numbered", () => {
    expect(Object.keys(measure("accuracy(logits, label), accuracy(logits, label, ignore: 2)"))).toEqual([
      "loss",
      "accuracy",
      "accuracy_1",
    ]);
  });
});

describe("running statistics", () => {
  const program = (block: string): string => `
model M(x: f32[N, 2]) -> (y: f32[N, 2]) {
  param scale: f32[] ~ ones
  y = ${block}(x) * scale
}
train M {
  data: rows(x: [[0, 0]])
  loss: mean(y)
  optimizer: sgd(lr: 0)
}`;
  const batches = [
    [1, 10, 2, 20, 6, 60],
    [4, 7, 0, 7],
  ];

  function trained(block: string): Tensors {
    const module = moduleOf(program(block));
    let globals: Tensors = initialOf(module);
    for (const data of batches) {
      const inputs = { x: floats([data.length / 2, 2], data) };
      globals = withUpdates(globals, runGraph(module, "train_step", inputs, globals).updates);
    }
    return globals;
  }

  it("normalize merges batches exactly", () => {
    const globals = trained("normalize");
    near(numbers(globals.get("normalize.count")!), [5]);
    near(numbers(globals.get("normalize.mean")!), [13 / 5, 104 / 5]);
    near(numbers(globals.get("normalize.distance")!), [57 - 169 / 5, 4198 - 104 ** 2 / 5], 8);
    const module = moduleOf(program("normalize"));
    const { outputs } = runGraph(module, "infer", { x: floats([1, 2], [13 / 5, 0]) }, globals);
    near(numbers(outputs.y!), [0, -104 / 5 / Math.sqrt((4198 - 104 ** 2 / 5) / 5)]);
  });

  it("batch_norm keeps running means of mean and variance", () => {
    const globals = trained("batch_norm");
    near(numbers(globals.get("batch_norm.mean")!), [0.99 * 0.01 * 3 + 0.01 * 2, 0.99 * 0.01 * 30 + 0.01 * 7]);
    near(numbers(globals.get("batch_norm.variance")!), [
      0.99 * (0.99 + 0.01 * (14 / 2)) + 0.01 * 8,
      0.99 * (0.99 + 0.01 * (1400 / 2)),
    ]);
  });
});
