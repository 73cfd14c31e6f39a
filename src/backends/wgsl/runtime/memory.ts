// A memory of a plan on a device: one buffer, or, where it is larger than the device's buffers, one for each page of it.

import { GpuError } from "./errors.ts";
import { alignment } from "./plan.ts";

export interface GpuMemory {
  readonly bytes: number;
  /** The buffer that an offset of the memory lies in, and the offset there. */
  at(offset: number): { readonly buffer: GPUBuffer; readonly offset: number };
  destroy(): void;
}

/** The bytes of a page: the largest buffer that a kernel can be given whole, of `most` bytes at most. */
export function pageBytes({ limits }: GPUDevice, most = Number.POSITIVE_INFINITY): number {
  const largest = Math.min(limits.maxBufferSize, limits.maxStorageBufferBindingSize, most);
  return largest - (largest % alignment);
}

// GPUBufferUsage by its numbers: not every host has it as a global.
const [copySource, copyTarget, storage] = [4, 8, 0x80];
const usage = copySource | copyTarget | storage;

/** `purpose` says what needs so much, where there is not so much: `… for parameters`. Throws a GpuError. */
export async function createMemory(
  device: GPUDevice,
  label: string,
  bytes: number,
  page: number,
  purpose: string,
): Promise<GpuMemory> {
  device.pushErrorScope("out-of-memory");
  const buffers: GPUBuffer[] = [];
  for (let from = 0; from < bytes; from += page) {
    buffers.push(device.createBuffer({ label, size: Math.min(page, bytes - from), usage }));
  }
  const error = await device.popErrorScope();
  const destroy = (): void => {
    for (const buffer of buffers) buffer.destroy();
  };
  if (error) {
    destroy();
    const needed = `${Math.ceil(bytes / 1e6)} MB of memory for ${purpose}`;
    throw new GpuError("out-of-memory", `${needed} are more than the device has: ${error.message}`);
  }
  return {
    bytes,
    at(offset) {
      const number = Math.floor(offset / page);
      return { buffer: buffers[number]!, offset: number === 0 ? offset : offset - number * page };
    },
    destroy,
  };
}
