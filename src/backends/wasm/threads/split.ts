// Cuts a kernel where threads may take parts of it: each of its outermost loops, if all are parallel, becomes a kernel of its own
// that runs over some of the loop's tiles. What a tile computes stays as it is, so that results do not depend on who computes it.

import { k } from "../../../ir/kernel/build.ts";
import type { BufferParameter, Expr, Kernel, Stmt } from "../../../ir/kernel/types.ts";
import { containsLoop, eachPartIn, eachStatement, scratchIn } from "../../../ir/kernel/visit.ts";
import { coalesce, type Loop } from "./coalesce.ts";
import { evaluateIndex, resolve, type Sizes } from "./sizes.ts";
import { workIn } from "./work.ts";

/** One outermost loop of a kernel, or a part of it. */
export interface Piece {
  /**
   * The kernel with this loop alone; two more sizes, the last ones, say from which tile on and up to which it runs. What loops hand on
   * are its last buffers.
   */
  readonly kernel: Kernel;
  /** How many tiles there are; 0 where the sizes leave the loop out. */
  readonly tiles: (sizes: Sizes) => number;
  /** A measure for its share of the kernel's work. */
  readonly work: (sizes: Sizes) => number;
}

/** A condition around a loop, on the free sizes. */
interface Guard {
  readonly condition: Expr;
  readonly holds: boolean;
}

export interface Split {
  /** In order; each must be complete before the next begins. */
  readonly pieces: readonly Piece[];
  /** Buffers that pieces read before their loops, more than once: they must not be written, not even under another name. */
  readonly early: readonly string[];
  /** Scratch arrays that one loop fills and another reads: all threads see the same. */
  readonly handed: readonly Scratch[];
}

type Scratch = Stmt & { readonly kind: "alloc" };

/** A loop with the conditions around it, and what each piece of it does first: names, and loops that fill scratch arrays for it. */
interface Placed {
  readonly loop: Loop;
  readonly before: readonly Stmt[];
  readonly guards: readonly Guard[];
}

/** Undefined for kernels that one thread must run as a whole. */
export function splitKernel(kernel: Kernel): Split | undefined {
  const placed = outermost(kernel.body, [], [], kernel);
  if (!placed || placed.length === 0) return undefined;
  const all = scratchIn(kernel.body);
  const handed = all.filter(({ name }) => !placed.every((one) => isPrivate(one, name)));
  const scratch = all.flatMap((array) => (handed.includes(array) ? [] : [array.name]));
  const names = new Set([...kernel.sizes, ...kernel.buffers.map(({ name }) => name), ...namesIn(kernel.body)]);
  const early = new Set<string>();
  const pieces: Piece[] = [];
  for (const one of placed) {
    const fills = one.before.filter(isLoop);
    const parts = piecesOf(kernel, one, scratch, names);
    if (!parts || workIn(fills, {}) > mostRepeated * workIn([one.loop], {})) return undefined;
    if ([...storesIn(fills)].some((name) => !scratch.includes(name))) return undefined;
    pieces.push(...parts.pieces.map((piece) => ({ ...piece, kernel: withShared(piece.kernel, handed) })));
    for (const buffer of parts.early) if (!all.some(({ name }) => name === buffer)) early.add(buffer);
  }
  if (kernel.buffers.some(({ name, access }) => access !== "read" && early.has(name))) return undefined;
  return { pieces, early: [...early], handed };
}

/** The kernel with scratch arrays that come from outside. */
function withShared(kernel: Kernel, handed: readonly Scratch[]): Kernel {
  if (handed.length === 0) return kernel;
  const buffers = handed.map(
    ({ name, dtype, length }): BufferParameter => ({ name, dtype, length, access: "read_write" }),
  );
  const body = kernel.body.filter((s) => s.kind !== "alloc" || !handed.includes(s));
  return { ...kernel, buffers: [...kernel.buffers, ...buffers], body };
}

/**
 * The outermost loops, if all are parallel, with nothing around them but names, conditions on sizes, and loops that fill scratch arrays:
 * the columns of a single tile, say.
 */
function outermost(
  body: readonly Stmt[],
  outer: readonly Stmt[],
  guards: readonly Guard[],
  kernel: Kernel,
): Placed[] | undefined {
  const before = [...outer];
  const found: Placed[] = [];
  for (const s of flatten(body)) {
    if (s.kind === "let" || s.kind === "alloc") {
      before.push(s);
    } else if (s.kind === "for" && s.mode === "parallel") {
      const read = loadsIn([s]);
      const isNeeded = (one: Stmt): boolean => !isLoop(one) || [...storesIn([one])].some((name) => read.has(name));
      found.push({ loop: s, before: before.filter(isNeeded), guards });
    } else if (isLoop(s) && isFill(s, kernel)) {
      before.push(s);
    } else if (s.kind === "if") {
      const condition = resolve(s.condition, kernel, before);
      if (!condition) return undefined;
      const then = outermost(s.then, before, [...guards, { condition, holds: true }], kernel);
      const otherwise = outermost(s.otherwise, before, [...guards, { condition, holds: false }], kernel);
      if (!then || !otherwise) return undefined;
      found.push(...then, ...otherwise);
    } else return undefined;
  }
  return found;
}

/** Whether a loop does nothing but copy what it reads to scratch arrays. */
function isFill(loop: Loop, { buffers }: Kernel): boolean {
  const isBuffer = (name: string): boolean => buffers.some((buffer) => buffer.name === name);
  return [...storesIn([loop])].every((name) => !isBuffer(name)) && [...loadsIn([loop])].every(isBuffer);
}

