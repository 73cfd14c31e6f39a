// The clock of a device: how long each of several passes took there, by timestamps before and behind it.

export interface GpuClock {
  /** For pass `i` of at most as many as the clock was made for. */
  writes(i: number): GPUComputePassTimestampWrites;
  /** Behind the last pass. */
  stop(encoder: GPUCommandEncoder): void;
  /** Seconds of each pass, once the commands are done. */
  read(): Promise<readonly number[]>;
  dispose(): void;
}

// GPUBufferUsage and GPUMapMode by their numbers: not every host has them as globals.
const mapRead = 1;
const copySource = 4;
const copyTarget = 8;
const resolved = 0x200;

/** The device must have the feature timestamp-query. */
export function createClock(device: GPUDevice, passes: number): GpuClock {
  const set = device.createQuerySet({ type: "timestamp", count: 2 * passes });
  const size = 16 * passes;
  const raw = device.createBuffer({ label: "timestamps", size, usage: resolved | copySource });
  const readable = device.createBuffer({ label: "timestamps to read", size, usage: copyTarget | mapRead });
  return {
    writes: (i) => ({ querySet: set, beginningOfPassWriteIndex: 2 * i, endOfPassWriteIndex: 2 * i + 1 }),
    stop(encoder) {
      encoder.resolveQuerySet(set, 0, 2 * passes, raw, 0);
      encoder.copyBufferToBuffer(raw, 0, readable, 0, size);
    },
    async read() {
      await readable.mapAsync(mapRead);
      const times = new BigUint64Array(readable.getMappedRange().slice(0));
      readable.unmap();
      return Array.from({ length: passes }, (_, i) => Math.max(0, Number(times[2 * i + 1]! - times[2 * i]!)) / 1e9);
    },
    dispose() {
      set.destroy();
      raw.destroy();
      readable.destroy();
    },
  };
}
