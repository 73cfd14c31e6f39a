// Threads of WebAssembly executables: the same bits for any number of them, memory that grows under them, and their end.

import * as nodeThreads from "node:worker_threads";
import fc from "fast-check";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { Executable } from "../../../src/backends/backend.ts";
import { createExecutableOver } from "../../../src/backends/executable.ts";
import { globalOffsets, layoutOf } from "../../../src/backends/runtime/layout.ts";
import { encodeModule } from "../../../src/backends/wasm/encode.ts";
import { createThreadedEngine } from "../../../src/backends/wasm/threads/engine.ts";
import { planSteps } from "../../../src/backends/wasm/threads/plan.ts";
import { createPool } from "../../../src/backends/wasm/threads/pool.ts";
import { renderThreaded } from "../../../src/backends/wasm/threads/render.ts";
import { splitKernel } from "../../../src/backends/wasm/threads/split.ts";
import { get, i32, op } from "../../../src/backends/wasm/tree.ts";
import { type Compiled, compile, load } from "../../../src/compile.ts";
import { compileSource } from "../../../src/dsl/compile-source.ts";
import { allocate, isFloat, type Tensor } from "../../../src/ir/dtype.ts";
import type { TensorType } from "../../../src/ir/graph.ts";
import { interpretKernel } from "../../../src/ir/kernel/interpret.ts";
import { parseKernel } from "../../../src/ir/kernel/parse.ts";
import { callsIn } from "../../../src/ir/kernel/program.ts";
import { scratchIn } from "../../../src/ir/kernel/visit.ts";
import { toHalf } from "../../../src/util/half.ts";
import { createRandom, randomTensor } from "../../support/graphs.ts";
import { randomModule } from "../../support/random-graph.ts";

const opened: Executable[] = [];
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
  for (const executable of opened.splice(0)) executable.dispose?.();
});

function open(compiled: Compiled, threads: number): Executable {
  const executable = load(compiled, { threads });
  opened.push(executable);
  return executable;
}

function tensorOf(type: TensorType, sizes: Readonly<Record<string, number>>, random: () => number, scale = 1): Tensor {
  const { dtype, shape, data } = randomTensor(type, sizes, random);
  const array = allocate(dtype, data.length);
  const values = isFloat(dtype) ? data.map((x) => x * scale) : data;
  array.set(dtype === "f16" ? values.map(toHalf) : values);
  return { dtype, shape, data: array };
}

/** Fills parameters and states, runs the graph some times on the same inputs, and gives the bits of all that it leaves. */
function bitsAfter(compiled: Compiled, executable: Executable, graph: string, n: number, runs: number): string {
  const random = createRandom(3);
  const sizes = { N: n };
  const { globals, programs } = compiled.programs;
  for (const [name, { type, role }] of globals) {
    // What optimizers keep is zero at first; second moments must not be negative.
    const value = tensorOf(type, {}, random, 0.02);
    executable.write(name, role === "parameter" ? value : { ...value, data: allocate(type.dtype, value.data.length) });
  }
  const inputs: Record<string, Tensor> = {};
  for (const { name, type } of programs.get(graph)!.inputs) {
    inputs[name] =
      name === "step" ? { dtype: "f32", shape: [], data: Float32Array.of(1) } : tensorOf(type, sizes, random);
  }
  const hashes: string[] = [];
  const add = (name: string, { data }: Tensor): void => {
    let hash = 0;
    for (const byte of new Uint8Array(data.buffer, data.byteOffset, data.byteLength)) {
      hash = Math.imul(hash ^ byte, 16777619);
    }
    hashes.push(`${name} ${hash}`);
  };
  for (let i = 0; i < runs; i++) {
    for (const [name, value] of Object.entries(executable.run(graph, inputs, sizes))) add(name, value);
  }
  for (const name of globals.keys()) add(name, executable.read(name));
  return hashes.join("\n");
}

function compiledSource(text: string, graphs?: readonly string[]): Compiled {
  const { module, diagnostics } = compileSource({ name: "test.dlm", text }, () => undefined);
  if (!module) throw new Error(diagnostics.map(({ message }) => message).join("\n"));
  return compile(module, { target: "wasm", ...(graphs ? { graphs } : {}) });
}

const cnn = compiledSource(
  `model Cnn(image: f32[N, 28, 28, 1]) -> (probs: f32[N, 10]) {
    h = image |> conv2d(32, kernel: 3) |> relu |> max_pool2d(2) |> conv2d(64, kernel: 3) |> relu |> max_pool2d(2)
    logits = h |> flatten |> dense(128) |> relu |> dropout(0.5) |> dense(10)
    probs = softmax(logits)
  }
  train Cnn {
    target label: i32[N]
    data: rows(image: [], label: [])
    loss: cross_entropy(logits, label)
    optimizer: adam(lr: 0.001)
    epochs: 1
    batch: 32
  }`,
  ["train_step", "infer"],
);

