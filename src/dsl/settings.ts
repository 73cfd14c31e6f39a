// Other values for the constants of a program, as a search over them or a user on the command line wants them: a change of its text,
// so that everything after it knows nothing of this.

import type { ConstDeclaration, SourceFile } from "./ast.ts";
import { closest } from "./diagnostics.ts";
import { parse } from "./parse.ts";

/** The text with new values; or what is wrong, where a name is none of the file's constants. A program with mistakes stays as it is. */
export function withConstants(
  file: SourceFile,
  settings: Readonly<Record<string, string>>,
): SourceFile | { readonly unknown: string; readonly help: string } {
  const { program, diagnostics } = parse(file);
  if (!program || diagnostics.length > 0) return file;
  const constants = program.declarations.filter(
    (declaration): declaration is ConstDeclaration => declaration.kind === "const",
  );
  const edits = Object.entries(settings).map(([name, value]) => ({
    name,
    value,
    span: constants.find((constant) => constant.name.name === name)?.value.span,
  }));
  const names = constants.map((constant) => constant.name.name);
  const lost = edits.find(({ span }) => span === undefined);
  if (lost) {
    const near = closest(lost.name, names);
    const list =
      names.length > 0 ? `its constants are ${names.join(", ")}` : `declare it: const ${lost.name} = ${lost.value}`;
    return { unknown: lost.name, help: near ? `did you mean ${near}? ${list}` : list };
  }
  // From the end to the beginning, so that places before a change stay where they are.
  const ordered = edits.flatMap(({ span, value }) => (span ? [{ span, value }] : []));
  ordered.sort((a, b) => b.span.start - a.span.start);
  let { text } = file;
  for (const { span, value } of ordered) text = text.slice(0, span.start) + value + text.slice(span.end);
  return { name: file.name, text };
}
