// The most that WebAssembly's vectors reach on one thread: multiply-adds in registers, reads and copies of a large memory.

import { encodeModule } from "../backends/wasm/encode.ts";
import { f32, get, i32, type Local, laneOf, op, set, type Tree, type WasmFunction } from "../backends/wasm/tree.ts";
import { type Probes, probedBytes } from "./probe.ts";

const rounds = 1_000_000;
const i: Local = { name: "i", type: "i32" };

/** @param fma whether a product and a sum may be one instruction */
export function wasmProbes(fma: boolean): Probes {
  const chains = 12;
  const half = probedBytes / 2;
  const copy: Tree = { kind: "copy", operands: [i32(half), i32(0), i32(half)] };
  const functions = [
    multiplyAdd(chains, fma),
    read(),
    { name: "copy", comments: [], parameters: [], body: [copy], exported: true } as const,
  ];
  const memory = new WebAssembly.Memory({ initial: probedBytes / 65536 });
  // Pages that were never written may all be one and the same.
  new Uint8Array(memory.buffer).fill(1);
  const binary = encodeModule({ functions, memoryPages: 1 });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(binary), { env: { memory } });
  const runOf = (name: string): (() => void) => {
    const run = exports[name];
    if (typeof run !== "function") throw new TypeError(`the probe ${name} is not exported`);
    return () => void run();
  };
  return {
    peak: [{ run: runOf("multiply_add"), work: rounds * chains * 8 }],
    bandwidth: [
      { run: runOf("read"), work: probedBytes },
      { run: runOf("copy"), work: probedBytes },
    ],
  };
}

/** Independent chains of a·x + x: enough of them to hide the latency. */
function multiplyAdd(chains: number, fma: boolean): WasmFunction {
  const sums = Array.from({ length: chains }, (_, n): Local => ({ name: `sum${n}`, type: "v128" }));
  const x: Local = { name: "x", type: "v128" };
  const more = (sum: Local): Tree =>
    fma
      ? op("f32x4.relaxed_madd", get(sum), get(x), get(x))
      : op("f32x4.add", op("f32x4.mul", get(sum), get(x)), get(x));
  return {
    name: "multiply_add",
    comments: [],
    parameters: [],
    result: "f32",
    exported: true,
    body: [
      ...[x, ...sums].map((local) => set(local, op("f32x4.splat", f32(0.5)))),
      loopTo(
        rounds,
        1,
        sums.map((sum) => set(sum, more(sum))),
      ),
      laneOf(
        "f32x4.extract_lane",
        0,
        sums.map(get).reduce((a, b) => op("f32x4.add", a, b)),
      ),
    ],
  };
}

function read(): WasmFunction {
  const seen = Array.from({ length: 4 }, (_, n): Local => ({ name: `seen${n}`, type: "v128" }));
  const load = (n: number): Tree => ({ kind: "memory", op: "v128.load", offset: 16 * n, operands: [get(i)] });
  return {
    name: "read",
    comments: [],
    parameters: [],
    result: "i32",
    exported: true,
    body: [
      loopTo(
        probedBytes,
        16 * seen.length,
        seen.map((local, n) => set(local, op("v128.xor", get(local), load(n)))),
      ),
      laneOf(
        "i32x4.extract_lane",
        0,
        seen.map(get).reduce((a, b) => op("v128.xor", a, b)),
      ),
    ],
  };
}

/** The body for i from 0 to `end`, at least once. */
function loopTo(end: number, step: number, body: readonly Tree[]): Tree {
  const label = { name: "next" };
  return {
    kind: "loop",
    label,
    body: [
      ...body,
      set(i, op("i32.add", get(i), i32(step))),
      { kind: "branch", label, condition: op("i32.lt_s", get(i), i32(end)) },
    ],
  };
}