/** Waits until the workers of a pool have started, so that they take part. */
const started = (milliseconds = 300): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Shares whatever has two tiles. */
const finest = { grain: { region: 0, chunk: 0.001 } };

describe("threads", () => {
  it("train a network to the same bits, whatever their number", async () => {
    const expected = bitsAfter(cnn, open(cnn, 1), "train_step", 19, 4);
    for (const threads of [2, 3, 4]) {
      const executable = open(cnn, threads);
      bitsAfter(cnn, executable, "train_step", 19, 1);
      await started();
      expect(bitsAfter(cnn, executable, "train_step", 19, 4)).toBe(expected);
    }
  });

  it("run random modules to the same bits, with every region shared that can be", async () => {
    let shared = 0;
    await fc.assert(
      fc.asyncProperty(randomModule({ steps: 12 }), fc.constantFrom(1, 7), async (module, n) => {
        const compiled = compile(module, { target: "wasm" });
        const program = compiled.programs.programs.get("infer")!;
        shared += callsIn(program.steps).filter(({ call }) => splitKernel(call.kernel)).length;
        const expected = bitsAfter(compiled, open(compiled, 1), "infer", n, 2);
        const engine = createThreadedEngine(compiled.programs, { ...finest, fma: compiled.target.fma }, 3);
        const executable = createExecutableOver(compiled.programs, engine);
        opened.push(executable);
        expect(bitsAfter(compiled, executable, "infer", n, 2)).toBe(expected);
        await started(80);
        expect(bitsAfter(compiled, executable, "infer", n, 2)).toBe(expected);
        executable.dispose?.();
      }),
      { numRuns: 30, seed: 4 },
    );
    expect(shared).toBeGreaterThan(30);
  });

  it("see memory that has grown, with parameters as they were", async () => {
    const executable = open(cnn, 3);
    const one = open(cnn, 1);
    for (const n of [4, 64, 200, 16]) {
      expect(bitsAfter(cnn, executable, "train_step", n, 1)).toBe(bitsAfter(cnn, one, "train_step", n, 1));
      await started();
      expect(bitsAfter(cnn, executable, "infer", n, 1)).toBe(bitsAfter(cnn, one, "infer", n, 1));
    }
  });

  it("end when they are told to, and others start for a later run", async () => {
    const ended: Promise<number>[] = [];
    class Worker extends nodeThreads.Worker {
      constructor(...given: ConstructorParameters<typeof nodeThreads.Worker>) {
        super(...given);
        ended.push(new Promise((resolve) => this.on("exit", resolve)));
      }
    }
    vi.spyOn(process, "getBuiltinModule").mockImplementation(() => ({ ...nodeThreads, Worker }));
    const executable = open(cnn, 3);
    const expected = bitsAfter(cnn, executable, "infer", 16, 1);
    expect(ended).toHaveLength(2);
    await started();
    executable.dispose?.();
    await Promise.all(ended);
    expect(bitsAfter(cnn, executable, "infer", 16, 1)).toBe(expected);
    expect(ended).toHaveLength(4);
    executable.dispose?.();
    await Promise.all(ended);
  });

  it("are not there where memory cannot be shared; that is said once", () => {
    vi.stubGlobal("crossOriginIsolated", false);
    const notice = vi.fn();
    const executable = load(cnn, { threads: 4, notice });
    const expected = bitsAfter(cnn, open(cnn, 1), "infer", 3, 1);
    expect(bitsAfter(cnn, executable, "infer", 3, 2).split("\n")[0]).toBe(expected.split("\n")[0]);
    expect(notice.mock.calls).toEqual([[expect.stringMatching(/^Cnn runs on one thread: the page is not isolated/)]]);
  });
});

describe("plans", () => {
  const planOf = (graph: string, n: number, threads: number) => {
    const program = cnn.programs.programs.get(graph)!;
    const globals = globalOffsets(cnn.programs);
    const addresses = {
      layout: layoutOf(program, globals.bytes, { N: n }),
      globals: globals.byName,
      scratch: 0,
      parameters: [],
    };
    return planSteps(program, renderThreaded(cnn.programs, graph, { fma: false }), { N: n }, addresses, threads);
  };

  it("share what is large, and keep small regions on the calling thread", () => {
    const steps = planOf("train_step", 32, 4)!;
    const shared = steps.filter((step) => step.kind === "shared");
    expect(shared.some(({ name }) => name.startsWith("conv2d_1_"))).toBe(true);
    for (const { chunks, tiles } of shared) expect(chunks > 1 && chunks <= Math.min(tiles, 32)).toBe(true);
    expect(shared.filter(({ name }) => name.startsWith("loss_"))).toEqual([]);
    expect(steps.filter(({ kind }) => kind === "alone").length).toBeGreaterThan(5);
  });

  it("leave a graph whole that has nothing to share", () => {
    const tiny = compiledSource("model Tiny(x: f32[N, 4]) -> (y: f32[N, 4]) { y = x |> dense(4) |> tanh }");
    const program = tiny.programs.programs.get("infer")!;
    const globals = globalOffsets(tiny.programs);
    const addresses = {
      layout: layoutOf(program, globals.bytes, { N: 8 }),
      globals: globals.byName,
      scratch: 0,
      parameters: [],
    };
    expect(planSteps(program, renderThreaded(tiny.programs, "infer", { fma: false }), { N: 8 }, addresses, 4)).toBe(
      undefined,
    );
  });
});

