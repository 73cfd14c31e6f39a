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

/** A text as the numbers of its characters: one byte each, unless there are more than 256 different ones. */
interface NumberedText {
  readonly numbers: Uint8Array | Int32Array;
  /** The code point of each number, in ascending order. */
  readonly classes: readonly number[];
}

/** Numbers the characters of a text. Throws a FormatError where it is not UTF-8. */
function numberCharacters({ path, size, blocks }: TextFile): NumberedText {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  /** Numbers in order of appearance, until all are known. */
  const known = new Map<number, number>();
  let numbers: Uint8Array | Int32Array = new Uint8Array(size);
  let count = 0;
  const add = (text: string): void => {
    for (const character of text) {
      const point = character.codePointAt(0)!;
      let number = known.get(point);
      if (number === undefined) {
        number = known.size;
        known.set(point, number);
        if (number === 256) numbers = Int32Array.from(numbers);
      }
      numbers[count++] = number;
    }
  };
  try {
    for (const bytes of blocks) add(decoder.decode(bytes, { stream: true }));
    add(decoder.decode());
  } catch (error) {
    if (error instanceof FormatError) throw error;
    throw new FormatError(path, "the text is not UTF-8", "save the file in the encoding UTF-8");
  }
  const classes = [...known.keys()].sort((a, b) => a - b);
  const places = new Map(classes.map((point, i) => [point, i]));
  const ordered = [...known.keys()].map((point) => places.get(point)!);
  for (let i = 0; i < count; i++) numbers[i] = ordered[numbers[i]!]!;
  return { numbers: numbers.subarray(0, count), classes };
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
  const { numbers: data, classes } = numberCharacters(text);
  const reach = Math.max(...Object.values(shifts));
  const rows = Math.floor((data.length - reach) / window);
  if (rows < 1) {
    const what = `${text.path} has ${data.length} characters, fewer than the ${window + reach} of one window`;
    throw new DataError(call, what, "make the window shorter");
  }
  const names = classes.map((point) => String.fromCodePoint(point));
  const dtype = data instanceof Uint8Array ? "u8" : "i32";
  const series = { dtype, shape: [data.length], data } as const;
  // Bytes become i32 when they are copied into a batch.
  const columns = Object.entries(shifts).map(([name, start]): [string, Column] => [
    name,
    { ...windowsOf(series, { rows, length: window, start, stride: window }), dtype: "i32" },
  ]);
  const table = datasetOf(
    call,
    Object.fromEntries(columns),
    Object.fromEntries(columns.map(([name]) => [name, names])),
  );
  return { ...table, overlap: Math.ceil(reach / window) };
}
