// Writes src/nn.generated.ts: a typed wrapper for each block and function that can stand in a model built in TypeScript, from
// their signatures.

import { fileURLToPath } from "node:url";
import { Project, VariableDeclarationKind } from "ts-morph";
import { type LibraryEntry, type LibraryParameter, librarySections } from "./library-signatures.ts";

const target = fileURLToPath(new URL("../src/nn.generated.ts", import.meta.url));

/** What only makes sense at compile time, inside other blocks, or in a train block. */
const inside = new Set([
  ...[
    "fan_in",
    "fan_out",
    "class_of",
    "warm_up",
    "adam_direction",
    "average",
    "ema",
    "global_norm",
    "clip_global_norm",
    "clip_value",
  ],
  ...["shape", "rank", "size", "dtype", "len", "range", "append", "int", "parameters", "array"],
]);

/** Functions that give several tensors. */
const tuples = new Set(["split"]);

/** The TypeScript type of a parameter, from the declared one. */
function typeOf({ type, fallback }: LibraryParameter): string {
  const base = baseType(type);
  return fallback === "none" && !base.includes("undefined") ? `${base} | undefined` : base;
}

function baseType(type: string): string {
  if (/^(tensor|[A-Z]|(f32|f16|i32|u8|i8|bool)\[)/.test(type) || /^[A-Z]\[/.test(type)) return "Operand";
  if (/^(int\[|ints)/.test(type)) return "Dim | readonly Dim[]";
  if (type === "float") return "Operand";
  if (type === "int") return "Dim";
  if (type === "list") return "readonly Tensor[]";
  if (type === "bool") return "boolean";
  if (type === "string") return "string";
  if (type === "dtype") return "DType";
  if (type === "initializer") return "Initializer | number";
  if (type === "fn") return "(x: Tensor) => Tensor";
  return "Argument";
}

/** What blocks of these roles get by themselves where they are used, as `writtenParameters` of src/dsl/call.ts has it. */
const supplied: Readonly<
  Record<string, { readonly leading: number; readonly counter: string; readonly type: string }>
> = {
  optimizer: { leading: 2, counter: "step", type: "Optimizer" },
  schedule: { leading: 1, counter: "epoch", type: "Schedule" },
  metric: { leading: 0, counter: "", type: "Metric" },
};

/** The signature of what waits for the training: `adam: { (options?: { lr }): Optimizer }`. */
function deferredSignature(
  { parameters }: LibraryEntry,
  { leading, counter, type }: (typeof supplied)[string],
): string {
  const written = parameters.slice(leading).filter(({ name }) => name !== counter);
  const required = written.filter(({ fallback }) => fallback === undefined);
  const optional = written.filter(({ fallback }) => fallback !== undefined);
  const deferredType = (parameter: LibraryParameter): string => {
    if (type === "Metric") return parameter.type === "" ? "Tensor" : typeOf(parameter);
    if (parameter.type === "fn") return "Optimizer";
    return type === "Optimizer" && parameter.name === "lr" ? "Operand | Schedule" : typeOf(parameter);
  };
  const list = required.map((parameter) => `${parameter.name}: ${deferredType(parameter)}`);
  const fields = optional.map((parameter) => `readonly ${parameter.name}?: ${deferredType(parameter)} | undefined`);
  const options = fields.length > 0 ? [`options?: { ${fields.join("; ")} }`] : [];
  return `(${[...list, ...options].join(", ")}): ${type};`;
}

function signatures(entry: LibraryEntry): string {
  const deferred = supplied[entry.role];
  if (deferred) return deferredSignature(entry, deferred);
  const [first, ...others] = entry.parameters;
  const required = others.filter((parameter) => parameter.fallback === undefined);
  const optional = others.filter((parameter) => parameter.fallback !== undefined);
  const tail = required.map((parameter) => `${parameter.name}: ${typeOf(parameter)}`);
  const fields = optional.map((parameter) => `readonly ${parameter.name}?: ${typeOf(parameter)} | undefined`);
  const open = entry.head.includes("...named") ? ["readonly [name: string]: Argument | undefined"] : [];
  const options = fields.length + open.length > 0 ? [`options?: { ${[...fields, ...open].join("; ")} }`] : [];
  if (entry.role === "initializer") return `(${[...tail, ...options].join(", ")}): Initializer;`;
  const result = tuples.has(entry.name) ? "readonly Tensor[]" : "Tensor";
  const takesTensor = first !== undefined && ["Operand", "readonly Tensor[]"].includes(typeOf(first));
  const head = first ? [`${first.name}: ${typeOf(first) === "Operand" ? "Tensor" : typeOf(first)}`] : [];
  if (!takesTensor) return `(${["scope: Scope", ...head, ...tail, ...options].join(", ")}): Tensor;`;
  const direct = `(${[...head, ...tail, ...options].join(", ")}): ${result};`;
  const curried = typeOf(first) === "Operand" && !tuples.has(entry.name);
  return curried ? `${direct} (${[...tail, ...options].join(", ")}): Layer;` : direct;
}

function implementation({ name, role }: LibraryEntry): string {
  if (supplied[role]) return `libraryDeferred(${JSON.stringify(role)}, ${JSON.stringify(name)})`;
  const maker = role === "initializer" ? "libraryInitializer" : tuples.has(name) ? "libraryTuple" : "libraryCall";
  return `${maker}(${JSON.stringify(name)})`;
}

export async function generateWrappers(): Promise<void> {
  const entries = librarySections()
    .flatMap((section) => section.entries)
    .filter(
      ({ role, name }) =>
        ["block", "initializer", "function", ...Object.keys(supplied)].includes(role) && !inside.has(name),
    );
  const project = new Project({ useInMemoryFileSystem: false, skipAddingFilesFromTsConfig: true });
  const file = project.createSourceFile(target, "", { overwrite: true });
  file.addStatements(
    "// Generated by `npm run generate` from the signatures of src/dsl/std and src/dsl/functions. Do not edit.",
  );
  file.addImportDeclaration({
    moduleSpecifier: "./dsl/builder.ts",
    namedImports: [
      ...["Argument", "Initializer", "Layer", "Metric", "Operand", "Optimizer", "Schedule", "Scope", "Tensor"].map(
        (name) => ({ name, isTypeOnly: true }),
      ),
      ...["libraryCall", "libraryDeferred", "libraryInitializer", "libraryTuple"].map((name) => ({ name })),
    ],
  });
  file.addImportDeclaration({ moduleSpecifier: "./ir/dim.ts", namedImports: ["Dim"], isTypeOnly: true });
  file.addImportDeclaration({ moduleSpecifier: "./ir/dtype.ts", namedImports: ["DType"], isTypeOnly: true });
  file.addInterface({
    name: "Library",
    isExported: true,
    docs: [
      "The blocks and functions of the language. With a tensor they are called at once; without, they are layers that wait for it.",
    ],
    properties: entries.map((entry) => ({
      name: entry.name,
      isReadonly: true,
      type: `{ ${signatures(entry)} }`,
      docs: [entry.doc.replaceAll("*/", "* /")],
    })),
  });
  file.addVariableStatement({
    isExported: true,
    declarationKind: VariableDeclarationKind.Const,
    declarations: [
      {
        name: "nn",
        type: "Library",
        initializer: `{\n${entries.map((entry) => `  ${entry.name}: ${implementation(entry)},`).join("\n")}\n}`,
      },
    ],
  });
  file.formatText({ indentSize: 2 });
  await file.save();
}
