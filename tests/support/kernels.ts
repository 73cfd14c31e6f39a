// Kernels that tests write out by hand.

import type { Kernel, Stmt } from "../../src/ir/kernel/types.ts";

/** A kernel of these statements, with nothing said about it. */
export const kernelOf = (buffers: Kernel["buffers"], body: readonly Stmt[], sizes: readonly string[] = []): Kernel => ({
  name: "test",
  doc: "",
  location: undefined,
  sizes,
  buffers,
  body,
  cost: { flops: 0, bytes: 0 },
});
