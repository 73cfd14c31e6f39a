// Names in generated JavaScript: those of the kernel where they are good identifiers, changed as little as possible where not.

/** Words that JavaScript keeps, and the names that generated modules use themselves. */
const reserved = new Set(
  (
    "await break case catch class const continue debugger default delete do else enum export extends false finally for " +
    "function if implements import in instanceof interface let new null package private protected public return static " +
    "super switch this throw true try typeof var void while with yield arguments eval undefined NaN Infinity Math Number " +
    "Float32Array Float64Array Int32Array Uint8Array Int8Array Uint16Array memory create at"
  ).split(" "),
);

/** A set of names in use; a scope inside another sees the names of the outer one. */
export interface Names {
  /** A new identifier, as like `wanted` as possible. */
  make(wanted: string): string;
  inner(): Names;
}

export function createNames(taken: Iterable<string>): Names {
  const used = new Set(taken);
  return {
    make(wanted) {
      let stem = wanted.replace(/[^\p{L}\p{N}_$]/gu, "_");
      if (!/^[\p{L}_$]/u.test(stem)) stem = `_${stem}`;
      let name = stem;
      for (let i = 1; used.has(name) || reserved.has(name); i++) name = `${stem}_${i}`;
      used.add(name);
      return name;
    },
    inner: () => createNames(used),
  };
}
