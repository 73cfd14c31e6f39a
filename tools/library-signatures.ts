// The signatures of the standard library and the built-in functions, as the generators of wrappers and documentation see them.

import type { BlockDeclaration, BlockRole } from "../src/dsl/ast.ts";
import { functionFamilies } from "../src/dsl/functions/index.ts";
import { libraryDeclaration, libraryNames } from "../src/dsl/library.ts";
import { formatTypeExpression } from "../src/dsl/types.ts";

export interface LibraryParameter {
  readonly name: string;
  /** As declared: `f32[...B, D]`, `int[2]`; empty where nothing is declared. */
  readonly type: string;
  /** The default as it is written. */
  readonly fallback?: string;
}

export interface LibraryEntry {
  readonly name: string;
  readonly role: BlockRole | "function";
  readonly doc: string;
  /** The head of the declaration, or the signature of a function. */
  readonly head: string;
  readonly parameters: readonly LibraryParameter[];
}

export interface LibrarySection {
  readonly title: string;
  readonly doc: string;
  readonly entries: readonly LibraryEntry[];
}

/** Blocks by file, in the order of the library; then the functions by family. */
export function librarySections(): readonly LibrarySection[] {
  const files = new Map<string, { doc: string; entries: LibraryEntry[] }>();
  for (const declared of libraryNames()) {
    const { declaration, scope } = libraryDeclaration(declared)!;
    if (declaration.kind !== "block") continue;
    const { name, text } = scope.file;
    const section = files.get(name) ?? { doc: headDoc(text), entries: [] };
    files.set(name, section);
    section.entries.push(blockEntry(declaration, text));
  }
  const blocks = [...files].map(([name, section]) => ({
    title: capital(name.replace("std/", "").replace(".dlm", "")),
    ...section,
  }));
  const functions = functionFamilies().map(([title, family]) => ({
    title,
    doc: "",
    entries: family.map(
      (f): LibraryEntry => ({
        name: f.name,
        role: "function",
        doc: f.doc,
        head: f.signature,
        parameters: f.parameters.map((p) => ({
          name: p.name,
          type: p.type,
          ...(p.written === undefined ? {} : { fallback: p.written }),
        })),
      }),
    ),
  }));
  return [...blocks, ...functions];
}

const capital = (text: string): string => `${text[0]?.toUpperCase() ?? ""}${text.slice(1)}`;

/** The `///` lines that a file begins with. */
function headDoc(text: string): string {
  const lines = text.split("\n");
  const end = lines.findIndex((line) => !line.startsWith("///"));
  return lines
    .slice(0, end)
    .map((line) => line.slice(3).trim())
    .join("\n");
}

function blockEntry(declaration: BlockDeclaration, text: string): LibraryEntry {
  const { name, role, doc, parameters, body, form } = declaration;
  const head = text
    .slice(declaration.span.start, body.span.start)
    .replace(form === "expression" ? /\s*=\s*$/ : /\s*$/, "");
  const from = head.search(new RegExp(`\\b${role}\\b`));
  return {
    name: name.name,
    role,
    doc: doc ?? "",
    head: head.slice(Math.max(0, from)).replace(/\s*\n\s*/g, " "),
    parameters: parameters.map((parameter) => ({
      name: parameter.name.name,
      type: parameter.type ? formatTypeExpression(parameter.type) : "",
      ...(parameter.default ? { fallback: text.slice(parameter.default.span.start, parameter.default.span.end) } : {}),
    })),
  };
}
