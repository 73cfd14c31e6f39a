// From programs to modules: graphs, names, sharing, states, and the expressions of the language against known values.

import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { compileSource } from "../../src/dsl/compile-source.ts";
import { renderDiagnostics } from "../../src/dsl/diagnostics.ts";
import type { Module } from "../../src/ir/graph.ts";
import { parseModule } from "../../src/ir/parse.ts";
import { printModule } from "../../src/ir/print.ts";
import { verifyModule } from "../../src/ir/verify.ts";
import { shared } from "../shared.ts";
import { evaluated, floats, initialOf, messagesOf, moduleOf, numbers, runGraph } from "./elaborated.ts";

function compileFile(path: string, model?: string): ReturnType<typeof compileSource> {
  const loadFile = (imported: string, importer: string) => {
    const name = join(dirname(importer), imported);
    return { name, text: readFileSync(name, "utf8") };
  };
  return compileSource({ name: path, text: readFileSync(path, "utf8") }, loadFile, model ? { model } : {});
}

function moduleAt(path: string, model?: string): Module {
  const { module, diagnostics } = compileFile(path, model);
  if (!module) throw new Error(renderDiagnostics(diagnostics));
  return module;
}

const namesOf = (module: Module, role = "parameter"): string[] =>
  [...module.globals.values()].filter((g) => g.role === role).map((g) => g.name);

describe("the shared models", () => {
  // blocks.dlm has only what the others import.
  const files = readdirSync(shared("models")).filter((name) => name.endsWith(".dlm") && name !== "blocks.dlm");

  it.each(files)("%s compiles to valid graphs", (name) => {
    const module = moduleAt(shared(`models/${name}`));
    expect(() => verifyModule(module)).not.toThrow();
    expect([...module.graphs.keys()].slice(0, 2)).toEqual(["init", "infer"]);
  });

  it("mnist_cnn has the parameters of the reference, in their layouts", () => {
    const module = moduleAt(shared("models/mnist_cnn.dlm"));
    const file = readFileSync(shared("reference/keras-cnn/weights.safetensors"));
    const header: unknown = JSON.parse(file.subarray(8, 8 + Number(file.readBigUInt64LE())).toString("utf8"));
    const expected = Object.entries(Object(header)).map(([name, entry]) => [name, Object(entry).shape]);
    const found = namesOf(module).map((name) => [name, module.globals.get(name)?.type.shape]);
    expect(Object.fromEntries(found)).toEqual(Object.fromEntries(expected));
  });

  it("called models own their parameters", () => {
    const module = moduleAt(shared("models/autoencoder.dlm"));
    expect(namesOf(module)).toContain("Encoder.dense_1.kernel");
    expect(module.globals.get("Decoder.dense.bias")?.owner).toEqual({ model: "Decoder", name: "dense.bias" });
    const encoder = moduleAt(shared("models/autoencoder.dlm"), "Encoder");
    expect(encoder.name).toBe("Encoder");
    expect(namesOf(encoder)).toEqual(["dense.kernel", "dense.bias", "dense_1.kernel", "dense_1.bias"]);
    expect([...encoder.graphs.keys()]).toEqual(["init", "infer"]);
  });
});

