// Makes functions of generated text. Alone in this file, so that nothing else (a bundle above all) contains `new Function`.

/** A graph's function: free sizes, then the offsets of the inputs in bytes, then the list of offsets of the arena. */
export type GraphFunction = (...parameters: readonly (number | readonly number[])[]) => void;
export type Create = (memory: ArrayBuffer) => Readonly<Record<string, GraphFunction>>;

/** `text` is an `export function create(memory) {…}`. */
export function compile(text: string): Create {
  const make: (memory: ArrayBuffer) => Readonly<Record<string, GraphFunction>> = new Function(
    `"use strict";\n${text.replace(/^export /, "return ")}`,
  )();
  return make;
}
