// From a text to windows of characters, as models of language read them: each character is the number of its class.

import type { DataCall, Setting } from "../../dsl/training-plan.ts";
import { DataError } from "./data-error.ts";
import { type Column, type Dataset, datasetOf } from "./dataset.ts";
import { windowsOf } from "./windows.ts";

/** How many characters further on a column begins: `shifted(1)`. */
const shiftOf = (setting: Setting): number =>
  typeof setting === "object" && "call" in setting ? Number(setting.positional[0]) : 0;

/**
 * The column `text: i32[N, window]`, and further ones that begin some characters later. Windows do not overlap; the characters
 * that do not fill the last one are left out. Classes are the characters of the text, by their code points.
 */
export function readCharacters(
  call: DataCall,
  text: string,
  path: string,
  window: number,
  shifted: Readonly<Record<string, Setting>>,
): Dataset {
  const shifts = { text: 0, ...Object.fromEntries(Object.entries(shifted).map(([name, by]) => [name, shiftOf(by)])) };
  const characters = [...text];
  const reach = Math.max(...Object.values(shifts));
  const rows = Math.floor((characters.length - reach) / window);
  if (rows < 1) {
    const what = `${path} has ${characters.length} characters, fewer than the ${window + reach} of one window`;
    throw new DataError(call, what, "make the window shorter");
  }
  const names = [...new Set(characters)].sort((a, b) => a.codePointAt(0)! - b.codePointAt(0)!);
  const numbers = new Map(names.map((name, i) => [name, i]));
  const data = Int32Array.from(characters, (character) => numbers.get(character)!);
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
