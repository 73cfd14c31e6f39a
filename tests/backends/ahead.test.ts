// What is worked out ahead of runs is never stale: after any order of writes, steps of training and runs, a graph gives the bits that a
// new executable with the same parameters gives.

import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import type { Repeatable, Tensors } from "../../src/backends/backend.ts";
import { globalOffsets } from "../../src/backends/runtime/layout.ts";
import { type Compiled, compile, load, type TargetName } from "../../src/compile.ts";
import { compileSource } from "../../src/dsl/compile-source.ts";
import type { Tensor } from "../../src/ir/dtype.ts";
import { callsIn, globalsOf } from "../../src/ir/kernel/program.ts";
import { createRandom } from "../support/graphs.ts";
import { drawValue } from "../support/models.ts";

const text = (rows: string): string => `
model Net(x: f32[${rows}, 264]) -> (y: f32[${rows}, 7]) {
  logits = x |> dense(72) as first |> relu |> dense(72, bias: false) as second |> relu |> dense(7) as last
  y = softmax(logits)
}

train Net {
  target label: i32[${rows}]
  data: rows(x: [], label: [])
  loss: cross_entropy(logits, label)
  metrics: accuracy(logits, label)
  optimizer: sgd(lr: 0.1)
  epochs: 1
  batch: 6
}
`;

function compiledFor(target: TargetName, rows: string): Compiled {
  const { module, diagnostics } = compileSource({ name: "net.dlm", text: text(rows) }, () => undefined);
  if (!module) throw new Error(diagnostics.map(({ message }) => message).join("\n"));
  return compile(module, { target, graphs: ["train_step", "infer", "eval_step"] });
}

const opened: Repeatable[] = [];
afterEach(() => {
  for (const executable of opened.splice(0)) executable.dispose?.();
});

function open(compiled: Compiled, threads = 1): Repeatable {
  const executable = load(compiled, { threads });
  opened.push(executable);
  return executable;
}

function inputsOf({ programs }: Compiled, graph: string, n: number): Record<string, Tensor> {
  const random = createRandom(n);
  const { inputs } = programs.programs.get(graph)!;
  return Object.fromEntries(inputs.map(({ name, type }) => [name, drawValue(name, type, { N: n }, random)]));
}

const bytesIn = (tensors: Tensors): readonly (readonly [string, readonly number[]])[] =>
  Object.entries(tensors).map(([name, { data }]) => [
    name,
    [...new Uint8Array(data.buffer, data.byteOffset, data.byteLength)],
  ]);

/** What a graph gives for parameters and states as they are, in memory that has seen nothing else. */
function anew(compiled: Compiled, executable: Repeatable, graph: string, n: number): ReturnType<typeof bytesIn> {
  const other = load(compiled);
  for (const name of compiled.programs.globals.keys()) other.write(name, executable.read(name));
  return bytesIn(other.run(graph, inputsOf(compiled, graph, n)));
}

function start(compiled: Compiled, executable: Repeatable, seed: number): void {
  const random = createRandom(seed);
  for (const [name, { type }] of compiled.programs.globals) executable.write(name, drawValue(name, type, {}, random));
}

// Plain JavaScript keeps panels where rows are few.
const compiled = { js: compiledFor("js", "6"), wasm: compiledFor("wasm", "N") };
const ways = [
  ["js", compiled.js, 1],
  ["wasm", compiled.wasm, 1],
  ["wasm on two threads", compiled.wasm, 2],
] as const;

