// Cuts a kernel where threads may take parts of it: each of its outermost loops, if all are parallel, becomes a kernel of its own
// that runs over some of the loop's tiles. What a tile computes stays as it is, so that results do not depend on who computes it.

import { k } from "../../../ir/kernel/build.ts";
import type { Expr, Kernel, Stmt } from "../../../ir/kernel/types.ts";
import { containsLoop } from "../../js/addresses.ts";
import { eachExpression, mapExpressions } from "../../js/visit.ts";

/** One outermost loop of a kernel. */
export interface Piece {
  /** The kernel with this loop alone; two more sizes, the last ones, say from which tile on and up to which it runs. */
  readonly kernel: Kernel;
  /** How many tiles there are, from the free sizes. */
  readonly tiles: Expr;
  /** How much of the outermost axis the loop runs over, from the free sizes: a measure for its share of the work. */
  readonly extent: Expr;
}

export interface Split {
  /** In order; each must be complete before the next begins. */
  readonly pieces: readonly Piece[];
  /** Buffers that a piece reads before its loop: it must not write them, not even under another name. */
  readonly early: readonly string[];
}

type Loop = Stmt & { readonly kind: "for" };

/** Undefined for kernels that one thread must run as a whole. */
export function splitKernel(kernel: Kernel): Split | undefined {
  const body = flatten(kernel.body);
  const loops = body.filter(isLoop);
  const lets = new Map<string, Expr>();
  const early = new Set<string>();
  for (const statement of body) {
    if (statement.kind === "let") {
      lets.set(statement.name, statement.value);
      for (const buffer of loadsIn([statement])) early.add(buffer);
    } else if (statement.kind !== "alloc" && !(statement.kind === "for" && statement.mode === "parallel")) return;
  }
  const scratch = body.flatMap((statement) => (statement.kind === "alloc" ? [statement.name] : []));
  if (loops.length === 0 || !loops.every((loop) => isPrivate(loop, scratch))) return;
  if (kernel.buffers.some(({ name, access }) => access !== "read" && early.has(name))) return;
  const names = new Set([...kernel.sizes, ...kernel.buffers.map(({ name }) => name), ...namesIn(body)]);
  const pieces = loops.map((loop) => pieceOf(kernel, body, loop, lets, names));
  return pieces.every((piece) => piece !== undefined) ? { pieces, early: [...early] } : undefined;
}

const isLoop = (statement: Stmt): statement is Loop => statement.kind === "for";

/** Without headings. */
const flatten = (body: readonly Stmt[]): Stmt[] => body.flatMap((s) => (s.kind === "block" ? flatten(s.body) : [s]));

/**
 * Iterations of a parallel loop touch no common element, save to read. So scratch that the loop writes belongs to each iteration
 * alone, and any thread has its own; what it only reads comes from before the loop, and other threads have not got it.
 */
function isPrivate(loop: Loop, scratch: readonly string[]): boolean {
  const written = storesIn([loop]);
  const read = loadsIn([loop]);
  return scratch.every((name) => !read.has(name) || written.has(name));
}

/** So many tiles are enough for any number of threads. */
const enoughTiles = 64;

function pieceOf(
  kernel: Kernel,
  body: readonly Stmt[],
  loop: Loop,
  lets: ReadonlyMap<string, Expr>,
  names: ReadonlySet<string>,
): Piece | undefined {
  const tiles = tilesOf(loop, kernel, lets);
  const extent = resolve(k.subtract(loop.to, loop.from), kernel, lets);
  if (!tiles || !extent) return undefined;
  const fresh = (stem: string): string => (names.has(stem) ? fresh(`${stem}_`) : stem);
  const [first, past] = [fresh("first_tile"), fresh("past_tile")];
  const [from, to] = [k.variable(first, "index"), k.variable(past, "index")];
  const inner = tiles.kind === "constant" && tiles.value >= enoughTiles ? undefined : innerOf(loop);
  const innerTiles = inner && tilesOf(inner.loop, kernel, lets);
  const before = body.filter((statement) => !isLoop(statement));
  const make = (only: Stmt, count: Expr): Piece => ({
    kernel: { ...kernel, sizes: [...kernel.sizes, first, past], body: [...before, only] },
    tiles: count,
    extent,
  });
  const at = (of: Loop, tile: Expr): Expr => k.add(of.from, k.multiply(tile, of.step));
  if (!inner || !innerTiles) return make({ ...loop, from: at(loop, from), to: at(loop, to) }, tiles);
  const tile = fresh("tile");
  const number = k.variable(tile, "index");
  const both = k.loop(
    tile,
    to,
    [
      k.let(loop.variable, at(loop, k.floordiv(number, innerTiles))),
      ...inner.before,
      k.let(inner.loop.variable, at(inner.loop, k.remainder(number, innerTiles))),
      ...inner.loop.body,
    ],
    { from, mode: "parallel", role: loop.role },
  );
  return make(both, k.multiply(tiles, innerTiles));
}