describe("graphs", () => {
  const program = `
model M(x: f32[N, 3]) -> (y: f32[N, 2]) {
  h = x |> batch_norm |> dropout(0.5)
  y = h |> dense(2) as head
}
train M {
  target t: f32[N, 2]
  data: rows(x: [[1, 2, 3]], t: [[0, 0]])
  loss: mean_squared_error(y, t) + l2(1e-3)
  optimizer: adam(lr: cosine_decay(0.1, steps: 10, warmup: 2))
  clip: global_norm(1.0)
  metrics: mean_absolute_error(y, t), r2(y, t), mean_absolute_error(2 * y, t)
}`;
  const module = moduleOf(program);
  const updates = (name: string): string[] => module.graphs.get(name)!.updates.map((update) => update.target);

  it("are named, and each says what it changes", () => {
    expect([...module.graphs.keys()]).toEqual(["init", "infer", "train_step", "eval_step", "metrics"]);
    expect(updates("infer")).toEqual([]);
    expect(new Set(updates("init"))).toEqual(new Set(module.globals.keys()));
    expect(new Set(updates("train_step"))).toEqual(new Set(module.globals.keys()));
    expect(updates("eval_step").every((name) => module.globals.get(name)?.role === "metric")).toBe(true);
    expect(module.graphs.get("metrics")!.outputs.map((output) => output.name)).toEqual([
      "loss",
      "mean_absolute_error",
      "r2",
      "mean_absolute_error_1",
    ]);
  });

  it("take inputs, targets, the key and the step, in this order", () => {
    const inputs = (name: string): string[] => module.graphs.get(name)!.inputs.map((input) => input.name);
    expect(inputs("train_step")).toEqual(["x", "t", "key", "step"]);
    expect(inputs("eval_step")).toEqual(["x", "t"]);
    expect(inputs("init")).toEqual(["key"]);
    expect(inputs("metrics")).toEqual([]);
  });

  it("draw dropout from a stream of its own in training only", () => {
    const streams = (name: string): unknown[] =>
      module.graphs.get(name)!.nodes.flatMap((n) => (n.op === "random_bits" ? [n.attributes.stream] : []));
    expect(streams("train_step")).toEqual([0]);
    expect(streams("infer")).toEqual([]);
  });

  it("name parameters, states and optimizer states by their path", () => {
    expect(namesOf(module)).toEqual(["batch_norm.scale", "batch_norm.shift", "head.kernel", "head.bias"]);
    expect(namesOf(module, "state")).toEqual(["batch_norm.mean", "batch_norm.variance"]);
    expect(namesOf(module, "optimizer")).toContain("optimizer.m.head.kernel");
  });

  it("take one step down the gradient, no longer than the clip allows", () => {
    const globals = initialOf(module);
    const inputs = { x: floats([2, 3], [1, 2, 3, -1, 0, 1]), t: floats([2, 2], [1, 2, 3, 4]) };
    const { updates: after } = runGraph(module, "train_step", inputs, globals);
    // Adam's first step is the learning rate (half of 0.1 in the warm-up) in the direction of the sign.
    const change = Math.abs(after.get("head.bias")!.data[0]! - globals.get("head.bias")!.data[0]!);
    expect(change).toBeCloseTo(0.05, 5);
  });

  it("place nodes at the reader's call, with the chain of blocks", () => {
    const node = module.graphs.get("infer")!.nodes.find((n) => n.op === "dot");
    expect(node?.location).toEqual({ file: "test.dlm", line: 4, column: 12, scope: "head" });
  });
});

describe("schedules in the loss", () => {
  it("follow the step in training, and stand at their beginning in evaluation", () => {
    const module = moduleOf(`
model M(x: f32[N]) -> (y: f32[N]) {
  param w: f32[] ~ ones
  y = x * w
}
train M {
  data: rows(x: [1])
  loss: mean(y) * (2 * exponential_decay(1, rate: 0.5, steps: 1))
  optimizer: sgd(lr: 0.5 * exponential_decay(0.1, rate: 0.5, steps: 1))
}`);
    const globals = initialOf(module);
    const inputs = { x: floats([1], [3]), step: floats([], [2]) };
    const { outputs, updates } = runGraph(module, "train_step", inputs, globals);
    expect(numbers(outputs.loss!)).toEqual([1.5]);
    expect(numbers(updates.get("w")!)[0]).toBeCloseTo(1 - 0.5 * 0.1 * 0.25 * 1.5, 10);
    const { updates: totals } = runGraph(module, "eval_step", inputs, globals);
    expect(numbers(totals.get("metric.loss.sum")!)).toEqual([6]);
  });
});

describe("models that call models", () => {
  it("share parameters between calls, and update states one call after the other", () => {
    const module = moduleOf(`
model Inner(x: f32[N]) -> (y: f32[N]) {
  param scale: f32[] ~ constant(3)
  state calls: f32[] = 0
  update calls = calls + 1
  y = x * scale
}
model Outer(x: f32[M]) -> (y: f32[M]) {
  y = Inner(Inner(x))
}`);
    expect([...module.globals.keys()]).toEqual(["Inner.scale", "Inner.calls"]);
    const { outputs, updates } = runGraph(module, "infer", { x: floats([1], [2]) }, initialOf(module));
    expect(numbers(outputs.y!)).toEqual([18]);
    expect(numbers(updates.get("Inner.calls")!)).toEqual([2]);
  });

  it("give several outputs as a tuple with names", () => {
    const module = moduleOf(`
model Inner(x: f32[N]) -> (a: f32[N], b: f32[N]) {
  a = x + 1
  b = 2 * x
}
model Outer(x: f32[N]) -> (y: f32[N]) {
  a, b = Inner(x)
  y = a * 10 + b + Inner(x).b
}`);
    expect(numbers(runGraph(module, "infer", { x: floats([1], [3]) }, new Map()).outputs.y!)).toEqual([52]);
  });
});

