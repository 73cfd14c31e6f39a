// The text form of a module, for readers: WebAssembly's own notation with operands inside their instruction, names that tell locals
// apart, and the kernels' comments.

import { type Label, type Local, localsOf, partsOf, type Tree, type WasmFunction } from "./tree.ts";

const width = 112;

/** All functions of a module that imports `memoryPages` pages of 64 KiB. */
export function printModule(functions: readonly WasmFunction[], memoryPages: number): string {
  const names = unique(functions, (target) => target.name);
  const parts = functions.map((target) => printFunction(target, names));
  const memory = `  (import "env" "memory" (memory ${memoryPages}))`;
  return `(module\n${[memory, ...parts].join("\n\n")})\n`;
}

/** Identifiers for things that may share names. */
function unique<T>(things: readonly T[], nameOf: (thing: T) => string): ReadonlyMap<T, string> {
  const used = new Set<string>();
  return new Map(
    things.map((thing): [T, string] => {
      const stem = `$${nameOf(thing).replace(/[^\w!#$%&'*+\-./:<=>?@\\^`|~]/gu, "_")}`;
      let name = stem;
      for (let i = 1; used.has(name); i++) name = `${stem}.${i}`;
      used.add(name);
      return [thing, name];
    }),
  );
}

interface Names {
  readonly locals: ReadonlyMap<Local, string>;
  readonly functions: ReadonlyMap<WasmFunction, string>;
  readonly labels: ReadonlyMap<Label, string>;
}

function printFunction(target: WasmFunction, functions: ReadonlyMap<WasmFunction, string>): string {
  const own = localsOf(target);
  const labels: Label[] = [];
  const collect = (tree: Tree): void => {
    if (tree.kind === "block" || tree.kind === "loop") labels.push(tree.label);
    partsOf(tree).forEach(collect);
  };
  target.body.forEach(collect);
  const names: Names = {
    locals: unique([...target.parameters, ...own], (local) => local.name),
    functions,
    labels: unique(labels, (label) => label.name),
  };
  const declare = (kind: string, local: Local): string => `(${kind} ${names.locals.get(local)} ${local.type})`;
  const header = [
    `(func ${functions.get(target)}`,
    ...(target.exported ? [`(export ${JSON.stringify(target.name)})`] : []),
    ...target.parameters.map((local) => declare("param", local)),
    ...(target.result ? [`(result ${target.result})`] : []),
  ];
  const lines = [
    ...target.comments.map((text) => `  ;; ${oneLine(text)}`),
    ...fill(header, "  ", "    "),
    ...fill(
      own.map((local) => declare("local", local)),
      "    ",
      "    ",
    ),
    ...target.body.flatMap((tree) => print(tree, "    ", names)),
  ];
  return `${lines.join("\n")})`;
}

const oneLine = (text: string): string => text.replaceAll(/[\r\n\u2028\u2029]+/g, " ");

/** Words in lines that are not too long. */
function fill(words: readonly string[], first: string, next: string): string[] {
  const lines: string[] = [];
  let line = first;
  for (const word of words) {
    if (line.trim() !== "" && line.length + word.length > width) {
      lines.push(line.trimEnd());
      line = next;
    }
    line += `${word} `;
  }
  return line.trim() === "" ? lines : [...lines, line.trimEnd()];
}

/** A tree in one line where it fits, else with its operands below it. */
function print(tree: Tree, indent: string, names: Names): string[] {
  const inner = `${indent}  `;
  const below = (body: readonly Tree[], at = inner): string[] => body.flatMap((part) => print(part, at, names));
  const close = (lines: string[]): string[] => {
    // A parenthesis behind a comment would be part of it.
    if (lines.at(-1)!.includes(";;")) return [...lines, `${indent})`];
    return [...lines.slice(0, -1), `${lines.at(-1)})`];
  };
  switch (tree.kind) {
    case "comment":
      return [`${indent};; ${oneLine(tree.text)}`];
    case "block":
    case "loop":
      return close([`${indent}(${head(tree, names)}`, ...below(tree.body)]);
    case "if": {
      const flat = tree.result === undefined ? undefined : printFlat(tree, names);
      if (flat !== undefined && indent.length + flat.length <= width) return [`${indent}${flat}`];
      const result = tree.result ? ` (result ${tree.result})` : "";
      const arm = (name: string, body: readonly Tree[]): string[] => {
        const lines = [`${inner}(${name}`, ...below(body, `${inner}  `)];
        return lines.at(-1)!.includes(";;") ? [...lines, `${inner})`] : [...lines.slice(0, -1), `${lines.at(-1)})`];
      };
      const otherwise = tree.otherwise.length === 0 ? [] : arm("else", tree.otherwise);
      const condition = print(tree.condition, inner, names);
      return close([`${indent}(if${result}`, ...condition, ...arm("then", tree.then), ...otherwise]);
    }
    default: {
      const flat = printFlat(tree, names);
      if (flat !== undefined && indent.length + flat.length <= width) return [`${indent}${flat}`];
      return close([`${indent}(${head(tree, names)}`, ...below(partsOf(tree))]);
    }
  }
}

/** In one line; undefined for what holds comments or blocks. */
function printFlat(tree: Tree, names: Names): string | undefined {
  if (tree.kind === "comment" || tree.kind === "block" || tree.kind === "loop") return undefined;
  if (tree.kind === "if") {
    const parts = [tree.condition, ...tree.then, ...tree.otherwise].map((part) => printFlat(part, names));
    if (tree.then.length !== 1 || tree.otherwise.length !== 1 || parts.includes(undefined)) return undefined;
    return `(if (result ${tree.result}) ${parts[0]} (then ${parts[1]}) (else ${parts[2]}))`;
  }
  const parts = partsOf(tree).map((part) => printFlat(part, names));
  if (parts.includes(undefined)) return undefined;
  return `(${[head(tree, names), ...parts].join(" ")})`;
}

/** The instruction with its immediates. */
function head(tree: Tree, names: Names): string {
  switch (tree.kind) {
    case "plain":
      return tree.op;
    case "constant":
      return `${tree.type}.const ${number(tree.value)}`;
    case "long":
      return `i64.const ${tree.value}`;
    case "vector":
      return `v128.const ${tree.shape} ${tree.lanes.map((lane) => (typeof lane === "bigint" ? String(lane) : number(lane))).join(" ")}`;
    case "get":
    case "set":
    case "tee":
      return `local.${tree.kind} ${names.locals.get(tree.local)}`;
    case "memory":
      return tree.offset === 0 ? tree.op : `${tree.op} offset=${tree.offset}`;
    case "lane":
      return `${tree.op} ${tree.lane}`;
    case "shuffle":
      return `i8x16.shuffle ${tree.bytes.join(" ")}`;
    case "call":
      return `call ${names.functions.get(tree.target)}`;
    case "copy":
      return "memory.copy";
    case "branch":
      return `${tree.condition ? "br_if" : "br"} ${names.labels.get(tree.label)}`;
    case "block":
    case "loop": {
      const result = tree.kind === "block" && tree.result ? ` (result ${tree.result})` : "";
      return `${tree.kind} ${names.labels.get(tree.label)}${result}`;
    }
    case "if":
    case "comment":
      return tree.kind;
  }
}

function number(value: number): string {
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return value < 0 ? "-inf" : "inf";
  return Object.is(value, -0) ? "-0" : String(value);
}
