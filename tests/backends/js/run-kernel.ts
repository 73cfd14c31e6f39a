// Runs one kernel as generated JavaScript, for comparison with the interpreter.

import { type HelperName, helperText } from "../../../src/backends/js/helpers.ts";
import { renderKernel } from "../../../src/backends/js/render-kernel.ts";
import { allocate, bytesOf, type TypedArray } from "../../../src/ir/dtype.ts";
import { applyConvert } from "../../../src/ir/kernel/arithmetic.ts";
import { interpretKernel } from "../../../src/ir/kernel/interpret.ts";
import type { Kernel } from "../../../src/ir/kernel/types.ts";
import { toHalf } from "../../../src/util/half.ts";

export type Elements = Readonly<Record<string, readonly number[]>>;

/** Typed arrays for the buffers of a kernel, with the given elements (as numbers, also for f16). */
export function arrays(kernel: Kernel, elements: Elements): Record<string, TypedArray> {
  return Object.fromEntries(
    kernel.buffers.map(({ name, dtype }): [string, TypedArray] => {
      const values = elements[name] ?? [];
      const array = allocate(dtype, values.length);
      for (const [i, value] of values.entries())
        array[i] = dtype === "f16" ? toHalf(value) : applyConvert(dtype, dtype, value);
      return [name, array];
    }),
  );
}

/** The bytes of all buffers after the kernel has run in the interpreter. */
export function runInterpreted(
  kernel: Kernel,
  elements: Elements,
  sizes: Readonly<Record<string, number>> = {},
): Record<string, readonly number[]> {
  const buffers = arrays(kernel, elements);
  interpretKernel(kernel, buffers, sizes);
  return bits(buffers);
}

/** The same for its generated JavaScript. Between the buffers lie bytes that must stay as they are. */
export function runRendered(
  kernel: Kernel,
  elements: Elements,
  sizes: Readonly<Record<string, number>> = {},
): Record<string, readonly number[]> {
  const buffers = arrays(kernel, elements);
  const gap = 16;
  let end = gap;
  const offsets = kernel.buffers.map(({ name }) => {
    const offset = end;
    end += Math.ceil(buffers[name]!.byteLength / 16) * 16 + gap;
    return offset;
  });
  const memory = new ArrayBuffer(end);
  const bytes = new Uint8Array(memory).fill(0xa5);
  kernel.buffers.forEach(({ name }, i) => {
    const { buffer, byteLength } = buffers[name]!;
    bytes.set(new Uint8Array(buffer, 0, byteLength), offsets[i]);
  });
  const { text, helpers } = renderKernel(kernel, "kernel_under_test");
  const source = [...helperText(new Set<HelperName>(helpers)), text, "return kernel_under_test;"].join("\n");
  const names = ["f32", "i32", "u8", "i8", "f16"];
  const views = [Float32Array, Int32Array, Uint8Array, Int8Array, Uint16Array].map((View) => new View(memory));
  const run: (...values: number[]) => void = new Function(...names, `"use strict";\n${source}`)(...views);
  run(
    ...kernel.sizes.map((size) => sizes[size]!),
    ...kernel.buffers.map(({ dtype }, i) => offsets[i]! / bytesOf[dtype]),
  );
  kernel.buffers.forEach(({ name }, i) => {
    const { buffer, byteLength } = buffers[name]!;
    new Uint8Array(buffer).set(bytes.subarray(offsets[i], offsets[i]! + byteLength));
    bytes.fill(0xa5, offsets[i], offsets[i]! + byteLength);
  });
  if (bytes.some((byte) => byte !== 0xa5)) throw new Error(`${kernel.name} wrote beyond its buffers:\n${text}`);
  return bits(buffers);
}

/** Bits, so that -0 and 0 differ; all NaN of floats are one. */
function bits(buffers: Record<string, TypedArray>): Record<string, readonly number[]> {
  const list = (array: TypedArray): number[] => {
    if (!(array instanceof Float32Array)) return [...array];
    const words = new Uint32Array(array.buffer, array.byteOffset, array.length);
    return [...array].map((x, i) => (Number.isNaN(x) ? Number.NaN : words[i]!));
  };
  return Object.fromEntries(Object.entries(buffers).map(([name, array]) => [name, list(array)]));
}
