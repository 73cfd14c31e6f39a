// Reads the text form of kernels back. Names get the types of their definitions, so that the text need not repeat them.

import { addDims, type Dim, floorDivideDim, multiplyDims, symbol } from "../dim.ts";
import { type DType, isDType } from "../dtype.ts";
import type { Location } from "../location.ts";
import { infix } from "./print.ts";
import {
  type BinaryOp,
  type BufferParameter,
  binaryOps,
  compareOps,
  type Expr,
  type Kernel,
  type LoopRole,
  type ScalarType,
  type Stmt,
  type UnaryOp,
  unaryOps,
} from "./types.ts";

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

/** All kernels in a text. Throws a KernelParseError. */
export function parseKernels(text: string): Kernel[] {
  const parser = new Parser(tokenise(text));
  const kernels: Kernel[] = [];
  while (!parser.atEnd()) kernels.push(parser.kernel());
  return kernels;
}

/** The one kernel in a text. Throws a KernelParseError. */
export function parseKernel(text: string): Kernel {
  const [kernel, ...more] = parseKernels(text);
  if (!kernel || more.length > 0)
    throw new KernelParseError(`expected one kernel, found ${more.length + (kernel ? 1 : 0)}`, 1, 1);
  return kernel;
}

const roles: readonly LoopRole[] = ["batch", "m", "n", "k", "window", "row", "element"];
const operators = new Map(Object.entries(infix).map(([op, [text, precedence]]) => [text, { op, precedence }] as const));
const find = <T extends string>(names: readonly T[], text: string): T | undefined =>
  names.find((name) => name === text);

/** A recursive-descent parser: it has a position and the types of the names in scope. */
class Parser {
  private position = 0;
  private scope = new Map<string, ScalarType>();
  private readonly buffers = new Map<string, DType>();

  constructor(private readonly tokens: readonly Token[]) {}

  atEnd(): boolean {
    return this.peek() === "";
  }

  private peek(ahead = 0): string {
    return this.tokens[Math.min(this.position + ahead, this.tokens.length - 1)]!.text;
  }

  private next(): string {
    const text = this.peek();
    if (text === "") this.fail("unexpected end of the text");
    this.position++;
    return text;
  }

  private fail(message: string): never {
    const { line, column } = this.tokens[this.position]!;
    throw new KernelParseError(message, line, column);
  }

  private accept(text: string): boolean {
    if (this.peek() !== text) return false;
    this.position++;
    return true;
  }

  private expect(text: string): void {
    if (!this.accept(text)) this.fail(`expected ${text}, found ${this.peek() || "the end"}`);
  }

  private name(): string {
    if (!/^[\p{L}_]/u.test(this.peek())) this.fail(`expected a name, found ${this.peek() || "the end"}`);
    return this.next();
  }

  private integer(): number {
    const sign = this.accept("-") ? -1 : 1;
    if (!/^\d+$/.test(this.peek())) this.fail(`expected an integer, found ${this.peek() || "the end"}`);
    return sign * Number(this.next());
  }

  private oneOf<T extends string>(names: readonly T[]): T {
    const found = find(names, this.peek());
    if (!found) this.fail(`expected one of ${names.join(", ")}, found ${this.peek() || "the end"}`);
    this.position++;
    return found;
  }

  private dtype(): DType {
    const text = this.peek();
    if (!isDType(text)) this.fail(`expected an element type, found ${text || "the end"}`);
    this.position++;
    return text;
  }

  kernel(): Kernel {
    this.scope = new Map();
    this.buffers.clear();
    const doc: string[] = [];
    while (this.peek().startsWith("///")) doc.push(this.next().slice(3).replace(/^ /, ""));
    const location = parsePlace(doc.at(-1) ?? "");
    if (location) doc.pop();
    this.expect("kernel");
    const name = this.name();
    this.expect("(");
    const sizes: string[] = [];
    const buffers: BufferParameter[] = [];
    while (!this.accept(")")) {
      const access = find(["read", "write", "read_write"], this.peek());
      if (access && /^[\p{L}_]/u.test(this.peek(1))) {
        this.position++;
        buffers.push({ access, ...this.buffer() });
      } else {
        sizes.push(this.name());
        this.scope.set(sizes.at(-1)!, "index");
      }
      if (this.peek() !== ")") this.expect(",");
    }
    this.expect("cost");
    const flops = this.dim();
    this.expect("flops");
    this.expect(",");
    const bytes = this.dim();
    this.expect("bytes");
    return { name, doc: doc.join("\n"), location, sizes, buffers, body: this.body(), cost: { flops, bytes } };
  }

  private buffer(): { readonly name: string; readonly dtype: DType; readonly length: Dim } {
    const name = this.name();
    this.expect(":");
    const dtype = this.dtype();
    this.expect("[");
    const length = this.dim();
    this.expect("]");
    this.buffers.set(name, dtype);
    return { name, dtype, length };
  }