describe("expressions", () => {
  const check = (expression: string, expected: readonly number[], before = ""): void => {
    const value = evaluated(`${expression} + zeros([${expected.length}])`, `f32[${expected.length}]`, before);
    value.data.forEach((x, i) => {
      expect(x).toBeCloseTo(expected[i]!, 6);
    });
  };
  const a = "a = reshape(arange(12), [3, 4])";

  it.each([
    ["a[1]", [4, 5, 6, 7]],
    ["a[:, -1]", [3, 7, 11]],
    ["a[1:, ::2][0]", [4, 6]],
    ["a[::-1, 0]", [8, 4, 0]],
    ["a[0, 3:0:-2]", [3, 1]],
    ["a[..., 1:3][2]", [9, 10]],
    ["a[0:100, 0]", [0, 4, 8]],
    ["a[array([2, 0], dtype: i32), 1]", [9, 1]],
    ["transpose(a)[0]", [0, 4, 8]],
    ["sum(a, axis: 0)", [12, 15, 18, 21]],
    ["mean(a, axis: 1)", [1.5, 5.5, 9.5]],
    ["var(a, axis: -1)", [1.25, 1.25, 1.25]],
    ["max(a, axis: [0, 1], keepdims: true)[0]", [11]],
    ["prod(a[:, 1:], axis: 1)", [6, 210, 990]],
    ["cast(argmax(a, axis: 0), f32)", [2, 2, 2, 2]],
    ['rearrange(a, "r (h c) -> h (r c)", h: 2)[1]', [2, 3, 6, 7, 10, 11]],
    ["concatenate([a, a], axis: 1)[0]", [0, 1, 2, 3, 0, 1, 2, 3]],
    ["stack([a[0], a[1]], axis: 1)[1]", [1, 5]],
    ["where(a[1] > 5, a[1], -1)", [-1, -1, 6, 7]],
    ["clip(a[2], 9, 10)", [9, 9, 10, 10]],
    ["a @ array([1, 0, 0, 1])", [3, 11, 19]],
    ["(transpose(a) @ a)[0]", [80, 92, 104, 116]],
    ["take_along(a, array([0, 3, 1], dtype: i32))", [0, 7, 9]],
    ["pad(a[0], 1, value: 7)", [7, 0, 1, 2, 3, 7]],
    ["repeat_elements(a[0, :2], 2)", [0, 0, 1, 1]],
    ["flip(a[0])", [3, 2, 1, 0]],
    ["eye(2)[1]", [0, 1]],
    ["cast(lower_triangle(3)[1], f32)", [1, 1, 0]],
    ["arange(2, 5)", [2, 3, 4]],
    ["cast(floor_divide(array([7, -7], dtype: i32), 2), f32)", [3, -4]],
    ["one_hot(array([1, 5], dtype: i32), 3)[0]", [0, 1, 0]],
    ["swapaxes(reshape(a, [3, 2, 2]), 0, 2)[1, 0]", [1, 5, 9]],
  ] as const)("%s", (expression, expected) => {
    check(expression, expected, a);
  });

  it("batched products broadcast as in NumPy", () => {
    check("(x @ y)[1, 1]", [14, 27], "x = reshape(arange(8), [2, 2, 2])\ny = reshape(arange(4), [1, 2, 2])[0] + 0");
    check("(x @ y)[1, 0]", [26, 31], "x = reshape(arange(4), [2, 2])[1:] + 0\ny = reshape(arange(8), [2, 2, 2])");
  });

  it("compile-time values: loops, conditions, lists, templates", () => {
    check("total", [10], "total = 0\nfor i in 0..5 {\n  total = total + i\n}\ntotal = total * 1.0");
    check("w", [8], "w = 1\nrepeat 3 { w = w * 2 }");
    check("widths[-1] + len(widths)", [12], "widths = [4, 8, 9]");
    check("b", [2], "b = 1\nif 2 > 1 && !(1 > 2) {\n  b = 2\n} else {\n  b = 3\n}");
    check("prod([2, 3]) + sum([1, 2]) + 7 % 4 + 2 ** 3 + 10%", [20.1]);
  });

  it("gradients nest", () => {
    check("grad(sum(grad(sum(x * x * x), x) * x), x)", [9 * 4, 9 * 9], "x = array([2, 3]) + 0");
    check("p + q", [3 + 2], "x = array([2]) + 0\ny = array([3]) + 0\np, q = grad(sum(x * y), [x, y])");
  });

  it("blocks are values", () => {
    const module = moduleOf(`
block twice(x: f32[...S], f: fn) = f(f(x))
model M(x: f32[N]) -> (y: f32[N]) {
  y = x |> twice(square)
}`);
    expect(numbers(runGraph(module, "infer", { x: floats([1], [3]) }, new Map()).outputs.y!)).toEqual([81]);
  });

  it("free sizes become numbers where tensors need them", () => {
    const module = moduleOf("model M(x: f32[N, T]) -> (y: f32[N, T]) {\n  y = x * T / sqrt(N)\n}");
    const inputs = { x: floats([4, 2], [1, 1, 1, 1, 1, 1, 1, 1]) };
    expect(numbers(runGraph(module, "infer", inputs, new Map()).outputs.y!)).toEqual(new Array(8).fill(1));
  });
});

