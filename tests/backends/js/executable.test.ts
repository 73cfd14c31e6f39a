import { describe, expect, it } from "vitest";
import { InputError } from "../../../src/backends/backend.ts";
import { createExecutable } from "../../../src/backends/js/executable.ts";
import { createInterpreted } from "../../../src/backends/js/interpreted.ts";
import { renderModule } from "../../../src/backends/js/render.ts";
import { place } from "../../../src/backends/runtime/layout.ts";
import { createExecutable as createWasmExecutable } from "../../../src/backends/wasm/executable.ts";
import { multiplyDims, symbol } from "../../../src/ir/dim.ts";
import type { Tensor } from "../../../src/ir/dtype.ts";
import type { Global, TensorType } from "../../../src/ir/graph.ts";
import { k } from "../../../src/ir/kernel/build.ts";
import type { Program, ProgramModule } from "../../../src/ir/kernel/program.ts";
import type { Kernel } from "../../../src/ir/kernel/types.ts";

const N = symbol("N");
const i = k.variable("i", "index");
const n = k.variable("n", "index");
const load = (buffer: string, index = i) => k.load(buffer, index, "f32");
const f32 = (...shape: TensorType["shape"]): TensorType => ({ dtype: "f32", shape });
const free = { flops: 0, bytes: 0 };

/** y[N, 3] = x[N, 3] * w[3] */
const scale: Kernel = {
  name: "scale",
  doc: "x * w",
  location: { file: "scale.dlm", line: 2, column: 7, scope: "" },
  sizes: ["N"],
  buffers: [
    { name: "x", dtype: "f32", length: multiplyDims(3, N), access: "read" },
    { name: "w", dtype: "f32", length: 3, access: "read" },
    { name: "y", dtype: "f32", length: multiplyDims(3, N), access: "write" },
  ],
  body: [
    k.loop("n", k.fromDim(N), [
      k.loop("i", 3, [
        k.store("y", k.add(k.multiply(n, 3), i), k.multiply(load("x", k.add(k.multiply(n, 3), i)), load("w"))),
      ]),
    ]),
  ],
  cost: free,
};
/** even[N] = whether label is even, in bytes. */
const even: Kernel = {
  name: "even",
  doc: "",
  location: undefined,
  sizes: ["N"],
  buffers: [
    { name: "label", dtype: "i32", length: N, access: "read" },
    { name: "even", dtype: "bool", length: N, access: "write" },
  ],
  body: [k.loop("i", k.fromDim(N), [k.store("even", i, k.eq(k.remainder(k.load("label", i, "i32"), 2), 0))])],
  cost: free,
};
/** w += 1, in place. */
const increment: Kernel = {
  name: "scale",
  doc: "",
  location: undefined,
  sizes: [],
  buffers: [{ name: "w", dtype: "f32", length: 3, access: "read_write" }],
  body: [k.loop("i", 3, [k.store("w", i, k.add(load("w"), 1))])],
  cost: free,
};

const global = (name: string): Global => ({
  name,
  type: f32(3),
  role: "parameter",
  initializer: "zeros",
  location: undefined,
});
const infer: Program = {
  name: "infer",
  inputs: [
    { name: "x", type: f32(N, 3) },
    { name: "label", type: { dtype: "i32", shape: [N] } },
  ],
  outputs: [
    { name: "y", type: f32(N, 3), place: { kind: "arena", buffer: 0, offset: 0 } },
    {
      name: "last",
      type: f32(1),
      place: {
        kind: "arena",
        buffer: 0,
        offset: {
          terms: [
            { coefficient: 3, factors: ["N"] },
            { coefficient: -1, factors: [] },
          ],
        },
      },
    },
    { name: "even", type: { dtype: "bool", shape: [N] }, place: { kind: "arena", buffer: 1, offset: 0 } },
    { name: "x", type: f32(N, 3), place: { kind: "input", name: "x", offset: 0 } },
  ],
  steps: [
    {
      kind: "call",
      kernel: scale,
      places: [
        { kind: "input", name: "x", offset: 0 },
        { kind: "global", name: "dense.kernel", offset: 0 },
        { kind: "arena", buffer: 0, offset: 0 },
      ],
    },
    {
      kind: "call",
      kernel: even,
      places: [
        { kind: "input", name: "label", offset: 0 },
        { kind: "arena", buffer: 1, offset: 0 },
      ],
    },
  ],
  requirements: [],
  copies: [],
  buffers: [
    { bytes: multiplyDims(12, N), first: 0, last: 2 },
    { bytes: N, first: 1, last: 2 },
  ],
  sizes: ["N"],
};
/** Adds 1 to the kernel, then swaps the two others. */
const step: Program = {
  name: "step",
  inputs: [],
  outputs: [],
  steps: [{ kind: "call", kernel: increment, places: [{ kind: "global", name: "dense.kernel", offset: 0 }] }],
  requirements: [],
  copies: [
    { target: "a", source: { kind: "global", name: "b", offset: 0 }, length: 3 },
    { target: "b", source: { kind: "global", name: "a", offset: 0 }, length: 3 },
  ],
  buffers: [],
  sizes: [],
};
const module: ProgramModule = {
  name: "Scale",
  doc: "",
  globals: new Map(["dense.kernel", "a", "b"].map((name) => [name, global(name)])),
  kept: new Map(),
  programs: new Map([infer, step].map((program) => [program.name, program])),
};
const tensor = (shape: readonly number[], ...data: number[]): Tensor => ({
  dtype: "f32",
  shape,
  data: Float32Array.from(data),
});
const labels = (...data: number[]): Tensor => ({ dtype: "i32", shape: [data.length], data: Int32Array.from(data) });

