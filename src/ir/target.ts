// What a machine can do, as data. Passes ask for capabilities, never for a back-end by name.

export interface Target {
  /** Of the back-end that renders for it; for choosing that and for reports alone. */
  readonly name: "js" | "wasm" | "webgpu";
  /** Elements of a float vector; 1 where there are no vectors. */
  readonly lanes: 1 | 4;
  /** Whether `fma` of vectors is one instruction; else it is a product and a sum. */
  readonly fma: boolean;
  /** Whether registers hold float64: sums round only when they are stored, and need no partial accumulators for accuracy. */
  readonly wideAccumulators: boolean;
  /**
   * Whether the engine loads all operands of an iteration before it computes with any of them: then they need registers as well, and
   * fewer are left for sums. V8 does so up to 12 (Node 20 and 22).
   */
  readonly loadsFirst: boolean;
  /** Where kernels run in groups of threads instead of in loops: what a group can have. */
  readonly groups?: GroupLimits;
}

/** Limits of a machine whose kernels run in groups of threads. Programs that need more are split until they fit. */
export interface GroupLimits {
  /** Threads of a group: how many the schedules take, not the most that there could be. */
  readonly threads: number;
  /** The most threads of a group, for kernels whose threads wait for each other. */
  readonly mostThreads: number;
  /** Bytes that the threads of a group share. */
  readonly sharedBytes: number;
  /** Stretches of memory that one kernel can be given. */
  readonly buffers: number;
}

/** Plain JavaScript on typed arrays: numbers are float64. */
export const jsTarget: Target = { name: "js", lanes: 1, fma: false, wideAccumulators: true, loadsFirst: false };

/**
 * WebAssembly with 128-bit vectors. `fma` where relaxed SIMD is at hand; `loadsFirst` unless the engine is known to do better.
 */
export const wasmTarget = (options: { readonly fma: boolean; readonly loadsFirst?: boolean }): Target => ({
  name: "wasm",
  lanes: 4,
  fma: options.fma,
  wideAccumulators: false,
  loadsFirst: options.loadsFirst ?? true,
});

/**
 * WebGPU as every implementation has it: 8 storage buffers a stage and 16 KB of shared memory are what the standard guarantees, so that
 * a program that was compiled without asking an adapter runs on any. Groups of 64 fill the SIMD units of all GPUs of today. A thread
 * takes vectors of four: loads that lie together, and less to do for each thread than to start it.
 */
export const webgpuTarget: Required<Target> = {
  name: "webgpu",
  lanes: 4,
  fma: false,
  wideAccumulators: false,
  loadsFirst: false,
  groups: { threads: 64, mostThreads: 256, sharedBytes: 16384, buffers: 8 },
};