/** Without headings. */
const flatten = (body: readonly Stmt[]): Stmt[] => body.flatMap((s) => (s.kind === "block" ? flatten(s.body) : [s]));

/**
 * Iterations of a parallel loop touch no common element, save to read. So scratch that a loop reads and writes belongs to each iteration
 * alone, and any thread has its own; what it only reads comes from before the loop, perhaps from other threads.
 */
const isPrivate = ({ loop, before }: Placed, name: string): boolean =>
  !loadsIn([loop]).has(name) || storesIn([...before, loop]).has(name);

const isLoop = (s: Stmt): s is Loop => s.kind === "for";

function piecesOf(
  kernel: Kernel,
  { loop: outer, before, guards }: Placed,
  scratch: readonly string[],
  names: ReadonlySet<string>,
): { readonly pieces: readonly Piece[]; readonly early: ReadonlySet<string> } | undefined {
  const taken = new Set(names);
  const fresh = (stem: string): string => {
    if (taken.has(stem)) return fresh(`${stem}_`);
    taken.add(stem);
    return stem;
  };
  const loop = coalesce(outer, fewTiles, fresh);
  const tiles = tilesOf(loop, kernel, before);
  if (!tiles) return undefined;
  const [first, past] = [fresh("first_tile"), fresh("past_tile")];
  const [from, to] = [k.variable(first, "index"), k.variable(past, "index")];
  const make = (only: Stmt, count: Expr, all: Stmt): Piece => ({
    kernel: { ...kernel, sizes: [...kernel.sizes, first, past], body: [...before, only] },
    tiles: (sizes) => (holdAll(guards, sizes) ? Math.max(0, evaluateIndex(count, sizes)) : 0),
    work: (sizes) => (holdAll(guards, sizes) ? workIn([...before, all], sizes) : 0),
  });
  const at = (of: Loop, tile: Expr): Expr => k.add(of.from, k.multiply(tile, of.step));
  const early = loadsIn(before.filter((s) => s.kind === "let" || isLoop(s)));
  const inner = innerOf(loop, tiles, scratch);
  const counts = inner?.loops.map((one) => tilesOf(one, kernel, before));
  const whole = make({ ...loop, from: at(loop, from), to: at(loop, to) }, tiles, loop);
  if (!inner || !counts) return { pieces: [whole], early };
  // Tiles of both loops are numbered together. The outer loop runs over all of which there are tiles, the inner over these.
  const pieces = inner.loops.map((one, i): Piece | undefined => {
    const count = counts[i];
    if (!count) return undefined;
    const base = k.multiply(k.floordiv(k.subtract(k.variable(loop.variable, "index"), loop.from), loop.step), count);
    const both: Stmt = {
      ...loop,
      from: at(loop, k.floordiv(from, count)),
      to: at(loop, k.add(k.floordiv(k.subtract(to, 1), count), 1)),
      body: [
        ...inner.before,
        {
          ...one,
          from: at(one, k.maximum(k.subtract(from, base), 0)),
          to: at(one, k.minimum(k.subtract(to, base), count)),
        },
      ],
    };
    return make(both, k.multiply(tiles, count), { ...loop, body: [...inner.before, one] });
  });
  if (pieces.some((piece) => piece === undefined)) return { pieces: [whole], early };
  return {
    pieces: pieces.filter((piece) => piece !== undefined),
    early: new Set([...early, ...loadsIn(inner.before)]),
  };
}

/** So many tiles are enough for any number of threads. */
const enoughTiles = 64;
/** With fewer it pays that several threads do the same before the inner loop, such as copying columns side by side. */
const fewTiles = 16;
/** But only if that is such a part of the work inside, at most. */
const mostRepeated = 1 / 4;

/** The parallel loops directly inside, where their tiles should be shared: nothing comes after them, and they have loops of their own. */
function innerOf(
  { body }: Loop,
  tiles: Expr,
  scratch: readonly string[],
): { readonly before: readonly Stmt[]; readonly loops: readonly Loop[] } | undefined {
  const statements = flatten(body);
  const isInner = (s: Stmt): s is Loop => s.kind === "for" && s.mode === "parallel" && containsLoop(s.body);
  const start = statements.findIndex(isInner);
  const [before, after] = [statements.slice(0, start), statements.slice(start)];
  const loops = after.filter(isInner);
  if (start < 0 || loops.length < after.length) return undefined;
  const most = containsLoop(before) ? fewTiles : enoughTiles;
  if (tiles.kind === "constant" ? tiles.value >= most : most === fewTiles) return undefined;
  if (workIn(before, {}) > mostRepeated * workIn(after, {})) return undefined;
  const written = storesIn(before);
  if (![...written].every((name) => scratch.includes(name))) return undefined;
  // What one of them leaves in scratch memory the next would not find.
  const own = loops.map((loop) => storesIn([loop]));
  const hands = loops.length > 1 && own.some((stored) => scratch.some((name) => stored.has(name)));
  return hands ? undefined : { before, loops };
}

const holdAll = (guards: readonly Guard[], sizes: Sizes): boolean =>
  guards.every(({ condition, holds }) => (evaluateIndex(condition, sizes) !== 0) === holds);

/** How often the loop runs, from the free sizes; undefined if more decides it. */
function tilesOf({ from, to, step }: Loop, kernel: Kernel, before: readonly Stmt[]): Expr | undefined {
  return resolve(k.floordiv(k.add(k.subtract(to, from), step - 1), step), kernel, before);
}

/** The buffers and scratch arrays that are read. */
function loadsIn(body: readonly Stmt[]): ReadonlySet<string> {
  const found = new Set<string>();
  eachPartIn(body, (part) => {
    if (part.kind === "load") found.add(part.buffer);
  });
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
