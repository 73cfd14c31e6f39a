// Buffers that results are copied to so that the host can read them. They are kept and used again: a steady run makes none.

/** Usages by their numbers: not every host has GPUBufferUsage and GPUMapMode as globals. */
const mapRead = 1;
const copyTarget = 8;

export interface Staging {
  /** A buffer of at least so many bytes that nobody uses. */
  take(bytes: number): GPUBuffer;
  /** Its contents, once all work that was submitted is done; then it may be taken again. */
  read(buffer: GPUBuffer, bytes: number): Promise<ArrayBuffer>;
  dispose(): void;
}

export function createStaging(device: GPUDevice): Staging {
  const all = new Set<GPUBuffer>();
  const free: GPUBuffer[] = [];
  return {
    take(bytes) {
      const at = free.findIndex((buffer) => buffer.size >= bytes);
      if (at >= 0) return free.splice(at, 1)[0]!;
      // Too small ones would be found too small again and again.
      for (const buffer of free.splice(0)) {
        all.delete(buffer);
        buffer.destroy();
      }
      const made = device.createBuffer({ label: "results", size: bytes, usage: mapRead | copyTarget });
      all.add(made);
      return made;
    },
    async read(buffer, bytes) {
      await buffer.mapAsync(mapRead, 0, bytes);
      const copy = buffer.getMappedRange(0, bytes).slice(0);
      buffer.unmap();
      free.push(buffer);
      return copy;
    },
    dispose() {
      for (const buffer of all) buffer.destroy();
      all.clear();
      free.length = 0;
    },
  };
}
