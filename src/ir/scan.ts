// The reader's hand under the IR's parsers: takes marks and words off a text, skips space and comments, and knows the
// line and column for errors. Types, dimensions, numbers and names are read here too, since graphs, rules and kernels
// all have them.

import { addDims, type Dim, floorDivideDim, multiplyDims, subtractDims, symbol } from "./dim.ts";
import { isDType } from "./dtype.ts";
import type { TensorType } from "./graph.ts";

/** IR text that cannot be read. Lines and columns count from 1. */
export class IrSyntaxError extends Error {
  override readonly name = "IrSyntaxError";
  constructor(
    message: string,
    readonly line: number,
    readonly column: number,
  ) {
    super(`${line}:${column}: ${message}`);
  }
}

export interface Scanner {
  /** Takes `text` if it comes next, after space and comments. */
  take(text: string): boolean;
  /** Whether `text` comes next. */
  sees(text: string): boolean;
  /** Takes `text`, or throws. */
  expect(text: string): void;
  /** Takes what the pattern (sticky, with `u`) matches next. */
  match(pattern: RegExp): string | undefined;
  /** The comment in the rest of this line, taken; undefined where there is none. */
  comment(): string | undefined;
  /** Lines of documentation (`/// …`) that come next, without their marks. */
  documentation(): string[];
  /** The character that comes next; empty at the end. */
  peek(): string;
  atEnd(): boolean;
  /** An error at the place reached, or at a place remembered by `position`. */
  error(message: string, position?: number): IrSyntaxError;
  position(): number;
}

const space = /(?:\s|\/\/(?!\/)[^\n]*)*/uy;
const documentation = /\s*\/\/\/ ?([^\n]*)(?:\n|$)/uy;
const comment = /[ \t]*\/\/ ?([^\n]*)/uy;

export function createScanner(text: string): Scanner {
  let at = 0;
  const run = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    return pattern.exec(text);
  };
  /** Where the next mark or word begins. */
  const ahead = (): number => at + (run(space)?.[0].length ?? 0);
  const sees = (mark: string): boolean => text.startsWith(mark, ahead());
  const take = (mark: string): boolean => {
    const start = ahead();
    // Where nothing is taken, space stays as well: the comment in it may be a place in the source.
    if (!text.startsWith(mark, start)) return false;
    at = start + mark.length;
    return true;
  };
  const error = (message: string, position = ahead()): IrSyntaxError => {
    const before = text.slice(0, position).split("\n");
    return new IrSyntaxError(message, before.length, before[before.length - 1]!.length + 1);
  };
  const next = (): string => {
    const found = text.slice(ahead()).match(/^(?:[\p{ID_Continue}.]+|\S)/u)?.[0];
    return found === undefined ? "the end of the text" : `\`${found.slice(0, 40)}\``;
  };
  return {
    take,
    sees,
    error,
    expect(mark) {
      if (!take(mark)) throw error(`expected \`${mark}\`, found ${next()}`);
    },
    match(pattern) {
      const start = ahead();
      pattern.lastIndex = start;
      const found = pattern.exec(text)?.[0];
      if (found === undefined || found === "") return undefined;
      at = start + found.length;
      return found;
    },
    comment() {
      const found = run(comment);
      if (!found) return undefined;
      at += found[0].length;
      return found[1];
    },
    documentation() {
      const lines: string[] = [];
      for (let found = run(documentation); found; found = run(documentation)) {
        at += found[0].length;
        lines.push(found[1]!);
      }
      return lines;
    },
    peek: () => text.charAt(ahead()),
    atEnd: () => ahead() === text.length,
    position: ahead,
  };
}

const word = /[\p{ID_Start}_$][\p{ID_Continue}$]*(?:\.[\p{ID_Continue}$]+)*/uy;
const wholeWord = new RegExp(`^${word.source}$`, "u");
const quoted = /"(?:[^"\\\n]|\\.)*"/uy;
const digits = /\d+/uy;
const float = /-?(?:inf(?![\p{ID_Continue}])|nan(?![\p{ID_Continue}])|\d+(?:\.\d+)?(?:e[+-]?\d+)?)/uy;