describe("pieces of kernels", () => {
  const kernelOf = (body: string) =>
    parseKernel(
      `kernel test(N, read x: f32[N], write y: f32[N]) cost 0 flops, 0 bytes {\n${body.replaceAll(/^/gm, "  ")}\n}\n`,
    );

  it("are the outermost loops, if these are parallel and nothing but names stands before them", () => {
    const split = splitKernel(
      kernelOf(`let whole = N // 4 * 4
for i in 0..whole step 4 parallel over element {
  y[i] = x[i]
}
for i_1 in whole..N parallel over element {
  y[i_1] = x[i_1]
}`),
    );
    expect(split?.pieces.map((piece) => piece.tiles({ N: 11 }))).toEqual([2, 3]);
    expect(split?.pieces.map((piece) => piece.work({ N: 11 }))).toEqual([1 + 2, 1 + 3]);
  });

  it("number the tiles of two loops together", () => {
    const split = splitKernel(
      kernelOf(`for i in 0..N parallel over row {
  for j in 0..6 step 2 parallel over row {
    var s = x[0]
    for q in 0..4 over k {
      s = s + x[q]
    }
    y[i * 6 + j] = s
  }
}`),
    );
    expect(split?.pieces.map((piece) => piece.tiles({ N: 5 }))).toEqual([15]);
  });

  it("are made of loops under conditions on sizes, and of the loops inside where there are few tiles", () => {
    const split = splitKernel(
      kernelOf(`alloc panel: f32[4]
if N >= 4 {
  for n in 0..8 step 4 parallel over n {
    for q in 0..4 over k {
      panel[q] = x[q]
    }
    for m in 0..N // 4 * 4 step 4 parallel over m {
      for q_1 in 0..4 over k {
        y[n * N + m] = panel[q_1]
      }
    }
    for m_1 in N // 4 * 4..N parallel over m {
      for q_2 in 0..4 over k {
        y[n * N + m_1] = panel[q_2]
      }
    }
  }
} else {
  for n_1 in 0..8 parallel over n {
    y[n_1] = x[n_1]
  }
}`),
    );
    expect(split?.pieces.map((piece) => piece.tiles({ N: 11 }))).toEqual([4, 6, 0]);
    expect(split?.pieces.map((piece) => piece.work({ N: 11 }))).toEqual([1 + 2 * (4 + 2 * 4), 1 + 2 * (4 + 3 * 4), 0]);
    expect(split?.pieces.map((piece) => piece.tiles({ N: 3 }))).toEqual([0, 0, 8]);
  });

  it("hand scratch on that one fills and another reads, as buffers that all threads see", () => {
    const split = splitKernel(
      kernelOf(`alloc own: f32[4]
alloc row: f32[8]
for i in 0..8 parallel over element {
  own[0] = x[i]
  row[i] = own[0]
}
for j in 0..8 parallel over element {
  y[j] = row[7 - j]
}`),
    );
    expect(split?.handed.map(({ name }) => name)).toEqual(["row"]);
    expect(split?.pieces.map(({ kernel }) => kernel.buffers.map(({ name }) => name))).toEqual([
      ["x", "y", "row"],
      ["x", "y", "row"],
    ]);
    for (const { kernel } of split!.pieces) expect(scratchIn(kernel.body).map(({ name }) => name)).toEqual(["own"]);
  });

  it("fill scratch for themselves that a loop before them fills", () => {
    const split = splitKernel(
      kernelOf(`alloc panel: f32[4]
for q in 0..4 over k {
  panel[q] = x[q]
}
for m in 0..N parallel over m {
  for q_1 in 0..4 over k {
    y[m] = panel[q_1]
  }
}`),
    );
    expect(split?.handed).toEqual([]);
    expect(split?.early).toEqual(["x"]);
    expect(split?.pieces.map(({ kernel }) => kernel.body.map(({ kind }) => kind))).toEqual([["alloc", "for", "for"]]);
    expect(split?.pieces[0]?.tiles({ N: 11 })).toBe(11);
  });

  it("take the tiles of loops that hold nothing but each other as those of one", () => {
    const split = splitKernel(
      kernelOf(`for i in 0..2 parallel over batch {
  for j in 0..6 step 3 parallel over n {
    for m in 4..10 step 2 parallel over m {
      for q in 0..4 over k {
        y[i * 40 + j * 5 + m] = x[q]
      }
    }
  }
}`),
    );
    const [piece, ...others] = split!.pieces;
    expect(others).toEqual([]);
    expect(piece!.tiles({ N: 1 })).toBe(12);
    const run = (from: number, to: number): readonly number[] => {
      const [x, y] = [new Float64Array(80).fill(1), new Float64Array(80)];
      interpretKernel(piece!.kernel, { x, y }, { N: 80, first_tile: from, past_tile: to });
      return [...y.keys()].filter((at) => y[at] === 1);
    };
    const places = [4, 6, 8, 19, 21, 23, 44, 46, 48, 59, 61, 63];
    expect(run(0, 12)).toEqual(places);
    expect([...run(0, 5), ...run(5, 8), ...run(8, 12)]).toEqual(places);
  });

  it("do not repeat what is much of the work", () => {
    const kernel = (terms: number) =>
      kernelOf(`alloc sum: f32[1]
for n in 0..8 parallel over n {
  for q in 0..${terms} over k {
    sum[0] = x[q]
  }
  for m in 0..3 parallel over m {
    for q_1 in 0..8 over k {
      y[n * 3 + m] = sum[0]
    }
  }
}`);
    expect(splitKernel(kernel(6))?.pieces.map((piece) => piece.tiles({ N: 1 }))).toEqual([24]);
    expect(splitKernel(kernel(60))?.pieces.map((piece) => piece.tiles({ N: 1 }))).toEqual([8]);
  });

  it.each([
    ["a serial loop", "for i in 0..N over element {\n  y[i] = x[i]\n}"],
    [
      "a serial loop and another",
      "for i in 0..N over element {\n  y[i] = x[i]\n}\nfor j in 0..N parallel over element {\n  y[j] = x[j]\n}",
    ],
    ["an accumulator", "var s = x[0]\nfor i in 0..N parallel over element {\n  y[i] = x[i]\n}\ny[0] = s"],
    ["a result that is read first", "let t = y[0]\nfor i in 0..N parallel over element {\n  y[i] = t\n}"],
  ])("are not made of %s", (_, body) => {
    expect(splitKernel(kernelOf(body))).toBe(undefined);
  });
});

