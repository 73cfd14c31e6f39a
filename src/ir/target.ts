// What a machine can do, as data. Passes ask for capabilities, never for a back-end by name.

export interface Target {
  /** Of the back-end that renders for it; for choosing that and for reports alone. */
  readonly name: "js" | "wasm";
  /** Elements of a float vector; 1 where there are no vectors. */
  readonly lanes: 1 | 4;
  /** Whether `fma` of vectors is one instruction; else it is a product and a sum. */
  readonly fma: boolean;
  /** Whether registers hold float64: sums round only when they are stored, and need no partial accumulators for accuracy. */
  readonly wideAccumulators: boolean;
  /** Vector registers (scalar ones where there are no vectors) that a loop body may fill without spilling. */
  readonly registers: number;
}

/** Plain JavaScript on typed arrays: numbers are float64. */
export const jsTarget: Target = { name: "js", lanes: 1, fma: false, wideAccumulators: true, registers: 15 };

/** WebAssembly with 128-bit vectors; `fma` where relaxed SIMD is at hand. x64 has 16 vector registers, one of them scratch. */
export const wasmTarget = (options: { readonly fma: boolean }): Target => ({
  name: "wasm",
  lanes: 4,
  fma: options.fma,
  wideAccumulators: false,
  registers: 15,
});
