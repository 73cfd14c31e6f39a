// Threads that share the work of parallel regions. The calling thread works too, and whoever is awake takes the next chunk from an
// atomic word; nobody waits for a worker that has not taken one, so workers may come late or be kept busy by other programs.

import { type StartedWorker, startWorker } from "./start-worker.ts";
import { control as at, chunkBits, lineWords, record, workerText } from "./worker-text.ts";

type Kernel = (...parameters: readonly number[]) => void;

/** A parallel region, ready to run. */
export interface Job {
  /** For messages. */
  readonly name: string;
  /** The number that `Pool.add` gave. */
  readonly kernel: number;
  readonly tiles: number;
  readonly chunks: number;
  /** Those for the sizes, two for the tiles, then the addresses. */
  readonly parameters: readonly number[];
  /** How many come before the two that say which tiles to run. */
  readonly sizes: number;
  /** Bytes of scratch memory that each thread has; its address is the last parameter. 0 if it needs none. */
  readonly scratchBytes: number;
}

export interface Pool {
  /** Makes the exported functions of a module known; gives the number of the first. */
  add(module: WebAssembly.Module, names: readonly string[], functions: readonly Kernel[]): number;
  /** A function that runs the region; undefined if the pool has room for no more. It throws when a thread fails. */
  define(job: Job): (() => void) | undefined;
  /** Ends the workers. */
  dispose(): void;
}

/** Words of shared memory for control and records. */
const words = 1 << 20;
/** The most chunks of a job: the word has room for twice as many. */
const mostChunks = 1 << (chunkBits - 1);
/** Rounds that the calling thread looks whether all is done before it sleeps: some 100 µs. */
const rounds = 40_000;
/** Seconds without a complete chunk after which a thread counts as lost. */
const patience = 30;

/** A pool of `threads` threads, the calling one among them. */
export function createPool(memory: WebAssembly.Memory, threads: number): Pool {
  const control = new Int32Array(new SharedArrayBuffer(4 * words));
  const workers: StartedWorker[] = [];
  const functions: Kernel[] = [];
  let end: number = at.records;
  for (let thread = 1; thread < threads; thread++) {
    const worker = startWorker(workerText);
    workers.push(worker);
    worker.post({ control, memory, thread });
  }

  const dispose = (): void => {
    Atomics.store(control, at.stop, 1);
    Atomics.notify(control, at.word);
    for (const worker of workers.splice(0)) worker.end();
  };
  const fail = (name: string, why: string): never => {
    dispose();
    throw new Error(`a thread ${why} in ${name}; run it with one thread to see more`);
  };
  /** Waits until all chunks are complete. */
  const join = (name: string, chunks: number): void => {
    for (let i = 0; i < rounds; i++) if (Atomics.load(control, at.done) === chunks) return;
    Atomics.store(control, at.callerSleeps, 1);
    let last = Atomics.load(control, at.done);
    let seconds = 0;
    while (last < chunks) {
      if (Atomics.load(control, at.failed) === 1) fail(name, "failed");
      // Seconds are counted by waiting, not by the clock: a process that was stopped for a while loses none.
      if (sleep(control, at.done, last)) seconds++;
      const now = Atomics.load(control, at.done);
      if (now > last) seconds = 0;
      if (seconds >= patience) fail(name, `has not answered for ${patience} s`);
      last = now;
    }
    Atomics.store(control, at.callerSleeps, 0);
  };

  return {
    add(module, names, own) {
      const first = functions.length;
      functions.push(...own);
      for (const worker of workers) worker.post({ module, names });
      return first;
    },
    define({ name, kernel, tiles, chunks: wanted, parameters, sizes, scratchBytes }) {
      const width = Math.ceil(tiles / Math.min(wanted, mostChunks));
      const chunks = Math.ceil(tiles / width);
      const line = end / lineWords;
      const next = end + Math.ceil((record.arguments + parameters.length) / lineWords) * lineWords;
      if (next > words) return undefined;
      control[end + record.kernel] = kernel;
      control[end + record.tiles] = tiles;
      control[end + record.width] = width;
      control[end + record.chunks] = chunks;
      control[end + record.sizes] = sizes;
      control[end + record.scratch] = scratchBytes;
      control[end + record.count] = parameters.length;
      control.set(parameters, end + record.arguments);
      end = next;
      const run = functions[kernel]!;
      const list = [...parameters];
      return () => {
        Atomics.store(control, at.done, 0);
        let word = line << chunkBits;
        Atomics.store(control, at.word, word);
        if (Atomics.load(control, at.sleeping) > 0) Atomics.notify(control, at.word, chunks - 1);
        for (;;) {
          const seen = Atomics.load(control, at.word);
          const chunk = seen - (line << chunkBits);
          if (chunk >= chunks) break;
          word = Atomics.compareExchange(control, at.word, seen, seen + 1);
          if (word !== seen) continue;
          list[sizes] = chunk * width;
          list[sizes + 1] = Math.min((chunk + 1) * width, tiles);
          run(...list);
          Atomics.add(control, at.done, 1);
        }
        join(name, chunks);
      };
    },
    dispose,
  };
}

/** Waits up to a second for the word to change; gives whether it did not. Pages may not wait: they look again and again. */
function sleep(control: Int32Array<SharedArrayBuffer>, word: number, value: number): boolean {
  try {
    return Atomics.wait(control, word, value, 1000) === "timed-out";
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    const end = performance.now() + 1000;
    while (performance.now() < end) if (Atomics.load(control, word) !== value) return false;
    return true;
  }
}