describe("a pool", () => {
  /** A function that stores its first tile's number there, or reads where there is no memory. */
  function moduleOf(kind: "store" | "trap") {
    const [first, past] = [
      { name: "first", type: "i32" },
      { name: "past", type: "i32" },
    ] as const;
    const address = kind === "store" ? op("i32.mul", get(first), i32(4)) : i32(-4);
    const body = [{ kind: "memory", op: "i32.store", offset: 0, operands: [address, get(past)] }] as const;
    const target = { name: "run", comments: [], parameters: [first, past], body, exported: true };
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
    const module = new WebAssembly.Module(encodeModule({ functions: [target], memoryPages: 1, sharedPages: 1 }));
    return { memory, module };
  }
  const job = { name: "test", tiles: 40, chunks: 40, parameters: [0, 0], sizes: 0, scratchBytes: 0 };
  /** The calling thread's part of the work: it takes its time. */
  const busy = (): void => {
    const end = performance.now() + 20;
    while (performance.now() < end);
  };

  it("gives each tile to one thread, and workers take theirs", async () => {
    const { memory, module } = moduleOf("store");
    const pool = createPool(memory, 3);
    let own = 0;
    const kernel = pool.add(
      module,
      ["run"],
      [
        () => {
          own++;
          busy();
        },
      ],
    );
    const run = pool.define({ ...job, kernel })!;
    await started();
    run();
    const stored = new Int32Array(memory.buffer, 0, job.tiles);
    expect(own).toBeLessThan(job.tiles);
    expect([...stored].filter((past, tile) => past === tile + 1)).toHaveLength(job.tiles - own);
    pool.dispose();
  });

  it("says in which kernel a thread failed, and waits no longer", async () => {
    const { memory, module } = moduleOf("trap");
    const pool = createPool(memory, 2);
    const run = pool.define({ ...job, kernel: pool.add(module, ["run"], [busy]) })!;
    await started();
    expect(run).toThrow(/a thread failed in test/);
    pool.dispose();
  });

  it("has room for so many regions only", () => {
    const { memory, module } = moduleOf("store");
    const pool = createPool(memory, 1);
    const kernel = pool.add(module, ["run"], [() => undefined]);
    let count = 0;
    while (pool.define({ ...job, kernel })) count++;
    expect(count).toBeGreaterThan(10_000);
  });
});