describe("assert", () => {
  const program = (condition: string): string =>
    `model M(x: f32[N, 6]) -> (y: f32[N, 6]) {\n  assert ${condition}, "N is {N}"\n  y = x\n}`;

  it("is checked where it can be decided", () => {
    expect(messagesOf(program("6 % 4 == 0"))).toEqual(["N is N"]);
    expect(messagesOf(program("N + 1 > N"))).toEqual([]);
    expect(messagesOf(program("N < inf && N > -1 * inf"))).toEqual([]);
    expect(moduleOf(program("N + 1 > N")).graphs.get("infer")!.requirements).toBeUndefined();
  });

  /** The sizes from 1 to 6 for which the interpreter takes the condition to hold. */
  const allowed = (condition: string): number[] => {
    const module = moduleOf(program(condition));
    expect(printModule(parseModule(printModule(module)))).toBe(printModule(module));
    return [1, 2, 3, 4, 5, 6].filter((size) => {
      try {
        runGraph(module, "infer", { x: floats([size, 6], new Array(6 * size).fill(0)) }, new Map());
        return true;
      } catch (error) {
        expect(String(error)).toContain(`test.dlm:2:10: N is N, for N = ${size}`);
        return false;
      }
    });
  };

  it.each([
    ["N <= 4", [1, 2, 3, 4]],
    ["N < 2.5", [1, 2]],
    ["2.5 <= N", [3, 4, 5, 6]],
    ["N == 3 || N >= 2 * 2.5", [3, 5, 6]],
    ["N != 3 && N > 1", [2, 4, 5, 6]],
    ["!(N == 2 || N > 4)", [1, 3, 4]],
    ["!(N > 1 && N < 4)", [1, 4, 5, 6]],
    ["N % 3 == 0", [3, 6]],
    ["(N + 1) % 2 != 0", [2, 4, 6]],
    ["shape(x) == [2.0, 6]", [2]],
    ["shape(x)[0] * N > 10", [4, 5, 6]],
  ])("is left to the run where a size is free: %s", (condition, sizes) => {
    expect(allowed(condition)).toEqual(sizes);
  });

  it("says what no run could check", () => {
    expect(messagesOf(program("[x] == [x]"))).toEqual(["lists of tensors cannot be compared"]);
    const many = Array.from({ length: 12 }, (_, i) => `N != ${i}`).join(" && ");
    expect(messagesOf(program(`(${many}) || (${many})`))).toEqual([
      "this condition on free sizes has too many parts to be checked at run time",
    ]);
  });
});

describe("programs that grow without end", () => {
  const body = (text: string): string => `model M(x: f32[N]) -> (y: f32[N]) {\n${text}\n  y = x\n}`;
  const deep = Array.from({ length: 300 }, (_, i) => `block b${i}(x) = b${i + 1}(x) + 1`).join("\n");

  it.each([
    ["steps", body("  repeat 60000 { a = 1 }"), "the program takes more than 100000 steps to unroll"],
    ["lists", body("  l = [1]\n  repeat 100 { l = [l, l] }"), "l would be a list of more than 100000 values"],
    ["sizes", body("  n = N\n  repeat 60 { n = n * n + N }"), "this size has become too large an expression"],
    ["integers", body("  n = 10\n  repeat 60 { n = n * n }"), "the integer 10000000000000000 is too large to be exact"],
    ["calls", `${deep}\nblock b300(x) = x\n${body("  z = b0(x)")}`, "blocks call each other more than 200 deep"],
  ])("%s", (_, program, message) => {
    expect(messagesOf(program)).toEqual([message]);
  });
});
