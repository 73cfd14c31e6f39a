// Reads the text form of kernels back. Names get the types of their definitions, so that the text need not repeat them.

import type { Dim } from "../dim.ts";
import type { DType } from "../dtype.ts";
import type { Location } from "../location.ts";
import { Cursor, find, KernelParseError } from "./lex.ts";
import { parseExpr } from "./parse-expression.ts";
import {
  type BufferParameter,
  type Expr,
  type Kernel,
  type LoopRole,
  loopModes,
  type Stmt,
  type ValueType,
} from "./types.ts";

export { KernelParseError } from "./lex.ts";

/** All kernels in a text. Throws a KernelParseError. */
function parseKernels(text: string): Kernel[] {
  const parser = new Parser(new Cursor(text));
  const kernels: Kernel[] = [];
  while (!parser.cursor.atEnd()) kernels.push(parser.kernel());
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

/** A recursive-descent parser of one kernel after the other: a cursor, and the types of the names in scope. */
class Parser {
  private scope = new Map<string, ValueType>();
  private readonly buffers = new Map<string, DType>();

  constructor(readonly cursor: Cursor) {}

  private expr(): Expr {
    return parseExpr(this.cursor, { values: this.scope, buffers: this.buffers });
  }

  kernel(): Kernel {
    this.scope = new Map();
    this.buffers.clear();
    const doc: string[] = [];
    while (this.cursor.peek().startsWith("///")) doc.push(this.cursor.next().slice(3).replace(/^ /, ""));
    const location = parsePlace(doc.at(-1) ?? "");
    if (location) doc.pop();
    this.cursor.expect("kernel");
    const name = this.cursor.name();
    this.cursor.expect("(");
    const sizes: string[] = [];
    const buffers: BufferParameter[] = [];
    while (!this.cursor.accept(")")) {
      const access = find(["read", "write", "read_write"], this.cursor.peek());
      if (access && /^[\p{L}_]/u.test(this.cursor.peek(1))) {
        this.cursor.next();
        buffers.push({ access, ...this.buffer() });
      } else {
        sizes.push(this.cursor.name());
        this.scope.set(sizes.at(-1)!, "index");
      }
      if (this.cursor.peek() !== ")") this.cursor.expect(",");
    }
    this.cursor.expect("cost");
    const flops = this.cursor.dim();
    this.cursor.expect("flops");
    this.cursor.expect(",");
    const bytes = this.cursor.dim();
    this.cursor.expect("bytes");
    return { name, doc: doc.join("\n"), location, sizes, buffers, body: this.body(), cost: { flops, bytes } };
  }

  private buffer(): { readonly name: string; readonly dtype: DType; readonly length: Dim } {
    const name = this.cursor.name();
    this.cursor.expect(":");
    const dtype = this.cursor.dtype();
    this.cursor.expect("[");
    const length = this.cursor.dim();
    this.cursor.expect("]");
    this.buffers.set(name, dtype);
    return { name, dtype, length };
  }

  private body(): Stmt[] {
    this.cursor.expect("{");
    const outer = this.scope;
    this.scope = new Map(outer);
    const body: Stmt[] = [];
    while (!this.cursor.accept("}")) body.push(this.statement());
    this.scope = outer;
    return body;
  }

  private statement(): Stmt {
    // A keyword may be a name as well: `let = 3`, `block[i] = 0`.
    const keyword = ["=", "["].includes(this.cursor.peek(1)) ? "" : this.cursor.peek();
    switch (keyword) {
      case "for":
        return this.loop();
      case "let":
      case "var": {
        const kind = this.cursor.next() === "let" ? "let" : "var";
        const name = this.cursor.name();
        this.cursor.expect("=");
        const value = this.expr();
        this.scope.set(name, value.type);
        return { kind, name, value };
      }
      case "if": {
        this.cursor.next();
        const condition = this.expr();
        const then = this.body();
        return { kind: "if", condition, then, otherwise: this.cursor.accept("else") ? this.body() : [] };
      }
      case "alloc": {
        this.cursor.next();
        // `shared` is a word of its own here only where a name follows it.
        const shared = this.cursor.peek(1) !== ":" && this.cursor.accept("shared");
        const { name, dtype, length } = this.buffer();
        if (typeof length !== "number") this.cursor.fail("the length of a scratch array must be a number");
        return { kind: "alloc", name, dtype, length, ...(shared ? { shared } : {}) };
      }
      case "barrier":
        this.cursor.next();
        return { kind: "barrier" };
      case "block": {
        this.cursor.next();
        const label: unknown = this.cursor.peek().startsWith('"') ? JSON.parse(this.cursor.next()) : undefined;
        if (typeof label !== "string") this.cursor.fail("expected the heading of the block in quotes");
        return { kind: "block", label, body: this.body() };
      }
    }
    const name = this.cursor.name();
    if (this.cursor.accept("=")) return { kind: "assign", name, value: this.expr() };
    this.cursor.expect("[");
    const index = this.expr();
    this.cursor.expect("]");
    this.cursor.expect("=");
    return { kind: "store", buffer: name, index, value: this.expr() };
  }

  private loop(): Stmt {
    this.cursor.expect("for");
    const variable = this.cursor.name();
    this.cursor.expect("in");
    const from = this.expr();
    this.cursor.expect("..");
    const to = this.expr();
    const step = this.cursor.accept("step") ? this.cursor.integer() : 1;
    const mode = loopModes.find((word) => word !== "serial" && this.cursor.accept(word)) ?? "serial";
    const lanes = this.cursor.accept("lanes");
    if (lanes) this.cursor.expect("4");
    this.cursor.expect("over");
    const role = this.cursor.oneOf(roles);
    const outer = this.scope;
    this.scope = new Map([...outer, [variable, "index"]]);
    const body = this.body();
    this.scope = outer;
    return { kind: "for", variable, from, to, step, mode, role, ...(lanes ? { lanes: 4 } : {}), body };
  }
}

function parsePlace(text: string): Location | undefined {
  const match = /^at (.*?):(\d+):(\d+)(?: in (\S+))?(?: for (.*))?$/.exec(text);
  if (!match) return undefined;
  const [, file = "", line, column, scope = "", note] = match;
  return { file, line: Number(line), column: Number(column), scope, ...(note === undefined ? {} : { note }) };
}
