// What the workers of a pool run, as text: it needs no file that would have to be found, under any loader or bundler. It is plain
// JavaScript that knows both kinds of workers, Node's and the web's. `pool.ts` is the other side of it.

/** Where things lie in the memory that governs a pool, in 32-bit words; each has a cache line of its own. */
export const control = {
  /** The open job and its next chunk: number · 2^12 + chunk. The job is its record's place, in lines of 16 words. */
  word: 16,
  /** Chunks of the open job that are complete. */
  done: 32,
  /** Workers that sleep. */
  sleeping: 48,
  /** Whether the calling thread sleeps. */
  callerSleeps: 64,
  /** Whether a worker could not go on. */
  failed: 80,
  /** Whether the workers shall end. */
  stop: 96,
  /** Where records begin. A record never changes while the pool lives. */
  records: 128,
} as const;

/** Words of a record. The two arguments that say which tiles to run follow those for the sizes. */
export const record = {
  kernel: 0,
  tiles: 1,
  width: 2,
  chunks: 3,
  sizes: 4,
  scratch: 5,
  count: 6,
  arguments: 7,
} as const;

export const chunkBits = 12;
export const lineWords = 16;

/** Rounds that a worker looks for work before it sleeps: some 50 µs. */
const patience = 20_000;

export const workerText = `"use strict";
// A job is open while the chunk in the word is below the job's number of chunks. Taking one exchanges the word as it was seen, so
// nobody takes a chunk of a job other than the one he looked at.
let control, memory, thread;
const functions = [];
const jobs = new Map();

function jobOf(line) {
  const known = jobs.get(line);
  if (known) return known;
  const at = line * ${lineWords};
  const list = Array.from(control.subarray(at + ${record.arguments}, at + ${record.arguments} + control[at + ${record.count}]));
  if (control[at + ${record.scratch}] > 0) list[list.length - 1] += thread * control[at + ${record.scratch}];
  const job = {
    run: functions[control[at + ${record.kernel}]],
    tiles: control[at + ${record.tiles}],
    width: control[at + ${record.width}],
    chunks: control[at + ${record.chunks}],
    first: control[at + ${record.sizes}],
    list,
  };
  jobs.set(line, job);
  return job;
}

function work() {
  let rounds = 0;
  for (;;) {
    const seen = Atomics.load(control, ${control.word});
    const line = seen >>> ${chunkBits};
    const chunk = seen & ${(1 << chunkBits) - 1};
    if (chunk < control[line * ${lineWords} + ${record.chunks}]) {
      rounds = 0;
      // Its module is in a message that has not been read yet.
      if (control[line * ${lineWords} + ${record.kernel}] >= functions.length) return;
      if (Atomics.compareExchange(control, ${control.word}, seen, seen + 1) !== seen) continue;
      const job = jobOf(line);
      const from = chunk * job.width;
      job.list[job.first] = from;
      job.list[job.first + 1] = Math.min(from + job.width, job.tiles);
      job.run.apply(undefined, job.list);
      if (Atomics.add(control, ${control.done}, 1) + 1 === job.chunks && Atomics.load(control, ${control.callerSleeps}) === 1) {
        Atomics.notify(control, ${control.done});
      }
      continue;
    }
    if (Atomics.load(control, ${control.stop}) === 1) return;
    rounds++;
    if (rounds < ${patience}) continue;
    rounds = 0;
    Atomics.add(control, ${control.sleeping}, 1);
    Atomics.wait(control, ${control.word}, seen);
    Atomics.sub(control, ${control.sleeping}, 1);
  }
}

function receive(message) {
  try {
    if (message.control) ({ control, memory, thread } = message);
    else {
      const { exports } = new WebAssembly.Instance(message.module, { env: { memory } });
      for (const name of message.names) functions.push(exports[name]);
    }
    work();
  } catch (error) {
    Atomics.store(control, ${control.failed}, 1);
    Atomics.notify(control, ${control.done});
  }
}

if (typeof require === "function") require("worker_threads").parentPort.on("message", receive);
else self.onmessage = (event) => receive(event.data);
`;
