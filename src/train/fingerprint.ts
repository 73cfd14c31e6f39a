// Short names for large things, so that a checkpoint can tell whether the data or the program have changed since.

import { blocksOf, type Dataset } from "./data/dataset.ts";

/** Two independent FNV-1a hashes over 32-bit words, as 16 hexadecimal digits. Against mistakes, not against forgers. */
function fingerprint(parts: Iterable<ArrayLike<number>>): string {
  let a = 0x811c9dc5;
  let b = 0x2f0b4a27;
  for (const words of parts) {
    for (let i = 0; i < words.length; i++) {
      a = Math.imul(a ^ words[i]!, 0x01000193);
      b = Math.imul(b ^ words[i]!, 0x85ebca6b);
      // Multiplication moves bits only upwards; without this the highest bit of a word would stay alone.
      a ^= a >>> 15;
      b ^= b >>> 13;
    }
  }
  return [a, b].map((hash) => (hash >>> 0).toString(16).padStart(8, "0")).join("");
}

const bytesOfText = (text: string): Uint8Array => new TextEncoder().encode(text);

export const fingerprintText = (text: string): string => fingerprint([bytesOfText(text)]);

/** The fingerprint of names, types, shapes and all elements. */
export const fingerprintData = (data: Dataset): string => fingerprint(wordsOf(data));

function* wordsOf({ columns }: Dataset): Generator<ArrayLike<number>> {
  for (const [name, column] of Object.entries(columns)) {
    yield bytesOfText(JSON.stringify([name, column.dtype, column.shape]));
    for (const { data } of blocksOf(column)) {
      const aligned = data.byteLength % 4 === 0 && data.byteOffset % 4 === 0;
      yield aligned ? new Int32Array(data.buffer, data.byteOffset, data.byteLength / 4) : data;
    }
  }
}