describe.each([
  ["generated JavaScript", () => createExecutable(module)],
  ["interpreted kernels", () => createExecutable(module, { create: createInterpreted })],
  ["WebAssembly", () => createWasmExecutable(module)],
])("an executable of %s", (_, make) => {
  it("runs a graph at any size, and keeps the parameters when the memory grows", () => {
    const executable = make();
    executable.write("dense.kernel", tensor([3], 1, 2, 3));
    for (const count of [2, 0, 50, 1]) {
      const x = Array.from({ length: count * 3 }, (_, at) => at + 1);
      const result = executable.run("infer", { x: tensor([count, 3], ...x), label: labels(...x.slice(0, count)) });
      expect(result.y).toEqual(tensor([count, 3], ...x.map((value, at) => value * ((at % 3) + 1))));
      expect(result.x).toEqual(tensor([count, 3], ...x));
      expect(result.even).toEqual({
        dtype: "bool",
        shape: [count],
        data: Uint8Array.from(x.slice(0, count), (v) => 1 - (v % 2)),
      });
      if (count > 0) expect(result.last!.data[0]).toBe(count * 3 * 3);
    }
  });

  it("updates in place and by copies that see the old values", () => {
    const executable = make();
    executable.write("a", tensor([3], 1, 2, 3));
    executable.write("b", tensor([3], 4, 5, 6));
    executable.run("step", {});
    executable.run("infer", {
      x: tensor([9, 3], ...new Array<number>(27).fill(0)),
      label: labels(1, 2, 3, 4, 5, 6, 7, 8, 9),
    });
    expect(executable.read("dense.kernel")).toEqual(tensor([3], 1, 1, 1));
    expect(executable.read("a")).toEqual(tensor([3], 4, 5, 6));
    expect(executable.read("b")).toEqual(tensor([3], 1, 2, 3));
  });

  it("runs again on what is written into its memory, and shows the outputs there", () => {
    const executable = make();
    executable.write("dense.kernel", tensor([3], 1, 2, 3));
    const { inputs, outputs, run } = executable.prepare("infer", { x: tensor([1, 3], 1, 1, 1), label: labels(1) });
    run();
    expect(outputs.y).toEqual(tensor([1, 3], 1, 2, 3));
    inputs.x!.data.set([4, 5, 6]);
    run();
    expect(outputs.y).toEqual(tensor([1, 3], 4, 10, 18));
    expect(inputs.x).toEqual(tensor([1, 3], 4, 5, 6));
  });

  it("gives copies that the next run leaves alone", () => {
    const executable = make();
    executable.write("dense.kernel", tensor([3], 1, 1, 1));
    const first = executable.run("infer", { x: tensor([1, 3], 1, 2, 3), label: labels(1) });
    executable.run("infer", { x: tensor([1, 3], 7, 8, 9), label: labels(1) });
    expect(first.y).toEqual(tensor([1, 3], 1, 2, 3));
  });

  it.each<[Record<string, Tensor>, string]>([
    [{}, "infer needs x, label; its inputs are x, label, given are none"],
    [{ x: tensor([0, 3]), label: labels(), z: labels() }, "infer has no input z; its inputs are x, label"],
    [{ x: labels(1), label: labels(1) }, "x is i32, expected f32"],
    [{ x: tensor([3], 1, 2, 3), label: labels(1) }, "x has the shape [3], and should have [N, 3]"],
    [{ x: tensor([1, 2], 1, 2), label: labels(1) }, "x has the shape [1, 2], and should have [N, 3]"],
    [{ x: tensor([1, 3], 1, 2, 3), label: labels(1, 2) }, "axis 0 of label is 2, and should be N = 1"],
    [{ x: tensor([1, 3], 1, 2), label: labels(1) }, "x has the shape [1, 3], but 2 elements"],
  ])("%# refuses inputs that do not fit", (inputs, message) => {
    expect(() => make().run("infer", inputs)).toThrow(InputError);
    expect(() => make().run("infer", inputs)).toThrow(message);
  });

  it("refuses values that do not fit, and names that it does not know", () => {
    expect(() => make().write("a", tensor([2], 1, 2))).toThrow("a is f32[3], and was given f32[2]");
    expect(() => make().read("c")).toThrow("Scale has no parameter or state c");
    expect(() => make().run("train", {})).toThrow("Scale has no graph train; it has infer, step");
  });
});

it("renders a module that a person can read", async () => {
  await expect(renderModule(module)).toMatchFileSnapshot("golden/module.txt");
});

it("places buffers at the lowest offset that is free while they live", () => {
  const lives = [
    { first: 0, last: 2 },
    { first: 1, last: 1 },
    { first: 2, last: 3 },
    { first: 3, last: 4 },
  ];
  expect(place([40, 100, 8, 16], lives, 64)).toEqual([64, 112, 112, 64]);
});
