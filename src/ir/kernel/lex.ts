// Tokens of the text form of kernels, and a cursor over them with the small things that all parts of the parser read.

import { addDims, type Dim, floorDivideDim, multiplyDims, symbol } from "../dim.ts";
import { type DType, isDType } from "../dtype.ts";

/** Text that is not a kernel, with the line and column (from 1) where it goes wrong. */
export class KernelParseError extends Error {
  override readonly name = "KernelParseError";
  constructor(
    message: string,
    readonly line: number,
    readonly column: number,
  ) {
    super(`${line}:${column}: ${message}`);
  }
}

interface Token {
  readonly text: string;
  readonly line: number;
  readonly column: number;
}

const pattern =
  /\s+|(\/\/\/[^\n]*|"(?:[^"\\]|\\.)*"|\d+(?:\.\d+)?(?:e[+-]?\d+)?(?:f16|i32|u8|i8)?|[\p{L}_][\p{L}\p{N}_]*(?:\.[\p{L}_][\p{L}\p{N}_]*)*|\.\.|>>>|<<|\/\/|[<>=!]=|[-+*/%<>=&|^()[\]{},:])/uy;

function tokenise(text: string): Token[] {
  const tokens: Token[] = [];
  const scanner = new RegExp(pattern);
  let line = 1;
  let start = 0;
  while (scanner.lastIndex < text.length) {
    const at = scanner.lastIndex;
    const match = scanner.exec(text);
    if (!match) throw new KernelParseError(`unexpected ${JSON.stringify(text[at])}`, line, at - start + 1);
    if (match[1] !== undefined) tokens.push({ text: match[1], line, column: at - start + 1 });
    for (let i = at; i < scanner.lastIndex; i++) {
      if (text[i] !== "\n") continue;
      line++;
      start = i + 1;
    }
  }
  tokens.push({ text: "", line, column: text.length - start + 1 });
  return tokens;
}

/** The first of the names that is the text. */
export const find = <T extends string>(names: readonly T[], text: string): T | undefined =>
  names.find((name) => name === text);

/** A position in a text. What does not fit throws a KernelParseError with its place. */
export class Cursor {
  private position = 0;
  private readonly tokens: readonly Token[];

  constructor(text: string) {
    this.tokens = tokenise(text);
  }

  atEnd(): boolean {
    return this.peek() === "";
  }

  peek(ahead = 0): string {
    return this.tokens[Math.min(this.position + ahead, this.tokens.length - 1)]!.text;
  }

  next(): string {
    const text = this.peek();
    if (text === "") this.fail("unexpected end of the text");
    this.position++;
    return text;
  }

  fail(message: string): never {
    const { line, column } = this.tokens[this.position]!;
    throw new KernelParseError(message, line, column);
  }

  accept(text: string): boolean {
    if (this.peek() !== text) return false;
    this.position++;
    return true;
  }

  expect(text: string): void {
    if (!this.accept(text)) this.fail(`expected ${text}, found ${this.peek() || "the end"}`);
  }

  name(): string {
    if (!/^[\p{L}_]/u.test(this.peek())) this.fail(`expected a name, found ${this.peek() || "the end"}`);
    return this.next();
  }

  integer(): number {
    const sign = this.accept("-") ? -1 : 1;
    if (!/^\d+$/.test(this.peek())) this.fail(`expected an integer, found ${this.peek() || "the end"}`);
    return sign * Number(this.next());
  }

  oneOf<T extends string>(names: readonly T[]): T {
    const found = find(names, this.peek());
    if (!found) this.fail(`expected one of ${names.join(", ")}, found ${this.peek() || "the end"}`);
    this.position++;
    return found;
  }

  dtype(): DType {
    const text = this.peek();
    if (!isDType(text)) this.fail(`expected an element type, found ${text || "the end"}`);
    this.position++;
    return text;
  }

  /** A dimension as `formatDim` writes it. */
  dim(): Dim {
    let sum: Dim = 0;
    let sign = this.accept("-") ? -1 : 1;
    for (;;) {
      let product: Dim = sign;
      do product = multiplyDims(product, this.dimFactor());
      while (this.accept("*"));
      sum = addDims(sum, product);
      if (this.accept("+")) sign = 1;
      else if (this.accept("-")) sign = -1;
      else return sum;
    }
  }

  dimFactor(): Dim {
    if (/^\d/.test(this.peek())) return this.integer();
    const name = this.name();
    if (name !== "floor" || !this.accept("(")) return symbol(name);
    this.expect("(");
    const numerator = this.dim();
    this.expect(")");
    this.expect("/");
    const divisor = this.integer();
    this.expect(")");
    return floorDivideDim(numerator, divisor);
  }

  /** Steps back over the token that was read last, so that a failure points at it. */
  back(): void {
    this.position--;
  }
}
