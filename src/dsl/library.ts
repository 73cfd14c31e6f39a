// The standard library: one table of declarations behind those of all files. A glance at its text finds where each of them lies, and one is
// read when a program first names it: most programs name a tenth of them.

import type { SourceFile } from "./ast.ts";
import { parse } from "./parse.ts";
import type { FileScope, Named } from "./resolve.ts";
import { std } from "./std.generated.ts";
import { declarationWords } from "./tokens.ts";

export interface LibraryDeclaration {
  readonly declaration: Named;
  readonly scope: FileScope;
}

/** From where to where in a file, the documentation before it included. */
interface Place {
  readonly scope: FileScope;
  readonly start: number;
  readonly end: number;
}

let places: ReadonlyMap<string, Place> | undefined;
/** What was read before: nothing in the library changes. */
const read = new Map<string, LibraryDeclaration>();

/** The names that the library declares, file by file. */
export const libraryNames = (): Iterable<string> => placesOf().keys();

/** What the library declares by that name. */
export function libraryDeclaration(name: string): LibraryDeclaration | undefined {
  const known = read.get(name);
  if (known) return known;
  const place = placesOf().get(name);
  if (!place) return undefined;
  const found = { declaration: declarationAt(place, name), scope: place.scope };
  read.set(name, found);
  return found;
}

/** Declarations begin at the start of a line, and nothing else does that looks like one. */
function placesOf(): ReadonlyMap<string, Place> {
  if (places) return places;
  const words = [...declarationWords.keys()].join("|");
  const beginning = new RegExp(`^(?:///.*\\n)*(?:${words}) (\\w+)`, "gm");
  const found = new Map<string, Place>();
  for (const [name, text] of Object.entries(std)) {
    const scope = scopeOf({ name: `std/${name}`, text });
    const heads = [...text.matchAll(beginning)];
    for (const [i, { 1: declared, index: start }] of heads.entries())
      found.set(declared!, { scope, start, end: heads[i + 1]?.index ?? text.length });
  }
  places = found;
  return found;
}

/** Names of one file find each other as those of the whole library do. */
const scopeOf = (file: SourceFile): FileScope => ({
  file,
  doc: undefined,
  library: true,
  declarations: new Map(),
  constants: new Map(),
  trains: [],
  models: [],
});

/** What is before it in the file is left out, but for its length: so places in the tree are those of the file. */
function declarationAt({ scope: { file }, start, end }: Place, name: string): Named {
  const { program, diagnostics } = parse({ name: file.name, text: " ".repeat(start) + file.text.slice(start, end) });
  const [first] = diagnostics;
  if (first) throw new Error(`${file.name}: ${first.message} at ${file.text.slice(first.span.start, first.span.end)}`);
  const [declaration] = program.declarations;
  if (!declaration || declaration.kind === "import" || declaration.kind === "train" || declaration.name.name !== name)
    throw new Error(`${file.name}: there is no declaration of ${name} where it should be`);
  return declaration;
}
