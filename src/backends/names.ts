// Names in generated code: those of the kernel where they are good identifiers, changed as little as possible where not.

/** A set of names in use; a scope inside another sees the names of the outer one. */
export interface Names {
  /** A new identifier, as like `wanted` as possible. */
  make(wanted: string): string;
  inner(): Names;
}

/** What a language takes for an identifier. */
export interface NamingRules {
  /** Words that it keeps, and those that generated code uses itself. */
  readonly reserved: ReadonlySet<string>;
  /** The name in characters that the language allows. */
  readonly legal: (wanted: string) => string;
}

export function createNames(taken: Iterable<string>, rules: NamingRules): Names {
  const used = new Set(taken);
  return {
    make(wanted) {
      const stem = rules.legal(wanted);
      let name = stem;
      for (let i = 1; used.has(name) || rules.reserved.has(name); i++) name = `${stem}_${i}`;
      used.add(name);
      return name;
    },
    inner: () => createNames(used, rules),
  };
}