  /** A dimension as `formatDim` writes it. */
  private dim(): Dim {
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

  private dimFactor(): Dim {
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

  private body(): Stmt[] {
    this.expect("{");
    const outer = this.scope;
    this.scope = new Map(outer);
    const body: Stmt[] = [];
    while (!this.accept("}")) body.push(this.statement());
    this.scope = outer;
    return body;
  }

  private statement(): Stmt {
    // A keyword may be a name as well: `let = 3`, `block[i] = 0`.
    const keyword = ["=", "["].includes(this.peek(1)) ? "" : this.peek();
    switch (keyword) {
      case "for":
        return this.loop();
      case "let":
      case "var": {
        const kind = this.next() === "let" ? "let" : "var";
        const name = this.name();
        this.expect("=");
        const value = this.expr(0);
        this.scope.set(name, value.type);
        return { kind, name, value };
      }
      case "if": {
        this.position++;
        const condition = this.expr(0);
        const then = this.body();
        return { kind: "if", condition, then, otherwise: this.accept("else") ? this.body() : [] };
      }
      case "alloc": {
        this.position++;
        const { name, dtype, length } = this.buffer();
        if (typeof length !== "number") this.fail("the length of a scratch array must be a number");
        return { kind: "alloc", name, dtype, length };
      }
      case "block": {
        this.position++;
        const label: unknown = this.peek().startsWith('"') ? JSON.parse(this.next()) : undefined;
        if (typeof label !== "string") this.fail("expected the heading of the block in quotes");
        return { kind: "block", label, body: this.body() };
      }
    }
    const name = this.name();
    if (this.accept("=")) return { kind: "assign", name, value: this.expr(0) };
    this.expect("[");
    const index = this.expr(0);
    this.expect("]");
    this.expect("=");
    return { kind: "store", buffer: name, index, value: this.expr(0) };
  }

  private loop(): Stmt {
    this.expect("for");
    const variable = this.name();
    this.expect("in");
    const from = this.expr(0);
    this.expect("..");
    const to = this.expr(0);
    const step = this.accept("step") ? this.integer() : 1;
    const mode = this.accept("parallel") ? "parallel" : "serial";
    this.expect("over");
    const role = this.oneOf(roles);
    const outer = this.scope;
    this.scope = new Map([...outer, [variable, "index"]]);
    const body = this.body();
    this.scope = outer;
    return { kind: "for", variable, from, to, step, mode, role, body };
  }

  private expr(minimum: number): Expr {
    let a = this.operand();
    for (;;) {
      const operator = operators.get(this.peek());
      if (!operator || operator.precedence < minimum) return a;
      this.position++;
      const b = this.expr(operator.precedence + 1);
      const comparison = find(compareOps, operator.op);
      if (comparison) a = { kind: "compare", type: "bool", op: comparison, a, b };
      else a = this.binary(operator.op, a, b);
    }
  }

  private binary(name: string, a: Expr, b: Expr): Expr {
    const op: BinaryOp | undefined = find(binaryOps, name);
    if (!op) this.fail(`unknown operation ${name}`);
    return { kind: "binary", type: a.type, op, a, b };
  }

  private operand(): Expr {
    if (this.accept("(")) {
      const inner = this.expr(0);
      this.expect(")");
      return inner;
    }
    if (this.peek() === "-") {
      this.position++;
      const constant = this.constant(-1);
      if (constant) return constant;
      const x = this.operand();
      return { kind: "unary", type: x.type, op: "negate", x };
    }
    const constant = this.constant(1);
    if (constant) return constant;
    if (this.peek(1) === "(") return this.call();
    const name = this.name();
    if (this.accept("[")) {
      const type = this.buffers.get(name);
      if (!type) this.fail(`no buffer is called ${name}`);
      const index = this.expr(0);
      this.expect("]");
      return { kind: "load", type, buffer: name, index };
    }
    const type = this.scope.get(name);
    if (!type) {
      this.position--;
      this.fail(`${name} is not defined`);
    }
    return { kind: "variable", type, name };
  }

  private constant(sign: number): Expr | undefined {
    const text = this.peek();
    const make = (type: ScalarType, value: number): Expr => {
      this.position++;
      return { kind: "constant", type, value };
    };
    if (sign > 0 && (text === "true" || text === "false")) return make("bool", text === "true" ? 1 : 0);
    const special = /^(nan|infinity)(f16)?$/.exec(text);
    if (special && !this.scope.has(text)) {
      return make(special[2] ? "f16" : "f32", special[1] === "nan" ? Number.NaN : sign * Number.POSITIVE_INFINITY);
    }
    const number = /^(\d+(?:\.\d+)?(?:e[+-]?\d+)?)(f16|i32|u8|i8)?$/.exec(text);
    if (!number) return undefined;
    const suffix = number[2];
    const type = suffix && isDType(suffix) ? suffix : /[.e]/.test(text) ? "f32" : "index";
    return make(type, sign * Number(number[1]));
  }

  private call(): Expr {
    const name = this.name();
    this.expect("(");
    const args = [this.expr(0)];
    while (this.accept(",")) args.push(this.expr(0));
    this.expect(")");
    const [x, y, z, w] = args;
    const unary: UnaryOp | undefined = find(unaryOps, name);
    if (x && !y && unary) return { kind: "unary", type: unary === "is_finite" ? "bool" : x.type, op: unary, x };
    if (x && !y && (name === "index" || isDType(name))) return { kind: "convert", type: name, x };
    if (x && y && z && !w && name === "select") return { kind: "select", type: y.type, condition: x, a: y, b: z };
    if (x && y && z && w && name === "threefry") return { kind: "threefry", type: "i32", key: [x, y], counter: [z, w] };
    if (x && y && !z) return this.binary(name, x, y);
    this.fail(`unknown operation ${name} of ${args.length} operands`);
  }
}

function parsePlace(text: string): Location | undefined {
  const match = /^at (.*?):(\d+):(\d+)(?: in (\S+))?(?: for (.*))?$/.exec(text);
  if (!match) return undefined;
  const [, file = "", line, column, scope = "", note] = match;
  return { file, line: Number(line), column: Number(column), scope, ...(note === undefined ? {} : { note }) };
}
