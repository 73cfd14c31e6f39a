// Reading a `.dlm` file from disk.

import { readFileSync, statSync } from "node:fs";
import { relative, resolve } from "node:path";
import type { SourceFile } from "../dsl/ast.ts";
import { UserError } from "../util/user-error.ts";

/** The file as a reader of messages sees it: relative to where the tool was called. */
export const shown = (path: string): string => relative(process.cwd(), path) || path;

/** The text of a source file. Throws a UserError that says why it cannot be read. */
export function readSource(path: string): SourceFile {
  const name = shown(resolve(path));
  try {
    if (statSync(path).isDirectory()) throw new UserError(`${name} is a folder`, "name a .dlm file in it");
    return { name, text: readFileSync(path, "utf8") };
  } catch (error) {
    if (error instanceof UserError) throw error;
    const missing = error instanceof Error && "code" in error && error.code === "ENOENT";
    throw new UserError(missing ? `there is no file ${name}` : `${name} cannot be read: ${String(error)}`);
  }
}
