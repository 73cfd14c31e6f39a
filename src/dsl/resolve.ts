// Which declaration a name of a file stands for: files are loaded along their imports, and each gets a table of its
// declarations. The standard library is one table behind all of them, see library.ts.

import type {
  BlockDeclaration,
  ConstDeclaration,
  Identifier,
  ImportDeclaration,
  ModelDeclaration,
  Program,
  SourceFile,
  TrainDeclaration,
} from "./ast.ts";
import { closest, type Diagnostic, errorAt } from "./diagnostics.ts";
import { parse } from "./parse.ts";
import type { CompileValue } from "./values.ts";

export type Named = ConstDeclaration | BlockDeclaration | ModelDeclaration;

/** What the names of one file mean. */
export interface FileScope {
  readonly file: SourceFile;
  /** The documentation at its head. */
  readonly doc: string | undefined;
  readonly library: boolean;
  readonly declarations: Map<string, { readonly declaration: Named; readonly scope: FileScope }>;
  /** Values of constants, once asked for; `evaluating` while one is being worked out. */
  readonly constants: Map<ConstDeclaration, CompileValue | "evaluating">;
  readonly trains: readonly TrainDeclaration[];
  readonly models: readonly ModelDeclaration[];
}

/** Finds the file that an import names, from the path in the import and the name of the importing file; undefined where there is none. */
export type LoadFile = (path: string, importer: string) => SourceFile | undefined;

export interface Resolved {
  readonly scope: FileScope;
  readonly diagnostics: readonly Diagnostic[];
}

/** Loads a program and everything that it imports. With diagnostics, the scope is not fit to be elaborated. */
export function resolveProgram(entry: SourceFile, loadFile: LoadFile): Resolved {
  const diagnostics: Diagnostic[] = [];
  const loaded = new Map<string, FileScope>();
  const scope = loadScope(entry, loadFile, loaded, [], diagnostics, folderOf(entry.name));
  return { scope, diagnostics };
}

function scopeOf(program: Program): FileScope {
  const models = program.declarations.filter((d) => d.kind === "model");
  const trains = program.declarations.filter((d) => d.kind === "train");
  return {
    file: program.file,
    doc: program.doc,
    library: false,
    declarations: new Map(),
    constants: new Map(),
    trains,
    models,
  };
}

function loadScope(
  file: SourceFile,
  loadFile: LoadFile,
  loaded: Map<string, FileScope>,
  chain: readonly string[],
  diagnostics: Diagnostic[],
  root: string,
): FileScope {
  const { program, diagnostics: found } = parse(file);
  diagnostics.push(...found);
  const scope = scopeOf(program);
  loaded.set(file.name, scope);
  const open = [...chain, file.name];
  for (const declaration of program.declarations) {
    if (declaration.kind === "train") continue;
    if (declaration.kind !== "import") {
      checkParameters(declaration, file, diagnostics);
      declare(scope, declaration.name, { declaration, scope }, diagnostics);
      continue;
    }
    const target = importFile(declaration, file, loadFile, loaded, open, diagnostics, root);
    if (target) importNames(declaration, target, scope, diagnostics);
  }
  return scope;
}

/** Parameters of one block have different names. */
function checkParameters(declaration: Named, file: SourceFile, diagnostics: Diagnostic[]): void {
  if (declaration.kind === "const") return;
  const seen = new Map<string, Identifier>();
  for (const { name } of declaration.parameters) {
    const first = seen.get(name.name);
    const notes = first ? [{ file, span: first.span, label: "it is declared here too" }] : [];
    if (first) diagnostics.push(errorAt(file, name.span, "name", `${name.name} is declared twice`, { notes }));
    else seen.set(name.name, name);
  }
}

function declare(
  scope: FileScope,
  { name, span }: Identifier,
  entry: { declaration: Named; scope: FileScope },
  diagnostics: Diagnostic[],
): void {
  const present = scope.declarations.get(name);
  if (present)
    diagnostics.push(
      errorAt(scope.file, span, "name", `${name} is declared twice`, {
        notes: [{ file: present.scope.file, span: present.declaration.name.span, label: "it is declared here too" }],
      }),
    );
  else scope.declarations.set(name, entry);
}

function importFile(
  { path }: ImportDeclaration,
  importer: SourceFile,
  loadFile: LoadFile,
  loaded: Map<string, FileScope>,
  chain: readonly string[],
  diagnostics: Diagnostic[],
  root: string,
): FileScope | undefined {
  const fail = (message: string, label: string, help?: string): undefined => {
    diagnostics.push(errorAt(importer, path.span, "import", message, { label, help }));
  };
  const { value } = path;
  if (!/^\.\.?\//.test(value))
    return fail(
      `the import "${value}" is not a path beside this file`,
      "it should begin with ./",
      `write "./${value.replace(/^[/\\]+/, "")}"`,
    );
  const name = joinPath(folderOf(importer.name), value);
  if (!inside(root, name))
    return fail(
      `the import "${value}" leads out of the program's folder`,
      `${name} is not below ${root || "."}`,
      "move the file below the folder of the program",
    );
  if (chain.includes(name)) {
    const circle = [...chain.slice(chain.indexOf(name)), name].join(" → ");
    return fail(`the imports go in a circle: ${circle}`, "this closes the circle");
  }
  const present = loaded.get(name);
  if (present) return present;
  const file = loadFile(value, importer.name);
  if (!file) return fail(`there is no file "${value}"`, `looked for ${name}`);
  return loadScope({ name, text: file.text }, loadFile, loaded, chain, diagnostics, root);
}

function importNames(
  declaration: ImportDeclaration,
  target: FileScope,
  scope: FileScope,
  diagnostics: Diagnostic[],
): void {
  for (const { name, local } of declaration.names) {
    const found = target.declarations.get(name.name);
    if (found) {
      declare(scope, local, found, diagnostics);
      continue;
    }
    const near = closest(name.name, [...target.declarations.keys()]);
    diagnostics.push(
      errorAt(scope.file, name.span, "import", `${target.file.name} does not declare ${name.name}`, {
        help: near ? `did you mean \`${near}\`?` : declaresText(target),
      }),
    );
  }
}

function declaresText({ declarations }: FileScope): string {
  const names = [...declarations.keys()];
  const more = names.length > 8 ? ` and ${names.length - 8} more` : "";
  return names.length > 0 ? `it declares ${names.slice(0, 8).join(", ")}${more}` : "it declares nothing";
}

const folderOf = (path: string): string => path.slice(0, path.lastIndexOf("/") + 1);

/** `a/b/` and `../c.dlm` make `a/c.dlm`. */
function joinPath(folder: string, path: string): string {
  const parts: string[] = [];
  for (const part of `${folder}${path}`.split("/")) {
    if (part === "." || (part === "" && parts.length > 0)) continue;
    if (part === ".." && parts.length > 0 && parts.at(-1) !== "..") parts.pop();
    else parts.push(part);
  }
  return parts.join("/");
}

function inside(folder: string, path: string): boolean {
  const root = joinPath("", folder).replace(/\/$/, "");
  if (root === "" || root === ".") return !path.startsWith("../") && !path.startsWith("/");
  return path.startsWith(`${root}/`);
}