describe.each(ways)("what is made ahead of runs, as %s", (_, program, threads) => {
  it("is made of weights that no run of the graph changes", () => {
    const { programs, kept } = program.programs;
    expect(programs.get("train_step")!.ahead).toBeUndefined();
    const infer = programs.get("infer")!;
    expect([...globalsOf(programs.get(infer.ahead!)!, "write")]).toEqual([...kept.keys()]);
    for (const name of kept.keys()) expect(globalsOf(infer, "read")).toContain(name);
    // The graphs share what is kept, and none of it lies where parameters do, or in the arena.
    expect([...globalsOf(programs.get(programs.get("eval_step")!.ahead!)!, "write")]).toEqual([...kept.keys()]);
    for (const { call } of callsIn(programs.get(infer.ahead!)!.steps)) {
      expect(call.places.every(({ kind }) => kind === "global")).toBe(true);
      expect(call.kernel.sizes).toEqual([]);
    }
    const { byName, givenBytes } = globalOffsets(program.programs);
    for (const name of kept.keys()) expect(byName.get(name)).toBeGreaterThanOrEqual(givenBytes);
  });

  it("is made anew after a write, and after a graph that changes parameters", () => {
    const executable = open(program, threads);
    start(program, executable, 1);
    const train = (): void => {
      executable.run("train_step", inputsOf(program, "train_step", 8));
    };
    // From here on the memory is large enough: what is new there is made anew in any case.
    train();
    const prepared = executable.prepare("infer", inputsOf(program, "infer", 9));
    const seen = new Set<string>();
    const check = (): void => {
      prepared.run();
      const got = bytesIn(prepared.outputs);
      expect(got).toEqual(anew(program, executable, "infer", 9));
      seen.add(JSON.stringify(got));
    };
    check();
    check();
    expect(seen.size).toBe(1);
    const { shape } = executable.read("second.kernel");
    executable.write("second.kernel", { dtype: "f32", shape, data: new Float32Array(72 * 72).fill(0.125) });
    check();
    expect(seen.size).toBe(2);
    train();
    expect(bytesIn(executable.run("infer", inputsOf(program, "infer", 9)))).toEqual(
      anew(program, executable, "infer", 9),
    );
  });

  it("is never stale, whatever came before", () => {
    const sizes = fc.constantFrom(1, 3, 4, 9, 40, 700);
    const step = fc.oneof(
      fc.record({ kind: fc.constant("run" as const), graph: fc.constantFrom("infer", "eval_step"), n: sizes }),
      fc.record({ kind: fc.constant("train" as const), n: sizes }),
      fc.record({
        kind: fc.constant("write" as const),
        name: fc.constantFrom("first.kernel", "second.kernel"),
        seed: fc.nat(),
      }),
    );
    fc.assert(
      fc.property(fc.array(step, { minLength: 3, maxLength: 7 }), (steps) => {
        const executable = load(program, { threads });
        try {
          start(program, executable, 2);
          for (const next of [...steps, { kind: "run", graph: "infer", n: 5 } as const]) {
            if (next.kind === "write") {
              const { type } = program.programs.globals.get(next.name)!;
              executable.write(next.name, drawValue(next.name, type, {}, createRandom(next.seed)));
              continue;
            }
            const graph = next.kind === "train" ? "train_step" : next.graph;
            const expected = anew(program, executable, graph, next.n);
            expect(bytesIn(executable.run(graph, inputsOf(program, graph, next.n)))).toEqual(expected);
          }
        } finally {
          executable.dispose?.();
        }
      }),
      { numRuns: 8 },
    );
  });
});

it("a graph that is not there is told by the names of those that are", () => {
  expect(() => open(compiled.js).run("predict", {})).toThrow(
    "Net has no graph predict; it has infer, train_step, eval_step",
  );
});

describe.each(["js", "wasm"] as const)("products of few rows and weights, as %s", (target) => {
  it.each([1, 5, 8, 19])("have the right sums for %i columns", (columns) => {
    for (const rows of [1, 2, 3, 7]) {
      const terms = 1100;
      const source = `model Few(x: f32[${rows}, ${terms}]) -> (y: f32[${rows}, ${columns}]) {
        y = x |> dense(${columns}, bias: false) as d
      }`;
      const { module } = compileSource({ name: "few.dlm", text: source }, () => undefined);
      if (!module) throw new Error("the program does not compile");
      const program = compile(module, { target, graphs: ["infer"] });
      const executable = open(program);
      start(program, executable, 5);
      const { x } = inputsOf(program, "infer", 1);
      const kernel = executable.read("d.kernel").data;
      const { y } = executable.run("infer", { x: x! });
      for (let i = 0; i < rows * columns; i++) {
        const [row, column] = [Math.floor(i / columns), i % columns];
        let sum = 0;
        for (let k = 0; k < terms; k++) sum += x!.data[row * terms + k]! * kernel[k * columns + column]!;
        expect(y!.data[i]).toBeCloseTo(sum, 4);
      }
    }
  });
});

it("nothing is kept for WebGPU", () => {
  const { programs } = compiledFor("webgpu", "6");
  expect(programs.kept.size).toBe(0);
  expect(compiled.js.programs.kept.size).toBeGreaterThan(0);
});
