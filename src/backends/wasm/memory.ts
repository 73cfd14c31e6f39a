// Where a graph's own tables lie in the memory of a WebAssembly executable, and how far that memory grows.

import type { Program } from "../../ir/kernel/program.ts";
import { InputError } from "../backend.ts";
import { align, type Layout } from "../runtime/layout.ts";

export const pageBytes = 65536;
/** 32-bit addresses reach no further. */
export const mostPages = 65536;

/** Behind the arena lie the list of the addresses of its buffers and scratch memory. */
export function placesOf(program: Program, { bytes }: Layout, scratchBytes: number) {
  const arena = align(bytes);
  const scratch = align(arena + 4 * program.buffers.length);
  return { arena, scratch, end: scratch + scratchBytes };
}

/** Makes the memory so many bytes large at least; throws an InputError where that cannot be. */
export function growTo(memory: WebAssembly.Memory, bytes: number, name: string, most = mostPages): void {
  const missing = Math.ceil((bytes - memory.buffer.byteLength) / pageBytes);
  if (missing <= 0) return;
  checkSize(name, bytes, most);
  try {
    memory.grow(missing);
  } catch (error) {
    if (error instanceof RangeError) throw tooLarge(name, bytes, most);
    throw error;
  }
}

export function checkSize(name: string, bytes: number, most = mostPages): void {
  if (bytes > most * pageBytes) throw tooLarge(name, bytes, most);
}

function tooLarge(name: string, bytes: number, most: number): InputError {
  const gigabytes = (count: number): string => (count / 1e9).toFixed(1);
  return new InputError(
    `${name} needs ${gigabytes(bytes)} GB of memory, and WebAssembly gives at most ${gigabytes(most * pageBytes)} GB: take a smaller batch`,
  );
}
