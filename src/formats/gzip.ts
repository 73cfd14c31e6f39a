// Gzip, read through the platform's own DecompressionStream, which browsers and Node share.

import { FormatError } from "./format-error.ts";

export const isGzip = (bytes: Uint8Array): boolean => bytes[0] === 0x1f && bytes[1] === 0x8b;

/** No data set that fits into memory is larger; a small file that unpacks to more is an attack or a mistake. */
const largest = 4 * 2 ** 30;

/** The unpacked bytes. Throws a FormatError where the file is cut short or damaged. */
export async function gunzip(bytes: Uint8Array, file: string): Promise<Uint8Array> {
  // Sliced into blocks, so that a piece of unpacked data is handed on before all is unpacked.
  const source = new ReadableStream<Uint8Array<ArrayBuffer>>({
    start(controller) {
      const block = 1 << 20;
      for (let at = 0; at < bytes.length; at += block) controller.enqueue(bytes.slice(at, at + block));
      controller.close();
    },
  });
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    const reader = source.pipeThrough(new DecompressionStream("gzip")).getReader();
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      const chunk: Uint8Array = next.value;
      chunks.push(chunk);
      length += chunk.length;
      if (length > largest) {
        await reader.cancel();
        break;
      }
    }
  } catch {
    const got = length === 0 ? "nothing" : `only ${length} bytes`;
    const what = `the gzip data are cut short or damaged: ${got} could be unpacked`;
    throw new FormatError(file, what, "download or copy the file again, and compare its size with the original");
  }
  if (length > largest) {
    throw new FormatError(file, "unpacks to more than 4 GiB", "split the data into smaller files");
  }
  const whole = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}
