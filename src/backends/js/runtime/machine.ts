// What runs the kernels of a bundle as JavaScript: an ArrayBuffer, and functions that are made over it.

import type { Create } from "./compile.ts";
import type { Machine } from "./model.ts";

/** `weights` are the first bytes of the memory; `create` makes the functions, `graph` is the one that runs. */
export function jsMachine(graph: string, weights: Uint8Array<ArrayBuffer>, create: Create): Machine {
  let memory = weights.buffer;
  let functions: ReturnType<Create> | undefined;
  return {
    reserve(bytes, ample) {
      if (functions && memory.byteLength >= bytes) return memory;
      // V8 takes typed arrays for constants only in the first closure made of a text: make it over a memory that is likely to last.
      // Pages that are never touched cost nothing.
      memory = new ArrayBuffer(Math.max(bytes, Math.min(ample(), 2 ** 26)));
      new Uint8Array(memory).set(weights);
      functions = create(memory);
      return memory;
    },
    run(sizes, inputs, arena, _end, ahead) {
      if (ahead) functions![`${graph}.ahead`]?.(...sizes, ...inputs, arena);
      functions![graph]!(...sizes, ...inputs, arena);
    },
  };
}
