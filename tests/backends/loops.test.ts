// Loops of programs: rounds in order, places that move along with them, and a back-end's own control flow around kernels.

import { afterEach, describe, expect, it } from "vitest";
import type { Executable } from "../../src/backends/backend.ts";
import { createExecutableOver } from "../../src/backends/executable.ts";
import { createExecutable } from "../../src/backends/js/executable.ts";
import { createInterpreted } from "../../src/backends/js/interpreted.ts";
import { createExecutable as createWasmExecutable } from "../../src/backends/wasm/executable.ts";
import { createThreadedEngine } from "../../src/backends/wasm/threads/engine.ts";
import { addDims, multiplyDims, symbol } from "../../src/ir/dim.ts";
import { k } from "../../src/ir/kernel/build.ts";
import type { Program, ProgramModule, Step } from "../../src/ir/kernel/program.ts";
import type { Kernel } from "../../src/ir/kernel/types.ts";
import type { Place } from "../../src/ir/memory-plan.ts";

const [T, t] = [symbol("T"), symbol("t")];
const at = k.variable("i", "index");

/** y[3] = 2 * x[3] + z[3] + t */
const accumulate: Kernel = {
  name: "accumulate",
  doc: "",
  location: undefined,
  sizes: ["t"],
  buffers: [
    { name: "x", dtype: "f32", length: 3, access: "read" },
    { name: "z", dtype: "f32", length: 3, access: "read" },
    { name: "y", dtype: "f32", length: 3, access: "write" },
  ],
  body: [
    k.loop(
      "i",
      3,
      [
        k.store(
          "y",
          at,
          k.add(
            k.add(k.multiply(k.load("x", at, "f32"), 2), k.load("z", at, "f32")),
            k.convert(k.convert(k.variable("t", "index"), "i32"), "f32"),
          ),
        ),
      ],
      { mode: "parallel" },
    ),
  ],
  cost: { flops: 9, bytes: 36 },
};
const clear: Kernel = {
  name: "clear",
  doc: "",
  location: undefined,
  sizes: [],
  buffers: [{ name: "y", dtype: "f32", length: 3, access: "write" }],
  body: [k.loop("i", 3, [k.store("y", at, k.constant(0, "f32"))])],
  cost: { flops: 0, bytes: 12 },
};

/** Rows of a stack with T + 1 of them: each from the one before it (or, backwards, behind it) and a row of the input. */
function program(reversed: boolean): Program {
  const stack = (row: typeof T | number): Place => ({ kind: "arena", buffer: 0, offset: multiplyDims(3, row) });
  const next = symbol("t");
  const after: Place = { kind: "arena", buffer: 0, offset: multiplyDims(3, addDims(t, 1)) };
  const row: Place = { kind: "input", name: "x", offset: multiplyDims(3, t) };
  const round: Step = {
    kind: "call",
    kernel: accumulate,
    places: reversed ? [row, after, stack(next)] : [row, stack(next), after],
  };
  return {
    name: "run",
    inputs: [{ name: "x", type: { dtype: "f32", shape: [T, 3] } }],
    outputs: [{ name: "y", type: { dtype: "f32", shape: [addDims(T, 1), 3] }, place: stack(0) }],
    steps: [
      { kind: "call", kernel: clear, places: [stack(reversed ? T : 0)] },
      { kind: "loop", index: "t", extent: T, reversed, steps: [round] },
    ],
    copies: [],
    buffers: [{ bytes: multiplyDims(12, addDims(T, 1)), first: 0, last: 2 }],
    sizes: ["T"],
    requirements: [],
  };
}

const opened: Executable[] = [];
afterEach(() => {
  for (const executable of opened.splice(0)) executable.dispose?.();
});

const targets: readonly (readonly [string, (module: ProgramModule) => Executable])[] = [
  ["the interpreter", (module) => createExecutable(module, { create: createInterpreted })],
  ["js", (module) => createExecutable(module)],
  ["wasm", (module) => createWasmExecutable(module)],
  [
    "wasm with threads that share nothing",
    (module) => createExecutableOver(module, createThreadedEngine(module, { fma: false }, 2)),
  ],
  [
    "wasm with threads that share every round",
    (module) =>
      createExecutableOver(module, createThreadedEngine(module, { fma: false, grain: { region: 0, chunk: 0 } }, 2)),
  ],
];

describe.each(targets)("loops of programs on %s", (_, open) => {
  it.each([false, true])("run their rounds in order, reversed: %s", (reversed) => {
    const programs = new Map([["run", program(reversed)]]);
    const executable = open({ name: "Loops", doc: "", globals: new Map(), kept: new Map(), programs });
    opened.push(executable);
    for (const length of [3, 1, 0, 4]) {
      const data = Float32Array.from({ length: 3 * length }, (_, i) => i % 7);
      const { y } = executable.run("run", { x: { dtype: "f32", shape: [length, 3], data } });
      const rows = Array.from({ length: length + 1 }, () => [0, 0, 0]);
      for (let round = 0; round < length; round++) {
        const step = reversed ? length - 1 - round : round;
        const [from, to] = reversed ? [step + 1, step] : [step, step + 1];
        rows[to] = rows[from]!.map((sum, i) => 2 * data[3 * step + i]! + sum + step);
      }
      expect([...y!.data]).toEqual(rows.flat());
    }
  });
});
