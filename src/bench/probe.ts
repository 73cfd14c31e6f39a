// What a loop that measures the machine is: those of the targets are in `js-probes.ts` and `wasm-probes.ts`.

/** A loop whose speed says something about the machine. */
export interface Probe {
  readonly run: () => void;
  /** Operations, or bytes, of one run. */
  readonly work: number;
}

export interface Probes {
  readonly peak: readonly Probe[];
  readonly bandwidth: readonly Probe[];
}

/** Bytes that the bandwidth is measured on: more than caches hold. */
export const probedBytes = 2 ** 26;
