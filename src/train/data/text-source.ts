// From a text to windows of characters, as models of language read them: each character is the number of its class.

import type { DataCall, Setting } from "../../dsl/training-plan.ts";
import { FormatError } from "../../formats/format-error.ts";
import { DataError } from "./data-error.ts";
import { type Column, type Dataset, datasetOf } from "./dataset.ts";
import type { DataFiles, OpenFile } from "./files.ts";
import { windowsOf } from "./windows.ts";

/** How many characters further on a column begins: `shifted(1)`. */
const shiftOf = (setting: Setting): number =>
  typeof setting === "object" && "call" in setting ? Number(setting.positional[0]) : 0;

/** A text as bytes, which may come in blocks. */
export interface TextFile {
  readonly path: string;
  /** In bytes. */
  readonly size: number;
  readonly blocks: Iterable<Uint8Array>;
}

/** The text of a file: a large one is read, and decoded, block by block, so that only the numbers of its characters are held. */
export async function openText(name: string, files: DataFiles): Promise<TextFile> {
  const open = files.open?.(name);
  if (open) return { path: open.path, size: open.size, blocks: blocksOfFile(open) };
  const { path, bytes } = await files.read(name);
  return { path, size: bytes.length, blocks: [bytes] };
}

function* blocksOfFile(file: OpenFile): Generator<Uint8Array> {
  const block = 1 << 20;
  for (let at = 0; at < file.size; at += block) yield file.read(at, Math.min(file.size, at + block));
}

/** The code points of a text. Throws a FormatError where it is not UTF-8. */
function codePoints({ path, size, blocks }: TextFile): Int32Array {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const points = new Int32Array(size);
  let count = 0;
  const add = (text: string): void => {
    for (const character of text) points[count++] = character.codePointAt(0)!;
  };
  try {
    for (const bytes of blocks) add(decoder.decode(bytes, { stream: true }));
    add(decoder.decode());
  } catch (error) {
    if (error instanceof FormatError) throw error;
    throw new FormatError(path, "the text is not UTF-8", "save the file in the encoding UTF-8");
  }
  return points.subarray(0, count);
}

/**
 * The column `text: i32[N, window]`, and further ones that begin some characters later. Windows do not overlap; the characters
 * that do not fill the last one are left out. Classes are the characters of the text, by their code points.
 */
export function readCharacters(
  call: DataCall,
  text: TextFile,
  window: number,
  shifted: Readonly<Record<string, Setting>>,
): Dataset {
  const shifts = { text: 0, ...Object.fromEntries(Object.entries(shifted).map(([name, by]) => [name, shiftOf(by)])) };
  const data = codePoints(text);
  const reach = Math.max(...Object.values(shifts));
  const rows = Math.floor((data.length - reach) / window);
  if (rows < 1) {
    const what = `${text.path} has ${data.length} characters, fewer than the ${window + reach} of one window`;
    throw new DataError(call, what, "make the window shorter");
  }
  const classes = [...new Set(data)].sort((a, b) => a - b);
  const numbers = new Map(classes.map((point, i) => [point, i]));
  for (let i = 0; i < data.length; i++) data[i] = numbers.get(data[i]!)!;
  const names = classes.map((point) => String.fromCodePoint(point));
  const series = { dtype: "i32", shape: [data.length], data } as const;
  const columns = Object.entries(shifts).map(([name, start]): [string, Column] => [
    name,
    windowsOf(series, { rows, length: window, start, stride: window }),
  ]);
  const table = datasetOf(
    call,
    Object.fromEntries(columns),
    Object.fromEntries(columns.map(([name]) => [name, names])),
  );
  return { ...table, overlap: Math.ceil(reach / window) };
}
