// Makes functions of generated text. Alone in this file, so that nothing else (a bundle above all) contains `new Function`.

/** A graph's function: free sizes, then the offsets of the inputs in bytes, then the list of offsets of the arena. */
export type GraphFunction = (...parameters: readonly (number | readonly number[])[]) => void;
export type Create = (memory: ArrayBuffer) => Readonly<Record<string, GraphFunction>>;

let compilations = 0;

/**
 * `text` is an `export function create(memory) {…}`. It is compiled anew for each memory: V8 takes a typed array for a constant only
 * in the first closure made of a text, and even equal texts share that; later ones are up to three times slower.
 */
export function compile(text: string): Create {
  return (memory) => {
    compilations++;
    const source = `"use strict";\n${text.replace(/^export /, "return ")}\n// compilation ${compilations}`;
    const create: Create = new Function(source)();
    return create(memory);
  };
}