/** The parallel loop directly inside, where it is alone there and has loops of its own: tiles of both are numbered together. */
function innerOf({ body }: Loop): { readonly before: readonly Stmt[]; readonly loop: Loop } | undefined {
  const statements = flatten(body);
  const loop = statements.at(-1);
  const before = statements.slice(0, -1);
  if (loop?.kind !== "for" || loop.mode !== "parallel" || !containsLoop(loop.body)) return undefined;
  return before.every((s) => s.kind === "let") && loadsIn(before).size === 0 ? { before, loop } : undefined;
}

/** How often the loop runs, from the free sizes; undefined if more decides it. */
function tilesOf({ from, to, step }: Loop, kernel: Kernel, lets: ReadonlyMap<string, Expr>): Expr | undefined {
  return resolve(k.floordiv(k.add(k.subtract(to, from), step - 1), step), kernel, lets);
}

function resolve(expr: Expr, kernel: Kernel, lets: ReadonlyMap<string, Expr>): Expr | undefined {
  let isKnown = true;
  const inserted = mapExpressions(expr, (part) => {
    const value = part.kind === "variable" ? lets.get(part.name) : undefined;
    const known = value ? resolve(value, kernel, lets) : part;
    if (!known || !isIndexArithmetic(known, kernel.sizes)) isKnown = false;
    return known ?? part;
  });
  return isKnown ? inserted : undefined;
}

const arithmetic = ["add", "subtract", "multiply", "floordiv", "remainder", "minimum", "maximum"];

function isIndexArithmetic(expr: Expr, sizes: readonly string[]): boolean {
  switch (expr.kind) {
    case "constant":
      return true;
    case "variable":
      return sizes.includes(expr.name);
    case "binary":
      return expr.type === "index" && arithmetic.includes(expr.op);
    default:
      return false;
  }
}

/** The value of what `Piece` gives as expressions. */
export function evaluateIndex(expr: Expr, sizes: Readonly<Record<string, number>>): number {
  switch (expr.kind) {
    case "constant":
      return expr.value;
    case "variable":
      return sizes[expr.name]!;
    case "binary": {
      const [a, b] = [evaluateIndex(expr.a, sizes), evaluateIndex(expr.b, sizes)];
      switch (expr.op) {
        case "add":
          return a + b;
        case "subtract":
          return a - b;
        case "multiply":
          return a * b;
        case "floordiv":
          return Math.floor(a / b);
        case "remainder":
          return a % b;
        case "minimum":
          return Math.min(a, b);
        case "maximum":
          return Math.max(a, b);
      }
    }
  }
  throw new TypeError(`${expr.kind} is no arithmetic of indices`);
}

function eachStatement(body: readonly Stmt[], visit: (statement: Stmt) => void): void {
  for (const s of body) {
    visit(s);
    if (s.kind === "for" || s.kind === "block") eachStatement(s.body, visit);
    if (s.kind === "if") for (const arm of [s.then, s.otherwise]) eachStatement(arm, visit);
  }
}

/** The buffers and scratch arrays that are read. */
function loadsIn(body: readonly Stmt[]): ReadonlySet<string> {
  const found = new Set<string>();
  eachStatement(body, (statement) =>
    eachExpression(statement, (expr) => {
      mapExpressions(expr, (part) => {
        if (part.kind === "load") found.add(part.buffer);
        return part;
      });
    }),
  );
  return found;
}

function storesIn(body: readonly Stmt[]): ReadonlySet<string> {
  const found = new Set<string>();
  eachStatement(body, (s) => {
    if (s.kind === "store") found.add(s.buffer);
  });
  return found;
}

function namesIn(body: readonly Stmt[]): string[] {
  const found: string[] = [];
  eachStatement(body, (s) => {
    if (s.kind === "for") found.push(s.variable);
    if (s.kind === "let" || s.kind === "var" || s.kind === "alloc") found.push(s.name);
  });
  return found;
}
