// What runs the kernels of a bundle as WebAssembly: the first of its binaries that the engine can run, over a memory that grows.

import { fromCharacters } from "../../js/runtime/bytes.ts";
import type { Machine } from "../../js/runtime/model.ts";
import { align } from "../../runtime/layout.ts";

const pageBytes = 65536;

export interface Binary {
  /** The smallest module that needs what the binary needs, as characters. */
  readonly probe: string;
  readonly code: () => Uint8Array<ArrayBuffer> | Promise<Uint8Array<ArrayBuffer>>;
  /** What a run needs behind its arena: the list of the addresses of the arena's buffers, then scratch memory. */
  readonly extraBytes: number;
}

/**
 * `weights` are the first bytes of the memory. Without `fallback`, throws where the engine has no WebAssembly with SIMD, or is not
 * allowed to compile any.
 */
export async function wasmMachine(
  name: string,
  graph: string,
  weights: Uint8Array<ArrayBuffer>,
  binaries: readonly Binary[],
  fallback?: () => Machine,
): Promise<Machine> {
  const chosen =
    typeof WebAssembly === "object"
      ? binaries.find(({ probe }) => WebAssembly.validate(fromCharacters(probe)))
      : undefined;
  if (!chosen) {
    if (fallback) return fallback();
    throw new Error(
      `${name} needs WebAssembly with SIMD, which this engine lacks; a bundle with --target auto falls back to JavaScript`,
    );
  }
  const code = await chosen.code();
  const memory = new WebAssembly.Memory({ initial: Math.max(1, Math.ceil(weights.length / pageBytes)) });
  let exports: WebAssembly.Exports;
  try {
    exports = (await WebAssembly.instantiate(code, { env: { memory } })).instance.exports;
  } catch (error) {
    // Some servers, and pages with a strict policy, compile nothing.
    if (fallback) return fallback();
    throw error;
  }
  const [entry, makeAhead] = [exports[graph], exports[`${graph}.ahead`]];
  if (typeof entry !== "function") throw new Error(`the WebAssembly of ${name} has no ${graph}`);
  new Uint8Array(memory.buffer).set(weights);
  return {
    reserve(bytes) {
      const missing = Math.ceil((bytes + chosen.extraBytes - memory.buffer.byteLength) / pageBytes);
      try {
        if (missing > 0) memory.grow(missing);
      } catch {
        throw new RangeError(
          `${name} needs ${(bytes / 1e9).toFixed(1)} GB and is not given them: take a smaller batch`,
        );
      }
      return memory.buffer;
    },
    run(sizes, inputs, arena, end, ahead) {
      new Int32Array(memory.buffer, end, arena.length).set(arena);
      const parameters = [...sizes, ...inputs, end, align(end + 4 * arena.length)];
      if (ahead && typeof makeAhead === "function") makeAhead(...parameters);
      entry(...parameters);
    },
  };
}
