// Runs one kernel as WebAssembly, for comparison with the interpreter whose registers hold float32.

import { encodeModule } from "../../../src/backends/wasm/encode.ts";
import { createLibrary } from "../../../src/backends/wasm/functions/library.ts";
import { renderKernel } from "../../../src/backends/wasm/render-kernel.ts";
import { withCallees } from "../../../src/backends/wasm/tree.ts";
import { printModule } from "../../../src/backends/wasm/wat.ts";
import type { TypedArray } from "../../../src/ir/dtype.ts";
import { interpretKernel } from "../../../src/ir/kernel/interpret.ts";
import type { Kernel } from "../../../src/ir/kernel/types.ts";
import { arrays, type Elements } from "../js/run-kernel.ts";

type Sizes = Readonly<Record<string, number>>;
export type Buffers = Readonly<Record<string, TypedArray>>;

/** All buffers after the kernel has run in the interpreter. */
export function runInterpreted(kernel: Kernel, elements: Elements, sizes: Sizes = {}): Buffers {
  const buffers = arrays(kernel, elements);
  interpretKernel(kernel, buffers, sizes, {}, { registers: "f32" });
  return buffers;
}

/** The same for its WebAssembly. Between the buffers lie bytes that must stay as they are; the first lies at 0. */
export function runCompiled(kernel: Kernel, elements: Elements, sizes: Sizes = {}, fma = false): Buffers {
  const buffers = arrays(kernel, elements);
  const { target, scratchBytes } = renderKernel(kernel, "kernel_under_test", createLibrary(fma));
  const functions = withCallees([{ ...target, exported: true }]);
  let end = 0;
  const offsets = kernel.buffers.map(({ name }) => {
    const offset = end;
    end += Math.ceil(buffers[name]!.byteLength / 16) * 16 + 16;
    return offset;
  });
  const pages = Math.ceil((end + scratchBytes) / 65536);
  const memory = new WebAssembly.Memory({ initial: pages });
  const bytes = new Uint8Array(memory.buffer, 0, end).fill(0xa5);
  kernel.buffers.forEach(({ name }, i) => {
    const { buffer, byteLength } = buffers[name]!;
    bytes.set(new Uint8Array(buffer, 0, byteLength), offsets[i]);
  });
  const { exports } = instantiate(encodeModule({ functions, memoryPages: pages }), memory, () =>
    printModule(functions, pages),
  );
  const run = exports.kernel_under_test;
  if (typeof run !== "function") throw new Error("the kernel is not exported");
  const scratch = scratchBytes > 0 ? [end] : [];
  run(...kernel.sizes.map((size) => sizes[size]!), ...offsets, ...scratch);
  kernel.buffers.forEach(({ name }, i) => {
    const { buffer, byteLength } = buffers[name]!;
    new Uint8Array(buffer).set(bytes.subarray(offsets[i], offsets[i]! + byteLength));
    bytes.fill(0xa5, offsets[i], offsets[i]! + byteLength);
  });
  if (bytes.some((byte) => byte !== 0xa5)) throw new Error(`${kernel.name} wrote beyond its buffers`);
  return buffers;
}

function instantiate(
  binary: Uint8Array<ArrayBuffer>,
  memory: WebAssembly.Memory,
  text: () => string,
): WebAssembly.Instance {
  try {
    return new WebAssembly.Instance(new WebAssembly.Module(binary), { env: { memory } });
  } catch (error) {
    throw new Error(`${String(error)}\n${text()}`);
  }
}

/** A float32 as a number on the line of all of them: neighbours differ by 1, both zeros are 0. */
function onLine(x: number): number {
  const bits = new Int32Array(Float32Array.of(x).buffer)[0]!;
  return bits < 0 ? -(bits & 0x7fffffff) : bits;
}

/** How many float32 numbers lie between two, and 1; 0 for equal bits or two NaN. Zeros of different sign are infinitely apart. */
function ulpsApart(x: number, y: number): number {
  if (Number.isNaN(x) || Number.isNaN(y)) return Number.isNaN(x) === Number.isNaN(y) ? 0 : Number.POSITIVE_INFINITY;
  if (x === 0 && y === 0) return Object.is(x, y) ? 0 : Number.POSITIVE_INFINITY;
  return Math.abs(onLine(x) - onLine(y));
}

/** The largest distance of floats in units in the last place; integers must be equal, halves (as bits) at most 1 apart. */
export function distance(actual: Buffers, expected: Buffers): number {
  let largest = 0;
  for (const [name, array] of Object.entries(expected)) {
    array.forEach((value, i) => {
      const got = actual[name]![i]!;
      if (array instanceof Float32Array) largest = Math.max(largest, ulpsApart(got, value));
      else if (got !== value) largest = Number.POSITIVE_INFINITY;
    });
  }
  return largest;
}
