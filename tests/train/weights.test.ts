import { describe, expect, it } from "vitest";
import type { Executable, Tensors } from "../../src/backends/backend.ts";
import { allocate, type DType, type Tensor } from "../../src/ir/dtype.ts";
import type { Global, GlobalRole } from "../../src/ir/graph.ts";
import { loadWeights, WeightsError } from "../../src/train/weights.ts";

const tensor = (dtype: DType, shape: readonly number[], first = 0): Tensor => {
  const data = allocate(
    dtype,
    shape.reduce((a, b) => a * b, 1),
  );
  data[0] = first;
  return { dtype, shape, data };
};

const global = (name: string, shape: number[], owner?: string, role: GlobalRole = "parameter"): Global => {
  const [model, ...rest] = (owner ?? "").split(".");
  return {
    name,
    type: { dtype: "f32", shape },
    role,
    initializer: "zeros",
    ...(owner ? { owner: { model: model!, name: rest.join(".") } } : {}),
    location: undefined,
  };
};

/** Notes what is written, and in which order. */
function load(globals: readonly Global[], tensors: Tensors, model?: string): Record<string, Tensor> {
  const written: Record<string, Tensor> = {};
  const executable: Executable = {
    run: () => ({}),
    read: (name) => written[name]!,
    write: (name, value) => {
      written[name] = value;
    },
  };
  try {
    loadWeights(executable, globals, tensors, "w.safetensors", model);
  } catch (error) {
    expect(written).toEqual({});
    throw error;
  }
  return written;
}

describe("loading weights", () => {
  it("finds tensors by their full names, and leaves the rest of the training alone", () => {
    const globals = [
      global("dense.kernel", [2, 3]),
      global("mean", [1], undefined, "state"),
      global("adam.m", [2], undefined, "optimizer"),
    ];
    const given = { "dense.kernel": tensor("f32", [2, 3], 5), mean: tensor("f32", [1], 6) };
    expect(load(globals, given)).toEqual(given);
  });

  it("finds those of a called model in a file saved from that model alone", () => {
    const globals = [global("MnistCnn.dense.kernel", [2], "MnistCnn.dense.kernel"), global("scale", [1])];
    const written = load(globals, { "dense.kernel": tensor("f32", [2], 5), scale: tensor("f32", [1], 6) });
    expect(written["MnistCnn.dense.kernel"]?.data[0]).toBe(5);
    const full = { "MnistCnn.dense.kernel": tensor("f32", [2], 7), scale: tensor("f32", [1]) };
    expect(load(globals, full)["MnistCnn.dense.kernel"]?.data[0]).toBe(7);
  });

  it("takes a model's part of the weights of one that calls it", () => {
    const whole = { "Encoder.dense.kernel": tensor("f32", [2], 5), "Decoder.dense.kernel": tensor("f32", [3], 6) };
    expect(load([global("dense.kernel", [2])], whole, "Encoder")["dense.kernel"]?.data[0]).toBe(5);
    expect(() => load([global("dense.kernel", [2])], whole, "Classifier")).toThrow("missing dense.kernel");
    expect(() => load([global("dense.bias", [2])], whole, "Encoder")).toThrow("missing dense.bias");
  });

  it("widens half precision", () => {
    const half: Tensor = { dtype: "f16", shape: [1], data: Uint16Array.of(0x3e00) };
    expect(load([global("w", [1])], { w: half }).w).toEqual({ dtype: "f32", shape: [1], data: Float32Array.of(1.5) });
  });

  it("reports everything that does not fit at once, and writes nothing", () => {
    const globals = [global("dense.kernel", [2, 3]), global("dense.bias", [3]), global("dense_1.kernel", [3, 4])];
    const given = {
      "dense.kernel": tensor("f32", [3, 2]),
      "dense.bais": tensor("f32", [3]),
      "dense_1.kernel": tensor("i32", [3, 4]),
    };
    expect(() => load(globals, given)).toThrow(WeightsError);
    expect(() => load(globals, given)).toThrow(
      [
        "w.safetensors does not fit the model:",
        "  dense.kernel is f32[3, 2], but the model has dense.kernel: f32[2, 3]",
        "  dense_1.kernel is i32[3, 4], but the model has dense_1.kernel: f32[3, 4]",
        "  missing dense.bias: f32[3]; perhaps it is dense.bais",
        "  left over dense.bais: f32[3]",
      ].join("\n"),
    );
  });

  it("does not guess between two models with one name", () => {
    const globals = [global("A.w", [1], "A.w"), global("B.w", [1], "B.w")];
    expect(() => load(globals, { w: tensor("f32", [1]) })).toThrow("w could be A.w or B.w: name it in full");
  });

  it("knows a checkpoint when it sees one", () => {
    const given = { "current/w": tensor("f32", [1]), "best/w": tensor("f32", [1]) };
    expect(() => load([global("w", [1])], given)).toThrow("this is a checkpoint: continue it with --resume");
  });

  it("shortens long lists", () => {
    const many = Array.from({ length: 50 }, (_, i) => global(`w${i}`, [1]));
    expect(() => load(many, {})).toThrow("and 30 more");
  });
});