/** A bare word where it can be one, else the text in quotes. */
export const formatName = (name: string): string => (wholeWord.test(name) ? name : JSON.stringify(name));

export const readWord = (scanner: Scanner): string | undefined => scanner.match(word);

/** A name, bare or in quotes; `what` completes "expected …". */
export function readName(scanner: Scanner, what: string): string {
  const bare = readWord(scanner);
  if (bare !== undefined) return bare;
  const text = readText(scanner);
  if (text === undefined) throw scanner.error(`expected ${what}`);
  return text;
}

/** A text in quotes, with JSON's escapes. */
export function readText(scanner: Scanner): string | undefined {
  const start = scanner.position();
  const text = scanner.match(quoted);
  if (text === undefined) return undefined;
  try {
    return String(JSON.parse(text));
  } catch {
    throw scanner.error("this text has an escape that does not exist", start);
  }
}

/** Like `String`, but for what numbers it has no text for that reads back. */
export function formatNumber(value: number): string {
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
  return Object.is(value, -0) ? "-0" : String(value);
}

export function readNumber(scanner: Scanner): number | undefined {
  const text = scanner.match(float);
  if (text === undefined) return undefined;
  if (text.endsWith("nan")) return Number.NaN;
  if (text.endsWith("inf")) return text.startsWith("-") ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  return Number(text);
}

export function readInteger(scanner: Scanner): number {
  const text = scanner.match(digits);
  if (text === undefined) throw scanner.error("expected an integer");
  return Number(text);
}

/** A dimension: sums and products of integers, names and `floor(…/2)`. */
export function readDim(scanner: Scanner): Dim {
  let sum: Dim = scanner.take("-") ? multiplyDims(-1, readProduct(scanner)) : readProduct(scanner);
  for (;;) {
    if (scanner.take("+")) sum = addDims(sum, readProduct(scanner));
    else if (scanner.take("-")) sum = subtractDims(sum, readProduct(scanner));
    else return sum;
  }
}

function readProduct(scanner: Scanner): Dim {
  let product = readFactor(scanner);
  while (scanner.take("*")) product = multiplyDims(product, readFactor(scanner));
  return product;
}

function readFactor(scanner: Scanner): Dim {
  const number = scanner.match(digits);
  if (number !== undefined) return Number(number);
  const parenthesis = (): Dim => {
    const inner = readDim(scanner);
    scanner.expect(")");
    return inner;
  };
  if (scanner.take("(")) return parenthesis();
  const name = readWord(scanner);
  if (name === undefined) throw scanner.error("expected a dimension");
  if (name !== "floor" || !scanner.take("(")) return symbol(name);
  scanner.expect("(");
  const numerator = parenthesis();
  scanner.expect("/");
  const divisor = readInteger(scanner);
  if (divisor === 0) throw scanner.error("a dimension cannot be divided by 0");
  scanner.expect(")");
  return floorDivideDim(numerator, divisor);
}

/** A list in brackets, `[a, b]`. */
export function readList<T>(scanner: Scanner, item: () => T, open = "[", close = "]"): T[] {
  scanner.expect(open);
  const items: T[] = [];
  if (scanner.take(close)) return items;
  do items.push(item());
  while (scanner.take(","));
  scanner.expect(close);
  return items;
}

/** A tensor's type: `f32[N, 3]`. */
export function readType(scanner: Scanner): TensorType {
  const start = scanner.position();
  const dtype = readWord(scanner);
  if (dtype === undefined || !isDType(dtype)) throw scanner.error("expected a type such as f32[N, 3]", start);
  return { dtype, shape: readList(scanner, () => readDim(scanner)) };
}
